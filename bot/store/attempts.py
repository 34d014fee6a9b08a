"""The life of an attempt up to its INVITE, and what becomes of one whose worker died.

An attempt is queued, then leased to a worker: `dialling` is committed before the INVITE goes out.
The database itself refuses a second outbound call that is dialling or live for the same contact.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, literal, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.context import Person
from bot.core.endings import Disposition
from bot.core.errors import NumberBlocked
from bot.core.ids import call_of, new_id
from bot.store import outbox
from bot.store.contact_facts import forbidden
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.projection import insert_into
from bot.store.projection_cases import INTERRUPTED, upsert_case
from bot.store.settings import LEASE_S
from bot.store.tables import (
    Attempt,
    AttemptStatus,
    CallbackRow,
    Contact,
    Handover,
    HandoverOutcome,
)
from bot.timezones import zone_of_number

log = structlog.get_logger(__name__)

_ALIVE = (AttemptStatus.DIALLING, AttemptStatus.LIVE)


@dataclass(frozen=True, slots=True)
class NewCall:
    """Whom to call with which published survey. `to_uri` is a SIP or tel URI.

    `tz` is the customer's zone where somebody told it; "" leaves the contact his own, or that of his number.
    `language` is for a contact who is new.
    """

    to_uri: str
    survey_id: str
    survey_hash: str
    customer: Person = field(default_factory=Person)
    language: str = "ru"
    tz: str = ""
    agent_id: str = ""
    department: str = ""
    conversation_id: str = ""


async def queue_call(db: Database, call: NewCall, now: datetime) -> Attempt:
    """Queue an attempt, with its contact. Raises NumberBlocked: nothing is stored then."""
    phone = phone_key(call.to_uri)
    async with db.write() as session:
        await require_callable(session, call, phone)
        attempt = Attempt(
            id=new_id("attempt"),
            contact_id=(await contact_of(session, db.dialect, call, phone, now)).id,
            survey_id=call.survey_id,
            survey_hash=call.survey_hash,
            direction="outbound",
            to_uri=call.to_uri,
            phone=phone,
            agent_id=call.agent_id,
            department=call.department,
            conversation_id=call.conversation_id,
            created_at=now,
        )
        session.add(attempt)
    return attempt


async def require_callable(session: AsyncSession, call: NewCall, phone: str) -> None:
    """Raises NumberBlocked."""
    if await forbidden(session, phone, call.customer.id):
        raise NumberBlocked(
            f"{call.to_uri} is on the do-not-call list",
            hint="its owner asked never to be called again; call somebody else",
        )


async def contact_of(
    session: AsyncSession, dialect: str, call: NewCall, phone: str, now: datetime
) -> Contact:
    """The contact of this phone, else the one of this id (who has a new phone), else a new one."""
    person = call.customer
    by_phone = select(Contact).where(col(Contact.phone) == phone).with_for_update()
    contact = (await session.exec(by_phone)).one_or_none()
    if contact is None and person.id:
        named = or_(col(Contact.id) == person.id, col(Contact.external_id) == person.id)
        contact = (await session.exec(select(Contact).where(named).with_for_update())).first()
    if contact is None:
        new = Contact(
            id=person.id or new_id("contact"),
            external_id=person.id,
            phone=phone,
            phone_uri=call.to_uri,
            language=call.language,
            created_at=now,
        )
        values = new.model_dump()
        await session.exec(insert_into(dialect)(Contact).values(values).on_conflict_do_nothing())
        contact = (await session.exec(by_phone)).one()
    contact.phone, contact.phone_uri = phone, call.to_uri
    contact.tz = call.tz or contact.tz or zone_of_number(f"+{phone}") or ""
    contact.first_name = person.first_name or contact.first_name
    contact.middle_name = person.middle_name or contact.middle_name
    contact.last_name = person.last_name or contact.last_name
    session.add(contact)
    return contact


async def lease(
    db: Database, attempt_id: str, *, worker: str, now: datetime, lease_s: float = LEASE_S
) -> Attempt | None:
    """Give this queued attempt to a worker; committed when it returns, so the INVITE may go out.

    None where it cannot be had: it is not queued (any more), its contact is on the line at this
    moment, or its phone opted out meanwhile (then it is final as `cancelled`).
    """
    return await _lease(db, worker, now, lease_s, col(Attempt.id) == attempt_id)


async def somebody_waits(db: Database) -> bool:
    """Whether anything is queued for `claim_next`: asked before it, which writes."""
    async with db.read() as session:
        return (await (await session.connection()).execute(_WAITING)).first() is not None


async def claim_next(db: Database, *, worker: str, now: datetime, lease_s: float = LEASE_S) -> Attempt | None:
    """Give the oldest queued attempt that may be dialled now to a worker; None where there is none.

    Those of campaigns are claimed one by one, with their policy (`bot.campaigns.claiming`)."""
    return await _lease(db, worker, now, lease_s, _OF_NO_CAMPAIGN)


async def _lease(db: Database, worker: str, now: datetime, lease_s: float, *which: object) -> Attempt | None:
    other = aliased(Attempt)
    on_the_line = (
        select(other.id)
        .where(
            col(other.contact_id) == col(Attempt.contact_id),
            col(other.direction) == "outbound",
            col(other.status).in_(_ALIVE),
        )
        .exists()
    )
    passed_over: list[str] = []
    async with db.write() as session:
        while True:
            candidate = (
                select(Attempt)
                .where(
                    *which,  # type: ignore[arg-type]
                    *_QUEUED,
                    col(Attempt.id).not_in(passed_over),
                    ~on_the_line,
                )
                .order_by(col(Attempt.created_at), col(Attempt.id))
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            attempt = (await session.exec(candidate)).one_or_none()
            if attempt is None:
                return None
            if await forbidden(session, attempt.phone, attempt.contact_id or ""):
                finish(attempt, Disposition.CANCELLED, now)
                await session.flush()
                continue
            candidate_id = attempt.id
            if await take_lease(session, attempt, worker, now, lease_s):
                return attempt
            passed_over.append(candidate_id)


async def take_lease(
    session: AsyncSession, attempt: Attempt, worker: str, now: datetime, lease_s: float
) -> bool:
    """Within the caller's transaction. False where another process took another attempt of the same contact
    in this very moment."""
    try:
        async with session.begin_nested():
            attempt.status = AttemptStatus.DIALLING
            attempt.worker = worker
            attempt.lease_until = now + timedelta(seconds=lease_s)
            attempt.dialled_at = now
            await session.flush()
    except IntegrityError:
        return False
    return True


def finish(attempt: Attempt, disposition: Disposition, now: datetime) -> None:
    """Final, within the caller's transaction."""
    attempt.status = AttemptStatus.FINAL
    attempt.disposition = disposition
    attempt.ended_at = now
    attempt.lease_until = None


