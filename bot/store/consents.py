"""Consents on record: given, withdrawn, proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select

from bot.core.errors import BadInput
from bot.store.account_tables import AuditRow
from bot.store.contact_writing import consent_id
from bot.store.database import Database
from bot.store.projection import insert_into
from bot.store.tables import Attempt, Contact, Table
from bot.store.tables_contacts import ConsentKind, ConsentRow


@dataclass(frozen=True, slots=True)
class NewConsent:
    """`source` says where it was given, `words` to which text; `call_id` is the call in which it was said."""

    kind: ConsentKind
    given_at: datetime
    source: str
    words: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent with whose it is; `contact` is None where he is not known any more."""

    row: ConsentRow
    contact: Contact | None


async def give(
    db: Database,
    contact_id: str,
    new: NewConsent,
    *,
    by: str,
    now: datetime,
    audit: AuditRow | None = None,
) -> ConsentRow:
    """Raises BadInput: no such contact or call, a moment to come, or the same consent withdrawn."""
    if new.given_at > now:
        raise BadInput(f"согласие {new.given_at:%d.%m.%Y %H:%M}: этот миг ещё не наступил")
    async with db.write() as session:
        contact = await session.get(Contact, contact_id)
        if contact is None:
            raise BadInput(f"клиента «{contact_id}» нет", hint="кто есть: otklik contact list")
        call = (await session.exec(select(Attempt).where(col(Attempt.call_id) == new.call_id))).first()
        if new.call_id and call is None:
            raise BadInput(f"звонка «{new.call_id}» нет", hint="номера звонков: otklik calls show")
        row = ConsentRow(
            id=consent_id(contact.id, new.kind, new.given_at),
            contact_id=contact.id,
            phone=contact.phone,
            kind=new.kind,
            given_at=new.given_at,
            source=new.source,
            words=new.words,
            call_id=new.call_id,
            recording=call.recording if new.call_id and call else "",
            at=now,
            by=by,
        )
        consents = Table.metadata.tables["consents"]
        connection = await session.connection()
        await connection.execute(
            insert_into(db.dialect)(consents).on_conflict_do_nothing(), [row.model_dump()]
        )
        kept = await session.get(ConsentRow, row.id)
        assert kept is not None
        if kept.withdrawn_at is not None:
            raise BadInput(
                f"это согласие отозвано {kept.withdrawn_at.astimezone():%d.%m.%Y %H:%M}",
                hint="новое согласие даётся позже отзыва: --at",
            )
        if audit is not None:
            session.add(audit)
        return kept


async def withdraw(
    db: Database,
    contact_id: str,
    kind: ConsentKind,
    *,
    words: str,
    by: str,
    now: datetime,
    audit: AuditRow | None = None,
) -> int:
    """All of a kind that stand; how many they were."""
    async with db.write() as session:
        done = await session.exec(
            update(ConsentRow)
            .where(
                col(ConsentRow.contact_id) == contact_id,
                col(ConsentRow.kind) == kind,
                col(ConsentRow.withdrawn_at).is_(None),
            )
            .values(withdrawn_at=now, withdrawn_by=by, withdrawn_words=words)
        )
        count = int(done.rowcount)
        if count and audit is not None:
            audit.details = {**audit.details, "count": count}
            session.add(audit)
        return count


async def listed(
    db: Database, *, contact_id: str = "", kind: str = "", limit: int | None = None
) -> Sequence[GivenConsent]:
    """The newest first."""
    statement = (
        select(ConsentRow, Contact)
        .join(Contact, col(Contact.id) == col(ConsentRow.contact_id), isouter=True)
        .order_by(col(ConsentRow.given_at).desc(), col(ConsentRow.id))
        .limit(limit)
    )
    if contact_id:
        statement = statement.where(col(ConsentRow.contact_id) == contact_id)
    if kind:
        statement = statement.where(col(ConsentRow.kind) == kind)
    async with db.read() as session:
        return [GivenConsent(row, contact) for row, contact in (await session.exec(statement)).all()]
