"""Whether and when somebody is rung again, by what his last attempt came to.

Each cause has intervals and a limit of its own, beside the limit of all attempts. A time that the customer
named is kept for its own sake: it has no interval, and its ring is not counted against the attempts. So
one campaign rings one customer at most `attempts + promised.limit` times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.campaigns.facts import CampaignFacts, PastRing
from bot.campaigns.reasons import Reason, ReasonCode
from bot.core.endings import Disposition, RetryCause, retry_cause

TALKED = frozenset(
    {
        Disposition.COMPLETED,
        Disposition.PARTIAL,
        Disposition.TRANSFERRED,
        Disposition.REFUSED,
        Disposition.OPTED_OUT,
        Disposition.HUNG_UP,
    }
)
"""The customer himself was reached and has had his say: he is not rung again, and was bothered once."""

_ENDS = {
    Disposition.DECLINED: ReasonCode.DECLINED,
    Disposition.WRONG_PERSON: ReasonCode.BAD_NUMBER,
    Disposition.INVALID_NUMBER: ReasonCode.BAD_NUMBER,
    Disposition.FAX: ReasonCode.BAD_NUMBER,
    **dict.fromkeys(TALKED, ReasonCode.TALKED),
}

NOBODY_WAS_RUNG = frozenset({RetryCause.BUSY, RetryCause.FAILED, RetryCause.INTERRUPTED})
"""Causes to which the survey's `hours_between` does not apply: the line was engaged, or it was our fault."""


@dataclass(frozen=True, slots=True)
class Again:
    """`at` is the earliest moment, before the hours of the customer are looked at. An interrupted survey is
    gone on with until `resume_until`, with an apology; None for every other cause."""

    at: datetime
    cause: RetryCause
    resume_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """He is not rung again by this campaign."""

    reason: Reason


def own_rings(rings: Sequence[PastRing], campaign: CampaignFacts) -> tuple[PastRing, ...]:
    """Those of this campaign in the order in which they were dialled; what was never dialled is none."""
    own = (
        ring
        for ring in rings
        if ring.campaign_id == campaign.definition.id and ring.disposition != Disposition.CANCELLED
    )
    return tuple(sorted(own, key=lambda ring: (ring.at, ring.attempt_id)))


def after_ring(
    rings: Sequence[PastRing], campaign: CampaignFacts, random: Callable[[], float]
) -> Again | Over | None:
    """What follows the last of these rings; None where there is none, or it is not over yet.

    `random` gives a number from 0 up to 1 for the jitter, which only ever lengthens an interval.
    """
    own = own_rings(rings, campaign)
    if not own or own[-1].disposition is None:
        return None
    for ring in own:
        if ring.disposition is not None and retry_cause(ring.disposition) is None:
            return Over(Reason(_ENDS[ring.disposition]))
    last, rules = own[-1], campaign.definition.retries
    assert last.disposition is not None
    cause = retry_cause(last.disposition)
    assert cause is not None
    times = sum(ring.disposition is not None and retry_cause(ring.disposition) is cause for ring in own)
    if cause is RetryCause.PROMISED:
        if last.promised_at is None:
            return Over(Reason(ReasonCode.HUMAN_CALLS))
        if times > rules.promised.limit:
            return Over(Reason(ReasonCode.PROMISES_USED, detail=str(rules.promised.limit)))
        return Again(last.promised_at, cause)
    if sum(not ring.for_promise for ring in own) >= campaign.attempts:
        return Over(Reason(ReasonCode.ATTEMPTS_USED, detail=str(campaign.attempts)))
    rule = rules.of(cause)
    if times > rule.limit:
        return Over(Reason(ReasonCode.CAUSE_LIMIT, detail=cause))
    ended = last.ended_at or last.at
    at = ended + rule.after[min(times, len(rule.after)) - 1] * (1 + rules.jitter * random())
    if cause not in NOBODY_WAS_RUNG:
        at = max(at, last.at + timedelta(hours=campaign.survey_calling.hours_between))
    resume_until = ended + rules.resume_within if cause is RetryCause.INTERRUPTED else None
    return Again(at, cause, resume_until)
