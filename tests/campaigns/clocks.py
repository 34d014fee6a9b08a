"""What a wall clock shows somewhere, told without the code under test: the oracle of the properties."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

SATURDAY = 5
RINGS_FOR = timedelta(minutes=1)

ODD_CLOCKS = (
    ("Europe/Moscow", date(2026, 12, 2)),
    ("Asia/Kamchatka", date(2026, 12, 2)),
    ("Asia/Kolkata", date(2026, 12, 2)),
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/St_Johns", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Omsk", date(2014, 10, 26)),
    ("Africa/Juba", date(2000, 1, 15)),
    ("Europe/Athens", date(1979, 4, 1)),
    ("Antarctica/Vostok", date(1994, 1, 31)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
)
"""Zones, and a day on which something was the matter with their clocks: put on or back by an hour, by half
of one, at noon (Juba), in the morning (Athens), by seven hours (Vostok), by a day that never was (Apia,
Kwajalein), or, at first, nothing at all."""


def is_working_day(day: datetime, country: str = "RU") -> bool:
    calendar = _calendar(country, day.year)
    if day.date() in calendar:
        return False
    return day.weekday() < SATURDAY or day.date() in calendar.weekend_workdays


@cache
def _calendar(country: str, year: int) -> holidays.HolidayBase:
    return holidays.country_holidays(country, years=year)


def inside(
    moment: datetime,
    tz: str,
    opens: Callable[[datetime], tuple[int, int] | None],
) -> bool:
    """Whether a telephone that begins to ring at this moment rings within the minutes of its owner's day
    that `opens` tells of it; None for a day without any."""
    for at in (moment, moment + RINGS_FOR):
        local = at.astimezone(ZoneInfo(tz))
        hours = opens(local)
        if hours is None or not hours[0] <= local.hour * 60 + local.minute < hours[1]:
            return False
    return True
