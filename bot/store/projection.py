"""What one call event changes in the tables: pure, one function for each kind that changes anything.

Every statement may run only once, in the transaction that stores its event; the writer sees to it.
Status only goes forward, and final stays final. One thing may still be put right, once: an attempt
that was found without a sign of life is `interrupted` as long as nobody knows better. When the call's
own `call_ended` arrives after all (its spool was slower, or the database was away), its disposition
replaces that guess, `end_cause` is set, and from then on nothing changes the attempt's outcome.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ScalarSelect, case, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.endings import Disposition
from bot.core.events import (
    Answered,
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CallStarted,
    CaseOpened,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverRouted,
    HandoverStarted,
    HoldEnded,
    HoldStarted,
    OptedOut,
    PromptStarted,
    RecordingRefused,
    RecordingStarted,
    SignalRaised,
    SignalWithdrawn,
    TalkHeard,
    TurnHeard,
)
from bot.store import projection_alerts as alerts
from bot.store import projection_answers as answers
from bot.store import projection_cases as cases
from bot.store import projection_reports as reports
from bot.store import projection_transcripts as transcripts
from bot.store.changes import Changes, Insert, made
from bot.store.phones import phone_key
from bot.store.projection_cases import CUT_OFF, INTERRUPTED
from bot.store.settings import LEASE_S
from bot.store.tables import (
    Attempt,
    AttemptStatus,
    CallbackRow,
    CallbackStatus,
    Contact,
    DoNotCall,
    Handover,
    HandoverOutcome,
    UtcDateTime,
)

Statements = tuple[UpdateBase, ...]


def insert_into(dialect: str) -> Insert:
    """The dialect's INSERT, for its ON CONFLICT clause."""
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


def project(event: CallEvent, dialect: str, worker: str = "") -> Changes:
    """What brings the tables up to this event, in this order; most kinds change nothing."""
    insert = insert_into(dialect)
    match event:
        case PromptStarted():
            return reports.prompt_started(event, insert)
        case TurnHeard() | TalkHeard():
            return transcripts.words_said(event, insert)
        case AnswerRecorded():
            return (*answers.answer_recorded(event, insert), *reports.answer_recorded(event, insert))
        case SignalRaised() | SignalWithdrawn():
            return (*reports.signal_changed(event, insert), *alerts.signal_changed(event, insert))
        case _:
            return made(*_rarer(event, insert, worker))


def _rarer(event: CallEvent, insert: Insert, worker: str) -> Statements:
    """Kinds that come a few times in a call, or once."""
    match event:
        case CallStarted():
            return _call_started(event, insert, worker)
        case Answered():
            return _answered(event)
        case OptedOut():
            return _opted_out(event, insert)
        case CallbackPromised():
            return (*_callback_promised(event, insert), *cases.callback_promised(event, insert))
        case CaseOpened():
            return cases.case_opened(event, insert)
        case RecordingStarted():
            return (_of_call(event).values(recording=event.file),)
        case RecordingRefused():
            return (_of_call(event).values(recording=""),)
        case HandoverStarted():
            return _handover_started(event, insert)
        case HandoverRouted():
            return cases.route_decided(event, insert)
        case HandoverRinging():
            return (_open_handover(event).values(outcome=HandoverOutcome.RINGING, **_agent(event)),)
        case HandoverAccepted():
            return (_open_handover(event).values(_agent(event)),) if event.agent_id else ()
        case HandoverConnected():
            connected = {"outcome": HandoverOutcome.CONNECTED, "connected_at": event.at}
            return (_open_handover(event).values(connected | _agent(event)),)
        case HandoverFailed():
            failed = {"outcome": HandoverOutcome.FAILED, "failure": event.reason, "ended_at": event.at}
            return (_open_handover(event).values(failed),)
        case HoldStarted():
            return (_talk(event).values(holds=func.coalesce(col(Handover.holds), 0) + 1),)
        case HoldEnded():
            return (_talk(event).values(held_s=func.coalesce(col(Handover.held_s), 0.0) + event.held_s),)
        case HandoverEnded():
            return _handover_ended(event)
        case CallEnded():
            return (*cases.call_ended(event, insert), *_call_ended(event))
        case _:
            return ()


def _of_call(event: CallEvent) -> Any:
    return update(Attempt).where(col(Attempt.call_id) == event.call_id)


def _from_attempt(event: CallEvent, column: Any) -> ScalarSelect[Any]:
    """A column of the attempt that the event's call belongs to; NULL where there is none."""
    return select(column).where(col(Attempt.call_id) == event.call_id).scalar_subquery()


def _call_started(event: CallStarted, insert: Insert, worker: str) -> Statements:
    """The attempt stands already when we dialled; a call that came in begins here."""
    phone = phone_key(event.phone or event.remote)
    outbound = event.direction == "outbound"
    known = select(col(Contact.id)).where(col(Contact.phone) == phone).scalar_subquery()
    statement = insert(Attempt).values(
        id=event.attempt_id,
        contact_id=event.contact_id or known,
        survey_id=event.survey_id,
        survey_hash=event.survey_hash,
        direction=event.direction,
        to_uri=event.remote,
        phone=phone,
        agent_id=event.agent_id,
        department=event.department,
        conversation_id=event.conversation_id,
        attribution=event.attribution.model_dump_json() if event.attribution else "",
        status=AttemptStatus.DIALLING if outbound else AttemptStatus.LIVE,
        worker=worker,
        lease_until=event.at + timedelta(seconds=LEASE_S),
        call_id=event.call_id,
        created_at=event.at,
        dialled_at=event.at if outbound else None,
    )
    queued = col(Attempt.status) == AttemptStatus.QUEUED
    changed = {
        "call_id": func.coalesce(col(Attempt.call_id), statement.excluded.call_id),
        "dialled_at": func.coalesce(col(Attempt.dialled_at), statement.excluded.dialled_at),
        "worker": statement.excluded.worker,
        "status": case((queued, statement.excluded.status), else_=col(Attempt.status)),
    }
    return (statement.on_conflict_do_update(index_elements=["id"], set_=changed),)


