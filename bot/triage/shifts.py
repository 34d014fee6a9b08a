"""When somebody works, as a person writes it down and as moments.

    mon-fri 09:00-18:00; sat 10:00-14:00        пн-пт 9-18; сб 10-14
    mon-sun 22:00-06:00                         over midnight: it belongs to the day on which it begins
    mon-fri 09:00-13:00, 14:00-18:00            with a break
    always                                      always, holidays too

Times are wall times in the time zone of whoever works: a shift has another length in the night in which
the clocks are changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.core.errors import BadInput

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RUSSIAN = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
_ALWAYS = {"always", "всегда", "24/7"}
_HINT = "например: mon-fri 09:00-18:00; sat 10:00-14:00, или always"
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?")

DAY_MINUTES = 24 * 60
FRIDAY = 4

Span = tuple[int, int]
"""Minutes from the midnight at which the day begins; the end may be in the next day."""


@dataclass(frozen=True, slots=True)
class Period:
    """From this moment up to that one, in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Shift:
    """`days[0]` are Monday's spans. `always` keeps no holidays and no weekends."""

    days: tuple[tuple[Span, ...], ...]
    always: bool = False

    def spans(self, day: date, *, transferred: bool = False) -> tuple[Span, ...]:
        """A day's spans. A weekend day that is officially worked (`transferred`) is a Friday for whoever
        does not work on it anyhow."""
        spans = self.days[day.weekday()]
        return self.days[FRIDAY] if transferred and not spans else spans

    def periods(self, day: date, zone: ZoneInfo, *, transferred: bool = False) -> Iterator[Period]:
        """What begins on this day, in order."""
        for start, end in self.spans(day, transferred=transferred):
            period = Period(_moment(day, start, zone), _moment(day, end, zone))
            if period.start < period.end:  # not within the hour that the clocks leave out
                yield period

    def __str__(self) -> str:
        """As `parse_shift` reads it."""
        if self.always:
            return "always"
        parts: list[str] = []
        first = 0
        for last, spans in enumerate(self.days):
            if last + 1 < len(DAYS) and self.days[last + 1] == spans:
                continue
            if spans:
                name = DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
                parts.append(f"{name} {', '.join(map(_shown, spans))}")
            first = last + 1
        return "; ".join(parts)


ALWAYS = Shift((((0, DAY_MINUTES),),) * 7, always=True)


def parse_shift(text: str) -> Shift:
    """Raises BadInput, which says what of it cannot be read."""
    if text.strip().lower() in _ALWAYS:
        return ALWAYS
    days: list[tuple[Span, ...]] = [()] * 7
    named: set[int] = set()
    for part in filter(None, (piece.strip() for piece in re.split(r"[;\n]", text.lower()))):
        head, _, rest = part.partition(" ")
        for day in _days(head, text):
            if day in named:
                raise _refused(text, f"день «{DAYS[day]}» назван дважды")
            named.add(day)
            days[day] = _spans(rest, text)
    if not any(days):
        raise _refused(text, "нет ни одного рабочего дня")
    shift = Shift(tuple(days))
    _require_no_overlap(shift, text)
    return shift


def to_russian(written: str) -> str:
    """A shift with Russian names of its days.

    >>> to_russian("mon-fri 09:00-18:00; sat 10:00-14:00")
    'пн-пт 09:00-18:00; сб 10:00-14:00'
    """
    for english, russian in (*zip(DAYS, _RUSSIAN, strict=True), ("always", "всегда")):
        written = written.replace(english, russian)
    return written


def _days(names: str, text: str) -> Iterator[int]:
    for name in names.split(","):
        first, dash, last = name.partition("-")
        start, end = _day(first, text), _day(last if dash else first, text)
        yield from range(start, end + 1) if start <= end else (*range(start, 7), *range(end + 1))


def _day(name: str, text: str) -> int:
    for names in (DAYS, _RUSSIAN):
        if name in names:
            return names.index(name)
    raise _refused(text, f"«{name}» не день недели")


def _spans(times: str, text: str) -> tuple[Span, ...]:
    spans = []
    for piece in filter(None, (each.strip() for each in times.split(","))):
        first, dash, last = re.sub(r"(?<!\s)\s*[-–—]\s*", "-", piece).partition("-")
        if not dash:
            raise _refused(text, f"«{piece}» не промежуток времени")
        start, end = _minutes(first, text), _minutes(last, text)
        spans.append((start, end if end > start else end + DAY_MINUTES))
    if not spans:
        raise _refused(text, "у дня нет времени")
    return tuple(sorted(spans))


def _minutes(written: str, text: str) -> int:
    found = _TIME.fullmatch(written)
    hours, minutes = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if hours * 60 + minutes > DAY_MINUTES or minutes > 59:
        raise _refused(text, f"«{written}» не время суток")
    return hours * 60 + minutes


def _require_no_overlap(shift: Shift, text: str) -> None:
    week = sorted(
        (start + day * DAY_MINUTES, end + day * DAY_MINUTES)
        for day, spans in enumerate(shift.days)
        for start, end in spans
    )
    around = (week[0][0] + 7 * DAY_MINUTES, week[0][1] + 7 * DAY_MINUTES)
    if any(earlier[1] > later[0] for earlier, later in pairwise([*week, around])):
        raise _refused(text, "промежутки времени находят друг на друга")


def _refused(text: str, why: str) -> BadInput:
    return BadInput(f"смена «{text.strip()}»: {why}", hint=_HINT)


def _shown(span: Span) -> str:
    start, end = span
    end = end if end == DAY_MINUTES else end % DAY_MINUTES
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The wall time so many minutes after midnight, as a moment."""
    days, minute = divmod(minutes, DAY_MINUTES)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), tzinfo=zone)
    return wall.astimezone(UTC)
