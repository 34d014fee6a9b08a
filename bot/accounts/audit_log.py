"""The audit log as it is read: filtered, page by page, or from end to end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import col, select

from bot.store.account_tables import AuditRow
from bot.store.database import Database

BATCH = 1000
"""Rows of an export that are read at a time: each batch is a transaction of its own, and short."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows; "" and None leave them as they are. `since` is included, `until` is not."""

    login: str = ""
    action: str = ""
    subject: str = ""
    subject_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[Any]:
        found: list[Any] = [
            col(getattr(AuditRow, name)) == value
            for name in ("login", "action", "subject", "subject_id")
            if (value := getattr(self, name))
        ]
        if self.since is not None:
            found.append(col(AuditRow.at) >= self.since)
        if self.until is not None:
            found.append(col(AuditRow.at) < self.until)
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows of the log: after the one of this moment and id."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the newest first; `older` is where the next page begins, None where this is the last one."""

    rows: Sequence[AuditRow]
    older: Place | None


async def page(db: Database, wanted: Wanted, limit: int, after: Place | None = None) -> Page:
    """Found by place and not by number: rows that are added meanwhile move nothing."""
    statement = (
        select(AuditRow)
        .where(*wanted.conditions(), *_beyond(after))
        .order_by(col(AuditRow.at).desc(), col(AuditRow.id).desc())
        .limit(limit + 1)
    )
    async with db.read() as session:
        rows = (await session.exec(statement)).all()
    shown = rows[:limit]
    return Page(shown, Place(shown[-1].at, shown[-1].id) if len(rows) > limit else None)


async def every(db: Database, wanted: Wanted) -> AsyncIterator[Sequence[AuditRow]]:
    """All of them in batches, the newest first, in the memory of one batch."""
    place: Place | None = None
    while True:
        found = await page(db, wanted, BATCH, place)
        if found.rows:
            yield found.rows
        if found.older is None:
            return
        place = found.older


async def choices(db: Database) -> tuple[Sequence[str], Sequence[str]]:
    """The actions and the subjects that there are, for a filter."""
    async with db.read() as session:
        actions = (await session.exec(select(AuditRow.action).distinct())).all()
        subjects = (await session.exec(select(AuditRow.subject).distinct())).all()
    return sorted(actions), sorted(subjects)


def _beyond(after: Place | None) -> tuple[Any, ...]:
    if after is None:
        return ()
    same_moment = and_(col(AuditRow.at) == after.at, col(AuditRow.id) < after.id)
    return (or_(col(AuditRow.at) < after.at, same_moment),)
