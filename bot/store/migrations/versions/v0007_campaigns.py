"""Campaigns and their members, the nodes of a database, and which campaign an attempt belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _campaigns()
    _members()
    _nodes()
    op.add_column("attempts", sa.Column("campaign_id", sa.String(), nullable=True))
    op.add_column("attempts", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    # The defaults are for the rows that are there.
    op.add_column("attempts", sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("attempts", sa.Column("cause", sa.String(), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("resumes", sa.String(), nullable=False, server_default=""))
    op.create_index(op.f("ix_attempts_campaign_id"), "attempts", ["campaign_id"])


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("survey_id", sa.String(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(op.f("ix_campaigns_state"), "campaigns", ["state"])


def _members() -> None:
    op.create_table(
        "campaign_members",
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resume_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt_id", sa.String(), nullable=True),
        sa.Column("last_attempt_id", sa.String(), nullable=True),
        sa.Column("last_disposition", sa.String(), nullable=False),
        sa.Column("done", sa.String(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "contact_id", name=op.f("pk_campaign_members")),
    )
    op.create_index("ix_campaign_members_campaign_id_next_at", "campaign_members", ["campaign_id", "next_at"])
    op.create_index("ix_campaign_members_contact_id", "campaign_members", ["contact_id"])
    op.create_index("ix_campaign_members_attempt_id", "campaign_members", ["attempt_id"])


def _nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("boot", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("free_lines", sa.Integer(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_nodes")),
    )
