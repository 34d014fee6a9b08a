"""What a company tells of its contacts, written batch by batch: each a short transaction of its own, so that
calls never wait long for their turn.

A contact is known by his phone, else by the company's own name for him. What is told replaces what was
known; what is not told (an empty value) stays. Consents and do-not-call only ever come in by this way: an
import takes back neither.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, bindparam, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.ids import new_id
from bot.store.database import Database
from bot.store.do_not_call import take_back_queued
from bot.store.pieces import pieces
from bot.store.projection import insert_into
from bot.store.sealed_numbers import ERASURE, sealed_among
from bot.store.tables import Contact, DoNotCall, Table
from bot.store.tables_contacts import ConsentKind, ConsentRow, ContactImport

T = TypeVar("T")

_CONTACTS = Table.metadata.tables["contacts"]
_TOLD = (
    "phone", "phone_uri", "extension", "other_phones", "first_name", "middle_name", "last_name",
    "external_id", "region", "city", "language", "department", "manager_id",
)  # fmt: skip
_COLUMNS = (*_TOLD, "tz", "own_fields", "do_not_call_at")


@dataclass(frozen=True, slots=True)
class ToldConsent:
    at: datetime
    source: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class ToldContact:
    """What was told; "" where it was not. `phone` is a `phones.phone_key`. `tz_told` is whether the zone was
    told itself, or his place; one that was only derived from the number fills a gap and replaces nothing."""

    phone: str
    phone_uri: str
    extension: str = ""
    other_phones: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    external_id: str = ""
    tz: str = ""
    tz_told: bool = False
    region: str = ""
    city: str = ""
    language: str = ""
    department: str = ""
    manager_id: str = ""
    own_fields: Mapping[str, str] = field(default_factory=dict)
    consent: ToldConsent | None = None
    do_not_call: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose doing a batch is. `source` names the file. With `keep` known contacts stay as they are."""

    import_id: str
    source: str
    by: str
    now: datetime
    keep: bool = False


