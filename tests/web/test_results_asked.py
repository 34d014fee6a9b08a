"""What the address of a results page asks for."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.reports.periods import Grain, Period
from bot.web.results.asked import Asked, asked

ZONE = "Europe/Moscow"
NOW = datetime.fromisoformat("2025-04-20T12:00:00+03:00")


def of(query: str) -> Asked:
    from multidict import MultiDict

    pairs = [(name, value) for name, values in parse_qs(query).items() for value in values]
    return asked(MultiDict(pairs), ZONE, NOW)


def test_without_a_period_it_is_this_month() -> None:
    assert of("").period == Period.of(Grain.MONTH, date(2025, 4, 1), ZONE)


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ("period=month&from=2025-03-31", date(2025, 2, 1), date(2025, 4, 1)),
        ("period=week&from=2025-03-05", date(2025, 2, 24), date(2025, 3, 10)),
        ("period=own&from=2025-03-01&to=2025-03-10", date(2025, 2, 19), date(2025, 3, 11)),
        ("period=day&from=01.03.2025", date(2025, 2, 28), date(2025, 3, 2)),
    ],
)
def test_neighbours_of_a_period(query: str, before: date, after: date) -> None:
    wanted = of(query)
    later = wanted.later(NOW.date())
    assert later is not None
    assert (wanted.earlier().period.first, later.period.first) == (before, after)


def test_there_is_nothing_later_than_today() -> None:
    assert of("period=month").later(NOW.date()) is None


def test_an_address_says_all_that_was_asked() -> None:
    wanted = of("period=quarter&from=2025-02-03&employee=a&employee=b&survey=s&days=30")
    assert of(urlsplit(wanted.address("/results")).query) == wanted
    assert wanted.days == 30
