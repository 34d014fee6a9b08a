"""Customers as they are known before a call of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from bot.store.database import Database
from bot.store.tables import Contact

_PAGE = 1000


async def of_phones(db: Database, phones: Sequence[str]) -> Contact | None:
    """The contact of the first of these `phones.phone_key`s that somebody has."""
    if not phones:
        return None
    async with db.read() as session:
        rows = (await session.exec(select(Contact).where(col(Contact.phone).in_(phones)))).all()
    return min(rows, key=lambda row: phones.index(row.phone), default=None)


async def find(db: Database, phone: str, name: str) -> Contact | None:
    """By this `phones.phone_key`, else by this id, of ours or the company's."""
    async with db.read() as session:
        row = (await session.exec(select(Contact).where(col(Contact.phone) == phone))).first()
        if row is None:
            named = or_(col(Contact.id) == name, col(Contact.external_id) == name)
            row = (await session.exec(select(Contact).where(named))).first()
        return row


async def pages(
    db: Database, *, search: str = "", no_zone: bool = False, import_id: str = ""
) -> AsyncIterator[Sequence[Contact]]:
    """Everybody, by id, so many at a time. `search` is part of a last name (as it is written), of a number or
    of the company's own name for him; `import_id` the beginning of one."""
    wanted: list[ColumnElement[bool]] = []
    if search:
        parts = (Contact.last_name, Contact.phone, Contact.external_id)
        wanted.append(or_(*(col(part).contains(search, autoescape=True) for part in parts)))
    if no_zone:
        wanted.append(col(Contact.tz) == "")
    if import_id:
        wanted.append(col(Contact.import_id).startswith(import_id, autoescape=True))
    after = ""
    while True:
        statement = select(Contact).where(*wanted, col(Contact.id) > after)
        async with db.read() as session:
            page = (await session.exec(statement.order_by(col(Contact.id)).limit(_PAGE))).all()
        if not page:
            return
        yield page
        after = page[-1].id