@dataclass(slots=True)
class Outcome:
    """Of one batch: how many, and which of its contacts were refused, by their place, with the reason."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Plan:
    outcome: Outcome = field(default_factory=Outcome)
    fresh: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[int, str] = field(default_factory=dict)


async def check_batch(db: Database, batch: Sequence[ToldContact], stamp: Stamp) -> Outcome:
    """What `write_batch` would do."""
    async with db.read() as session:
        return (await _plan(session, batch, stamp)).outcome


async def write_batch(
    db: Database, batch: Sequence[ToldContact], stamp: Stamp, counts: Mapping[str, int]
) -> Outcome:
    """No two of a batch may have one phone or one external id. `counts` are added to those of the import, in
    the same transaction. Raises StoreUnavailable, DiskFull: then nothing of the batch is written."""
    try:
        return await _write(db, batch, stamp, counts)
    except IntegrityError:
        # Another process has written one of these contacts between our reading and writing (PostgreSQL).
        return await _write(db, batch, stamp, counts)


async def _write(
    db: Database, batch: Sequence[ToldContact], stamp: Stamp, counts: Mapping[str, int]
) -> Outcome:
    async with db.write() as session:
        await _unsealed(session, db.dialect, [told.phone for told in batch], stamp)
        plan = await _plan(session, batch, stamp, lock=True)
        connection = await session.connection()
        if plan.fresh:
            await connection.execute(insert(_CONTACTS), plan.fresh)
        if plan.changed:
            values: dict[str, Any] = {name: bindparam(name) for name in plan.changed[0] if name != "of_id"}
            statement = update(_CONTACTS).where(_CONTACTS.c.id == bindparam("of_id")).values(values)
            await connection.execute(statement, plan.changed)
        ids = list(plan.ids.values())
        for piece in pieces(ids):
            await session.exec(
                update(Contact).where(col(Contact.id).in_(piece)).values(import_id=stamp.import_id)
            )
        await _give_consents(session, db.dialect, batch, plan.ids, stamp)
        await _block(
            session, db.dialect, [batch[at].phone for at in plan.ids if batch[at].do_not_call], stamp
        )
        done = plan.outcome
        added = {"added": done.added, "updated": done.updated, "unchanged": done.unchanged} | {
            "rows": counts["rows"],
            "repeated": counts["repeated"],
            "refused": counts["refused"] + len(done.refused),
        }
        await session.exec(
            update(ContactImport)
            .where(col(ContactImport.id) == stamp.import_id)
            .values({name: getattr(ContactImport, name) + count for name, count in added.items()})
        )
        return done


async def _plan(
    session: AsyncSession, batch: Sequence[ToldContact], stamp: Stamp, *, lock: bool = False
) -> _Plan:
    by_phone, by_name = await _known(session, batch, lock=lock)
    blocked = await _blocked(session, [told.phone for told in batch])
    plan = _Plan()
    for at, told in enumerate(batch):
        row = by_phone.get(told.phone)
        named = by_name.get(told.external_id) if told.external_id else None
        if why := _conflict(told, row, named):
            plan.outcome.refused[at] = why
            continue
        row = row or named
        do_not_call_at = blocked.get(told.phone) or (stamp.now if told.do_not_call else None)
        if row is None:
            contact_id = _fresh_id(told, by_name)
            plan.fresh.append(_new(told, contact_id, do_not_call_at, stamp))
            plan.ids[at] = contact_id
            plan.outcome.added += 1
            continue
        plan.ids[at] = row["id"]
        values = {} if stamp.keep else _merged(row, told)
        values["do_not_call_at"] = row["do_not_call_at"] or do_not_call_at
        if all(row[name] == value for name, value in values.items()):
            plan.outcome.unchanged += 1
            continue
        complete = {name: values.get(name, row[name]) for name in _COLUMNS}
        plan.changed.append(complete | {"of_id": row["id"], "updated_at": stamp.now})
        plan.outcome.updated += 1
    return plan


def _conflict(told: ToldContact, row: Mapping[str, Any] | None, named: Mapping[str, Any] | None) -> str:
    """Two people whom one row would make one: whose the number is, people must say."""
    if row is None:
        return ""
    other = named is not None and named["id"] != row["id"]
    if other or (told.external_id and row["external_id"] not in ("", told.external_id)):
        whose = row["external_id"] or row["id"]
        return f"этот телефон записан за клиентом {whose}, а в строке клиент {told.external_id}"
    return ""


def _fresh_id(told: ToldContact, by_name: Mapping[str, Any]) -> str:
    return told.external_id if told.external_id and told.external_id not in by_name else new_id("contact")


def _new(told: ToldContact, contact_id: str, do_not_call_at: datetime | None, stamp: Stamp) -> dict[str, Any]:
    return {name: getattr(told, name) for name in _TOLD} | {
        "id": contact_id,
        "language": told.language or "ru",
        "tz": told.tz,
        "own_fields": _json(told.own_fields),
        "do_not_call_at": do_not_call_at,
        "import_id": stamp.import_id,
        "created_at": stamp.now,
        "updated_at": stamp.now,
    }


def _merged(row: Mapping[str, Any], told: ToldContact) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(told, name) or row[name] for name in _TOLD}
    if told.phone != row["phone"]:
        values["extension"] = told.extension
    elif not told.extension:
        values["phone_uri"] = row["phone_uri"]  # how it is dialled was settled when it came in
    if told.tz and (told.tz_told or not row["tz"]):
        values["tz"] = told.tz
    if told.own_fields:
        before: dict[str, str] = json.loads(row["own_fields"] or "{}")
        values["own_fields"] = _json(before | dict(told.own_fields))
    return values


def _json(fields: Mapping[str, str]) -> str:
    return json.dumps(fields, ensure_ascii=False) if fields else ""


async def _known(
    session: AsyncSession, batch: Sequence[ToldContact], *, lock: bool
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
    """Those who are there, by phone, and by the company's name for them (which may be their id)."""
    by_phone: dict[str, Mapping[str, Any]] = {}
    by_name: dict[str, Mapping[str, Any]] = {}
    columns = [_CONTACTS.c[name] for name in ("id", *_COLUMNS)]
    connection = await session.connection()
    for piece in pieces([(told.phone, told.external_id) for told in batch]):
        names = [name for _, name in piece if name]
        wanted: ColumnElement[bool] = _CONTACTS.c.phone.in_([phone for phone, _ in piece])
        if names:
            wanted = or_(wanted, _CONTACTS.c.external_id.in_(names), _CONTACTS.c.id.in_(names))
        statement = select(*columns).where(wanted)
        found = await connection.execute(statement.with_for_update() if lock else statement)
        for row in map(dict[str, Any], found.mappings()):
            by_phone[row["phone"]] = row
            by_name.setdefault(row["id"], row)
            if row["external_id"]:
                by_name[row["external_id"]] = row
    return by_phone, by_name


