"""Which call events become messages to other systems: pure, as `projection`.

Each statement writes one row for every endpoint that wants the message, in the transaction that stores
the event, and runs before the event's own changes. A message that was noted twice counts once. What the
message says is made of the call's events when it is sent (`bot.delivery.payload`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, true
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.events import (
    CallbackPromised,
    CallEnded,
    CallEvent,
    CaseOpened,
    HandoverConnected,
    HandoverFailed,
    OptedOut,
    SignalRaised,
)
from bot.store.projection_cases import case_of, handover_open, open_case_of_caller
from bot.store.tables import CallEventRow, UtcDateTime
from bot.store.tables_cases import CaseRow
from bot.store.tables_delivery import (
    DeliveryStatus,
    EventName,
    WebhookDeliveryRow,
    WebhookEndpointRow,
)

Insert = Callable[[Any], Any]
Changes = tuple[UpdateBase, ...]

LOW_SCORE = "low_score"
"""The id of the triage rule by which a survey says what a low score is."""

TOLD = (CallEnded, OptedOut, HandoverConnected, HandoverFailed, CaseOpened, CallbackPromised, SignalRaised)
"""Kinds of which somebody may be told."""


def messages(event: CallEvent, insert: Insert) -> Changes:
    """The outbox's rows for this event; most kinds have none."""
    call_id, seq, at = event.call_id, event.seq, event.at

    def noted(name: EventName, condition: Any = None) -> UpdateBase:
        return _noted(insert, f"{event.id}_{name}", name, call_id, literal(seq), at, condition)

    match event:
        case CallEnded():
            lost = _no_case(call_id) & handover_open(call_id)
            return (
                noted(EventName.CALL_COMPLETED),
                noted(EventName.SCORE_LOW, low_score_stands(call_id)),
                noted(EventName.CASE_OPENED, lost),
            )
        case OptedOut():
            return (noted(EventName.CONTACT_OPTED_OUT),)
        case SignalRaised(name=name) if name == LOW_SCORE:
            first = f"{call_id}_{EventName.ALERT_LOW_SCORE}"  # one for a call, however often it is raised
            return (_noted(insert, first, EventName.ALERT_LOW_SCORE, call_id, literal(seq), at, None),)
        case HandoverConnected():
            return (noted(EventName.HANDOVER_CONNECTED),)
        case HandoverFailed():
            return (noted(EventName.HANDOVER_FAILED),)
        case CaseOpened():
            return (noted(EventName.CASE_OPENED, _no_case(call_id)),)
        case CallbackPromised(by="agent"):
            return (noted(EventName.CASE_OPENED, _no_case(call_id) & ~open_case_of_caller(call_id).exists()),)
        case _:
            return ()


def interrupted(attempt_id: str, call_id: str, at: datetime, insert: Insert) -> Changes:
    """The rows for an attempt that was given up without a word of its own, as `interrupted`: it tells of
    the call as far as it came. The call's own end may still come, and is another message then."""
    heard = func.max(col(CallEventRow.seq))
    last = func.coalesce(
        select(heard).where(col(CallEventRow.call_id) == call_id).scalar_subquery(), literal(-1)
    )

    def noted(name: EventName, condition: Any = None) -> UpdateBase:
        return _noted(insert, f"interrupted-{attempt_id}_{name}", name, call_id, last, at, condition)

    return (
        noted(EventName.CALL_COMPLETED),
        noted(EventName.SCORE_LOW, low_score_stands(call_id)),
        noted(EventName.CASE_OPENED, _no_case(call_id) & handover_open(call_id)),
    )


def low_score_stands(call_id: str) -> Any:
    """More were raised than withdrawn. The events of a call are stored before their changes are made."""

    def count(kind: str) -> Any:
        return (
            select(func.count())
            .where(
                col(CallEventRow.call_id) == call_id,
                col(CallEventRow.kind) == kind,
                col(CallEventRow.json_).contains(f'"name":"{LOW_SCORE}"', autoescape=True),
            )
            .scalar_subquery()
        )

    return count("signal_raised") > count("signal_withdrawn")


def _no_case(call_id: str) -> Any:
    return ~select(col(CaseRow.id)).where(col(CaseRow.id) == case_of(call_id)).exists()


def wants(name: EventName) -> Any:
    """The endpoint is told of this."""
    asked = col(WebhookEndpointRow.events).contains(f",{name},", autoescape=True)
    return asked & col(WebhookEndpointRow.disabled_at).is_(None)


def _noted(
    insert: Insert, key: str, name: EventName, call_id: str, seq: Any, at: datetime, condition: Any
) -> UpdateBase:
    # No full stop in a message's id: it parts what is signed (Standard Webhooks, «Signature scheme»).
    message_id = key.replace(".", "_")
    moment = literal(at, UtcDateTime())
    columns: dict[str, Any] = {
        "id": literal(f"{message_id}-") + col(WebhookEndpointRow.id),
        "endpoint_id": col(WebhookEndpointRow.id),
        "message_id": literal(message_id),
        "event": literal(name.value),
        "call_id": literal(call_id),
        "seq": seq,
        "at": moment,
        "status": literal(DeliveryStatus.WAITING.value),
        "tries": literal(0),
        "next_at": moment,
    }
    values: Any = list(columns.values())
    rows = select(*values).where(wants(name), true() if condition is None else condition)
    statement: UpdateBase = (
        insert(WebhookDeliveryRow).from_select(list(columns), rows).on_conflict_do_nothing()
    )
    return statement
