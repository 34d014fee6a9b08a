"""What was said in a call, as one text to be searched."""

from __future__ import annotations

from sqlmodel import Field

from bot.store.tables import Table, words_field


class Transcript(Table, table=True):
    """The words of the caller and of whoever he was joined with, turn after turn, as `transcripts.folded`
    writes them; what the bot said is not in it. Beside it each database keeps its full-text index, by `id`:
    `fts_transcripts`, an FTS5 table in SQLite and a GIN index in PostgreSQL (migration 0012).
    """

    __tablename__ = "transcripts"

    id: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(unique=True)
    text: str = words_field()
