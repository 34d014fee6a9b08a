"""What a message says: pure, from the call's events up to the one that it tells of.

So a message is the same at every try, and nothing of it has to be kept. `personal` decides whether it has
what the customer said in his own words and his whole telephone; without it of a number the last two digits
stay. The company's own id of the customer (`contact_id`) is always there: it says whom this is about, and
tells nothing to others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.answer import AnswerStatus
from bot.core.endings import Disposition
from bot.core.events import (
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CallStarted,
    CaseOpened,
    HandoverConnected,
    HandoverFailed,
    OptedOut,
    standing_signals,
)
from bot.store.outbox import LOW_SCORE
from bot.store.phones import phone_key
from bot.store.projection_cases import CUT_OFF, INTERRUPTED, case_of
from bot.store.tables_delivery import EventName
from bot.store.tables_notices import AlertRow

SHOWN_DIGITS = 2
OPEN = "open"
"""The kind of question whose value is what the customer said, and no choice, number or date."""


@dataclass(frozen=True, slots=True)
class About:
    """Whose call it is, as far as it is known beside its events."""

    call_id: str
    attempt_id: str = ""
    direction: str = ""
    survey_id: str = ""
    survey_hash: str = ""
    survey_version: str = ""
    contact_id: str = ""
    phone: str = ""
    agent_id: str = ""
    department: str = ""
    conversation_id: str = ""
    request_id: str = ""


def about_of(started: CallStarted) -> About:
    """What the call's first event says."""
    return About(
        call_id=started.call_id,
        attempt_id=started.attempt_id,
        direction=started.direction,
        survey_id=started.survey_id,
        survey_hash=started.survey_hash,
        contact_id=started.contact_id,
        phone=phone_key(started.phone or started.remote),
        agent_id=started.agent_id,
        department=started.department,
        conversation_id=started.conversation_id,
    )


def body(name: EventName, at: datetime, about: About, events: Sequence[CallEvent], *, personal: bool) -> str:
    """The message as it is signed and sent: compact JSON."""
    data = {**_common(about, personal), **_told(name, events, personal)}
    return as_json(name, at, data)


