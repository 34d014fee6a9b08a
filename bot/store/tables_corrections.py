"""What a listener put right by hand. What was recorded stays as it is: in the events, and in `answers`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class Subject(StrEnum):
    ANSWER = "answer"
    TOPICS = "topics"


class CorrectionRow(Table, table=True):
    """One correction; rows are only ever added, and the last one of a call's answer, or of its topics,
    stands. `id` orders them.

    Of an answer: `question_id`, and `kind`, `status`, `value`, `number` as `AnswerRow` has them; a `status`
    of "" lets what was recorded stand again. Of the topics: `value` are all that the call is about, by
    commas ("" none), `status` is "set", or "" for those that were recorded. `was` is what stood before, for
    people. `login` is the account that did it.
    """

    __tablename__ = "corrections"

    id: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(index=True)
    subject: str
    question_id: str = ""
    kind: str = ""
    status: str = ""
    value: str | None = words_field(default=None)
    number: float | None = None
    was: str = words_field(default="")
    note: str = words_field(default="")
    login: str
    at: datetime = moment_field()
