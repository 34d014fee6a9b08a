"""What the synthesiser misreads: a survey's texts are for the ear, so they are written as they sound.

The normaliser reads most digits and abbreviations well, but by guess: «1-10» becomes «одному —
десяти», «кв.» stays as it is. Whoever writes words leaves it nothing to guess. English is spoken
without a normaliser: eSpeak NG reads its plain numbers and initials as people do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.surveys.lint.rules import Check, Sheet, Tools, warning
from bot.surveys.lint.written import plain, written
from bot.surveys.problems import Problem

DIGITS = warning(
    "number-in-digits",
    "число цифрами: падеж и ударение синтезатор угадывает",
    "напишите число словами",
)
ABBREVIATION = warning(
    "abbreviation",
    "сокращение: синтезатор прочтёт его не так, как говорят",
    "напишите слова целиком или так, как они звучат",
)
FOREIGN = warning(
    "foreign-letters",
    "слово чужими буквами: синтезатор прочтёт его не так, как говорят",
    "напишите, как слово звучит",
)
SYMBOL = warning("unspeakable-symbol", "знак, которого не произнести", "напишите словом или уберите")

RULES = (DIGITS, ABBREVIATION, FOREIGN, SYMBOL)

_GROUPS = {"digits": DIGITS, "abbreviation": ABBREVIATION, "foreign": FOREIGN, "symbol": SYMBOL}

_SYMBOLS = (
    r"(?P<symbol>(?!(?<=и)/(?=или))(?!(?<=and)/(?=or))[^\w\s.,!?:;()«»\"'’„“”…+—–-]|\+(?![аеёиоуыэюя])|_)"
)
"""`+` before a vowel is a mark of stress; «и/или» is read right, and another rule's matter."""

_RU_DOTTED = (
    r"[тб]\.\s?[дпекнч]\.|и\s(?:др|пр)\.|[гдкбпс]\.(?=\s?[\dа-яё])|(?:р-н|пр-т|б-р|ш-т)\b"
    r"|(?:руб|коп|тыс|млн|млрд|трлн|ул|просп|пер|пл|обл|респ|гор|стр|корп|кв|эт|оф|тел|доб|моб|мин|сек"
    r"|дн|нед|мес|гг|вв|им|напр|уваж|гр|зам|зав|отв|макс|прибл|др|пр|проч|чел|шт|ед|экз|англ|рус|мкр)\."
)
_RU_CAPITALS = r"(?-i:[А-ЯЁ]{2,}[а-яё]{0,2})\b"
_RU_VOWELLESS = r"(?!(?:гм|хм|тсс|пст|брр)\b)[бвгджзйклмнпрстфхцчшщъь]{2,}\b"
_EN_DOTTED = (
    r"(?:etc|approx|ext|no|tel|dept|inc|ltd|co|corp|min|sec|hrs?|st|ave|rd|apt|vs|mrs?|dr)\.(?!\s*$)"
    r"|etc\.|e\.\s?g\.|i\.\s?e\.|[ap]\.m\."
)

_PIECES = {
    "ru": re.compile(
        r"(?P<digits>№?\s?[$€₽]?\d+(?:[\s.,:/–—-]?\d+)*(?:\s?[%‰°$€₽]|-[а-яё]+)?)"
        rf"|\b(?P<abbreviation>{_RU_DOTTED}|{_RU_CAPITALS}|{_RU_VOWELLESS})"
        rf"|(?P<foreign>[a-z](?:[\w.@/'-]*\w)?)|{_SYMBOLS}",
        re.IGNORECASE,
    ),
    "en": re.compile(
        rf"(?P<digits>(?<!\d)\d+\s?[/–—-]\s?\d+)|\b(?P<abbreviation>{_EN_DOTTED})|(?P<foreign>[а-яё][\w'-]*)"
        rf"|{_SYMBOLS}",
        re.IGNORECASE,
    ),
}


def misread(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    """One problem a text and rule, which names all the pieces."""
    language = sheet.survey.language
    for found in written(sheet):
        text = plain(found.text)
        pieces: dict[str, list[str]] = {}
        for match in _PIECES[language].finditer(text):
            pieces.setdefault(str(match.lastgroup), []).append(match.group().strip())
        for group, doubtful in pieces.items():
            rule = _GROUPS[group]
            quoted = ", ".join(f"«{piece}»" for piece in dict.fromkeys(doubtful))
            hint = rule.mend
            if tools.read_aloud is not None and language == "ru":
                hint += f"; сейчас прочтётся: «{tools.read_aloud(text)}»"
            yield sheet.problem(rule, found.loc, f"{quoted}: {rule.meaning}", hint)


CHECKS: tuple[Check, ...] = (misread,)
