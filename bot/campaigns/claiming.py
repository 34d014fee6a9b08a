"""A campaign's attempt becomes one worker's: policy is asked once more, in the very transaction.

`dialling` is committed before the INVITE goes out. The contact's row is locked first, then the campaign's,
then the attempt's: an opt-out of the same contact, a pause and another node's claim come before or after
this, never in between.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.choosing import refuse
from bot.campaigns.policy import Refused, may_dial
from bot.campaigns.reading import Surveys, campaign_facts, contact_facts, definition_of
from bot.core.endings import Disposition, RetryCause
from bot.store.attempts import finish, take_lease
from bot.store.campaigns import locked
from bot.store.database import Database
from bot.store.settings import LEASE_S
from bot.store.tables import Attempt, AttemptStatus, Contact
from bot.store.tables_campaigns import MemberRow


async def claim(
    db: Database,
    attempt_id: str,
    *,
    worker: str,
    now: datetime,
    surveys: Surveys,
    lease_s: float = LEASE_S,
) -> Attempt | None:
    """The attempt, leased to this worker; committed when it returns, so the INVITE may go out.

    None where it cannot be had: another has it, its contact is on the line at this moment (it stays queued),
    or policy refuses it by now (it is final as `cancelled`, and its member knows why).

    Raises SurveyInvalid, StoreUnavailable.
    """
    async with db.write() as session:
        seen = await session.get(Attempt, attempt_id)
        if seen is None or seen.campaign_id is None or seen.status != AttemptStatus.QUEUED:
            return None
        contact = await session.get(Contact, seen.contact_id, with_for_update=True)
        row = await locked(session, seen.campaign_id)
        attempt = await _still_queued(session, attempt_id)
        if attempt is None or contact is None or row is None:
            return None
        member = await session.get(MemberRow, (row.id, contact.id))
        if member is None or member.attempt_id != attempt.id:
            finish(attempt, Disposition.CANCELLED, now)
            return None
        _, survey = surveys(definition_of(row.definition).survey)
        campaign = await campaign_facts(session, row, survey)
        facts = await contact_facts(session, campaign, [(member, contact)])
        decision = may_dial(facts[contact.id], campaign, now)
        if isinstance(decision, Refused):
            finish(attempt, Disposition.CANCELLED, now)
            member.attempt_id = None
            refuse(member, decision, now)
            session.add(member)
            return None
        if decision.for_promise:
            attempt.cause = RetryCause.PROMISED
        attempt.number = await _rings_so_far(session, attempt) + 1
        return attempt if await take_lease(session, attempt, worker, now, lease_s) else None


async def _still_queued(session: AsyncSession, attempt_id: str) -> Attempt | None:
    """Nobody else's, as of now. One that another transaction holds is as good as taken."""
    statement = (
        select(Attempt)
        .where(col(Attempt.id) == attempt_id, col(Attempt.status) == AttemptStatus.QUEUED)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.exec(statement)).one_or_none()


async def _rings_so_far(session: AsyncSession, attempt: Attempt) -> int:
    statement = select(func.count()).where(
        col(Attempt.campaign_id) == attempt.campaign_id,
        col(Attempt.contact_id) == attempt.contact_id,
        col(Attempt.dialled_at).is_not(None),
    )
    return (await session.exec(statement)).one()
