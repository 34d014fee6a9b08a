"""The parts of a name that stands in one cell."""

from __future__ import annotations

import re
from typing import NamedTuple

_PATRONYMIC = re.compile(r".*(?:вич|вна|ична|инична|оглы|кызы|улы|ұлы|қызы)$", re.IGNORECASE)


class NameParts(NamedTuple):
    first: str = ""
    middle: str = ""
    last: str = ""


def split_name(whole: str) -> NameParts:
    """«Фамилия Имя Отчество», as the heading ФИО promises, or «Имя Отчество Фамилия», which the patronymic
    betrays. A single word is a first name; «Имя Отчество» is told from «Фамилия Имя» by the patronymic.

    >>> split_name("Анна Петровна Иванова")
    NameParts(first='Анна', middle='Петровна', last='Иванова')
    """
    words = whole.split()
    if len(words) > 3 and _PATRONYMIC.fullmatch(words[-1]) and len(words[-1]) <= 4:
        words = [*words[:-2], " ".join(words[-2:])]  # Мамедов Али Гасан оглы
    if not words:
        return NameParts()
    if len(words) == 1:
        return NameParts(first=words[0])
    if len(words) == 2:
        if _PATRONYMIC.fullmatch(words[1]):
            return NameParts(first=words[0], middle=words[1])
        return NameParts(first=words[1], last=words[0])
    if _PATRONYMIC.fullmatch(words[1]) and not _PATRONYMIC.fullmatch(words[2]):
        return NameParts(first=words[0], middle=words[1], last=" ".join(words[2:]))
    return NameParts(first=words[-2], middle=words[-1], last=" ".join(words[:-2]))
