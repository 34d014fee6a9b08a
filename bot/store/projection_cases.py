"""What call events change in cases and routes: pure, as `projection`, which calls this."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, false, func, literal, not_, or_, select, true, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.events import CallbackPromised, CallEnded, CaseOpened, HandoverRouted
from bot.store.tables import Attempt, Handover, HandoverOutcome
from bot.store.tables_cases import CaseHistoryRow, CaseRow, CaseStatus, CaseStep, RouteRow

Insert = Callable[[Any], Any]
Changes = tuple[UpdateBase, ...]

INTERRUPTED = "interrupted"
"""The reason of what is owed to a caller whom our own fault cut off."""

CUT_OFF = "the call ended"
"""`Handover.failure`, and a case's reason, where a call ended while a person was still being sought."""

STILL_OPEN = (CaseStatus.OPEN, CaseStatus.CLAIMED)


def case_of(call_id: str) -> str:
    """The id of a call's case: one call is one matter."""
    return f"case-{call_id.removeprefix('call-')}"


def route_decided(event: HandoverRouted, insert: Insert) -> Changes:
    return (
        insert(RouteRow).values(
            id=event.id,
            call_id=event.call_id,
            target=event.target,
            at=event.at,
            owner_id=event.route.owner_id,
            due_at=event.route.due_at,
            json=event.route.model_dump_json(),
        ),
    )


def case_opened(event: CaseOpened, insert: Insert) -> Changes:
    opened = upsert_case(
        insert,
        event.call_id,
        event.at,
        owner_id=event.owner_id,
        department=event.department,
        reason=event.reason,
        topic=event.topic or "",
        words=event.words,
        callback=event.callback,
        due_at=event.due_at,
    )
    return (opened, _told(event, insert, CaseStep.OPENED, event.reason))


def callback_promised(event: CallbackPromised, insert: Insert) -> Changes:
    """What an agent owes is a case, whether or not the call says so itself: the call's own, or the one
    that the same caller has open already."""
    if event.by != "agent":
        return ()
    older = open_case_of_caller(event.call_id)
    owed = upsert_case(
        insert,
        event.call_id,
        event.at,
        unless=older.exists(),
        owner_id=event.owner_id,
        reason=event.reason,
        callback=True,
        due_at=event.due_at,
    )
    case_id = func.coalesce(older.scalar_subquery(), case_of(event.call_id))
    return (owed, _told(event, insert, CaseStep.PROMISED, event.when, case_id))


def open_case_of_caller(call_id: str) -> Any:
    """The newest open case that another call of this caller left."""
    other: Any = aliased(CaseRow)
    return (
        select(other.id)
        .where(
            other.phone == _of_attempt(call_id, col(Attempt.phone)),
            other.phone != "",
            other.call_id != call_id,
            other.status.in_(STILL_OPEN),
        )
        .order_by(other.opened_at.desc())
        .limit(1)
    )


def call_ended(event: CallEnded, insert: Insert) -> Changes:
    """Before the call's handovers are closed: a caller who left, or whom we lost, while a person was still
    being sought remains a case."""
    found = _new_case_where(
        handover_open(event.call_id),
        event.call_id,
        event.at,
        reason=CUT_OFF,
        callback=True,
    )
    return (insert(CaseRow).from_select(*found).on_conflict_do_nothing(),)


def handover_open(call_id: str) -> Any:
    """A person is still being sought for the call."""
    sought = and_(
        col(Handover.call_id) == call_id,
        col(Handover.ended_at).is_(None),
        col(Handover.outcome) != HandoverOutcome.CONNECTED,
    )
    return select(col(Handover.id)).where(sought).exists()


def _new_case_where(condition: Any, call_id: str, at: datetime, **fields: Any) -> tuple[list[str], Any]:
    """The columns of a new case, and a SELECT of their values where the condition holds."""
    row = new_case(call_id, at, **fields)
    values: Any = [
        value if isinstance(value, ClauseElement) else literal(value, getattr(CaseRow, name).type)
        for name, value in row.items()
    ]
    return list(row), select(*values).where(condition)


def withdraw_interrupted(event: CallEnded) -> Changes:
    """The call told its own end after all: what was guessed is no matter any more."""
    guessed = update(CaseRow).where(
        col(CaseRow.id) == case_of(event.call_id),
        col(CaseRow.reason) == INTERRUPTED,
        col(CaseRow.status) == CaseStatus.OPEN,
    )
    return (guessed.values(status=CaseStatus.CLOSED, outcome=CaseStep.WITHDRAWN, closed_at=event.at),)


def new_case(call_id: str, at: datetime, **fields: Any) -> dict[str, Any]:
    """The columns of a new case; who called is taken from the call's attempt."""
    return {
        "id": case_of(call_id),
        "call_id": call_id,
        "contact_id": _of_attempt(call_id, col(Attempt.contact_id)),
        "phone": func.coalesce(_of_attempt(call_id, col(Attempt.phone)), ""),
        "owner_id": "",
        "topic": "",
        "words": "",
        "status": CaseStatus.OPEN.value,
        "claimed_by": "",
        "outcome": "",
        "opened_at": at,
        **fields,
        "department": fields.get("department")
        or func.coalesce(_of_attempt(call_id, col(Attempt.department)), ""),
    }


def upsert_case(insert: Insert, call_id: str, at: datetime, *, unless: Any = None, **fields: Any) -> Any:
    """Open the call's case, or add to it: what is known stays, and of two deadlines the earlier one, unless
    the caller was promised a call for a later time. A case that is over is left alone. Nothing is done
    where the condition `unless` holds."""
    fields = {"due_at": None, "reason": "", "callback": False} | fields
    condition = true() if unless is None else not_(unless)
    statement = insert(CaseRow).from_select(*_new_case_where(condition, call_id, at, **fields))
    fresh = statement.excluded

    def known(column: Any, *unknown: str) -> Any:
        return case((col(column).in_(("", *unknown)), fresh[column.key]), else_=col(column))

    due = col(CaseRow.due_at)
    promised = and_(fresh.callback, ~col(CaseRow.callback))
    sooner = or_(due.is_(None), fresh.due_at < due, promised)
    changed = {
        "owner_id": known(CaseRow.owner_id),
        "department": known(CaseRow.department),
        "topic": known(CaseRow.topic),
        "words": known(CaseRow.words),
        "reason": known(CaseRow.reason, INTERRUPTED, CUT_OFF),
        "callback": case((or_(col(CaseRow.callback), fresh.callback), true()), else_=false()),
        "due_at": case((and_(fresh.due_at.is_not(None), sooner), fresh.due_at), else_=due),
    }
    return statement.on_conflict_do_update(
        index_elements=["id"], set_=changed, where=col(CaseRow.status).in_(STILL_OPEN)
    )


def _of_attempt(call_id: str, column: Any) -> Any:
    return select(column).where(col(Attempt.call_id) == call_id).scalar_subquery()


def _told(
    event: CaseOpened | CallbackPromised, insert: Insert, step: CaseStep, text: str, case_id: Any = None
) -> Any:
    return insert(CaseHistoryRow).values(
        id=event.id,
        case_id=case_of(event.call_id) if case_id is None else case_id,
        at=event.at,
        step=step,
        agent_id="",
        text=text,
        owner_id=event.owner_id,
        due_at=event.due_at,
    )
