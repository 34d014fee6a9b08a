"""Messages to people on their way: written once, claimed by one sender at a time, tried until taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlmodel import col, delete, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.projection import insert_into
from bot.store.tables_delivery import DeliveryStatus
from bot.store.tables_notices import About, Channel, NoticeRow

KEPT_DAYS = 180
"""How long what is done stands in the log."""


@dataclass(frozen=True, slots=True)
class New:
    """A notice to be written, if it is not there."""

    about: About
    about_id: str
    channel: Channel
    target: str
    due_at: datetime

    @classmethod
    def alert_mail(cls, alert_id: str, address: str, at: datetime) -> Self:
        return cls(About.ALERT, alert_id, Channel.MAIL, address, at)

    @property
    def id(self) -> str:
        """The same for the same message, wherever and whenever it is asked for."""
        said = "\n".join((self.about, self.about_id, self.due_at.isoformat(), self.channel, self.target))
        return f"notice-{hashlib.sha256(said.encode()).hexdigest()[:32]}"


async def enqueue(session: AsyncSession, dialect: str, notices: Iterable[New], now: datetime) -> None:
    """In the caller's transaction. Those that are there already stay as they are."""
    for each in notices:
        row: Any = insert_into(dialect)(NoticeRow).values(
            id=each.id,
            about=each.about,
            about_id=each.about_id,
            channel=each.channel,
            target=each.target,
            due_at=each.due_at,
            status=DeliveryStatus.WAITING,
            tries=0,
            next_at=now,
            error="",
        )
        await session.exec(row.on_conflict_do_nothing())


async def waiting(db: Database, about: About, now: datetime) -> bool:
    """Whether anything is due that nobody holds: asked before `claim`, which writes."""
    async with db.read() as session:
        return (
            await session.exec(select(NoticeRow.id).where(*_due(about, now)).limit(1))
        ).first() is not None


async def claim(
    db: Database, about: About, now: datetime, *, lease_s: float, limit: int
) -> Sequence[NoticeRow]:
    """The oldest that are due, for this sender alone until the lease is over."""
    statement = (
        select(NoticeRow)
        .where(*_due(about, now))
        .order_by(col(NoticeRow.next_at), col(NoticeRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    async with db.write() as session:
        rows = (await session.exec(statement)).all()
        for row in rows:
            row.claimed_until = now + timedelta(seconds=lease_s)
            session.add(row)
        return rows


async def note(
    db: Database, rows: Sequence[NoticeRow], now: datetime, error: str, wait_s: float | None
) -> None:
    """Write a try of these down: taken where `error` is "", else to be tried again in `wait_s` seconds, or
    never where that is None."""
    done = not error or wait_s is None
    status = (
        DeliveryStatus.DELIVERED if not error else DeliveryStatus.DEAD if done else DeliveryStatus.WAITING
    )
    async with db.write() as session:
        await session.exec(
            update(NoticeRow)
            .where(
                col(NoticeRow.id).in_([row.id for row in rows]),
                col(NoticeRow.status) == DeliveryStatus.WAITING,
            )
            .values(
                status=status,
                tries=col(NoticeRow.tries) + 1,
                claimed_until=None,
                done_at=now if done else None,
                next_at=now + timedelta(seconds=wait_s or 0.0),
                error=error,
            )
        )


async def log(
    db: Database, *, about: About | None = None, about_id: str = "", limit: int = 50
) -> Sequence[NoticeRow]:
    """The newest first."""
    statement = select(NoticeRow)
    if about is not None:
        statement = statement.where(col(NoticeRow.about) == about)
    if about_id:
        statement = statement.where(col(NoticeRow.about_id) == about_id)
    newest = statement.order_by(col(NoticeRow.due_at).desc(), col(NoticeRow.target)).limit(limit)
    async with db.read() as session:
        return (await session.exec(newest)).all()


async def resend(db: Database, now: datetime, about_id: str, *, audit: AuditRow | None = None) -> int:
    """Set going again what was given up of this; how many."""
    async with db.write() as session:
        done = await session.exec(
            update(NoticeRow)
            .where(col(NoticeRow.about_id) == about_id, col(NoticeRow.status) == DeliveryStatus.DEAD)
            .values(status=DeliveryStatus.WAITING, tries=0, next_at=now, claimed_until=None, done_at=None)
        )
        if audit is not None:
            session.add(audit)
    return int(done.rowcount)


async def forget(db: Database, now: datetime, *, days: float = KEPT_DAYS) -> None:
    """Clear away what is done and old."""
    async with db.write() as session:
        await session.exec(
            delete(NoticeRow).where(
                col(NoticeRow.status) != DeliveryStatus.WAITING,
                col(NoticeRow.done_at) < now - timedelta(days=days),
            )
        )


def _due(about: About, now: datetime) -> tuple[Any, ...]:
    free = or_(col(NoticeRow.claimed_until).is_(None), col(NoticeRow.claimed_until) <= now)
    return (
        col(NoticeRow.status) == DeliveryStatus.WAITING,
        col(NoticeRow.next_at) <= now,
        col(NoticeRow.about) == about,
        free,
    )
