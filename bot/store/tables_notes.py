"""What agents wrote about the talks that they had. None of it comes from call events."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class CallNoteRow(Table, table=True):
    """`outcome` is one of `bot.store.notes.OUTCOMES`; `handover_id` the talk that it is about, "" where
    the call was never joined."""

    __tablename__ = "call_notes"

    id: str = Field(primary_key=True)
    call_id: str = Field(index=True)
    handover_id: str = ""
    agent_id: str
    at: datetime = moment_field()
    outcome: str
    text: str = words_field(default="")
