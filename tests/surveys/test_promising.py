"""When somebody will ring back, in words that are true."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.surveys.promising import By, due_of, end_of, still_true, words_for

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 11, 23, 13, 0, tzinfo=MOSCOW)
FRIDAY = datetime(2026, 11, 27, 13, 0, tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("now", "by", "due"),
    [
        (MONDAY, "today", "2026-11-23T20:00+03:00"),
        (MONDAY, "tomorrow", "2026-11-24T20:00+03:00"),
        (MONDAY, "workday", "2026-11-24T20:00+03:00"),
        (FRIDAY, "tomorrow", "2026-11-28T20:00+03:00"),
        (FRIDAY, "workday", "2026-11-30T20:00+03:00"),
    ],
)
def test_the_end_of_the_promised_day(now: datetime, by: By, due: str) -> None:
    assert due_of(by, now, "20:00") == datetime.fromisoformat(due)


def test_today_that_is_over_is_tomorrow() -> None:
    late = MONDAY.replace(hour=20)
    assert still_true("today", late, "20:00") == "tomorrow"
    assert still_true("today", late - timedelta(minutes=1), "20:00") == "today"
    assert still_true("workday", late, "20:00") == "workday"


@pytest.mark.parametrize(
    ("now", "days", "by"),
    [
        (MONDAY, 0, "today"),
        (MONDAY, 1, "tomorrow"),
        (MONDAY, 2, None),
        (FRIDAY, 1, "tomorrow"),
        (FRIDAY, 3, "workday"),
        (FRIDAY, 4, None),
        (MONDAY, -1, None),
    ],
)
def test_only_true_words_are_said_of_a_deadline(now: datetime, days: int, by: By | None) -> None:
    assert words_for(now + timedelta(days=days), now) == by


@given(
    now=st.datetimes(timezones=st.just(MOSCOW), allow_imaginary=False).map(
        lambda moment: moment.replace(year=2026 + moment.year % 3, day=min(moment.day, 28))
    ),
    by=st.sampled_from(["today", "tomorrow", "workday"]),
)
def test_what_is_promised_is_in_the_future_and_told_by_its_words(now: datetime, by: By) -> None:
    true = still_true(by, now, "20:00")
    due = due_of(true, now, "20:00")
    assert due is not None
    assert due > now
    said = words_for(due, now)
    assert said == true or (true == "workday" and said == "tomorrow")


@pytest.mark.parametrize(
    ("value", "end"),
    [
        ("2026-11-24T15:00+03:00", "2026-11-24T15:00+03:00"),
        ("2026-11-24T09:00+03:00/2026-11-24T12:00+03:00", "2026-11-24T12:00+03:00"),
        ("2026-11-24T00:00+03:00/2026-11-25T00:00+03:00", "2026-11-24T20:00+03:00"),
    ],
)
def test_the_end_of_a_time_that_was_named(value: str, end: str) -> None:
    assert end_of(value, "20:00") == datetime.fromisoformat(end)


def test_what_is_no_time_has_no_end() -> None:
    assert end_of("…", "20:00") is None
    assert due_of("today", None, "20:00") is None
    assert words_for(None, MONDAY) is None
