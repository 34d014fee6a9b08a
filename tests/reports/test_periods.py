"""Periods against the calendar, where clocks change and where they do not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import BadInput
from bot.reports.periods import Grain, Period, first_day, following

ZONES = ["Europe/Moscow", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Kathmandu", "UTC"]
days = st.dates(date(2015, 1, 1), date(2028, 12, 31))
zones = st.sampled_from(ZONES)


@pytest.mark.parametrize(
    ("grain", "day", "first", "last"),
    [
        (Grain.DAY, date(2025, 2, 28), date(2025, 2, 28), date(2025, 2, 28)),
        (Grain.WEEK, date(2025, 1, 1), date(2024, 12, 30), date(2025, 1, 5)),
        (Grain.MONTH, date(2024, 2, 10), date(2024, 2, 1), date(2024, 2, 29)),
        (Grain.QUARTER, date(2025, 5, 31), date(2025, 4, 1), date(2025, 6, 30)),
        (Grain.YEAR, date(2025, 12, 31), date(2025, 1, 1), date(2025, 12, 31)),
    ],
)
def test_a_period_of_the_calendar(grain: Grain, day: date, first: date, last: date) -> None:
    assert Period.of(grain, day, "UTC") == Period(first, last, "UTC", grain)


@pytest.mark.parametrize(
    ("grain", "day", "first", "last"),
    [
        (Grain.DAY, date(2025, 3, 1), date(2025, 2, 28), date(2025, 2, 28)),
        (Grain.WEEK, date(2025, 1, 1), date(2024, 12, 23), date(2024, 12, 29)),
        (Grain.MONTH, date(2025, 3, 31), date(2025, 2, 1), date(2025, 2, 28)),
        (Grain.QUARTER, date(2025, 2, 1), date(2024, 10, 1), date(2024, 12, 31)),
        (Grain.YEAR, date(2025, 2, 1), date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_the_period_before(grain: Grain, day: date, first: date, last: date) -> None:
    before = Period.of(grain, day, "UTC").before()
    assert (before.first, before.last) == (first, last)


def test_before_ones_own_days_are_as_many() -> None:
    own = Period(date(2025, 3, 10), date(2025, 3, 14), "UTC")
    assert own.before() == Period(date(2025, 3, 5), date(2025, 3, 9), "UTC")


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadInput, match="раньше"):
        Period(date(2025, 3, 10), date(2025, 3, 9), "UTC")


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(BadInput, match="больше 1000"):
        Period(date(2000, 1, 1), date(2025, 1, 1), "UTC").parts(Grain.DAY)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 23),
        ("Europe/Berlin", date(2025, 10, 26), 25),
        ("Europe/Moscow", date(2025, 3, 30), 24),
        ("America/Santiago", date(2025, 9, 7), 23),  # midnight itself is skipped
        ("America/Santiago", date(2025, 4, 5), 25),  # the hour before midnight comes twice
        ("Africa/Cairo", date(2025, 4, 25), 23),
        ("Africa/Cairo", date(2025, 10, 30), 25),
    ],
)
def test_a_day_has_the_hours_of_its_clock(zone: str, day: date, hours: int) -> None:
    of = Period.of(Grain.DAY, day, zone)
    assert of.end - of.start == timedelta(hours=hours)


@given(days, zones, st.sampled_from(Grain), st.integers(0, 200))
def test_parts_follow_one_another_without_gap_or_overlap(
    day: date, zone: str, grain: Grain, more: int
) -> None:
    own = Period(day, day + timedelta(days=more), zone)
    parts = own.parts(grain)
    assert (parts[0].start, parts[-1].end) == (own.start, own.end)
    assert all(a.end == b.start and a.last < b.first for a, b in pairwise(parts))
    assert all(first_day(grain, part.last) == first_day(grain, part.first) for part in parts)
    assert all(part.first == first_day(grain, part.first) for part in parts[1:])
    assert following(grain, day) > day


@given(st.integers(0, 12 * 365 * 86400), zones, st.sampled_from(Grain))
def test_every_moment_is_in_the_day_that_its_clock_shows(after_s: int, zone: str, grain: Grain) -> None:
    moment = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(seconds=after_s)
    shown = moment.astimezone(ZoneInfo(zone)).date()
    period = Period(shown - timedelta(days=40), shown + timedelta(days=40), zone)
    [part] = [each for each in period.parts(grain) if each.start <= moment < each.end]
    assert part.first <= shown <= part.last


@given(days, zones, st.integers(0, 400), st.floats(0, 1))
def test_the_shifts_are_those_of_the_zone(day: date, zone: str, more: int, where: float) -> None:
    period = Period(day, day + timedelta(days=more), zone)
    moment = period.start + (period.end - period.start) * where * 0.999
    ahead = [seconds for since, seconds in period.shifts() if since <= moment][-1]
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    assert ahead == offset.total_seconds()
