"""How often one customer is bothered by all campaigns together: rings of late, and talks of late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.campaigns.facts import CampaignFacts, PastRing
from bot.campaigns.reasons import Reason, ReasonCode
from bot.campaigns.retries import TALKED
from bot.campaigns.schema import DAY
from bot.core.endings import Disposition

WEEK = timedelta(days=7)


def too_often(rings: Sequence[PastRing], campaign: CampaignFacts, now: datetime) -> Iterator[Reason]:
    """Every cap that holds at this moment, each until the moment at which it is gone.

    A ring of the future, by a clock that was put right since, counts as one of just now.
    """
    rules = campaign.definition.frequency
    dialled = sorted(ring.at for ring in rings if ring.disposition != Disposition.CANCELLED)
    for limit, span, code in (
        (rules.rings_per_day, DAY, ReasonCode.RINGS_PER_DAY),
        (rules.rings_per_week, WEEK, ReasonCode.RINGS_PER_WEEK),
    ):
        if len(dialled) >= limit and (until := dialled[-limit] + span) > now:
            yield Reason(code, until, str(limit))
    talks = [(ring.ended_at or ring.at, ring) for ring in rings if ring.disposition in TALKED]
    for at, span, code in (
        (_last(talks, campaign.survey_id), rules.same_survey, ReasonCode.SAME_SURVEY),
        (_last(talks), rules.any_survey, ReasonCode.ANY_SURVEY),
    ):
        if at is not None and (until := at + span) > now:
            yield Reason(code, until)


def longest_span(campaign: CampaignFacts) -> timedelta:
    """How far back `ContactFacts.rings` of other campaigns must reach; those of its own all are needed."""
    rules = campaign.definition.frequency
    return max(WEEK, rules.same_survey, rules.any_survey)


def _last(talks: Sequence[tuple[datetime, PastRing]], survey_id: str = "") -> datetime | None:
    return max((at for at, ring in talks if survey_id in ("", ring.survey_id)), default=None)