async def cancel(db: Database, attempt_id: str, now: datetime) -> bool:
    """Take a queued attempt back; False where it is not queued (any more)."""
    async with db.write() as session:
        done = await session.exec(
            update(Attempt)
            .where(col(Attempt.id) == attempt_id, col(Attempt.status) == AttemptStatus.QUEUED)
            .values(status=AttemptStatus.FINAL, disposition=Disposition.CANCELLED, ended_at=now)
        )
        return bool(done.rowcount)


async def renew_leases(
    db: Database, call_ids: Collection[str], now: datetime, lease_s: float = LEASE_S
) -> None:
    """These calls live: their worker was heard of. Needed where no events come, as while humans talk."""
    if not call_ids:
        return
    async with db.write() as session:
        await session.exec(
            update(Attempt)
            .where(col(Attempt.call_id).in_(call_ids), col(Attempt.status).in_(_ALIVE))
            .values(lease_until=now + timedelta(seconds=lease_s))
        )


async def recover_expired(
    db: Database, now: datetime, *, dead_workers: Collection[str] = (), lost: Collection[str] = ()
) -> list[Attempt]:
    """Make final, as `interrupted`, what nobody vouches for any more; idempotent.

    These are attempts dialling or live whose lease is over, whose worker is known to be dead (say so
    before a new one of that name takes calls), or that are known to be `lost` (attempt ids). They count
    as rung and keep their answers. A caller who had been on the line is owed a callback, and one for
    whom a person was being sought is a case, for whom `bot.triage.router` finds an owner. Drain the
    spools first: what a dead worker still said is in there. Another node, which does not see them, may have
    given its calls up already: what they had said has the same consequences then. (See `projection` for a
    call's own end that comes even later.) Returns those that were not final before.
    """
    known = or_(col(Attempt.worker).in_(dead_workers), col(Attempt.id).in_(lost))
    forgotten = or_(col(Attempt.lease_until).is_(None), col(Attempt.lease_until) <= now, known)
    async with db.write() as session:
        found = select(Attempt).where(col(Attempt.status).in_(_ALIVE), forgotten).with_for_update()
        attempts = list((await session.exec(found)).all())
        said_more = await _said_more(session, known) if dead_workers or lost else ()
        for attempt in attempts:
            finish(attempt, Disposition.INTERRUPTED, now)
            log.warning("attempt interrupted", attempt_id=attempt.id, worker=attempt.worker)
        for attempt in (*attempts, *said_more):
            await _note_messages(session, db.dialect, attempt, now)
            if attempt.call_id is not None:
                await _close_handovers(session, db.dialect, attempt.call_id, now)
            if attempt.answered_at is not None:
                await _owe_callback(session, db.dialect, attempt, now)
    return attempts


