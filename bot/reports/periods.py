"""Days, weeks, months, quarters and years of a time zone, as moments that a database can compare.

A local day begins at its first moment, also where clocks change at midnight, so a day has 23, 24 or 25
hours and every moment is in exactly one day. Weeks begin on Monday (ISO 8601).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.core.errors import BadInput
from bot.core.years import is_meant
from bot.words import words

MOST_PARTS = 1000
"""Into so many days, weeks … one report is divided at most."""


class Grain(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def day_of(text: str) -> date:
    """ISO 8601, or as it is written in Russia. Raises BadInput."""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            found = datetime.strptime(text.strip(), form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if is_meant(found.year):
            return found
        raise BadInput(
            words(f"«{text}»: тогда звонков не было", f"«{text}»: no calls then"),
            hint="2026-03-01, 01.03.2026",
        )
    raise BadInput(words(f"«{text}» не дата", f"«{text}» is no date"), hint="2026-03-01, 01.03.2026")


def first_day(grain: Grain, day: date) -> date:
    """The first day of the day's own week, month …"""
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case Grain.YEAR:
            return date(day.year, 1, 1)


def following(grain: Grain, day: date) -> date:
    """The first day of the week, month … after the day's own."""
    longest = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}
    return first_day(grain, first_day(grain, day) + timedelta(days=longest[grain]))


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC.

    Of a midnight that is skipped this is the moment of the change; of one that comes twice the second,
    for the hour between them belongs to the evening before.
    """
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    return max(midnight.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def first_moment(day: str, zone: ZoneInfo) -> datetime | None:
    """Of a day as somebody gave it; None for "". Raises BadInput."""
    return start_of(day_of(day), zone) if day else None


def after(day: str, zone: ZoneInfo) -> datetime | None:
    """The first moment of the day after one that somebody gave; None for "". Raises BadInput."""
    return start_of(day_of(day) + timedelta(days=1), zone) if day else None


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `first` to `last`, both included; `grain` is None where they are the reader's own.

    Raises BadInput where `last` is before `first`.
    """

    first: date
    last: date
    zone: str
    grain: Grain | None = None

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadInput(
                words(
                    f"период кончается {self.last:%d.%m.%Y}, раньше, чем начинается ({self.first:%d.%m.%Y})",
                    f"the period ends on {self.last}, before it begins ({self.first})",
                ),
                hint=words("поменяйте начало и конец местами", "swap its beginning and its end"),
            )

    @classmethod
    def of(cls, grain: Grain, day: date, zone: str) -> Period:
        """The week, month … that the day is in."""
        return cls(first_day(grain, day), following(grain, day) - timedelta(days=1), zone, grain)

    @property
    def start(self) -> datetime:
        return start_of(self.first, ZoneInfo(self.zone))

    @property
    def end(self) -> datetime:
        """The first moment that is not in it any more."""
        return start_of(self.last + timedelta(days=1), ZoneInfo(self.zone))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> Period:
        """The period that this one is compared with: the calendar's one before, or as many days."""
        yesterday = self.first - timedelta(days=1)
        if self.grain is not None:
            return Period.of(self.grain, yesterday, self.zone)
        return Period(self.first - timedelta(days=self.days), yesterday, self.zone)

    def parts(self, grain: Grain) -> tuple[Period, ...]:
        """Its days, weeks, months …, those at its ends cut off. Raises BadInput for too many."""
        parts, day = [], self.first
        while day <= self.last:
            after = following(grain, day)
            parts.append(Period(day, min(after - timedelta(days=1), self.last), self.zone, grain))
            day = after
            if len(parts) > MOST_PARTS:
                raise BadInput(
                    words(
                        f"в периоде больше {MOST_PARTS} частей «{grain}»",
                        f"the period has more than {MOST_PARTS} parts of a {grain}",
                    ),
                    hint=words(
                        "возьмите период короче или шаг крупнее", "take a shorter period or a longer step"
                    ),
                )
        return tuple(parts)

    def shifts(self) -> tuple[tuple[datetime, int], ...]:
        """From which moment on the zone's clock is how many seconds ahead of UTC; the first is `start`."""
        zone = ZoneInfo(self.zone)
        found = [(self.start, _ahead(self.start, zone))]
        for earlier, later in pairwise(_days(self.start, self.end)):
            if _ahead(later, zone) != found[-1][1]:
                found.append((_change(earlier, later, zone), _ahead(later, zone)))
        return tuple(found)


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += timedelta(days=1)
    yield end


def _ahead(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _change(earlier: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the zone's clock was moved, between two moments of different offsets."""
    before = _ahead(earlier, zone)
    while later - earlier > timedelta(seconds=1):
        middle = earlier + timedelta(seconds=(later - earlier) // timedelta(seconds=1) // 2)
        if _ahead(middle, zone) == before:
            earlier = middle
        else:
            later = middle
    return later
