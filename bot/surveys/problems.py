"""What can be wrong with a survey: problems with places for people, faults with paths for the schema."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic_core import PydanticCustomError

from bot.core.errors import Place

READING_RULES: dict[str, str] = {
    "unreadable-file": "файл открывается и читается",
    "too-large": "опрос занимает не больше 64 КиБ",
    "encoding": "файл в кодировке UTF-8",
    "tab": "отступы и промежутки — пробелы",
    "control-character": "в файле только печатные знаки",
    "long-line": "строки не длиннее 2000 знаков",
    "yaml-syntax": "файл записан по правилам YAML",
    "yaml-alias": "без якорей и ссылок YAML",
    "yaml-tag": "без тегов YAML",
    "too-deep": "вложенность не глубже той, что есть у опроса",
    "many-documents": "один файл — один опрос",
    "empty-file": "в файле есть опрос",
    "not-a-mapping": "опрос — таблица «ключ: значение»",
    "duplicate-key": "ключ записан один раз",
}
"""Faults of the file itself: nothing else of it can be checked. Rule id -> what is right."""

SCHEMA_RULES: dict[str, str] = {
    "unknown-key": "только известные ключи",
    "missing-key": "все обязательные ключи на месте",
    "missing-reask": "у вопроса есть reask, чтобы переспросить",
    "missing-consent": "у опроса есть consent, первая фраза разговора",
    "bad-value": "значения того вида и в тех границах, что задаёт схема",
    "bad-pipe": "у поля в фигурных скобках известное имя и запасное слово",
    "bad-audio": "запись голоса лежит рядом с опросом, читается и звучит",
    "expression-syntax": "условие записано по правилам языка условий",
    "unknown-reference": "условия и переходы называют то, что есть в опросе",
    "bad-comparison": "ответ сравнивается с тем, чем он может быть",
    "duplicate-id": "имена вопросов и правил не повторяются",
    "same-wording": "одна и та же фраза не звучит дважды",
    "rule-action": "у правила одно действие, со всеми ключами, что ему нужны, и без лишних",
    "endless-loop": "у перехода назад есть at_most, и разговор всегда кончается",
}
"""Faults of what the file says, found when it is loaded. Rule id -> what is right."""

DICTIONARY_RULES: dict[str, str] = {
    "bad-phrase": "фраза словаря — слова, как их говорят вслух, не больше шести",
    "bad-list": "у списка словаря есть сигнал, у жалобы — тема, а extend меняет то, что есть",
}
"""Faults of dictionaries, beside those above. Rule id -> what is right."""

FAULTS = "survey_faults"
"""The type of a validation error that carries faults in `ctx["faults"]`."""

Loc = tuple[int | str, ...]
"""A path of keys and places from the top of a survey."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a survey file.

    `rule` is a stable id for programs. `unreadable` means that nothing else of the file could be
    checked. A warning may be allowed by a comment in the file, an error never.
    """

    place: Place
    message: str
    hint: str = ""
    unreadable: bool = False
    rule: str = "bad-value"
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem without a file: where in the survey's data, and the very text at fault (`near`)."""

    rule: str
    message: str
    loc: Loc = ()
    hint: str = ""
    near: str = ""


def refusal(faults: Iterable[Fault]) -> PydanticCustomError:
    """What a validator of the schema raises for faults, so that a loader can tell them all.

    Their paths go on from where the validator stands.
    """
    found = tuple(faults)
    message = "; ".join(fault.message for fault in found)
    return PydanticCustomError(FAULTS, "{message}", {"message": message, "faults": found})


def fault(rule: str, message: str, *, hint: str = "", near: str = "") -> PydanticCustomError:
    """`refusal` of the one fault that a validator found in its own value."""
    return refusal([Fault(rule, message, hint=hint, near=near)])
