"""When a campaign pauses itself: too many calls fail, or too many people ask never to be called again.

It goes on only when somebody resumes it, and then what was before counts no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.campaigns.retries import TALKED
from bot.campaigns.schema import Breaker, Threshold
from bot.core.endings import Disposition


class TripCode(StrEnum):
    FAILURES = "failures"
    OPT_OUTS = "opt_outs"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt that is over, at the moment at which it ended."""

    at: datetime
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class Trip:
    """Why the campaign is to be paused: `bad` of `sample` within the threshold's time."""

    code: TripCode
    bad: int
    sample: int
    threshold: Threshold


def tripped(
    outcomes: Iterable[Outcome], rules: Breaker, now: datetime, *, since: datetime | None = None
) -> tuple[Trip, ...]:
    """Everything that is too much, empty while all is well. `since` is when the campaign was last started
    or resumed: outcomes up to then were seen by whoever did it.

    A failure is a call that the network or the trunk refused, or an interruption by our own fault; calls
    that were interrupted in the same moment are one, for one worker died.
    """
    fresh = [each for each in outcomes if since is None or each.at > since]
    interrupted = {each.at for each in fresh if each.disposition is Disposition.INTERRUPTED}
    of_all = [
        *((at, True) for at in interrupted),
        *(
            (each.at, each.disposition is Disposition.FAILED)
            for each in fresh
            if each.disposition not in (Disposition.INTERRUPTED, Disposition.CANCELLED)
        ),
    ]
    of_talks = [
        (each.at, each.disposition is Disposition.OPTED_OUT) for each in fresh if each.disposition in TALKED
    ]
    found = (
        _trip(TripCode.FAILURES, of_all, rules.failures, now),
        _trip(TripCode.OPT_OUTS, of_talks, rules.opt_outs, now),
    )
    return tuple(trip for trip in found if trip is not None)


def _trip(
    code: TripCode, counted: list[tuple[datetime, bool]], threshold: Threshold, now: datetime
) -> Trip | None:
    recent = [bad for at, bad in counted if at > now - threshold.over]
    bad, sample = sum(recent), len(recent)
    if sample < threshold.sample or bad <= threshold.share * sample:
        return None
    return Trip(code, bad, sample, threshold)
