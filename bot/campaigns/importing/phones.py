"""The telephone numbers in one cell, in every spelling that people and spreadsheets give them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberMatcher, ValidationResult

from bot.core.phone_numbers import HOME_REGION
from bot.store.phones import phone_key

_SCIENTIFIC = re.compile(r"([1-9])(?:[.,](\d+))?[eEеЕ]\+?(\d{1,2})")
_FLOAT = re.compile(r"(\d{7,15})[.,]0+")
_EXTENSION = re.compile(
    r"(?<![\s,;(])[\s,;(]*\b(?:доб(?:авочный)?|вн(?:утр(?:енний)?)?|ext(?:ension)?)\b[.:\s№#]*(\d{1,7})\s*\)?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[;,/|\\\n\r]+|\s(?:и|или|and|or)\s", re.IGNORECASE)
_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_SPACES = re.compile(r"[\u00a0\u2000-\u200f\u202f\u2060\ufeff]")
_DIGIT = re.compile(r"\d")

_NEIGHBOURS = re.compile(r"(?:375|37[34]|99[234568])\d{8,9}")
"""Country codes that people in Russia write without their plus."""
_TWO_IN_ROW = re.compile(r"([78]\d{10})([78]\d{10})")

NO_NUMBER = "номера нет"


class NotAPhone(ValueError):
    """The cell has no number that could be rung; says why, in Russian, for whoever corrects it."""


@dataclass(frozen=True, slots=True)
class Phone:
    """`key` as `bot.store.phones.phone_key` has it, `uri` as it is dialled (RFC 3966)."""

    key: str
    uri: str
    extension: str
    parsed: PhoneNumber


def read_phones(cell: str) -> tuple[Phone, ...]:
    """All numbers of a cell, in their order, each once. Raises NotAPhone where one of them is none: which of
    two is right nobody can tell.

    >>> [phone.key for phone in read_phones("8 (916) 123-45-67, +7 495 123-45-67 доб. 12")]
    ['79161234567', '74951234567']
    """
    text = _SPACES.sub(" ", _DASHES.sub("-", cell)).strip().strip("'")
    if not text:
        raise NotAPhone(NO_NUMBER)
    text = _EXTENSION.sub(r" ext. \1 ", _unspoiled(text))
    found: dict[str, Phone] = {}
    for part in _BETWEEN.split(text):
        if part.strip():
            for phone in _of_part(part.strip()):
                found.setdefault(phone.key, phone)
    if not found:
        raise NotAPhone(NO_NUMBER)
    return tuple(found.values())


def _unspoiled(text: str) -> str:
    """A number that a spreadsheet took for an amount. Raises NotAPhone where digits are lost."""
    if whole := _FLOAT.fullmatch(text):
        return whole[1]
    spoiled = _SCIENTIFIC.fullmatch(text.replace(" ", ""))
    if spoiled is None:
        return text
    first, rest, power = spoiled[1], spoiled[2] or "", int(spoiled[3])
    if len(rest) != power:
        raise NotAPhone(
            f"таблица округлила номер до «{text}», цифры потеряны: задайте столбцу формат «Текст» и "
            "впишите номер заново"
        )
    return first + rest


def _of_part(part: str) -> tuple[Phone, ...]:
    first = _parsed(part)
    if first is not None and phonenumbers.is_valid_number(first):
        return (_phone(first),)
    several = [match.number for match in PhoneNumberMatcher(part, HOME_REGION)]
    digits = "".join(_DIGIT.findall(part))
    if several and sum(map(_length, several)) == len(digits):
        return tuple(_phone(number) for number in several)
    if two := _TWO_IN_ROW.fullmatch(digits):
        return _of_part(two[1]) + _of_part(two[2])
    raise NotAPhone(f"«{part}»: {_why(part, first)}")


def _parsed(part: str) -> PhoneNumber | None:
    """As it stands; where that is no number, +8 (916) … as the 8 that it means, and 375 29 … as +375."""
    written = part.removeprefix("tel:")
    first = _read(written)
    if first is not None and phonenumbers.is_valid_number(first):
        return first
    if written.startswith("+8"):
        return _read(written.removeprefix("+"))
    digits = "".join(_DIGIT.findall(written))
    return (_read("+" + digits) if _NEIGHBOURS.fullmatch(digits) else None) or first


def _read(written: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(written, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None


def _length(number: PhoneNumber) -> int:
    """How many digits people write of it."""
    national = len(str(number.national_number)) + (number.number_of_leading_zeros or 0)
    return national + len(str(number.country_code)) + len(number.extension or "")


def _phone(number: PhoneNumber) -> Phone:
    whole = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(phone_key(whole), f"tel:{whole}", number.extension or "", number)


def _why(part: str, number: PhoneNumber | None) -> str:
    digits = len(_DIGIT.findall(part))
    if not digits:
        return "это не номер"
    if digits < 7:
        return f"всего {_digits(digits)}: короткие и внутренние номера набрать нельзя"
    if number is None:
        return "это не телефонный номер"
    if number.country_code == 7:
        if digits == 7:
            return "нет кода города"
        if digits == 10 and _DIGIT.findall(part)[0] == "8":
            return "10 цифр, а после восьмёрки их нужно ещё 10"
        possible = phonenumbers.is_possible_number_with_reason(number)
        if possible is not ValidationResult.IS_POSSIBLE:
            wanted = "нужно 11 (8 и ещё 10) или 10"
            return f"{_digits(digits)}, {wanted}"
        return "такого кода в плане нумерации нет"
    return f"в стране с кодом +{number.country_code} таких номеров нет"


def _digits(count: int) -> str:
    form = "цифра" if count % 10 == 1 and count % 100 != 11 else "цифр"
    if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14):
        form = "цифры"
    return f"{count} {form}"
