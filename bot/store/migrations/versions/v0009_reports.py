"""What reports count: questions put and signals by call, filled from the events that are there; and the
indexes by which a period's calls and a customer's next one are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PUT = """
    INSERT INTO questions_put (call_id, question_id, times, at, created_at, survey_id, survey_hash, agent_id,
        department, campaign_id, kind, status, number, seq)
    SELECT put.call_id, put.question_id, put.times, put.at, attempts.created_at, attempts.survey_id,
        attempts.survey_hash, attempts.agent_id, attempts.department, attempts.campaign_id,
        COALESCE(answers.kind, ''),
        COALESCE(answers.status, ''), answers.number, COALESCE(answers.seq, -1)
    FROM (
        SELECT call_id, question_id, MAX(times) AS times, MIN(at) AS at FROM (
            SELECT call_id, {question_id} AS question_id, CAST({attempt} AS INTEGER) AS times, at
            FROM call_events
            WHERE kind = 'prompt_started' AND {purpose} = 'question' AND {question_id} <> ''
            UNION ALL
            SELECT call_id, question_id, 1, at FROM answers
        ) AS every_put
        GROUP BY call_id, question_id
    ) AS put
    JOIN attempts ON attempts.call_id = put.call_id
    LEFT JOIN answers ON answers.call_id = put.call_id AND answers.question_id = put.question_id
"""

_SIGNALS = """
    INSERT INTO signals (call_id, name, rule, topic, standing)
    SELECT call_id, name, rule, topic, SUM(step) FROM (
        SELECT call_id, {name} AS name, {rule} AS rule, COALESCE({topic}, '') AS topic,
            CASE kind WHEN 'signal_raised' THEN 1 ELSE -1 END AS step
        FROM call_events
        WHERE kind IN ('signal_raised', 'signal_withdrawn')
    ) AS steps
    GROUP BY call_id, name, rule, topic
"""

_ASKED = """
    UPDATE attempts SET asked_at =
        (SELECT MIN(at) FROM questions_put WHERE questions_put.call_id = attempts.call_id)
"""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "questions_put",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("survey_id", sa.String(), nullable=False),
        sa.Column("survey_hash", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "question_id", name=op.f("pk_questions_put")),
    )
    op.create_index(op.f("ix_questions_put_created_at"), "questions_put", ["created_at"])
    op.create_table(
        "signals",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "name", "rule", "topic", name=op.f("pk_signals")),
    )
    op.create_index(op.f("ix_attempts_created_at"), "attempts", ["created_at"])
    op.create_index(op.f("ix_attempts_phone_created_at"), "attempts", ["phone", "created_at"])
    op.execute(sa.text(_of_json(_PUT)))
    op.execute(sa.text(_of_json(_SIGNALS)))
    op.add_column("attempts", sa.Column("asked_at", moment, nullable=True))
    op.execute(sa.text(_ASKED))


def _of_json(statement: str) -> str:
    """The statement with each field of an event read in this database's own way."""
    postgres = op.get_bind().dialect.name == "postgresql"
    form = "CAST(json AS json) ->> '{}'" if postgres else "json_extract(json, '$.{}')"
    fields = ("question_id", "attempt", "purpose", "name", "rule", "topic")
    return statement.format(**{field: f"({form.format(field)})" for field in fields})
