"""What is asked of the store: surveys, calls with their answers, and how everything ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.endings import Disposition
from bot.core.events import CallEvent, SignalRaised, SignalWithdrawn, call_event, standing_signals
from bot.store.contact_facts import forbidden
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.projection import insert_into
from bot.store.tables import (
    AnswerRow,
    Attempt,
    AttemptStatus,
    CallbackRow,
    CallbackStatus,
    CallEventRow,
    Contact,
    Handover,
    SurveyRow,
)

R = TypeVar("R", AnswerRow, Handover, CallbackRow)


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt and everything that came of it; answers in the order in which they were given.

    `signals` are those that stand: what a corrected answer had raised is left out. `survey` is the
    version that was asked; None where it was published into another database.
    """

    attempt: Attempt
    contact: Contact | None
    survey: SurveyRow | None
    answers: tuple[AnswerRow, ...]
    handovers: tuple[Handover, ...]
    callbacks: tuple[CallbackRow, ...]
    signals: tuple[SignalRaised, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many attempts there are, and how many of each status and disposition.

    `total` is counted by itself; it equals the sum of `dispositions` and of what is not final.
    """

    total: int
    open: dict[AttemptStatus, int]
    dispositions: dict[Disposition, int]


@dataclass(frozen=True, slots=True)
class Funnel:
    """Each number is a part of the one before."""

    attempts: int
    rung: int
    answered: int
    with_answers: int
    completed: int


async def publish_survey(
    db: Database, *, hash_: str, survey_id: str, version: str, title: str, json: str, now: datetime
) -> str:
    """Keep a survey under the hash of its content; publishing it again changes nothing.

    An id and version that stand for another content already keep it: then its hash is returned.
    """
    row = {
        "hash": hash_,
        "id": survey_id,
        "version": version,
        "title": title,
        "json": json,
        "published_at": now,
    }
    async with db.write() as session:
        known = [found.hash for found in await _versions(session, survey_id, version)]
        if known and hash_ not in known:
            return known[-1]
        await session.exec(insert_into(db.dialect)(SurveyRow).values(row).on_conflict_do_nothing())
    return hash_


async def versions(db: Database, survey_id: str, version: str) -> Sequence[SurveyRow]:
    """What is kept as this version, oldest first; before 0.3 one version could have several contents."""
    async with db.read() as session:
        return await _versions(session, survey_id, version)


async def _versions(session: AsyncSession, survey_id: str, version: str) -> Sequence[SurveyRow]:
    same = select(SurveyRow).where(col(SurveyRow.id) == survey_id, col(SurveyRow.version) == version)
    return (await session.exec(same.order_by(col(SurveyRow.published_at)))).all()


async def survey(db: Database, hash_: str) -> SurveyRow | None:
    async with db.read() as session:
        return await session.get(SurveyRow, hash_)


async def attempt(db: Database, attempt_id: str) -> Attempt | None:
    async with db.read() as session:
        return await session.get(Attempt, attempt_id)


async def calls(
    db: Database,
    *,
    attempt_ids: Collection[str] | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[Call]:
    """The newest attempts (of these, or since then), oldest first."""
    statement = select(Attempt)
    if attempt_ids is not None:
        statement = statement.where(col(Attempt.id).in_(attempt_ids))
    if since is not None:
        statement = statement.where(col(Attempt.created_at) >= since)
    newest = statement.order_by(col(Attempt.created_at).desc(), col(Attempt.id).desc()).limit(limit)
    async with db.read() as session:
        found = (await session.exec(newest)).all()
        return await _with_everything(session, found[::-1])


async def call(db: Database, call_id: str) -> Call | None:
    async with db.read() as session:
        found = (await session.exec(select(Attempt).where(col(Attempt.call_id) == call_id))).all()
        return next(iter(await _with_everything(session, found)), None)


async def alive(db: Database, worker: str, *, given_up: bool = False) -> Sequence[Attempt]:
    """The attempts that this worker is dialling or talking to, as far as is stored; with `given_up` those as
    well that were taken for lost, and did not tell their end."""
    which: ColumnElement[bool] = col(Attempt.status).in_((AttemptStatus.DIALLING, AttemptStatus.LIVE))
    if given_up:
        guessed = col(Attempt.disposition) == Disposition.INTERRUPTED
        which = or_(which, and_(guessed, col(Attempt.end_cause).is_(None)))
    async with db.read() as session:
        return (await session.exec(select(Attempt).where(col(Attempt.worker) == worker, which))).all()


async def events(db: Database, call_id: str) -> list[CallEvent]:
    """Everything that happened in a call, in order."""
    statement = (
        select(CallEventRow.json_).where(col(CallEventRow.call_id) == call_id).order_by(col(CallEventRow.seq))
    )
    async with db.read() as session:
        return [call_event.validate_json(line) for line in (await session.exec(statement)).all()]


async def blocked(db: Database, address: str) -> bool:
    """Whether the owner of this phone asked never to be called."""
    async with db.read() as session:
        return await forbidden(session, phone_key(address))


async def open_callbacks(db: Database) -> Sequence[CallbackRow]:
    """Whom we owe a call, the longest waiting first."""
    statement = select(CallbackRow).where(col(CallbackRow.status) == CallbackStatus.OPEN)
    async with db.read() as session:
        return (await session.exec(statement.order_by(col(CallbackRow.promised_at)))).all()


async def outcomes(db: Database) -> Outcomes:
    by_outcome = select(col(Attempt.status), col(Attempt.disposition), func.count()).group_by(
        col(Attempt.status), col(Attempt.disposition)
    )
    open_: dict[AttemptStatus, int] = {}
    dispositions: dict[Disposition, int] = {}
    async with db.read() as session:
        total = (await session.exec(select(func.count()).select_from(Attempt))).one()
        for status, disposition, number in (await session.exec(by_outcome)).all():
            if disposition is None:
                open_[AttemptStatus(status)] = number
            else:
                dispositions[Disposition(disposition)] = number
    return Outcomes(total, open_, dispositions)


async def funnel(db: Database) -> Funnel:
    """A call that came in counts as rung."""
    rung = col(Attempt.dialled_at).is_not(None) | (col(Attempt.direction) == "inbound")
    answered = rung & col(Attempt.answered_at).is_not(None)
    some_answer = (
        select(AnswerRow.event_id)
        .where(col(AnswerRow.attempt_id) == col(Attempt.id), col(AnswerRow.status) == "answered")
        .exists()
    )
    completed = answered & some_answer & (col(Attempt.disposition) == Disposition.COMPLETED)
    parts = (rung, answered, answered & some_answer, completed)
    statement: Any = select(func.count(), *(func.count().filter(part) for part in parts)).select_from(Attempt)
    async with db.read() as session:
        return Funnel(*(await session.exec(statement)).one())


async def unprojected(db: Database) -> list[str]:
    """Ids of events that are kept, but that the other tables could not take: a fault of ours to look at."""
    statement = select(CallEventRow.event_id).where(col(CallEventRow.projected).is_(False))
    async with db.read() as session:
        return list((await session.exec(statement)).all())


async def _with_everything(session: AsyncSession, attempts: Sequence[Attempt]) -> list[Call]:
    call_ids = [found.call_id for found in attempts if found.call_id]
    contact_ids = {found.contact_id for found in attempts if found.contact_id}
    contacts = {
        contact.id: contact
        for contact in (await session.exec(select(Contact).where(col(Contact.id).in_(contact_ids)))).all()
    }
    hashes = {found.survey_hash for found in attempts}
    surveys = {
        row.hash: row
        for row in (await session.exec(select(SurveyRow).where(col(SurveyRow.hash).in_(hashes)))).all()
    }
    answers = await _of_calls(session, AnswerRow, call_ids, AnswerRow.seq)
    handovers = await _of_calls(session, Handover, call_ids, Handover.started_at)
    callbacks = await _of_calls(session, CallbackRow, call_ids, CallbackRow.promised_at)
    signals = await _signals(session, call_ids)
    return [
        Call(
            attempt=found,
            contact=contacts.get(found.contact_id or ""),
            survey=surveys.get(found.survey_hash),
            answers=tuple(answers[found.call_id]),
            handovers=tuple(handovers[found.call_id]),
            callbacks=tuple(callbacks[found.call_id]),
            signals=signals.get(found.call_id or "", ()),
        )
        for found in attempts
    ]


async def _signals(session: AsyncSession, call_ids: Collection[str]) -> dict[str, tuple[SignalRaised, ...]]:
    """The signals that stand, by call."""
    kinds = (SignalRaised.model_fields["kind"].default, SignalWithdrawn.model_fields["kind"].default)
    statement = (
        select(CallEventRow.json_)
        .where(col(CallEventRow.call_id).in_(call_ids), col(CallEventRow.kind).in_(kinds))
        .order_by(col(CallEventRow.seq))
    )
    told: dict[str, list[CallEvent]] = defaultdict(list)
    for line in (await session.exec(statement)).all():
        event = call_event.validate_json(line)
        told[event.call_id].append(event)
    return {call_id: standing_signals(events) for call_id, events in told.items()}


async def _of_calls(
    session: AsyncSession, table: type[R], call_ids: Collection[str], order: Any
) -> dict[str | None, list[R]]:
    rows: dict[str | None, list[R]] = defaultdict(list)
    found = await session.exec(select(table).where(col(table.call_id).in_(call_ids)).order_by(col(order)))
    for row in found.all():
        rows[row.call_id].append(row)
    return rows
