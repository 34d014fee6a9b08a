"""What the dial policy has to know, read from SQL within the transaction that decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.facts import TARGET, CampaignFacts, ContactFacts, PastRing, QuotaCount
from bot.campaigns.schema import KEPT, Campaign
from bot.core.endings import Disposition, RetryCause
from bot.store.campaigns import ALIVE
from bot.store.contact_facts import standings
from bot.store.tables import Attempt, CallbackRow, Contact
from bot.store.tables_campaigns import CampaignRow, MemberRow
from bot.surveys.schema import Survey

Surveys = Callable[[str], tuple[str, Survey]]
"""A published survey by `id` or `id@version`, with its hash. Raises SurveyInvalid."""

Member = tuple[MemberRow, Contact]

LATER = timedelta(hours=3)
"""After which time somebody is rung again who asked for another time and named none that was understood."""

_WEEK = timedelta(days=7)
_FIELDS: dict[str, Any] = {
    "department": func.coalesce(func.nullif(col(MemberRow.department), ""), col(Contact.department)),
    "region": col(Contact.region),
    "city": col(Contact.city),
    "manager": col(Contact.manager_id),
    "language": col(Contact.language),
}
"""What quotas may ask for."""


@lru_cache(maxsize=64)
def definition_of(text: str) -> Campaign:
    """A campaign as its row keeps it."""
    return Campaign.model_validate_json(text, context=KEPT)


async def campaign_facts(session: AsyncSession, row: CampaignRow, survey: Survey) -> CampaignFacts:
    definition = definition_of(row.definition)
    counts = {quota.id: await _count(session, row.id, quota.where) for quota in definition.quotas}
    if definition.target is not None:
        counts[TARGET] = await _count(session, row.id, {})
    return CampaignFacts(
        definition=definition,
        state=row.state,
        survey_id=survey.id,
        survey_calling=survey.calling,
        counts={name: count for name, count in counts.items() if count is not None},
        why=row.reason,
    )


async def _count(session: AsyncSession, campaign_id: str, where: Mapping[str, str]) -> QuotaCount | None:
    """None where it is not known which contacts a quota is for."""
    if not where.keys() <= _FIELDS.keys():
        return None
    completed = col(Attempt.disposition) == Disposition.COMPLETED
    under_way = col(Attempt.status).in_(ALIVE)
    statement: Any = (
        select(func.count().filter(completed), func.count().filter(under_way))
        .select_from(Attempt)
        .join(
            MemberRow,
            and_(
                col(MemberRow.campaign_id) == col(Attempt.campaign_id),
                col(MemberRow.contact_id) == col(Attempt.contact_id),
            ),
        )
        .join(Contact, col(Contact.id) == col(Attempt.contact_id))
        .where(
            col(Attempt.campaign_id) == campaign_id,
            *(_FIELDS[name] == value for name, value in where.items()),
        )
    )
    return QuotaCount(*(await session.exec(statement)).one())


async def contact_facts(
    session: AsyncSession, campaign: CampaignFacts, members: Sequence[Member]
) -> dict[str, ContactFacts]:
    """Of each of these members, by contact id."""
    ids = [contact.id for _, contact in members]
    since = {contact.id: member.added_at for member, contact in members}
    rings = await past_rings(session, campaign.definition, ids, since)
    allowed = await standings(session, ids)
    talking = await _on_the_line(session, ids)
    return {
        contact.id: ContactFacts(
            contact_id=contact.id,
            tz=contact.tz,
            do_not_call=allowed[contact.id].do_not_call,
            consent=allowed[contact.id].consent,
            on_the_line=contact.id in talking,
            rings=rings[contact.id],
            next_at=member.not_before,
            promised_at=member.promised_at,
            ask_until=member.ask_until,
            do_not_call_source=allowed[contact.id].source,
            attributes={
                "department": member.department or contact.department,
                "region": contact.region,
                "city": contact.city,
                "manager": contact.manager_id,
                "language": contact.language,
            },
        )
        for member, contact in members
    }


async def past_rings(
    session: AsyncSession, definition: Campaign, contact_ids: Sequence[str], since: Mapping[str, datetime]
) -> dict[str, tuple[PastRing, ...]]:
    """All rings of this campaign, and those of any other as far back as its rules look; by contact id.

    A member whom another talk brought back at `since` begins anew: what this campaign rang before counts as
    another's ring.
    """
    frequency = definition.frequency
    back = max(frequency.same_survey, frequency.any_survey, _WEEK) + timedelta(days=1)
    latest = select(func.max(col(Attempt.dialled_at))).where(col(Attempt.contact_id).in_(contact_ids))
    newest = (await session.exec(latest)).one()
    if newest is None:
        return dict.fromkeys(contact_ids, ())
    statement = select(Attempt).where(
        col(Attempt.contact_id).in_(contact_ids),
        col(Attempt.direction) == "outbound",
        col(Attempt.dialled_at).is_not(None),
        or_(col(Attempt.campaign_id) == definition.id, col(Attempt.dialled_at) >= newest - back),
    )
    attempts = (await session.exec(statement)).all()
    promised = await _promised(session, attempts)
    found: dict[str, list[PastRing]] = defaultdict(list)
    for attempt in attempts:
        assert attempt.contact_id is not None  # it was asked for by that
        found[attempt.contact_id].append(ring_of(attempt, promised, since.get(attempt.contact_id)))
    return {contact_id: tuple(found[contact_id]) for contact_id in contact_ids}


def ring_of(attempt: Attempt, promised: Mapping[str, datetime], since: datetime | None = None) -> PastRing:
    """An attempt that was dialled; one from before `since` is no ring of its campaign's present round."""
    assert attempt.dialled_at is not None
    earlier = since is not None and attempt.created_at < since
    return PastRing(
        attempt_id=attempt.id,
        campaign_id="" if earlier else attempt.campaign_id or "",
        survey_id=attempt.survey_id,
        at=attempt.dialled_at,
        disposition=None if attempt.disposition is None else Disposition(attempt.disposition),
        ended_at=attempt.ended_at,
        promised_at=promised.get(attempt.id),
        for_promise=attempt.cause == RetryCause.PROMISED,
    )


async def _promised(session: AsyncSession, attempts: Iterable[Attempt]) -> dict[str, datetime]:
    """The times that we ourselves promised to ring at, by attempt. «Later» is some hours later."""
    ids = [each.id for each in attempts if each.disposition == Disposition.CALLBACK]
    if not ids:
        return {}
    statement = select(CallbackRow).where(
        col(CallbackRow.attempt_id).in_(ids), col(CallbackRow.promised_by) == "bot"
    )
    rows = (await session.exec(statement)).all()
    return {row.attempt_id or "": row.due_at or row.promised_at + LATER for row in rows}


async def _on_the_line(session: AsyncSession, contact_ids: Sequence[str]) -> set[str | None]:
    statement = select(col(Attempt.contact_id)).where(
        col(Attempt.contact_id).in_(contact_ids), col(Attempt.status).in_(ALIVE)
    )
    return set((await session.exec(statement)).all())