def as_json(name: str, at: datetime, data: dict[str, Any]) -> str:
    """The envelope of Standard Webhooks: type, timestamp, data."""
    message = {"type": name, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def wave_body(alert: AlertRow) -> str:
    """Many who ask never to be called again; numbers alone."""
    return as_json(
        EventName.ALERT_OPT_OUT_WAVE,
        alert.at,
        {
            "alert_id": alert.id,
            "since": _moment(datetime.fromisoformat(alert.details["first"])),
            "opted_out": alert.details["count"],
            "answered_calls": alert.details["answered"],
        },
    )


def masked(phone: str) -> str:
    """`…67`: enough to tell two calls apart."""
    return f"…{phone[-SHOWN_DIGITS:]}" if phone else ""


def _common(about: About, personal: bool) -> dict[str, Any]:
    return {
        "call_id": about.call_id,
        "attempt_id": about.attempt_id,
        "direction": about.direction,
        "survey": {"id": about.survey_id, "version": about.survey_version, "hash": about.survey_hash},
        "contact_id": about.contact_id,
        "phone": about.phone if personal else masked(about.phone),
        "agent_id": about.agent_id,
        "department": about.department,
        "conversation_id": about.conversation_id,
        "request_id": about.request_id,
    }


def _told(name: EventName, events: Sequence[CallEvent], personal: bool) -> dict[str, Any]:
    match name:
        case EventName.CALL_COMPLETED:
            return _completed(events, personal)
        case EventName.SCORE_LOW | EventName.ALERT_LOW_SCORE:
            return _low_score(events, personal)
        case EventName.CONTACT_OPTED_OUT:
            opted = _last(events, OptedOut)
            return _own(personal, words=opted.words if opted else "")
        case EventName.HANDOVER_CONNECTED:
            joined = _last(events, HandoverConnected)
            return {"target": joined.target, "handed_to": joined.agent_id} if joined else {}
        case EventName.HANDOVER_FAILED:
            failed = _last(events, HandoverFailed)
            return {"target": failed.target, "reason": failed.reason} if failed else {}
        case EventName.CASE_OPENED:
            return _case(events, personal)
        case EventName.ALERT_OPT_OUT_WAVE:
            raise ValueError(f"{name} is about no single call: `wave_body` tells it")


def _completed(events: Sequence[CallEvent], personal: bool) -> dict[str, Any]:
    """A call that broke off without a word of its own was interrupted by us."""
    ended = _last(events, CallEnded)
    joined = _last(events, HandoverConnected)
    promised = _last(events, CallbackPromised)
    return {
        "disposition": ended.disposition if ended else Disposition.INTERRUPTED,
        "end_cause": ended.cause if ended else None,
        "duration_s": round(ended.duration_s, 1) if ended else None,
        "answers": _answers(events, personal),
        "signals": _signals(events),
        "handed_to": joined.agent_id if joined else "",
        "callback_by": promised.by if promised else "",
    }


def _low_score(events: Sequence[CallEvent], personal: bool) -> dict[str, Any]:
    low = [signal for signal in standing_signals(events) if signal.name == LOW_SCORE]
    said = "; ".join(dict.fromkeys(signal.words for signal in low if signal.words))
    return {
        "answers": _answers(events, personal),
        "signals": _signals(events),
        **_own(personal, words=said),
    }


def _case(events: Sequence[CallEvent], personal: bool) -> dict[str, Any]:
    """What opened it is the last event: the case itself, an agent's promise, or the end of the call."""
    last = events[-1] if events else None
    call_id = last.call_id if last else ""
    case: dict[str, Any] = {"case_id": case_of(call_id), "topic": "", "owner_id": "", "due_at": None}
    match last:
        case CaseOpened():
            case |= {
                "reason": last.reason,
                "topic": last.topic or "",
                "owner_id": last.owner_id,
                "due_at": _moment(last.due_at),
                "callback": last.callback,
                **_own(personal, words=last.words),
            }
        case CallbackPromised(by="agent"):
            case |= {
                "reason": last.reason,
                "owner_id": last.owner_id,
                "due_at": _moment(last.due_at),
                "callback": True,
                **_own(personal, words=last.when),
            }
        case CallEnded():
            case |= {"reason": CUT_OFF, "callback": True}
        case _:
            case |= {"reason": INTERRUPTED, "callback": True}
    return case


def _answers(events: Iterable[CallEvent], personal: bool) -> list[dict[str, Any]]:
    """The last answer to each question, in the order in which they were first answered."""
    latest: dict[str, AnswerRecorded] = {}
    for event in events:
        if isinstance(event, AnswerRecorded):
            latest[event.question_id] = event
    return [_answer(event, personal) for event in latest.values()]


def _answer(event: AnswerRecorded, personal: bool) -> dict[str, Any]:
    answer = event.answer
    withheld = not personal and event.question_kind == OPEN and answer.status is AnswerStatus.ANSWERED
    return {
        "question": event.question_id,
        "kind": event.question_kind,
        "status": answer.status,
        "value": None if withheld else answer.value,
        **({"heard": answer.heard} if personal else {}),
    }


def _signals(events: Sequence[CallEvent]) -> list[dict[str, str]]:
    return [
        {"name": signal.name, "rule": signal.rule, "topic": signal.topic or ""}
        for signal in standing_signals(events)
    ]


def _own(personal: bool, *, words: str) -> dict[str, str]:
    """The customer's own words, where they may be told."""
    return {"words": words} if personal else {}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _last(events: Sequence[CallEvent], kind: type[Any]) -> Any:
    return next((event for event in reversed(events) if isinstance(event, kind)), None)
