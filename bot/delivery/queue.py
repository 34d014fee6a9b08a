"""The deliveries in SQL: claimed by one sender at a time, their tries written down, sent again by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, delete, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.core.events import CallEvent, CallStarted, call_event
from bot.core.ids import new_id
from bot.delivery.endpoints import Endpoint
from bot.delivery.payload import About, about_of
from bot.store.database import Database
from bot.store.tables import Attempt, CallEventRow, SurveyRow
from bot.store.tables_delivery import (
    DeliveryStatus,
    WebhookDeliveryRow,
    WebhookEndpointRow,
    WebhookTryRow,
)
from bot.store.tables_notices import AlertRow
from bot.words import words

HEAD = 300
"""Letters of an answer's body that are kept."""

KEPT_DAYS = 30
"""How long what is done stands in the log."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How one try went: HTTP's status, or why there was none. `retry_after_s` is what the receiver asked."""

    duration_s: float
    status: int | None = None
    error: str = ""
    body_head: str = ""
    retry_after_s: float | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """410: the receiver wants no more of it (Standard Webhooks)."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery with its endpoint's name and its tries, the newest first."""

    row: WebhookDeliveryRow
    endpoint: str
    tries: tuple[WebhookTryRow, ...]


async def due_endpoints(db: Database, now: datetime) -> set[str]:
    """The ids of enabled endpoints for which something is due."""
    async with db.read() as session:
        statement = (
            select(WebhookDeliveryRow.endpoint_id)
            .join(WebhookEndpointRow, col(WebhookEndpointRow.id) == col(WebhookDeliveryRow.endpoint_id))
            .where(*_due(now), col(WebhookEndpointRow.disabled_at).is_(None))
            .distinct()
        )
        return set((await session.exec(statement)).all())


async def next_due(db: Database) -> datetime | None:
    """When the next one is due of all that wait; None where none does."""
    async with db.read() as session:
        statement = (
            select(WebhookDeliveryRow.next_at)
            .where(col(WebhookDeliveryRow.status) == DeliveryStatus.WAITING)
            .order_by(col(WebhookDeliveryRow.next_at))
            .limit(1)
        )
        return (await session.exec(statement)).first()