async def _blocked(session: AsyncSession, phones: Sequence[str]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for piece in pieces(phones):
        rows = await session.exec(
            select(DoNotCall.phone, DoNotCall.at).where(col(DoNotCall.phone).in_(piece))
        )
        found |= dict(rows.all())
    return found


async def _unsealed(session: AsyncSession, dialect: str, phones: Sequence[str], stamp: Stamp) -> None:
    """Those who were erased and come back with a file: the number is known again, and so is the refusal."""
    found = await sealed_among(session, phones)
    if found:
        rows = [
            DoNotCall(phone=phone, at=at, source=ERASURE, by=stamp.by).model_dump()
            for phone, at in found.items()
        ]
        connection = await session.connection()
        blocked = Table.metadata.tables["do_not_call"]
        await connection.execute(insert_into(dialect)(blocked).on_conflict_do_nothing(), rows)


async def _give_consents(
    session: AsyncSession, dialect: str, batch: Sequence[ToldContact], ids: Mapping[int, str], stamp: Stamp
) -> None:
    """One of the same person and moment is the same, however often a file comes in; one that was withdrawn
    stays so."""
    common = ConsentRow(
        id="", contact_id="", phone="", kind=ConsentKind.CALLS, given_at=stamp.now, source="", at=stamp.now,
        by=stamp.by,
    ).model_dump()  # fmt: skip
    rows: list[dict[str, Any]] = []
    for at, contact_id in ids.items():
        if told := batch[at].consent:
            row = {
                "id": consent_id(contact_id, ConsentKind.CALLS, told.at),
                "contact_id": contact_id,
                "phone": batch[at].phone,
                "given_at": told.at,
                "source": told.source or stamp.source,
                "words": told.words,
            }
            rows.append(common | row)
    if rows:
        connection = await session.connection()
        consents = Table.metadata.tables["consents"]
        await connection.execute(insert_into(dialect)(consents).on_conflict_do_nothing(), rows)


def consent_id(contact_id: str, kind: str, given_at: datetime) -> str:
    """The same for the same person, kind and moment."""
    told = f"{contact_id}\n{kind}\n{given_at.timestamp():.0f}"
    return f"consent-{hashlib.sha256(told.encode()).hexdigest()[:32]}"


async def _block(session: AsyncSession, dialect: str, phones: Sequence[str], stamp: Stamp) -> None:
    if phones:
        blocked = Table.metadata.tables["do_not_call"]
        rows = [
            DoNotCall(phone=phone, at=stamp.now, source=f"import:{stamp.source}", by=stamp.by).model_dump()
            for phone in phones
        ]
        connection = await session.connection()
        await connection.execute(insert_into(dialect)(blocked).on_conflict_do_nothing(), rows)
        await take_back_queued(session, phones, stamp.now)
