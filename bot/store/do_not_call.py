"""Numbers that are never rung: put on by hand or from a list, taken off with a reason that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.endings import Disposition
from bot.core.ids import new_id
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.pieces import pieces
from bot.store.projection import insert_into
from bot.store.tables import Attempt, AttemptStatus, Contact, DoNotCall, Table
from bot.store.tables_contacts import DoNotCallRemoved

BY_HAND, BY_CALL, LIST = "hand", "call", "list:"
"""Sources of a row; `LIST` is followed by the list's name."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A number that is not rung, with what proves why: the call, the words in it, the recording. Of one
    that may be rung again `removed` says since when, by whom and why."""

    row: DoNotCall
    call: Attempt | None = None
    removed: DoNotCallRemoved | None = None


async def add(
    db: Database,
    phones: Sequence[str],
    *,
    source: str,
    words: str,
    by: str,
    now: datetime,
    audit: AuditRow | None = None,
) -> int:
    """How many of these `phones.phone_key`s were not there before; in force when this returns, also for
    calls that are queued. Who is there already stays as he is."""
    added = 0
    async with db.write() as session:
        table = Table.metadata.tables["do_not_call"]
        for some in pieces(phones):
            piece = list(dict.fromkeys(some))
            there = set(
                (await session.exec(select(DoNotCall.phone).where(col(DoNotCall.phone).in_(piece)))).all()
            )
            fresh = [phone for phone in piece if phone not in there]
            if fresh:
                rows = [
                    DoNotCall(phone=phone, at=now, words=words, source=source, by=by).model_dump()
                    for phone in fresh
                ]
                connection = await session.connection()
                await connection.execute(insert_into(db.dialect)(table).on_conflict_do_nothing(), rows)
            await session.exec(
                update(Contact)
                .where(col(Contact.phone).in_(piece), col(Contact.do_not_call_at).is_(None))
                .values(do_not_call_at=now)
            )
            await take_back_queued(session, piece, now)
            added += len(fresh)
        if audit is not None:
            session.add(audit)
    return added


async def take_back_queued(session: AsyncSession, phones: Sequence[str], now: datetime) -> None:
    """What is queued for these numbers is final as cancelled."""
    await session.exec(
        update(Attempt)
        .where(
            col(Attempt.status) == AttemptStatus.QUEUED,
            col(Attempt.direction) == "outbound",
            col(Attempt.phone).in_(phones),
        )
        .values(status=AttemptStatus.FINAL, disposition=Disposition.CANCELLED, ended_at=now)
    )


async def remove(
    db: Database, phone: str, *, reason: str, by: str, now: datetime, audit: AuditRow | None = None
) -> bool:
    """Let a number be rung again; False where nothing forbade it."""
    async with db.write() as session:
        rows, contacts = await _remove(session, [phone], reason, by, now)
        removed = bool(rows or contacts)
        if removed and audit is not None:
            session.add(_counted(audit, rows, contacts))
        return removed


async def remove_list(
    db: Database, name: str, *, reason: str, by: str, now: datetime, audit: AuditRow | None = None
) -> int:
    """Take a whole list off; how many numbers it had. Who asked in a call never to be rung stays, also
    where he stood on the list as well."""
    async with db.write() as session:
        on_it = select(DoNotCall.phone).where(col(DoNotCall.source) == LIST + name)
        phones = list((await session.exec(on_it)).all())
        contacts = 0
        for piece in pieces(phones):
            contacts += (await _remove(session, piece, reason, by, now))[1]
        if phones and audit is not None:
            session.add(_counted(audit, len(phones), contacts))
        return len(phones)


def _counted(audit: AuditRow, rows: int, contacts: int) -> AuditRow:
    """Both, for a contact may be let go whose number stood on no list: then nothing but he was changed."""
    audit.details = {**audit.details, "count": rows, "contacts": contacts}
    return audit


async def _remove(
    session: AsyncSession, phones: Sequence[str], reason: str, by: str, now: datetime
) -> tuple[int, int]:
    """How many rows of the list went, and how many contacts may be rung again."""
    rows = (await session.exec(select(DoNotCall).where(col(DoNotCall.phone).in_(phones)))).all()
    for row in rows:
        was: dict[str, Any] = row.model_dump()
        removed = {"id": new_id("removed"), "removed_at": now, "removed_by": by, "reason": reason}
        session.add(DoNotCallRemoved(**was | removed))
    await session.exec(delete(DoNotCall).where(col(DoNotCall.phone).in_(phones)))
    let_go = await session.exec(
        update(Contact)
        .where(col(Contact.phone).in_(phones), col(Contact.do_not_call_at).is_not(None))
        .values(do_not_call_at=None)
    )
    return len(rows), int(let_go.rowcount)


async def listed(
    db: Database, *, source: str = "", phone: str = "", removed: bool = False, limit: int | None = None
) -> list[Proof]:
    """The newest first; `source` may be the beginning of one (`list:`). With `removed` also what was
    taken off."""
    async with db.read() as session:
        found = await _select(session, DoNotCall, source, phone, limit)
        gone = await _select(session, DoNotCallRemoved, source, phone, limit) if removed else []
        calls = await _calls(session, {row.call_id for row in (*found, *gone) if row.call_id})
    proofs = [Proof(row, calls.get(row.call_id)) for row in found]
    for past in gone:
        was = DoNotCall(**{name: getattr(past, name) for name in DoNotCall.model_fields})
        proofs.append(Proof(was, calls.get(past.call_id), past))
    return sorted(proofs, key=lambda proof: proof.row.at, reverse=True)[:limit]


async def sources(db: Database) -> list[tuple[str, int]]:
    """From where the numbers come, and how many from each; the most first."""
    counted = select(col(DoNotCall.source), func.count()).group_by(col(DoNotCall.source))
    async with db.read() as session:
        return sorted((await session.exec(counted)).all(), key=lambda each: (-each[1], each[0]))


async def _select(session: AsyncSession, table: Any, source: str, phone: str, limit: int | None) -> list[Any]:
    statement = select(table).order_by(col(table.at).desc(), col(table.phone))
    if source:
        statement = statement.where(or_(col(table.source) == source, col(table.source).startswith(source)))
    if phone:
        statement = statement.where(col(table.phone) == phone)
    return list((await session.exec(statement.limit(limit))).all())


async def _calls(session: AsyncSession, call_ids: set[str]) -> dict[str, Attempt]:
    found: dict[str, Attempt] = {}
    for piece in pieces(sorted(call_ids)):
        rows = (await session.exec(select(Attempt).where(col(Attempt.call_id).in_(piece)))).all()
        found |= {row.call_id: row for row in rows if row.call_id}
    return found
