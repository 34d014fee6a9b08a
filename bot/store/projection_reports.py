"""What call events change in the tables of the reports: pure, as `projection`, which calls this."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import case, false, literal, select, update
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.events import AnswerRecorded, PromptStarted, SignalRaised, SignalWithdrawn
from bot.store.changes import Change, Changes, Insert, given, made, named
from bot.store.tables import Attempt
from bot.store.tables_reports import QuestionPut, SignalRow

QUESTION = "question"
"""`PromptStarted.purpose` of a prompt that puts a question."""


def prompt_started(event: PromptStarted, insert: Insert) -> Changes:
    if event.purpose != QUESTION or not event.question_id:
        return ()
    return _put(event, event.question_id, event.attempt, insert)


def answer_recorded(event: AnswerRecorded, insert: Insert) -> Changes:
    """Whoever answers before the question is said was asked all the same."""
    value = event.answer.value
    answer = {
        "kind": event.question_kind,
        "status": event.answer.status.value,
        "number": float(value) if isinstance(value, int | float) else None,
        "seq": event.seq,
    }
    return _put(event, event.question_id, 1, insert, answer)


def signal_changed(event: SignalRaised | SignalWithdrawn, insert: Insert) -> Changes:
    step = 1 if isinstance(event, SignalRaised) else -1
    statement = insert(SignalRow).values(
        call_id=event.call_id, name=event.name, rule=event.rule, topic=event.topic or "", standing=step
    )
    return made(
        statement.on_conflict_do_update(
            index_elements=["call_id", "name", "rule", "topic"],
            set_={"standing": col(SignalRow.standing) + literal(step)},
        )
    )


NO_ANSWER: dict[str, Any] = {"kind": "", "status": "", "number": None, "seq": -1}

COPIED = ("created_at", "survey_id", "survey_hash", "agent_id", "department", "campaign_id")
"""Columns that are the attempt's."""


def _put(
    event: PromptStarted | AnswerRecorded,
    question_id: str,
    times: int,
    insert: Insert,
    answer: dict[str, Any] = NO_ANSWER,
) -> Changes:
    """A call that nobody knows the attempt of has no day and no survey, and is in no report."""
    values = named(call_id=event.call_id, at=event.at, question_id=question_id, times=times, **answer)
    put, first = _statements(insert)
    return (Change(put, values), Change(first, named(call_id=event.call_id, at=event.at)))


@cache
def _statements(insert: Insert) -> tuple[UpdateBase, UpdateBase]:
    own = ["call_id", "question_id", "times", "at", *NO_ANSWER]
    values: list[Any] = [given(name, getattr(QuestionPut, name)) for name in own]
    copied = [getattr(Attempt, name) for name in COPIED]
    of_call = col(Attempt.call_id) == given("call_id")
    statement = insert(QuestionPut).from_select(
        [*own, "corrected", *COPIED], select(*values, false(), *copied).where(of_call)
    )
    fresh, known = statement.excluded, QuestionPut
    later = (fresh.seq > col(known.seq)) & col(known.corrected).is_(False)
    changed = {name: case((later, fresh[name]), else_=col(getattr(known, name))) for name in NO_ANSWER}
    changed["times"] = case((fresh.times > col(known.times), fresh.times), else_=col(known.times))
    first = update(Attempt).where(of_call, col(Attempt.asked_at).is_(None))
    return (
        statement.on_conflict_do_update(index_elements=["call_id", "question_id"], set_=changed),
        first.values(asked_at=given("at")),
    )
