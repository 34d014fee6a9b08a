"""What reports count and no other table holds: which questions were put, and what a call was about.

Projected from call events like everything else, so that a report never reads the events themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, false, text
from sqlmodel import Field, col

from bot.store.tables import Table, moment_field


class QuestionPut(Table, table=True):
    """One question that one caller was asked, with all that reports tell apart, so that a million of them
    are counted without a join.

    `times` is the greatest attempt at it: 1 where he heard it once, more where it was said again because
    he was silent, was not understood, asked for it, or was to confirm. `at` is when it was first put.
    `created_at`, the survey, the agent, the department and the campaign are the attempt's; `kind`,
    `status`, `number` and `seq` are the answer's, and "", None and -1 as long as there is none. `corrected`
    says that they were put right by hand: then they are the correction's, and no event changes them.
    """

    __tablename__ = "questions_put"
    __table_args__ = (
        Index(
            "ix_questions_put_without_answer",
            "created_at",
            sqlite_where=text("status = ''"),
            postgresql_where=text("status = ''"),
        ),
    )

    call_id: str = Field(primary_key=True)
    question_id: str = Field(primary_key=True)
    times: int
    at: datetime = moment_field()
    created_at: datetime = moment_field(index=True)
    survey_id: str
    survey_hash: str
    agent_id: str = ""
    department: str = ""
    campaign_id: str | None = None
    kind: str = ""
    status: str = ""
    number: float | None = None
    seq: int = -1
    corrected: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


BY_HAND = "by_hand"
"""`SignalRow.rule` of a topic that nothing but a person heard in the call."""


class SignalRow(Table, table=True):
    """One signal of one call, by the rule and the topic that it was raised for ("" none). `standing` is how
    often it was raised less how often it was taken back; what stands at 0 was corrected by the caller, what
    is `denied` by whoever listened to the call. Those that he added have the rule `BY_HAND`."""

    __tablename__ = "signals"
    __table_args__ = (Index("ix_signals_topic_call_id", "topic", "call_id"),)

    call_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    standing: int
    denied: bool = Field(default=False, sa_column_kwargs={"server_default": false()})

    @property
    def by_hand(self) -> bool:
        return self.rule == BY_HAND


def stands() -> Any:
    """Whether a signal counts."""
    return (col(SignalRow.standing) > 0) & col(SignalRow.denied).is_(False)
