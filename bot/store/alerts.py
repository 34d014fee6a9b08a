"""The alerts: raised, shown, acknowledged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts import AlertKind
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.notices import New, enqueue
from bot.store.outbox import wants
from bot.store.projection import insert_into
from bot.store.tables import AnswerRow, Attempt, DoNotCall
from bot.store.tables_agents import AgentRow
from bot.store.tables_delivery import DeliveryStatus, EventName, WebhookDeliveryRow, WebhookEndpointRow
from bot.store.tables_notices import AlertRow

MAY_LAST = timedelta(hours=2)
"""A call that is answered in a window was begun so long before it at most."""

SCORED = ("nps", "csat", "ces", "score")
"""Kinds of questions whose answers are scores."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert with what is known of its call. `scores` are the numbers that the customer gave, in the order
    of the questions; nothing here is in his own words."""

    row: AlertRow
    survey_id: str = ""
    agent_id: str = ""
    agent: str = ""
    department: str = ""
    scores: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Wave:
    """`count` customers asked never to be called again from `first` to `at`, while `answered` calls were."""

    call_id: str
    first: datetime
    at: datetime
    count: int
    answered: int


async def alerts(
    db: Database,
    kinds: Collection[AlertKind],
    *,
    opened: bool = False,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> Sequence[Alert]:
    """The newest first; `opened`: only those that nobody has acknowledged and no customer took back."""
    statement = select(AlertRow).where(col(AlertRow.kind).in_(kinds))
    if opened:
        statement = statement.where(*_open())
    if before is not None:
        at, alert_id = before
        older = (col(AlertRow.at) == at) & (col(AlertRow.id) < alert_id)
        statement = statement.where((col(AlertRow.at) < at) | older)
    newest = statement.order_by(col(AlertRow.at).desc(), col(AlertRow.id).desc()).limit(limit)
    async with db.read() as session:
        return await _about(session, (await session.exec(newest)).all())


async def by_ids(db: Database, ids: Collection[str]) -> Sequence[Alert]:
    """Those that are there, oldest first."""
    statement = select(AlertRow).where(col(AlertRow.id).in_(ids)).order_by(col(AlertRow.at))
    async with db.read() as session:
        return await _about(session, (await session.exec(statement)).all())


async def open_count(db: Database, kinds: Collection[AlertKind]) -> int:
    statement = select(func.count()).select_from(AlertRow).where(col(AlertRow.kind).in_(kinds), *_open())
    async with db.read() as session:
        return (await session.exec(statement)).one()


async def recent(db: Database, kinds: Collection[AlertKind], since: datetime) -> Sequence[str]:
    """The ids of those that are open and no older, oldest first."""
    statement = select(AlertRow.id).where(col(AlertRow.kind).in_(kinds), col(AlertRow.at) >= since, *_open())
    async with db.read() as session:
        return (await session.exec(statement.order_by(col(AlertRow.at)))).all()


async def acknowledge(
    db: Database, alert_id: str, by: str, now: datetime, *, audit: AuditRow | None = None
) -> bool:
    """Somebody has seen to it; False where somebody had before, or it is not there."""
    async with db.write() as session:
        done = await session.exec(
            update(AlertRow)
            .where(col(AlertRow.id) == alert_id, col(AlertRow.acknowledged_at).is_(None))
            .values(acknowledged_at=now, acknowledged_by=by)
        )
        if done.rowcount and audit is not None:
            session.add(audit)
    return bool(done.rowcount)


async def announce(
    db: Database, kinds: Collection[AlertKind], mail_to: Collection[str], now: datetime
) -> int:
    """Write the mails about alerts that none were written about yet; how many alerts there were. What was
    taken back meanwhile is told to nobody."""
    waiting = select(AlertRow).where(col(AlertRow.announced_at).is_(None)).order_by(col(AlertRow.at))
    async with db.read() as session:
        if (await session.exec(waiting.limit(1))).first() is None:
            return 0
    async with db.write() as session:
        rows = (await session.exec(waiting.limit(200).with_for_update(skip_locked=True))).all()
        for row in rows:
            row.announced_at = now
            session.add(row)
            if row.kind in kinds and row.withdrawn_at is None:
                await enqueue(
                    session, db.dialect, [New.alert_mail(row.id, address, row.at) for address in mail_to], now
                )
    return len(rows)


async def opt_outs(db: Database, since: datetime) -> Sequence[tuple[datetime, str]]:
    """When, and in which calls, somebody asked never to be called again; oldest first."""
    statement = (
        select(col(DoNotCall.at), col(DoNotCall.call_id))
        .where(col(DoNotCall.source) == "call", col(DoNotCall.at) > since)
        .order_by(col(DoNotCall.at), col(DoNotCall.call_id))
    )
    async with db.read() as session:
        return (await session.exec(statement)).all()


async def answered(db: Database, since: datetime, until: datetime) -> int:
    """How many calls were answered in between."""
    statement = (
        select(func.count())
        .select_from(Attempt)
        .where(
            col(Attempt.created_at) > since - MAY_LAST,
            col(Attempt.answered_at) > since,
            col(Attempt.answered_at) <= until,
        )
    )
    async with db.read() as session:
        return (await session.exec(statement)).one()


async def raise_wave(db: Database, wave: Wave, quiet_since: datetime) -> bool:
    """With its messages to other systems. False where this wave, or one since `quiet_since`, was raised
    already: by another node, or before a restart."""
    alert_id = f"alert-wave-{wave.call_id}"
    details = {
        "count": wave.count,
        "answered": wave.answered,
        "first": wave.first.isoformat(),
    }
    row = {"id": alert_id, "kind": AlertKind.OPT_OUT_WAVE, "at": wave.at, "call_id": ""}
    insert = insert_into(db.dialect)
    async with db.write() as session:
        lately = select(AlertRow.id).where(
            col(AlertRow.kind) == AlertKind.OPT_OUT_WAVE, col(AlertRow.at) > quiet_since
        )
        if (await session.exec(lately.limit(1))).first() is not None:
            return False
        statement: Any = insert(AlertRow).values(**row, details=details, acknowledged_by="")
        done = await session.exec(statement.on_conflict_do_nothing())
        if not done.rowcount:
            return False
        told = select(WebhookEndpointRow.id).where(wants(EventName.ALERT_OPT_OUT_WAVE))
        for endpoint_id in (await session.exec(told)).all():
            session.add(
                WebhookDeliveryRow(
                    id=f"{alert_id}-{endpoint_id}",
                    endpoint_id=endpoint_id,
                    message_id=alert_id,
                    event=EventName.ALERT_OPT_OUT_WAVE,
                    call_id="",
                    seq=0,
                    at=wave.at,
                    status=DeliveryStatus.WAITING,
                    next_at=wave.at,
                )
            )
    return True


def _open() -> tuple[Any, Any]:
    return (col(AlertRow.acknowledged_at).is_(None), col(AlertRow.withdrawn_at).is_(None))


async def _about(session: AsyncSession, rows: Sequence[AlertRow]) -> Sequence[Alert]:
    calls = [row.call_id for row in rows if row.call_id]
    known: dict[str, Attempt] = {}
    scores: dict[str, list[tuple[str, float]]] = {}
    names: dict[str, str] = {}
    if calls:
        found = await session.exec(select(Attempt).where(col(Attempt.call_id).in_(calls)))
        known = {attempt.call_id or "": attempt for attempt in found.all()}
        given = await session.exec(
            select(AnswerRow)
            .where(col(AnswerRow.call_id).in_(calls), col(AnswerRow.kind).in_(SCORED))
            .order_by(col(AnswerRow.seq))
        )
        for answer in given.all():
            if answer.number is not None:
                scores.setdefault(answer.call_id, []).append((answer.question_id, answer.number))
        agents = {attempt.agent_id for attempt in known.values()}
        named = await session.exec(select(AgentRow).where(col(AgentRow.id).in_(agents)))
        names = {agent.id: agent.name for agent in named.all()}
    return [_alert(row, known.get(row.call_id), scores.get(row.call_id, []), names) for row in rows]


def _alert(
    row: AlertRow, attempt: Attempt | None, scores: list[tuple[str, float]], names: dict[str, str]
) -> Alert:
    if attempt is None:
        return Alert(row)
    return Alert(
        row,
        attempt.survey_id,
        attempt.agent_id,
        names.get(attempt.agent_id, ""),
        attempt.department,
        tuple(scores),
    )
