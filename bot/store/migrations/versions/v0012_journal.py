"""The journal: what was said in each call with a full-text index over it, filled from the events that are
there; corrections by hand; and the indexes by which the calls of one agent or one end are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SAID = """
    INSERT INTO transcripts (call_id, text)
    SELECT call_id, {joined} FROM (
        SELECT call_id, seq, TRIM(REPLACE(REPLACE(REPLACE({text}, '[unk]', ''), '  ', ' '), 'ё', 'е')) AS said
        FROM call_events
        WHERE kind IN ('turn_heard', 'talk_heard')
        ORDER BY call_id, seq
    ) AS turns
    WHERE said <> ''
    GROUP BY call_id
"""
"""What was heard is in lower case already."""

_FTS5 = (
    """CREATE VIRTUAL TABLE fts_transcripts USING fts5(
        text, content='transcripts', content_rowid='id', tokenize='unicode61 remove_diacritics 0')""",
    """CREATE TRIGGER fts_transcripts_added AFTER INSERT ON transcripts BEGIN
        INSERT INTO fts_transcripts(rowid, text) VALUES (new.id, new.text);
    END""",
    """CREATE TRIGGER fts_transcripts_removed AFTER DELETE ON transcripts BEGIN
        INSERT INTO fts_transcripts(fts_transcripts, rowid, text) VALUES ('delete', old.id, old.text);
    END""",
    """CREATE TRIGGER fts_transcripts_changed AFTER UPDATE ON transcripts BEGIN
        INSERT INTO fts_transcripts(fts_transcripts, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO fts_transcripts(rowid, text) VALUES (new.id, new.text);
    END""",
)
"""As SQLite FTS5, 4.4.3, External Content Tables, has it. Words of both databases are cut alike."""

_GIN = "CREATE INDEX fts_transcripts ON transcripts USING gin (to_tsvector('simple'::regconfig, text))"


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "transcripts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.UniqueConstraint("call_id", name=op.f("uq_transcripts_call_id")),
    )
    for statement in (_GIN,) if postgres else _FTS5:
        op.execute(sa.text(statement))
    op.execute(sa.text(_said(postgres=postgres)))
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("was", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(op.f("ix_corrections_call_id"), "corrections", ["call_id"])
    for table, column in (("questions_put", "corrected"), ("signals", "denied")):
        op.add_column(table, sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_signals_topic_call_id"), "signals", ["topic", "call_id"])
    op.create_index(op.f("ix_attempts_agent_id_created_at"), "attempts", ["agent_id", "created_at"])
    op.create_index(op.f("ix_attempts_disposition_created_at"), "attempts", ["disposition", "created_at"])


def _said(*, postgres: bool) -> str:
    if postgres:
        return _SAID.format(
            text="(CAST(json AS json) ->> 'text')", joined="string_agg(said, ' ' ORDER BY seq)"
        )
    return _SAID.format(text="json_extract(json, '$.text')", joined="group_concat(said, ' ')")
