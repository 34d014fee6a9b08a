"""Calls that other systems asked for: each wish is kept once, by its id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, delete, select, update

from bot.core.errors import KeyReused
from bot.core.requests import CallRequest
from bot.store.database import Database
from bot.store.projection import insert_into
from bot.store.tables_delivery import CallRequestRow
from bot.words import words


async def keep(
    db: Database, request_id: str, asked_by: str, call: CallRequest, now: datetime
) -> tuple[CallRequestRow, bool]:
    """The wish as it was first kept, and whether it is new. Raises KeyReused where this id stands for
    another one."""
    said = call.model_dump_json()
    digest = hashlib.sha256(said.encode()).hexdigest()
    row = CallRequestRow(
        id=request_id,
        asked_by=asked_by,
        body_hash=digest,
        json_=said,
        due_at=call.not_before or now,
        created_at=now,
    )
    values = {("json" if name == "json_" else name): value for name, value in row.model_dump().items()}
    async with db.write() as session:
        table = CallRequestRow.__table__  # type: ignore[attr-defined]
        made = await session.exec(insert_into(db.dialect)(table).values(values).on_conflict_do_nothing())
        if made.rowcount:
            return row, True
        kept = await session.get(CallRequestRow, request_id)
    assert kept is not None, "what is in the way of a row is its like"
    if kept.body_hash != digest:
        raise KeyReused(
            words("этот ключ уже стоит за другим звонком", "this key stands for another call already"),
            hint=words("новому звонку дайте новый ключ", "give a new call a new key"),
        )
    return kept, False


async def find(db: Database, request_id: str, asked_by: str) -> CallRequestRow | None:
    """Only its own asker finds it."""
    statement = select(CallRequestRow).where(
        col(CallRequestRow.id) == request_id, col(CallRequestRow.asked_by) == asked_by
    )
    async with db.read() as session:
        return (await session.exec(statement)).first()


async def forget(db: Database, request_id: str) -> None:
    """Nothing has come of it: the same key may be used again."""
    async with db.write() as session:
        await session.exec(delete(CallRequestRow).where(col(CallRequestRow.id) == request_id))


async def due(db: Database, now: datetime, limit: int = 100) -> Sequence[CallRequestRow]:
    """Those whose time has come and that were not taken up yet, the oldest first."""
    statement = (
        select(CallRequestRow)
        .where(col(CallRequestRow.taken_up_at).is_(None), col(CallRequestRow.due_at) <= now)
        .order_by(col(CallRequestRow.due_at), col(CallRequestRow.id))
        .limit(limit)
    )
    async with db.read() as session:
        return (await session.exec(statement)).all()


async def asked(db: Database, request_id: str) -> CallRequest | None:
    """What was asked for; None where nothing is kept under this id."""
    async with db.read() as session:
        row = await session.get(CallRequestRow, request_id)
    return CallRequest.model_validate_json(row.json_) if row is not None else None


async def refuse(db: Database, request_id: str, now: datetime, why: str) -> None:
    """Nothing comes of it, for this reason (a code); idempotent, and nothing to one that was taken up."""
    async with db.write() as session:
        await session.exec(
            update(CallRequestRow)
            .where(col(CallRequestRow.id) == request_id, col(CallRequestRow.taken_up_at).is_(None))
            .values(taken_up_at=now, refused=why)
        )
