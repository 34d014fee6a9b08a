"""Text as it is written made into text as it is spoken: Russian, for the synthesiser.

Numbers, dates, sums and abbreviations are ru-normalizr's work. Before it come the things that it
reads unlike people on the phone do: the names of the trade (NPS), keys (`нажмите 1`), phone
numbers, clock times and initials.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ru_normalizr import Normalizer

RUSSIAN = "ru"

NORMALISER = f"ru-normalizr-{version('ru-normalizr')}+2"
"""Part of every prompt's key: raise the last number when the rules below change."""

_ACRONYMS = {
    "NPS": "эн-пи-эс",
    "CSAT": "си-сат",
    "CES": "си-и-эс",
    "SMS": "эсэмэс",
    "СМС": "эсэмэс",
    "PIN": "пин",
    "IVR": "ай-ви-ар",
    "ID": "ай-ди",
    "e-mail": "имейл",
    "email": "имейл",
    "ООО": "о-о-о",
    "АО": "а-о",
    "ПАО": "па-о",
    "ИП": "и-пэ",
    "тел.": "телефон",
    "доб.": "добавочный",
    "сек.": "секунд",
}
_ACRONYM = re.compile(r"(?<![\w-])(" + "|".join(re.escape(word) for word in _ACRONYMS) + r")(?!\w)")
_KEY = re.compile(r"\b((?:нажмите|клавиш[ауи]|кнопк[ауи]|цифр[ауы])\s+)(\d)\b", re.IGNORECASE)
_PHONE = re.compile(r"(?<!\w)(\+7|8)[\s-]?\(?(\d{3})\)?[\s-]?(\d{3})[\s-]?(\d{2})[\s-]?(\d{2})(?!\w)")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
_INITIALS = re.compile(r"\b([А-ЯЁ])\.\s?([А-ЯЁ])\.(?=\s?[А-ЯЁ][а-яё])")
_SPACES = re.compile(r"\s+")

_ONES = (
    *("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"),
    *("десять", "одиннадцать", "двенадцать", "тринадцать", "четырнадцать"),
    *("пятнадцать", "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать"),
)
_TENS = ("двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто")
_HUNDREDS = (
    *("сто", "двести", "триста", "четыреста", "пятьсот"),
    *("шестьсот", "семьсот", "восемьсот", "девятьсот"),
)


_DIGIT = re.compile(r"\d")


def normalise(text: str) -> str:
    """The text as it is read aloud. Stress marks (`+` before a vowel, as in `зам+ок`) stay."""
    text = _SPACES.sub(" ", text).strip()
    text = _ACRONYM.sub(lambda m: _ACRONYMS[m[1]], text)
    text = _KEY.sub(lambda m: m[1] + cardinal(int(m[2])), text)
    text = _PHONE.sub(_spoken_phone, text)
    text = _CLOCK.sub(lambda m: f"{cardinal(int(m[1]))} {_minutes(m[2])}", text)
    text = _INITIALS.sub(r"\1 \2", text)
    read = str(_normaliser().normalize(text))
    # What the normaliser takes for a name («N0е») it leaves as it is: its digits are read one by one.
    return _SPACES.sub(" ", _DIGIT.sub(lambda m: f" {cardinal(int(m[0]))} ", read)).strip()


def spoken_text(text: str, language: str) -> str:
    """The text that an engine is given: the normaliser is for Russian, what is in another language is
    spoken as it is written."""
    return normalise(text) if language == RUSSIAN else " ".join(text.split())


def cardinal(number: int) -> str:
    """A number from 0 to 999 in the nominative, masculine."""
    if not 0 <= number <= 999:
        raise ValueError("only 0 to 999")
    words = []
    if number >= 100:
        words.append(_HUNDREDS[number // 100 - 1])
        number %= 100
    if number >= 20:
        words.append(_TENS[number // 10 - 2])
        number %= 10
    if number or not words:
        words.append(_ONES[number])
    return " ".join(words)


def _spoken_phone(match: re.Match[str]) -> str:
    first = "плюс семь" if match[1] == "+7" else "восемь"
    return ", ".join((first, *(_group(group) for group in match.groups()[1:])))


def _group(digits: str) -> str:
    """A group of a phone number; its leading zeros are spoken."""
    rest = digits.lstrip("0")
    return " ".join(["ноль"] * (len(digits) - len(rest)) + ([cardinal(int(rest))] if rest else []))


def _minutes(digits: str) -> str:
    return "ровно" if digits == "00" else _group(digits)


@lru_cache(maxsize=1)
def _normaliser() -> Normalizer:
    # Imported late: it costs 0.7 s and much memory, and media workers only need this module's version.
    from ru_normalizr import NormalizeOptions, Normalizer

    # The default backend for Latin words, IPA, imports a package that warns when it is compiled.
    return Normalizer(NormalizeOptions.tts(latinization_backend="dictionary"))
