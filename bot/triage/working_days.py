"""Working days: weekends, official holidays with their transferred days, and an agent's own days off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import holidays

from bot.core.errors import BadInput
from bot.triage.directory import Agent, Directory
from bot.triage.shifts import Period

HORIZON_DAYS = 370
"""How far ahead a shift is looked for: nobody is away for longer than a year."""


@lru_cache(maxsize=64)
def official(country: str, year: int) -> holidays.HolidayBase:
    """A country's holidays of a year; with the weekend days that are worked, where it has such."""
    return holidays.country_holidays(country, years=year)


def require_country(country: str) -> None:
    """Raises BadInput for a country whose holidays are not known; "" keeps none."""
    if country and country not in holidays.list_supported_countries():
        raise BadInput(f"праздников страны «{country}» нет", hint="код страны из двух букв: RU, BY, KZ")


def is_holiday(country: str, day: date) -> bool:
    return bool(country) and day in official(country, day.year)


def is_transferred(country: str, day: date) -> bool:
    """Whether this day of a weekend is officially worked, in exchange for another."""
    return bool(country) and day in official(country, day.year).weekend_workdays


def is_off(agent: Agent, directory: Directory, day: date) -> bool:
    """A holiday, or a day off of his own or everybody's; a weekend by his shift is not meant here."""
    if any(day in off for off in agent.days_off):
        return True
    if directory.shift_of(agent).always:
        return False
    country = directory.department_of(agent).country
    return any(day in off for off in directory.days_off) or is_holiday(country, day)


def day_periods(agent: Agent, directory: Directory, day: date, *, off_too: bool = False) -> list[Period]:
    """What he works of the shift that begins on this local day; nothing on a day off unless `off_too`."""
    if is_off(agent, directory, day) and not off_too:
        return []
    transferred = is_transferred(directory.department_of(agent).country, day)
    return list(directory.shift_of(agent).periods(day, directory.zone_of(agent), transferred=transferred))


def on_shift(agent: Agent, directory: Directory, now: datetime, *, off_too: bool = False) -> bool:
    """Whether he works at this moment; a night shift of yesterday counts."""
    today = now.astimezone(directory.zone_of(agent)).date()
    return any(
        now in period
        for day in (today - timedelta(days=1), today)
        for period in day_periods(agent, directory, day, off_too=off_too)
    )


def working_periods(agent: Agent, directory: Directory, now: datetime) -> Iterator[Period]:
    """What is left of his shifts from this moment on, in order, for a year."""
    today = now.astimezone(directory.zone_of(agent)).date()
    for ahead in range(-1, HORIZON_DAYS):
        for period in day_periods(agent, directory, today + timedelta(days=ahead)):
            if period.end > now:
                yield Period(max(period.start, now.astimezone(UTC)), period.end)


def end_of_next_working_day(agent: Agent, directory: Directory, now: datetime) -> datetime | None:
    """The end of his first shift that begins on a later day than this; None where he has none."""
    today = now.astimezone(directory.zone_of(agent)).date()
    for ahead in range(1, HORIZON_DAYS):
        if periods := day_periods(agent, directory, today + timedelta(days=ahead)):
            return periods[-1].end
    return None


def after_working_hours(agent: Agent, directory: Directory, now: datetime, hours: float) -> datetime | None:
    """The moment by which he will have worked so many hours more; None where he never will."""
    left = timedelta(hours=hours)
    for period in working_periods(agent, directory, now):
        worked = period.end - period.start
        if worked >= left:
            return period.start + left
        left -= worked
    return None
