"""Numbers that must never be rung again and that nobody may know: kept under HMAC-SHA-256.

The key lies in the same database, so that every node has it and a backup brings it along: no number can be
missed because a file was. Whoever has the whole database could try every number; whoever sees a page, an
export or a log learns nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.pieces import pieces
from bot.store.tables_privacy import SealedNumberRow, SecretRow

ERASURE = "erasure"
"""The source of a row in `do_not_call` that came back from here."""

_KEY = "sealing"


async def sealing_key(session: AsyncSession) -> bytes:
    """Made by the migration that made the table."""
    return bytes.fromhex(
        (await session.exec(select(SecretRow.value).where(col(SecretRow.name) == _KEY))).one()
    )


def seal(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


async def sealed_among(session: AsyncSession, phones: Iterable[str]) -> dict[str, datetime]:
    """Those of these `phones.phone_key`s that are sealed, with since when."""
    wanted = list(phones)
    if not wanted or (await session.exec(select(SealedNumberRow.sealed).limit(1))).first() is None:
        return {}
    key = await sealing_key(session)
    by_seal = {seal(key, phone): phone for phone in wanted}
    found: dict[str, datetime] = {}
    for piece in pieces(list(by_seal)):
        rows = await session.exec(select(SealedNumberRow).where(col(SealedNumberRow.sealed).in_(piece)))
        found |= {by_seal[row.sealed]: row.at for row in rows.all()}
    return found


async def sealed_number(session: AsyncSession, phone: str) -> SealedNumberRow | None:
    """What is kept of the refusal of this `phones.phone_key`, where it is sealed."""
    return await session.get(SealedNumberRow, seal(await sealing_key(session), phone))
