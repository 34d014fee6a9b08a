"""What follows an attempt that is over: its member waits for another try, or is done with.

A guess of ours may be put right later (`bot.store.projection`: a call that was taken for lost tells its own
end after all): then its member is reckoned with anew, as long as nobody was rung for him since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.reading import Surveys, campaign_facts, definition_of, past_rings
from bot.campaigns.retries import Again, Over, after_ring
from bot.core.endings import Disposition, RetryCause
from bot.store.campaigns import locked
from bot.store.database import Database
from bot.store.tables import Attempt, AttemptStatus
from bot.store.tables_campaigns import MemberRow

BATCH = 200

IN_HAND = col(MemberRow.attempt_id) == col(Attempt.id)
TURNED_OUT_OTHERWISE = (
    col(MemberRow.attempt_id).is_(None)
    & (col(MemberRow.last_attempt_id) == col(Attempt.id))
    & (col(MemberRow.last_disposition) != col(Attempt.disposition))
)


async def settle(
    db: Database,
    campaign_id: str,
    *,
    now: datetime,
    surveys: Surveys,
    random: Callable[[], float],
    which: Any = IN_HAND,
) -> int:
    """Every member whose attempt is over (`IN_HAND`), or turned out otherwise; how many. Idempotent.

    Raises SurveyInvalid, StoreUnavailable.
    """
    settled = 0
    while True:
        async with db.write() as session:
            row = await locked(session, campaign_id)
            found = await _over(session, campaign_id, which) if row is not None else ()
            if not found or row is None:
                return settled
            _, survey = surveys(definition_of(row.definition).survey)
            campaign = await campaign_facts(session, row, survey)
            since = {member.contact_id: member.added_at for member, _ in found}
            rings = await past_rings(session, campaign.definition, list(since), since)
            for member, attempt in found:
                if attempt.disposition != Disposition.CANCELLED:
                    _reckon(member, attempt, after_ring(rings[member.contact_id], campaign, random))
                member.attempt_id = None
                session.add(member)
            settled += len(found)


async def _over(session: AsyncSession, campaign_id: str, which: Any) -> Sequence[tuple[MemberRow, Attempt]]:
    statement = (
        select(MemberRow, Attempt)
        .join(Attempt, which)
        .where(col(MemberRow.campaign_id) == campaign_id, col(Attempt.status) == AttemptStatus.FINAL)
        .limit(BATCH)
    )
    return (await session.exec(statement)).all()


def _reckon(member: MemberRow, attempt: Attempt, follows: Again | Over | None) -> None:
    member.last_attempt_id, member.last_disposition = attempt.id, attempt.disposition or ""
    member.refused, member.refused_at = "", None
    member.promised_at = member.resume_until = None
    match follows:
        case Again(at=at, cause=cause, resume_until=until):
            member.next_at = member.not_before = at
            member.cause, member.done, member.resume_until = cause, "", until
            member.promised_at = at if cause is RetryCause.PROMISED else None
        case Over(reason=reason):
            member.next_at, member.done = None, reason.code
        case None:  # it was a ring of a round that is over: its member waits for the next one
            member.next_at = member.next_at or attempt.ended_at