async def _said_more(session: AsyncSession, known_to_be_over: ColumnElement[bool]) -> Sequence[Attempt]:
    """Calls that were given up before it was known that their customer had answered, or that a person was
    being sought for him."""
    sought = select(Handover.id).where(
        col(Handover.call_id) == col(Attempt.call_id), col(Handover.ended_at).is_(None)
    )
    owed = select(CallbackRow.id).where(
        col(CallbackRow.id) == literal(f"{INTERRUPTED}-").concat(col(Attempt.id))
    )
    answered = col(Attempt.answered_at).is_not(None) & ~owed.exists()
    given_up = select(Attempt).where(
        known_to_be_over,
        col(Attempt.disposition) == Disposition.INTERRUPTED,
        col(Attempt.end_cause).is_(None),
        or_(sought.exists(), answered),
    )
    return (await session.exec(given_up.with_for_update())).all()


async def _note_messages(session: AsyncSession, dialect: str, attempt: Attempt, now: datetime) -> None:
    call_id = attempt.call_id or call_of(attempt.id)
    for message in outbox.interrupted(attempt.id, call_id, now, insert_into(dialect)):
        await session.exec(message)


async def _close_handovers(session: AsyncSession, dialect: str, call_id: str, now: datetime) -> None:
    open_ = (col(Handover.call_id) == call_id, col(Handover.ended_at).is_(None))
    talking = col(Handover.outcome) == HandoverOutcome.CONNECTED
    sought = (await session.exec(select(Handover.id).where(*open_, ~talking).limit(1))).first()
    await session.exec(
        update(Handover)
        .where(*open_)
        .values(outcome=HandoverOutcome.FAILED, failure=INTERRUPTED, ended_at=now)
    )
    if sought is not None:
        case = upsert_case(insert_into(dialect), call_id, now, reason=INTERRUPTED, callback=True, due_at=None)
        await session.exec(case)


async def _owe_callback(session: AsyncSession, dialect: str, attempt: Attempt, now: datetime) -> None:
    owed = CallbackRow(
        id=f"{INTERRUPTED}-{attempt.id}",
        call_id=attempt.call_id or "",
        attempt_id=attempt.id,
        phone=attempt.phone,
        promised_by="bot",
        reason=INTERRUPTED,
        promised_at=now,
    )
    await session.exec(insert_into(dialect)(CallbackRow).values(owed.model_dump()).on_conflict_do_nothing())


async def give_up(db: Database, attempt_id: str, now: datetime) -> None:
    """The worker refused this leased attempt and rang nobody: final, as our own fault."""
    async with db.write() as session:
        attempt = await session.get(Attempt, attempt_id, with_for_update=True)
        if attempt is not None and attempt.status == AttemptStatus.DIALLING:
            finish(attempt, Disposition.INTERRUPTED, now)


_QUEUED = (col(Attempt.status) == AttemptStatus.QUEUED, col(Attempt.direction) == "outbound")
_OF_NO_CAMPAIGN = col(Attempt.campaign_id).is_(None)
_WAITING = select(col(Attempt.id)).where(*_QUEUED, _OF_NO_CAMPAIGN).limit(1)
"""Made once: a node asks every other second."""
