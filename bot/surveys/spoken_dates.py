"""A day and time as it is read back: «в среду, двадцать пятого ноября, с девяти до двенадцати».

Not «завтра»: whoever misheard a day would mishear it again, and the day's name and number agree or
they do not. Russian is in words, as no voice declines digits in every sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.surveys.date_words import DAY_BEGINS, DAY_ENDS

_WEEKDAYS_RU = (
    *("в понедельник", "во вторник", "в среду", "в четверг"),
    *("в пятницу", "в субботу", "в воскресенье"),
)
_MONTHS_RU = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_FIRST_RU = (
    *("первого", "второго", "третьего", "четвёртого", "пятого"),
    *("шестого", "седьмого", "восьмого", "девятого", "десятого"),
    *("одиннадцатого", "двенадцатого", "тринадцатого", "четырнадцатого", "пятнадцатого"),
    *("шестнадцатого", "семнадцатого", "восемнадцатого", "девятнадцатого", "двадцатого"),
)
_DAYS_RU = (
    *_FIRST_RU,
    *(f"двадцать {day}" for day in _FIRST_RU[:9]),
    *("тридцатого", "тридцать первого"),
)
"""In the genitive; the first of a month is at 0."""

_ONES_RU = (
    *("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"),
    *("десять", "одиннадцать", "двенадцать", "тринадцать", "четырнадцать"),
    *("пятнадцать", "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать"),
)
_TENS_RU = ("двадцать", "тридцать", "сорок", "пятьдесят")
_ONES_GENITIVE_RU = (
    *("нуля", "одного", "двух", "трёх", "четырёх", "пяти", "шести", "семи", "восьми", "девяти"),
    *("десяти", "одиннадцати", "двенадцати", "тринадцати", "четырнадцати"),
    *("пятнадцати", "шестнадцати", "семнадцати", "восемнадцати", "девятнадцати"),
)
_TENS_GENITIVE_RU = ("двадцати", "тридцати", "сорока", "пятидесяти")
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def spoken_date(value: str, language: str) -> str:
    """`value` as `read_date` writes it: an instant, or `start/end`, ISO 8601.

    Empty for a span of more than one day: too much to hold in mind over a telephone.
    """
    begin, _, end = value.partition("/")
    start = datetime.fromisoformat(begin)
    until = datetime.fromisoformat(end) if end else None
    if until is not None and until.date() != start.date():
        return ""
    return _english(start, until) if language == "en" else _russian(start, until)


def _russian(start: datetime, until: datetime | None) -> str:
    day = f"{_WEEKDAYS_RU[start.weekday()]}, {_DAYS_RU[start.day - 1]} {_MONTHS_RU[start.month - 1]}"
    if until is None:
        return f"{day}, в {_clock_ru(start)}"
    if _is_all_day(start, until):
        return day
    return f"{day}, с {_clock_genitive_ru(start)} до {_clock_genitive_ru(until)}"


def _clock_ru(at: datetime) -> str:
    """«пятнадцать часов», «пятнадцать тридцать», «девять ноль пять»."""
    if at.minute:
        zero = "ноль " if at.minute < 10 else ""
        return f"{_number(at.hour, _ONES_RU, _TENS_RU)} {zero}{_number(at.minute, _ONES_RU, _TENS_RU)}"
    if at.hour == 1:
        return "час"
    one, few = at.hour % 10 == 1 and at.hour != 11, at.hour % 10 in (2, 3, 4) and not 12 <= at.hour <= 14
    hours = "час" if one else "часа" if few else "часов"
    return f"{_number(at.hour, _ONES_RU, _TENS_RU)} {hours}"


def _clock_genitive_ru(at: datetime) -> str:
    """«девяти», «восемнадцати тридцати»."""
    if at.hour == 1 and not at.minute:
        return "часа"
    hour = _number(at.hour, _ONES_GENITIVE_RU, _TENS_GENITIVE_RU)
    if not at.minute:
        return hour
    zero = "ноль " if at.minute < 10 else ""
    return f"{hour} {zero}{_number(at.minute, _ONES_GENITIVE_RU, _TENS_GENITIVE_RU)}"


def _number(number: int, ones: Sequence[str], tens: Sequence[str]) -> str:
    if number < len(ones):
        return ones[number]
    ten, one = divmod(number, 10)
    return tens[ten - 2] + (f" {ones[one]}" if one else "")


def _english(start: datetime, until: datetime | None) -> str:
    day = f"on {_WEEKDAYS_EN[start.weekday()]}, {_MONTHS_EN[start.month - 1]} {start.day}"
    if until is None:
        return f"{day}, at {_clock_en(start)}"
    if _is_all_day(start, until):
        return day
    return f"{day}, between {_clock_en(start)} and {_clock_en(until)}"


def _clock_en(at: datetime) -> str:
    half = "am" if at.hour < 12 else "pm"
    minutes = f":{at.minute:02}" if at.minute else ""
    return f"{(at.hour - 1) % 12 + 1}{minutes} {half}"


def _is_all_day(start: datetime, until: datetime) -> bool:
    return start.hour <= DAY_BEGINS and until.hour >= DAY_ENDS
