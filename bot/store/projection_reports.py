"""What call events change in the tables of the reports: pure, as `projection`, which calls this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import case, literal, update
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.events import AnswerRecorded, PromptStarted, SignalRaised, SignalWithdrawn
from bot.store.tables import Attempt
from bot.store.tables_reports import QuestionPut, SignalRow

Insert = Callable[[Any], Any]
Changes = tuple[UpdateBase, ...]

QUESTION = "question"
"""`PromptStarted.purpose` of a prompt that puts a question."""


def prompt_started(event: PromptStarted, insert: Insert) -> Changes:
    if event.purpose != QUESTION or not event.question_id:
        return ()
    return _put(event, event.question_id, event.attempt, insert)


def answer_recorded(event: AnswerRecorded, insert: Insert) -> Changes:
    """Whoever answers before the question is said was asked all the same."""
    return _put(event, event.question_id, 1, insert)


def signal_changed(event: SignalRaised | SignalWithdrawn, insert: Insert) -> Changes:
    step = 1 if isinstance(event, SignalRaised) else -1
    statement = insert(SignalRow).values(
        call_id=event.call_id, name=event.name, rule=event.rule, topic=event.topic or "", standing=step
    )
    return (
        statement.on_conflict_do_update(
            index_elements=["call_id", "name", "rule", "topic"],
            set_={"standing": col(SignalRow.standing) + literal(step)},
        ),
    )


def _put(event: PromptStarted | AnswerRecorded, question_id: str, times: int, insert: Insert) -> Changes:
    statement = insert(QuestionPut).values(
        call_id=event.call_id, question_id=question_id, times=times, at=event.at
    )
    fresh, known = statement.excluded, col(QuestionPut.times)
    more = {"times": case((fresh.times > known, fresh.times), else_=known)}
    first = update(Attempt).where(col(Attempt.call_id) == event.call_id, col(Attempt.asked_at).is_(None))
    return (
        statement.on_conflict_do_update(index_elements=["call_id", "question_id"], set_=more),
        first.values(asked_at=event.at),
    )
