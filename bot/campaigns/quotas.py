"""Whether a campaign still wants such a contact: its target, and the quotas that are for him."""

from __future__ import annotations

from collections.abc import Iterator

from bot.campaigns.facts import TARGET, CampaignFacts, ContactFacts, QuotaCount
from bot.campaigns.reasons import Reason, ReasonCode
from bot.campaigns.schema import Quota


def unwanted(contact: ContactFacts, campaign: CampaignFacts) -> Iterator[Reason]:
    """Every limit that is reached, or would be if all calls under way were completed."""
    counts = campaign.counts or {}
    definition = campaign.definition
    if definition.target is not None:
        yield from _limit(
            counts.get(TARGET),
            definition.target,
            "",
            (ReasonCode.TARGET_REACHED, ReasonCode.TARGET_UNDER_WAY),
        )
    for quota in definition.quotas:
        missing = [name for name in quota.where if not contact.attributes.get(name)]
        if missing:
            yield Reason(ReasonCode.QUOTA_UNKNOWN, detail=f"{quota.id}: {', '.join(missing)}")
        elif is_for(quota, contact):
            codes = (ReasonCode.QUOTA_REACHED, ReasonCode.QUOTA_UNDER_WAY)
            yield from _limit(counts.get(quota.id), quota.completed, quota.id, codes)


def is_for(quota: Quota, contact: ContactFacts) -> bool:
    return all(contact.attributes.get(name) == value for name, value in quota.where.items())


def _limit(
    count: QuotaCount | None, limit: int, detail: str, codes: tuple[ReasonCode, ReasonCode]
) -> Iterator[Reason]:
    reached, under_way = codes
    if count is None:
        yield Reason(ReasonCode.QUOTA_UNKNOWN, detail=detail)
    elif count.completed >= limit:
        yield Reason(reached, detail=detail)
    elif count.completed + count.under_way >= limit:
        yield Reason(under_way, detail=detail)
