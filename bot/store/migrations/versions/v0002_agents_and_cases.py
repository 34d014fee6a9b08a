"""Agents, departments, days off, cases with their history, routes; who a handover and a callback are for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _agents()
    _cases()
    # The default is for the rows that are there.
    for table, column in (("contacts", "manager_id"), ("handovers", "agent_id"), ("callbacks", "owner_id")):
        op.add_column(table, sa.Column(column, sa.String(), nullable=False, server_default=""))
    op.add_column("callbacks", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_callbacks_owner_id"), "callbacks", ["owner_id"])
    op.execute(_PROMISED)


_PROMISED = """
    INSERT INTO cases (id, call_id, contact_id, phone, owner_id, department, reason, topic, words, callback,
                       status, claimed_by, outcome, opened_at)
    SELECT 'case-' || CASE WHEN c.call_id LIKE 'call-%' THEN substr(c.call_id, 6) ELSE c.call_id END,
           c.call_id,
           (SELECT a.contact_id FROM attempts a WHERE a.call_id = c.call_id),
           max(c.phone), '',
           coalesce((SELECT a.department FROM attempts a WHERE a.call_id = c.call_id), ''),
           max(c.reason), '', '', true, 'open', '', '', min(c.promised_at)
    FROM callbacks c
    WHERE c.promised_by = 'agent' AND c.status = 'open' AND c.call_id <> ''
    GROUP BY c.call_id
"""
"""A call that an agent owed before there were cases is a case; the node names its owner and deadline."""


def _agents() -> None:
    with_login = sa.text("login <> ''")
    op.create_table(
        "agents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("skills", sa.String(), nullable=False),
        sa.Column("sip", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("languages", sa.String(), nullable=False),
        sa.Column("tz", sa.String(), nullable=False),
        sa.Column("shift", sa.String(), nullable=False),
        sa.Column("max_live", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("voicemail", sa.Boolean(), nullable=False),
        sa.Column("rings", sa.String(), nullable=False),
        sa.Column("fallback", sa.Integer(), nullable=False),
        sa.Column("presence", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
    )
    op.create_index(op.f("ix_agents_department"), "agents", ["department"])
    op.create_index(
        "uq_agents_login",
        "agents",
        ["login"],
        unique=True,
        sqlite_where=with_login,
        postgresql_where=with_login,
    )
    op.create_table(
        "departments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("tz", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("callback_hours", sa.Float(), nullable=True),
        sa.Column("max_live", sa.Integer(), nullable=True),
        sa.Column("fallback", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
    )
    op.create_table(
        "days_off",
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "first", name=op.f("pk_days_off")),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("callback", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_call_id"), "cases", ["call_id"])
    op.create_index(op.f("ix_cases_contact_id"), "cases", ["contact_id"])
    op.create_index(op.f("ix_cases_owner_id"), "cases", ["owner_id"])
    op.create_index("ix_cases_status_due_at", "cases", ["status", "due_at"])
    op.create_table(
        "case_history",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_history")),
    )
    op.create_index(op.f("ix_case_history_case_id"), "case_history", ["case_id"])
    op.create_table(
        "routes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routes")),
    )
    op.create_index(op.f("ix_routes_call_id"), "routes", ["call_id"])
