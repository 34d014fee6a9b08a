"""Customers as they are known before a call of theirs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col, select

from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.tables import Contact, DoNotCall

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """Whom a reader looks for; all that is given holds at once. `text` is a part of a name as it is written
    or with a capital, of a telephone number or of the company's own name for him; with `whole_phone` it must
    be all of a number, so that nobody finds one out digit by digit."""

    text: str = ""
    whole_phone: bool = False
    no_zone: bool = False
    do_not_call: bool = False
    import_id: str = ""
    department: str = ""
    manager_id: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.text:
            found.append(or_(*self._named()))
        if self.no_zone:
            found.append(col(Contact.tz) == "")
        if self.do_not_call:
            listed = col(Contact.phone).in_(select(DoNotCall.phone))
            found.append(or_(col(Contact.do_not_call_at).is_not(None), listed))
        if self.import_id:
            found.append(col(Contact.import_id).startswith(self.import_id, autoescape=True))
        if self.department:
            found.append(col(Contact.department) == self.department)
        if self.manager_id:
            found.append(col(Contact.manager_id) == self.manager_id)
        return found

    def _named(self) -> Iterator[ColumnElement[bool]]:
        for word in dict.fromkeys((self.text, self.text.capitalize())):
            for name in (Contact.last_name, Contact.first_name):
                yield col(name).contains(word, autoescape=True)
        yield col(Contact.external_id).contains(self.text, autoescape=True)
        key = phone_key(self.text)
        yield col(Contact.phone) == key
        if not self.whole_phone and key.isdecimal():
            yield col(Contact.phone).contains(key, autoescape=True)


async def found(db: Database, search: Search, *, skip: int, limit: int) -> Sequence[Contact]:
    """By their names, from the `skip`th on."""
    statement = (
        select(Contact)
        .where(*search.conditions())
        .order_by(col(Contact.last_name), col(Contact.first_name), col(Contact.id))
        .offset(skip)
        .limit(limit)
    )
    async with db.read() as session:
        return (await session.exec(statement)).all()


async def count(db: Database, search: Search) -> int:
    async with db.read() as session:
        statement = select(func.count()).select_from(Contact).where(*search.conditions())
        return (await session.exec(statement)).one()


async def own_field_names(db: Database, search: Search) -> list[str]:
    """Of all own fields that these contacts have."""
    statement = (
        select(col(Contact.own_fields)).where(*search.conditions(), col(Contact.own_fields) != "").distinct()
    )
    async with db.read() as session:
        return list(
            dict.fromkeys(name for text in (await session.exec(statement)).all() for name in json.loads(text))
        )


async def contact(db: Database, contact_id: str) -> Contact | None:
    async with db.read() as session:
        return await session.get(Contact, contact_id)


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
