"""What call events add to a call's text: pure, as `projection`, which calls this."""

from __future__ import annotations

from functools import cache

from sqlalchemy import literal
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.events import TalkHeard, TurnHeard
from bot.store.changes import Change, Changes, Insert
from bot.store.tables_transcripts import Transcript
from bot.store.transcripts import folded


def words_said(event: TurnHeard | TalkHeard, insert: Insert) -> Changes:
    text = folded(event.text)
    return (Change(_statement(insert), {"call_id": event.call_id, "text": text}),) if text else ()


@cache
def _statement(insert: Insert) -> UpdateBase:
    statement = insert(Transcript)
    longer = col(Transcript.text) + literal(" ") + statement.excluded.text
    made: UpdateBase = statement.on_conflict_do_update(index_elements=["call_id"], set_={"text": longer})
    return made
