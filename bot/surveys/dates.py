"""When to ring, from spoken words: an instant or a span in the caller's own time zone.

    «в половине седьмого»   -> 2026-11-23T18:30+03:00
    «завтра утром»          -> 2026-11-24T09:00+03:00/2026-11-24T12:00+03:00

A time without a day is the next such time; an hour without a half of the day is the one in which
people are rung, and asked back where that may be either («в восемь»).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from bot.surveys import date_words as w
from bot.surveys.clock import Clock
from bot.surveys.date_parts import Days, Delay, Hours, Odd, Part, Times, is_weekday, parts
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.words import Token

_SOON = timedelta(minutes=10)
"""A span that ends within this has as good as passed."""


@dataclass(frozen=True, slots=True)
class _When:
    """An instant where `end` is None, else a span."""

    begin: datetime
    end: datetime | None = None

    @property
    def iso(self) -> str:
        begin = self.begin.isoformat(timespec="minutes")
        return begin if self.end is None else f"{begin}/{self.end.isoformat(timespec='minutes')}"


def read_date(tokens: Sequence[Token], now: datetime, horizon_days: int) -> Reading | Unclear:
    """ISO 8601 text: an instant, or `start/end`; `now` is aware, in the zone of the one who speaks."""
    words = [token.text for token in tokens]
    said = parts(tokens, now.date())
    cut = _corrected_at(words, said)
    before = [part for part in said if part.start < cut]
    kept = [part for part in said if part.start >= cut and not part.denied]
    if not kept:
        return Unclear(UnclearReason.NO_MATCH)
    found = _options(words, kept, now)
    if isinstance(found, UnclearReason):
        return Unclear(found)
    limit = now + timedelta(days=horizon_days)
    this_minute = now.replace(second=0, microsecond=0)
    fitting = [when for when in found if when.begin <= limit and (when.end or when.begin) >= this_minute]
    if not fitting:
        return Unclear(UnclearReason.OUT_OF_RANGE, tuple(when.iso for when in found))
    if len(fitting) > 1:
        return Unclear(UnclearReason.AMBIGUOUS, tuple(when.iso for when in fitting))
    places = sorted({place for part in kept for place in range(part.start, part.end)})
    return Reading(
        fitting[0].iso,
        " ".join(words[place] for place in places),
        min(tokens[place].confidence for place in places),
        corrected=bool(before),
    )


def keyed_hour(hour: int, now: datetime) -> str | None:
    """The next such hour of the day, ISO 8601; None for no hour of the day."""
    if not 0 <= hour <= 23:
        return None
    today = datetime.combine(now.date(), time(hour), now.tzinfo)
    return _When(today if today > now else _days_on(today, 1)).iso


def _corrected_at(words: Sequence[str], said: Sequence[Part]) -> int:
    """Where what stands begins: behind the last correction that parts stand on both sides of."""
    for first, second in reversed(list(pairwise(said))):
        between = words[first.end : second.start]
        if not w.CORRECTS.isdisjoint(between) and "или" not in between:
            return second.start
    return 0


def _options(words: Sequence[str], kept: Sequence[Part], now: datetime) -> list[_When] | UnclearReason:
    """All that the parts may mean together."""
    dated = _dated(words, kept)
    if dated is None:
        return UnclearReason.AMBIGUOUS
    what = [part.what for part in dated]
    if any(isinstance(one, Odd) for one in what):
        odd = next(one for one in what if isinstance(one, Odd))
        return UnclearReason.AMBIGUOUS if odd.what == "vague" else UnclearReason.OUT_OF_RANGE
    delays = [one for one in what if isinstance(one, Delay)]
    days = list(dict.fromkeys(one for one in what if isinstance(one, Days)))
    hours = list(dict.fromkeys(one for one in what if isinstance(one, Hours)))
    times = [one for one in what if isinstance(one, Times)]
    if delays:
        alone = len(delays) == 1 and not hours and not times and all(one.first == now.date() for one in days)
        if not alone:
            return UnclearReason.AMBIGUOUS
        return [_When(_later(now, delays[0].minutes))]
    if len(days) == 2 and _is_stretch(words, kept):
        days = [Days(days[0].first, days[1].last)]
    if len(hours) > 1:
        return UnclearReason.AMBIGUOUS
    span = hours[0] if hours else None
    on: Sequence[Days | None] = days or [None]
    found = [when for day in on for when in _on(day, span, times, now)]
    return list(dict.fromkeys(found)) or UnclearReason.AMBIGUOUS


def _dated(words: Sequence[str], kept: Sequence[Part]) -> list[Part] | None:
    """The parts without a weekday that only says the date beside it again; None where the two differ.

    «В пятницу четвёртого» is the fourth if that is a Friday, and nobody's day if it is not.
    """
    left = list(kept)
    for first, second in pairwise(kept):
        apart = set(words[first.end : second.start]) - w.AT
        both = isinstance(first.what, Days) and isinstance(second.what, Days)
        if apart or not both or is_weekday(words[first.start]) == is_weekday(words[second.start]):
            continue
        named, day = (first, second) if is_weekday(words[first.start]) else (second, first)
        assert isinstance(named.what, Days)
        assert isinstance(day.what, Days)
        if named.what.first.weekday() != day.what.first.weekday() or day.what.first != day.what.last:
            return None
        left.remove(named)
    return left


def _is_stretch(words: Sequence[str], kept: Sequence[Part]) -> bool:
    """«С понедельника по среду»."""
    days = [part for part in kept if isinstance(part.what, Days)]
    if len(days) != 2 or days[0].what == days[1].what:
        return False
    first, second = days
    opened = first.start > 0 and words[first.start - 1] in ("с", "со", "от", "from")
    return opened and second.start > 0 and words[second.start - 1] in ("по", "до", "to", "till")


def _on(day: Days | None, span: Hours | None, times: Sequence[Times], now: datetime) -> list[_When]:
    """What times, or a part of the day, mean on a day; without a day, on the next that fits."""
    at = [one for one in times if one.relation == "at"]
    after = [one for one in times if one.relation == "after"]
    before = [one for one in times if one.relation == "before"]
    if after and len(at) == 1 and not before:  # «между двумя и тремя»
        at, before = [], at
    if len(after) > 1 or len(before) > 1 or (at and (after or before)):
        return []
    if at:
        return [_When(moment) for one in at for moment in _moments(one.clock, day, span, now)]
    if after or before:
        return _between(day, span, after, before, now)
    hours = span or Hours(w.DAY_BEGINS, w.DAY_ENDS)
    if day is not None:
        return [_span(day.first, hours.begin * 60, day.last, hours.end * 60, now)]
    today = _span(now.date(), hours.begin * 60, now.date(), hours.end * 60, now)
    assert today.end is not None  # a span has one
    if today.end - now < _SOON:
        tomorrow = now.date() + timedelta(days=1)
        return [_span(tomorrow, hours.begin * 60, tomorrow, hours.end * 60, now)]
    return [today]


def _between(
    day: Days | None, span: Hours | None, after: Sequence[Times], before: Sequence[Times], now: datetime
) -> list[_When]:
    """«После шести», «до обеда», «с двух до пяти»: a span of one day."""
    dates = [day.first] if day is not None else [now.date(), now.date() + timedelta(days=1)]
    for at in dates:
        begins = [minutes for one in after for minutes in _halves(one.clock, span)] or [w.DAY_BEGINS * 60]
        ends = [minutes for one in before for minutes in _halves(one.clock, span)] or [w.DAY_ENDS * 60]
        if after and not before:
            begins = [begin for begin in begins if begin < w.DAY_ENDS * 60] or begins
            ends = [max(w.DAY_ENDS * 60, min(begins[0] + 60, 24 * 60 - 1))]
        spans = [
            _span(at, begin, at, min(end for end in ends if end > begin), now)
            for begin in begins
            if any(end > begin for end in ends)
        ]
        left = [one for one in spans if one.end is not None and one.end - now >= _SOON]
        if left or at == dates[-1]:
            return left[:1] if after and before else left
    return []


def _moments(clock: Clock, day: Days | None, span: Hours | None, now: datetime) -> list[datetime]:
    if day is not None and day.first != day.last:
        return []  # a time on several days is no appointment
    choices = _halves(clock, span)
    if day is not None:
        on = [_moment(day.first, minutes, now) for minutes in choices]
        return [moment for moment in on if moment > now] or on[-1:]
    todays = [_moment(now.date(), minutes, now) for minutes in choices]
    left = [moment for moment in todays if moment > now]
    return left or [_days_on(moment, 1) for moment in todays]


def _halves(clock: Clock, span: Hours | None) -> list[int]:
    """The minutes since midnight that a time may mean: both halves of the day where people are rung then."""
    if clock.settled:
        return [clock.minutes]
    early = clock.minutes % (12 * 60)
    late = early + 12 * 60
    if span is not None:
        inside = [one for one in (early, late) if span.begin * 60 - 120 <= one <= span.end * 60 + 120]
        return inside[:1] if inside else [late if span.begin >= 12 else early]
    ringing = [one for one in (early, late) if _EARLIEST <= one <= _LATEST]
    return ringing or [late]


_EARLIEST, _LATEST = 8 * 60, 21 * 60 + 59
"""Minutes since midnight between which an hour without «утра» or «вечера» is looked for."""


def _span(first: date, begin: int, last: date, end: int, now: datetime) -> _When:
    start = _moment(first, begin, now)
    if start < now and first == now.date():
        start = now.replace(second=0, microsecond=0)
    return _When(start, _moment(last, end, now))


def _moment(day: date, minutes: int, now: datetime) -> datetime:
    minutes = min(minutes, 24 * 60 - 1)
    return datetime.combine(day, time(minutes // 60, minutes % 60), now.tzinfo)


def _days_on(moment: datetime, days: int) -> datetime:
    """The same time of day, days later, whatever the clocks were changed by in between."""
    return datetime.combine(moment.date() + timedelta(days=days), moment.time(), moment.tzinfo)


def _later(now: datetime, minutes: int) -> datetime:
    """So many minutes on, counted through a change of the clocks; whole minutes."""
    moment = (now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(now.tzinfo)
    return moment.replace(second=0, microsecond=0)
