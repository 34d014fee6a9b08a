"""The rules of the file and of the schema: what the loader finds before anything else can be checked."""

from __future__ import annotations

from bot.surveys.lint.rules import Rule, error
from bot.surveys.problems import READING_RULES, SCHEMA_RULES

_MEANINGS = {
    "unreadable-file": "файл не читается",
    "too-large": "файл слишком большой",
    "encoding": "файл не в UTF-8",
    "tab": "табуляция",
    "control-character": "управляющий знак",
    "long-line": "слишком длинная строка",
    "yaml-syntax": "это не YAML",
    "yaml-alias": "якорь или ссылка YAML: несколько строк таких разворачиваются в гигабайты",
    "yaml-tag": "тег YAML",
    "too-deep": "слишком глубокая вложенность",
    "many-documents": "в файле больше одного документа",
    "empty-file": "файл пуст",
    "not-a-mapping": "файл — не таблица «ключ: значение»",
    "duplicate-key": "ключ записан дважды",
    "unknown-key": "неизвестный ключ",
    "missing-key": "не хватает обязательного ключа",
    "missing-reask": "вопрос нельзя переспросить: нет reask",
    "missing-consent": "нет согласия (consent): не сказано, кто звонит и что записывается",
    "bad-value": "значение не того вида или вне границ",
    "bad-pipe": "поле в фигурных скобках неизвестно или без запасного слова",
    "bad-audio": "запись голоса не найдена или не звучит",
    "expression-syntax": "условие не разобрать",
    "unknown-reference": "названо то, чего в опросе нет",
    "bad-comparison": "ответ сравнивается с тем, чем он быть не может",
    "duplicate-id": "имя занято другим вопросом или правилом",
    "same-wording": "одна и та же фраза дважды",
    "rule-action": "у правила нет действия, их два, или ключи к нему не подходят",
    "endless-loop": "переход назад может повторяться без конца",
}

READING: tuple[Rule, ...] = tuple(error(name, _MEANINGS[name], mend) for name, mend in READING_RULES.items())
"""Their files are unreadable: nothing else of them can be checked, and they exit 2."""

RULES: tuple[Rule, ...] = (
    *READING,
    *(error(name, _MEANINGS[name], mend) for name, mend in SCHEMA_RULES.items()),
)

UNPLAYABLE = next(rule for rule in RULES if rule.id == "bad-audio")
"""For recordings that only a decoder finds out to be broken."""
