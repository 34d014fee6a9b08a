"""When somebody may be rung, by his own clock: hours, days, holidays, and the frame around them all.

Whether a moment is inside is asked of the wall clock that whoever is rung sees at that moment, never of a
difference of times; so no change of the clocks can move a call out of its hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.campaigns.frame import RINGING, frame_of
from bot.campaigns.schema import Campaign
from bot.surveys.schema import Calling as SurveyCalling
from bot.triage.shifts import DAYS, FRIDAY, Shift, Span, parse_shift
from bot.triage.working_days import is_holiday, is_transferred

HORIZON_DAYS = 400
"""How far ahead a moment is looked for: over a year, since a campaign may ring on holidays alone."""

_ONE_SECOND = timedelta(seconds=1)


class Closed(StrEnum):
    """Why a moment is not inside."""

    NOT_STARTED = "not_started"
    ENDED = "ended"
    CLOSED_DAY = "closed_day"
    HOLIDAY = "holiday"
    NO_HOURS_TODAY = "no_hours_today"
    OUTSIDE_HOURS = "outside_hours"


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of one contact in one campaign: what is in all of `hours` and in the frame.

    `country` is whose holidays count; `holidays` whether they are days to ring on. `starts` and `ends` are
    the first and the last day.
    """

    zone: ZoneInfo
    country: str
    hours: tuple[Shift, ...]
    holidays: bool = False
    closed: tuple[date, ...] = ()
    starts: date | None = None
    ends: date | None = None

    def why_closed(self, now: datetime) -> Closed | None:
        """None while somebody may be rung: at `now`, and for as long as his telephone then rings."""
        if self._inside(now) and self._inside(now + RINGING):
            return None
        day = now.astimezone(self.zone).date()
        return _why_not_on(self, day) or Closed.OUTSIDE_HOURS

    def next_open(self, now: datetime) -> datetime | None:
        """The first moment from `now` on at which somebody may be rung; None where there is none for
        more than a year, or before the last day is over."""
        if self.why_closed(now) is None:
            return now
        today = now.astimezone(self.zone).date()
        for ahead in range(-1, HORIZON_DAYS):
            day = today + timedelta(days=ahead)
            if self.ends is not None and day > self.ends:
                return None
            for moment in self._changes(day):
                if moment >= now and self.why_closed(moment) is None:
                    return moment
        return None

    def _inside(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in _spans(self, local.date()))

    def _changes(self, day: date) -> list[datetime]:
        """The moments of a local day at which it may begin to be open, in order: the hours begin (twice
        where the clocks are put back), or the clocks are changed."""
        moments = {_moment(day, start, self.zone, fold) for start, _ in _spans(self, day) for fold in (0, 1)}
        if moments:
            moments.update(_clock_changes(self.zone, day))
        return sorted(moments)


def window_in(zone: ZoneInfo, country: str, campaign: Campaign, survey: SurveyCalling) -> Window:
    """The window of a contact of this zone and country in a campaign with this survey."""
    calling = campaign.calling
    own = () if calling.hours is None else (shift_of(calling.hours),)
    return Window(
        zone,
        country,
        (*own, survey_hours(survey)),
        holidays=calling.holidays,
        closed=calling.closed,
        starts=campaign.starts,
        ends=campaign.ends,
    )


def survey_hours(calling: SurveyCalling) -> Shift:
    """The hours that a survey itself allows."""
    span = (_minutes(calling.earliest), _minutes(calling.latest))
    return Shift(tuple((span,) if day in calling.days else () for day in DAYS))


@lru_cache(maxsize=256)
def shift_of(hours: str) -> Shift:
    """`parse_shift`, remembered: the hours of a campaign are read for each of its contacts."""
    return parse_shift(hours)


@lru_cache(maxsize=4096)
def _spans(window: Window, day: date) -> tuple[Span, ...]:
    """The wall times of a local day in which somebody may be rung, in minutes after midnight."""
    if _why_not_on(window, day):
        return ()
    transferred = is_transferred(window.country, day)
    off = is_holiday(window.country, day) or (day.weekday() > FRIDAY and not transferred)
    spans: tuple[Span, ...] = (frame_of(day_off=off),)
    for shift in window.hours:
        spans = _common(spans, shift.spans(day, transferred=transferred))
    return spans


def _why_not_on(window: Window, day: date) -> Closed | None:
    """Why nobody is rung on this local day at all; None where some of it has hours."""
    if window.starts is not None and day < window.starts:
        return Closed.NOT_STARTED
    if window.ends is not None and day > window.ends:
        return Closed.ENDED
    if day in window.closed:
        return Closed.CLOSED_DAY
    if not window.holidays and is_holiday(window.country, day):
        return Closed.HOLIDAY
    transferred = is_transferred(window.country, day)
    if not all(shift.spans(day, transferred=transferred) for shift in window.hours):
        return Closed.NO_HOURS_TODAY
    return None


def _common(one: tuple[Span, ...], other: tuple[Span, ...]) -> tuple[Span, ...]:
    both = ((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)
    return tuple(span for span in both if span[0] < span[1])


def _moment(day: date, minutes: int, zone: ZoneInfo, fold: int = 0) -> datetime:
    wall = datetime.combine(day, time(minutes // 60, minutes % 60, fold=fold), tzinfo=zone)
    return wall.astimezone(UTC)


def _clock_changes(zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """The moment of this local day at which the clocks are changed, to the second, where they are."""
    before = _moment(day, 0, zone)
    after = _moment(day + timedelta(days=1), 0, zone, fold=1)
    offset = before.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == offset:
        return
    while after - before > _ONE_SECOND:
        middle = before + timedelta(seconds=(after - before) // _ONE_SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    yield after


def _minutes(clock: str) -> int:
    """Of HH:MM. No hours end at midnight: the frame closes long before."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
