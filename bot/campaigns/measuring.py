"""How busy a campaign's lines, agents and trunk are now, and what came of its calls: what pacing and the
breaker decide by. All of it is counted from the attempts in SQL, so every node counts alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.campaigns.breaker import Outcome
from bot.campaigns.pacing import Counted, Load, Rate
from bot.campaigns.retries import TALKED
from bot.campaigns.schema import Breaker, Pacing
from bot.core.endings import Disposition
from bot.store.campaigns import NODE_GONE
from bot.store.tables import Attempt, AttemptStatus, Handover, HandoverOutcome
from bot.store.tables_campaigns import NodeRow

ANSWERED = TALKED | {Disposition.NO_INPUT, Disposition.CALLBACK, Disposition.WRONG_PERSON}
"""A person took the call."""

_SOUGHT = (HandoverOutcome.STARTED, HandoverOutcome.RINGING)


async def load(session: AsyncSession, campaign_id: str, free_agents: int | None, now: datetime) -> Load:
    of_campaigns = col(Attempt.campaign_id).is_not(None)
    statement = (
        select(col(Attempt.status), col(Attempt.campaign_id), func.count())
        .where(of_campaigns, col(Attempt.status) != AttemptStatus.FINAL)
        .group_by(col(Attempt.status), col(Attempt.campaign_id))
    )
    counts: dict[str, int] = {}
    own = 0
    for status, whose, number in (await session.exec(statement)).all():
        counts[status] = counts.get(status, 0) + number
        own += number if whose == campaign_id else 0
    open_ = col(Handover.ended_at).is_(None)
    in_handover = (
        select(func.count().filter(col(Handover.outcome).in_(_SOUGHT)), func.count())
        .select_from(Handover)
        .join(Attempt, col(Attempt.call_id) == col(Handover.call_id))
        .where(open_, col(Attempt.status) == AttemptStatus.LIVE)
    )
    waiting, handed_over = (await session.exec(in_handover)).one()
    return Load(
        free_lines=await _free_lines(session, now),
        campaign_lines=own,
        ringing=counts.get(AttemptStatus.QUEUED, 0) + counts.get(AttemptStatus.DIALLING, 0),
        talking=max(0, counts.get(AttemptStatus.LIVE, 0) - handed_over),
        waiting=waiting,
        free_agents=free_agents,
    )


async def _free_lines(session: AsyncSession, now: datetime) -> int:
    """Of all nodes that were heard of: what they said, less what was given out since."""
    heard = col(NodeRow.seen_at) >= now - NODE_GONE
    ready = select(NodeRow).where(heard, col(NodeRow.ready).is_(True))
    nodes = (await session.exec(ready)).all()
    if not nodes:
        return 0
    since = min(node.seen_at for node in nodes)
    given = select(func.count()).where(
        or_(
            col(Attempt.status) == AttemptStatus.QUEUED,
            (col(Attempt.status) == AttemptStatus.DIALLING) & (col(Attempt.dialled_at) > since),
        )
    )
    return sum(node.free_lines for node in nodes) - (await session.exec(given)).one()


async def ready_nodes(session: AsyncSession, now: datetime) -> int:
    statement = select(func.count()).where(
        col(NodeRow.seen_at) >= now - NODE_GONE, col(NodeRow.ready).is_(True)
    )
    return (await session.exec(statement)).one()


async def counted(session: AsyncSession, campaign_id: str) -> Counted:
    over = (col(Attempt.campaign_id) == campaign_id, col(Attempt.dialled_at).is_not(None))
    statement: Any = select(
        func.count(),
        func.count().filter(col(Attempt.disposition).in_(ANSWERED)),
    ).where(*over, col(Attempt.status) == AttemptStatus.FINAL)
    dialled, answered = (await session.exec(statement)).one()
    wanted = (
        select(func.count(func.distinct(col(Handover.call_id))))
        .join(Attempt, col(Attempt.call_id) == col(Handover.call_id))
        .where(*over)
    )
    return Counted(dialled, answered, (await session.exec(wanted)).one())


async def rates(
    session: AsyncSession, campaign_id: str, rules: Pacing, trunk_per_s: float, now: datetime
) -> tuple[Rate, ...]:
    """The campaign's own and the trunk's. An attempt counts from when it was decided on."""
    found = []
    for per_second, which in (
        (rules.per_second, col(Attempt.campaign_id) == campaign_id),
        (trunk_per_s, col(Attempt.direction) == "outbound"),
    ):
        span = Rate(per_second).span
        begun = select(col(Attempt.created_at)).where(which, col(Attempt.created_at) > now - span)
        found.append(Rate(per_second, tuple((await session.exec(begun)).all())))
    return tuple(found)


async def outcomes(
    session: AsyncSession, campaign_id: str, rules: Breaker, now: datetime
) -> Sequence[Outcome]:
    """What ended within the longer of the breaker's times."""
    back = max(rules.failures.over, rules.opt_outs.over)
    statement = select(col(Attempt.ended_at), col(Attempt.disposition)).where(
        col(Attempt.campaign_id) == campaign_id,
        col(Attempt.status) == AttemptStatus.FINAL,
        col(Attempt.ended_at) > now - back,
    )
    rows = (await session.exec(statement)).all()
    return [Outcome(at, Disposition(ended)) for at, ended in rows if at is not None and ended is not None]
