"""What an agent is shown about a caller: from the call's events and from what is stored of earlier ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.core.answer import Answer, AnswerStatus
from bot.core.errors import OtklikError
from bot.core.events import (
    AnswerRecorded,
    CallEvent,
    CallStarted,
    HandoverStarted,
    Noted,
    PromptStarted,
    RecordingStarted,
    RecordingStopped,
    TalkHeard,
    TurnHeard,
    standing_signals,
)
from bot.store.queries import Call
from bot.store.tables_notes import CallNoteRow
from bot.surveys.breaks import without_breaks
from bot.surveys.schema import Survey
from bot.web.masking import shown_number

Who = Literal["bot", "caller", "agent"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said; `seq` is its event's, in the order of the call."""

    seq: int
    who: Who
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """`value` as people read it; "" where there is none, and then `status` says why."""

    question: str
    value: str
    status: str = "answered"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A call of the same customer before this one."""

    at: datetime
    survey: str
    answers: tuple[Answered, ...]
    notes: tuple[CallNoteRow, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """`phone` is as this account may see it; `because` are the rules that fired, with the caller's words."""

    call_id: str
    name: str = ""
    phone: str = ""
    survey: str = ""
    department: str = ""
    own_fields: tuple[tuple[str, str], ...] = ()
    had_the_talk: str = ""
    whisper: str = ""
    because: tuple[tuple[str, str], ...] = ()
    answers: tuple[Answered, ...] = ()
    lines: tuple[Line, ...] = ()
    recorded: bool = False
    earlier: tuple[Earlier, ...] = ()
    notes: tuple[CallNoteRow, ...] = field(default=())


def card_of(
    call_id: str,
    events: Sequence[CallEvent],
    call: Call | None,
    *,
    survey_of: Callable[[str], Survey],
    names: Mapping[str, str],
    whole_number: bool,
    earlier: Sequence[Call] = (),
    notes: Sequence[CallNoteRow] = (),
) -> Card:
    """`names` are those of agents and departments by id; `notes` are of this call and of the earlier ones."""
    started = next((each for each in events if isinstance(each, CallStarted)), None)
    handover = next((each for each in reversed(events) if isinstance(each, HandoverStarted)), None)
    survey = _survey(survey_of, started.survey_hash if started else "")
    attempt = call.attempt if call else None
    return Card(
        call_id=call_id,
        name=_name(call),
        phone=shown_number(started.remote, whole=whole_number) if started else "",
        survey=survey.title if survey else (attempt.survey_id if attempt else ""),
        department=names.get(attempt.department, attempt.department) if attempt else "",
        own_fields=_own_fields(call),
        had_the_talk=names.get(attempt.agent_id, attempt.agent_id) if attempt else "",
        whisper=handover.whisper if handover else "",
        because=tuple(
            dict.fromkeys(
                [(each.name, each.words) for each in standing_signals(events)]
                + [(each.rule, each.words) for each in events if isinstance(each, Noted)]
            )
        ),
        answers=_answers(events, survey),
        lines=tuple(_lines(events)),
        recorded=_recorded(events),
        earlier=tuple(_earlier(each, survey_of, notes) for each in earlier),
        notes=tuple(note for note in notes if note.call_id == call_id),
    )


def _name(call: Call | None) -> str:
    contact = call.contact if call else None
    if contact is None:
        return ""
    return " ".join(filter(None, (contact.first_name, contact.middle_name, contact.last_name)))


def _own_fields(call: Call | None) -> tuple[tuple[str, str], ...]:
    """What else the company told of him, under its own headings."""
    written = call.contact.own_fields if call and call.contact else ""
    return tuple(json.loads(written or "{}").items())


def _survey(survey_of: Callable[[str], Survey], digest: str) -> Survey | None:
    """None for a version that this node does not have any more: the answers are shown by their ids."""
    try:
        return survey_of(digest)
    except OtklikError:
        return None


def _answers(events: Sequence[CallEvent], survey: Survey | None) -> tuple[Answered, ...]:
    """The last answer to each question, in the order of asking."""
    last: dict[str, Answer] = {}
    for event in events:
        if isinstance(event, AnswerRecorded):
            last[event.question_id] = event.answer
    return tuple(
        Answered(_question(survey, question_id), _value(survey, question_id, answer), answer.status)
        for question_id, answer in last.items()
    )


def _question(survey: Survey | None, question_id: str) -> str:
    try:
        return without_breaks(survey.question(question_id).ask) if survey else question_id
    except KeyError:
        return question_id


def _value(survey: Survey | None, question_id: str, answer: Answer) -> str:
    if answer.status is not AnswerStatus.ANSWERED:
        return ""
    values = answer.value if isinstance(answer.value, list) else [answer.value]
    return ", ".join(_said(survey, question_id, str(value)) for value in values)


def _said(survey: Survey | None, question_id: str, value: str) -> str:
    """A choice by its own words, «да» and «нет» by theirs."""
    if value in ("yes", "no") and (survey is None or survey.language == "ru"):
        return {"yes": "да", "no": "нет"}[value]
    try:
        options = getattr(survey.question(question_id), "options", ()) if survey else ()
    except KeyError:
        options = ()
    return next((each.say[0] for each in options if each.id == value and each.say), value)


def _lines(events: Sequence[CallEvent]) -> list[Line]:
    lines: list[Line] = []
    for event in events:
        match event:
            case PromptStarted(purpose=purpose, text=text) if purpose != "whisper" and text:
                lines.append(Line(event.seq, "bot", text))
            case TurnHeard(text=text, digits=digits) if text or digits:
                lines.append(Line(event.seq, "caller", text or digits))
            case TalkHeard(side=side, text=text) if text:
                lines.append(Line(event.seq, "agent" if side == "agent" else "caller", text))
    return lines


def _recorded(events: Sequence[CallEvent]) -> bool:
    told = [each for each in events if isinstance(each, RecordingStarted | RecordingStopped)]
    return bool(told) and isinstance(told[-1], RecordingStarted)


def _earlier(call: Call, survey_of: Callable[[str], Survey], notes: Sequence[CallNoteRow]) -> Earlier:
    survey = _survey(survey_of, call.attempt.survey_hash)
    return Earlier(
        at=call.attempt.created_at,
        survey=survey.title if survey else call.attempt.survey_id,
        answers=tuple(
            Answered(
                _question(survey, row.question_id),
                ", ".join(
                    _said(survey, row.question_id, each) for each in (row.value or "").split(",") if each
                )
                if row.kind in ("choice", "multi_choice", "yes_no")
                else row.value or "",
                row.status,
            )
            for row in call.answers
        ),
        notes=tuple(note for note in notes if note.call_id == call.attempt.call_id),
    )
