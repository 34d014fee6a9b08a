"""When somebody will ring back, in the few words that are prepared for it, and what day those words mean.

A promise is said only where it is true: «сегодня» after the hours in which customers are rung becomes
«завтра», and a day that no words here are for is not named.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal

By = Literal["today", "tomorrow", "workday"]
"""Today until the end of the day, tomorrow, or the next working day."""

_SATURDAY = 5


def still_true(by: By, now: datetime | None, latest: str) -> By:
    """`by`, or `tomorrow` where today is as good as over: customers are rung until `latest` (HH:MM)."""
    if by == "today" and now is not None and now.time() >= time.fromisoformat(latest):
        return "tomorrow"
    return by


def due_of(by: By, now: datetime | None, latest: str) -> datetime | None:
    """The end of the promised day: `latest` in the zone of `now`; None where it is not known what day it is.

    A working day is Monday to Friday; public holidays are known to routing alone.
    """
    if now is None:
        return None
    day = now.date()
    if by != "today":
        day += timedelta(days=1)
    while by == "workday" and day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, time.fromisoformat(latest), now.tzinfo)


def words_for(due: datetime | None, now: datetime | None) -> By | None:
    """By which words a moment is promised, both in the caller's zone; None where none of them is true."""
    if due is None or now is None:
        return None
    days = (due.date() - now.date()).days
    if days < 0:
        return None
    if days == 0:
        return "today"
    if days == 1:
        return "tomorrow"
    between = (now.date() + timedelta(days=day) for day in range(1, days))
    return "workday" if all(day.weekday() >= _SATURDAY for day in between) else None


def end_of(value: str, latest: str) -> datetime | None:
    """The moment by which a time that the caller named (`dates.read_date`) must be kept: the end of a
    span; None where the text is no such time. `latest` (HH:MM) ends a span of whole days."""
    try:
        end = datetime.fromisoformat(value.rpartition("/")[2])
    except ValueError:
        return None
    if end.time() == time(0):  # a span that ends at midnight ends with the day before
        return datetime.combine(end.date() - timedelta(days=1), time.fromisoformat(latest), end.tzinfo)
    return end
