"""What call events add to a call's text: pure, as `projection`, which calls this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import literal
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from bot.core.events import TalkHeard, TurnHeard
from bot.store.tables_transcripts import Transcript
from bot.store.transcripts import folded

Changes = tuple[UpdateBase, ...]


def words_said(event: TurnHeard | TalkHeard, insert: Callable[[Any], Any]) -> Changes:
    text = folded(event.text)
    if not text:
        return ()
    statement = insert(Transcript).values(call_id=event.call_id, text=text)
    longer = col(Transcript.text) + literal(" ") + statement.excluded.text
    return (statement.on_conflict_do_update(index_elements=["call_id"], set_={"text": longer}),)