def _answered(event: Answered) -> Statements:
    open_ = col(Attempt.status).in_((AttemptStatus.QUEUED, AttemptStatus.DIALLING))
    status = case((open_, literal(AttemptStatus.LIVE.value)), else_=col(Attempt.status))
    answered_at = func.coalesce(col(Attempt.answered_at), event.at)
    return (_of_call(event).values(status=status, answered_at=answered_at),)


def _opted_out(event: OptedOut, insert: Insert) -> Statements:
    """Effective at once: what is queued for this phone is taken back."""
    itself: Any = aliased(Attempt)
    phone = _from_attempt(event, col(Attempt.phone))
    row = select(
        col(Attempt.phone),
        literal(event.at, UtcDateTime()),
        literal(event.call_id),
        literal(event.words),
        literal("call"),
        literal(""),
    ).where(col(Attempt.call_id) == event.call_id)
    columns = ["phone", "at", "call_id", "words", "source", "by"]
    blocked = insert(DoNotCall).from_select(columns, row)
    # What he says himself weighs more than a list on which he stands, and outlives the list.
    over_lists = blocked.on_conflict_do_update(
        index_elements=["phone"],
        set_={column: blocked.excluded[column] for column in columns[1:]},
        where=col(DoNotCall.source) != "call",
    )
    contact = update(Contact).where(col(Contact.phone) == phone, col(Contact.do_not_call_at).is_(None))
    taken_back = update(Attempt).where(
        col(Attempt.status) == AttemptStatus.QUEUED,
        col(Attempt.phone).in_(select(itself.phone).where(itself.call_id == event.call_id)),
    )
    return (
        over_lists,
        contact.values(do_not_call_at=event.at),
        taken_back.values(status=AttemptStatus.FINAL, disposition=Disposition.CANCELLED, ended_at=event.at),
    )


def _callback_promised(event: CallbackPromised, insert: Insert) -> Statements:
    return (
        insert(CallbackRow).values(
            id=event.id,
            call_id=event.call_id,
            attempt_id=_from_attempt(event, col(Attempt.id)),
            phone=func.coalesce(_from_attempt(event, col(Attempt.phone)), ""),
            promised_by=event.by,
            when_said=event.when,
            reason=event.reason,
            promised_at=event.at,
            owner_id=event.owner_id,
            due_at=event.due_at,
        ),
    )


def _handover_started(event: HandoverStarted, insert: Insert) -> Statements:
    return (
        insert(Handover).values(
            id=event.id,
            call_id=event.call_id,
            target=event.target,
            form=event.form,
            reason=event.reason,
            started_at=event.at,
        ),
    )


def _agent(event: HandoverRinging | HandoverAccepted | HandoverConnected) -> dict[str, str]:
    """Who it is about; calls from before there were agents do not say."""
    return {"agent_id": event.agent_id} if event.agent_id else {}


def _open_handover(
    event: HandoverRinging | HandoverAccepted | HandoverConnected | HandoverFailed | HandoverEnded,
) -> Any:
    return update(Handover).where(
        col(Handover.call_id) == event.call_id,
        col(Handover.target) == event.target,
        col(Handover.ended_at).is_(None),
    )


def _talk(event: HoldStarted | HoldEnded) -> Any:
    """The one that goes on in this call."""
    return update(Handover).where(
        col(Handover.call_id) == event.call_id,
        col(Handover.outcome) == HandoverOutcome.CONNECTED,
        col(Handover.ended_at).is_(None),
    )


def _handover_ended(event: HandoverEnded) -> Statements:
    """A talk whose end is told went through us, so that its holds were seen: there may have been none."""
    ended = {"outcome": HandoverOutcome.ENDED, "ended_at": event.at, "ended_by": event.by}
    holds = {
        "holds": func.coalesce(col(Handover.holds), 0),
        "held_s": func.coalesce(col(Handover.held_s), 0.0),
    }
    return (_open_handover(event).values(talk_s=event.talk_s, **ended, **holds),)


def _call_ended(event: CallEnded) -> Statements:
    guessed = (col(Attempt.disposition) == Disposition.INTERRUPTED) & col(Attempt.end_cause).is_(None)
    attempt = _of_call(event).where(or_(col(Attempt.status) != AttemptStatus.FINAL, guessed))
    talking = col(Handover.outcome) == HandoverOutcome.CONNECTED
    handover = update(Handover).where(
        col(Handover.call_id) == event.call_id, col(Handover.ended_at).is_(None)
    )
    owed = update(CallbackRow).where(
        col(CallbackRow.call_id) == event.call_id,
        col(CallbackRow.reason) == INTERRUPTED,
        col(CallbackRow.status) == CallbackStatus.OPEN,
    )
    changes: Statements = (
        attempt.values(
            status=AttemptStatus.FINAL,
            disposition=event.disposition,
            end_cause=event.cause,
            end_status=event.status,
            duration_s=event.duration_s,
            ended_at=event.at,
            lease_until=None,
        ),
        handover.values(
            outcome=case((talking, HandoverOutcome.ENDED.value), else_=HandoverOutcome.FAILED.value),
            failure=case((talking, ""), else_=CUT_OFF),
            ended_at=event.at,
        ),
    )
    if event.disposition is Disposition.INTERRUPTED:
        return changes
    return (*changes, owed.values(status=CallbackStatus.WITHDRAWN), *cases.withdraw_interrupted(event))
