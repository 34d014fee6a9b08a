"""Customers as they are known before a call of theirs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from bot.store.database import Database
from bot.store.tables import Contact


async def of_phones(db: Database, phones: Sequence[str]) -> Contact | None:
    """The contact of the first of these `phones.phone_key`s that somebody has."""
    if not phones:
        return None
    async with db.read() as session:
        rows = (await session.exec(select(Contact).where(col(Contact.phone).in_(phones)))).all()
    return min(rows, key=lambda row: phones.index(row.phone), default=None)