async def claim(
    db: Database, endpoint_id: str, now: datetime, *, lease_s: float, limit: int
) -> Sequence[WebhookDeliveryRow]:
    """The oldest that are due, for this sender alone until the lease is over."""
    async with db.write() as session:
        statement = (
            select(WebhookDeliveryRow)
            .where(*_due(now), col(WebhookDeliveryRow.endpoint_id) == endpoint_id)
            .order_by(col(WebhookDeliveryRow.next_at), col(WebhookDeliveryRow.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await session.exec(statement)).all()
        for row in rows:
            row.claimed_until = now + timedelta(seconds=lease_s)
            session.add(row)
        return rows


async def note(
    db: Database, row: WebhookDeliveryRow, tried: Tried, started: datetime, wait_s: float | None
) -> None:
    """Write a try down; `wait_s` seconds until the next one, None where there is none. One that was set
    going again meanwhile, or given up, stays so."""
    now = started + timedelta(seconds=tried.duration_s)
    done = tried.taken or wait_s is None
    status = DeliveryStatus.DELIVERED if tried.taken else DeliveryStatus.DEAD if done else row.status
    async with db.write() as session:
        session.add(
            WebhookTryRow(
                id=new_id("try"),
                delivery_id=row.id,
                at=started,
                duration_ms=round(tried.duration_s * 1000),
                status=tried.status,
                error=tried.error,
                body_head=tried.body_head[:HEAD],
            )
        )
        await session.exec(
            update(WebhookDeliveryRow)
            .where(
                col(WebhookDeliveryRow.id) == row.id,
                col(WebhookDeliveryRow.status) == DeliveryStatus.WAITING,
                col(WebhookDeliveryRow.tries) == row.tries,
            )
            .values(
                status=status,
                tries=row.tries + 1,
                claimed_until=None,
                done_at=now if done else None,
                next_at=now + timedelta(seconds=wait_s or 0.0),
            )
        )


async def facts(db: Database, row: WebhookDeliveryRow) -> tuple[About, Sequence[CallEvent]] | None:
    """Whose call it is, and its events up to the one that the message tells of; None where nothing of the
    call is left."""
    async with db.read() as session:
        events = await _events(session, row.call_id, row.seq)
        started = next((event for event in events if isinstance(event, CallStarted)), None)
        attempt = await _attempt(session, row)
        if attempt is None and started is None:
            return None
        about = about_of(started) if started is not None else About(row.call_id)
        if attempt is not None:
            about = About(
                call_id=row.call_id,
                attempt_id=attempt.id,
                direction=attempt.direction,
                survey_id=attempt.survey_id,
                survey_hash=attempt.survey_hash,
                survey_version=await _version(session, attempt.survey_hash),
                contact_id=attempt.contact_id or "",
                phone=attempt.phone,
                agent_id=attempt.agent_id,
                department=attempt.department,
                conversation_id=attempt.conversation_id,
                request_id=attempt.request_id,
            )
        return about, events


async def alert_of(db: Database, row: WebhookDeliveryRow) -> AlertRow | None:
    """What a message that is about no call tells of; None where it is not stored any more."""
    async with db.read() as session:
        return await session.get(AlertRow, row.message_id)


async def _events(session: AsyncSession, call_id: str, seq: int) -> Sequence[CallEvent]:
    statement = (
        select(CallEventRow.json_)
        .where(col(CallEventRow.call_id) == call_id, col(CallEventRow.seq) <= seq)
        .order_by(col(CallEventRow.seq))
    )
    return [call_event.validate_json(line) for line in (await session.exec(statement)).all()]


async def _attempt(session: AsyncSession, row: WebhookDeliveryRow) -> Attempt | None:
    """By its call, or by its own id where it broke off before its call began."""
    own = f"attempt-{row.call_id.removeprefix('call-')}"
    statement = select(Attempt).where(or_(col(Attempt.call_id) == row.call_id, col(Attempt.id) == own))
    return (await session.exec(statement.limit(1))).first()


async def _version(session: AsyncSession, digest: str) -> str:
    survey = await session.get(SurveyRow, digest)
    return survey.version if survey is not None else ""


async def log(
    db: Database, *, endpoint: Endpoint | None = None, status: DeliveryStatus | None = None, limit: int = 50
) -> Sequence[Logged]:
    """The newest deliveries first."""
    statement = select(WebhookDeliveryRow, WebhookEndpointRow.name).join(
        WebhookEndpointRow, col(WebhookEndpointRow.id) == col(WebhookDeliveryRow.endpoint_id)
    )
    if endpoint is not None:
        statement = statement.where(col(WebhookDeliveryRow.endpoint_id) == endpoint.id)
    if status is not None:
        statement = statement.where(col(WebhookDeliveryRow.status) == status)
    newest = statement.order_by(col(WebhookDeliveryRow.at).desc(), col(WebhookDeliveryRow.id)).limit(limit)
    async with db.read() as session:
        found = (await session.exec(newest)).all()
        ids = [row.id for row, _ in found]
        tries = select(WebhookTryRow).where(col(WebhookTryRow.delivery_id).in_(ids))
        made = (await session.exec(tries.order_by(col(WebhookTryRow.at).desc()))).all()
    return [
        Logged(row, name, tuple(each for each in made if each.delivery_id == row.id)) for row, name in found
    ]


async def resend(
    db: Database, now: datetime, *, ids: Collection[str] = (), dead_of: Endpoint | None = None
) -> int:
    """Set them going again, with their tries counted anew and the same `webhook-id`: those named (by
    their id, its beginning or the message's), and all that were given up for an endpoint. How many.
    Raises BadInput for an id that is not known, or may be several."""
    chosen: set[str] = set()
    async with db.write() as session:
        for given in ids:
            chosen |= await _meant(session, given)
        if dead_of is not None:
            dead = select(WebhookDeliveryRow.id).where(
                col(WebhookDeliveryRow.endpoint_id) == dead_of.id,
                col(WebhookDeliveryRow.status) == DeliveryStatus.DEAD,
            )
            chosen |= set((await session.exec(dead)).all())
        if chosen:
            await session.exec(
                update(WebhookDeliveryRow)
                .where(col(WebhookDeliveryRow.id).in_(chosen))
                .values(status=DeliveryStatus.WAITING, tries=0, next_at=now, claimed_until=None, done_at=None)
            )
    return len(chosen)


async def _meant(session: AsyncSession, given: str) -> set[str]:
    exact = select(WebhookDeliveryRow.id).where(
        or_(col(WebhookDeliveryRow.id) == given, col(WebhookDeliveryRow.message_id) == given)
    )
    found = set((await session.exec(exact)).all())
    if found:
        return found
    beginning = select(WebhookDeliveryRow.id).where(
        col(WebhookDeliveryRow.id).startswith(given, autoescape=True)
    )
    found = set((await session.exec(beginning.limit(2))).all())
    if len(found) == 1:
        return found
    several = words(f"«{given}» — это не одно сообщение", f"«{given}» may be several messages")
    unknown = words(f"сообщения «{given}» нет", f"there is no message «{given}»")
    raise BadInput(several if found else unknown, hint="otklik webhooks log")


async def forget(db: Database, now: datetime, *, days: float = KEPT_DAYS) -> None:
    """Clear away what is done and old, with its tries."""
    old = select(WebhookDeliveryRow.id).where(
        col(WebhookDeliveryRow.status) != DeliveryStatus.WAITING,
        col(WebhookDeliveryRow.done_at) < now - timedelta(days=days),
    )
    async with db.write() as session:
        await session.exec(delete(WebhookTryRow).where(col(WebhookTryRow.delivery_id).in_(old)))
        await session.exec(delete(WebhookDeliveryRow).where(col(WebhookDeliveryRow.id).in_(old)))


def _due(now: datetime) -> tuple[Any, ...]:
    free = or_(col(WebhookDeliveryRow.claimed_until).is_(None), col(WebhookDeliveryRow.claimed_until) <= now)
    return (
        col(WebhookDeliveryRow.status) == DeliveryStatus.WAITING,
        col(WebhookDeliveryRow.next_at) <= now,
        free,
    )
