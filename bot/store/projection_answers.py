"""What call events change in the answers: pure, as `projection`, which calls this."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.answer import AnswerValue
from bot.core.events import AnswerRecorded
from bot.store.changes import Change, Changes, Insert, given, named
from bot.store.tables import AnswerRow, Attempt


def value_text(value: AnswerValue) -> str | None:
    """An answer's value as text; the ids of several choices are joined by commas."""
    if value is None:
        return None
    return ",".join(value) if isinstance(value, list) else str(value)


def answer_recorded(event: AnswerRecorded, insert: Insert) -> Changes:
    answer = event.answer
    values = named(
        event_id=event.id,
        call_id=event.call_id,
        seq=event.seq,
        question_id=event.question_id,
        kind=event.question_kind,
        status=answer.status,
        value=value_text(answer.value),
        number=float(answer.value) if isinstance(answer.value, int | float) else None,
        confidence=answer.confidence,
        source=answer.source,
        heard=answer.heard,
        at=event.at,
    )
    return (Change(_statement(insert), values),)


@cache
def _statement(insert: Insert) -> UpdateBase:
    def of_attempt(column: Any) -> Any:
        return select(column).where(col(Attempt.call_id) == given("call_id")).scalar_subquery()

    of_others = {
        "attempt_id": of_attempt(col(Attempt.id)),
        "survey_hash": func.coalesce(of_attempt(col(Attempt.survey_hash)), ""),
    }
    own = {name: given(name) for name in AnswerRow.model_fields if name not in of_others}
    statement = insert(AnswerRow).values(own | of_others)
    fresh = {
        column: statement.excluded[column]
        for column in AnswerRow.model_fields
        if column not in ("call_id", "question_id")
    }
    later = statement.excluded.seq > col(AnswerRow.seq)
    made: UpdateBase = statement.on_conflict_do_update(
        index_elements=["call_id", "question_id"], set_=fresh, where=later
    )
    return made
