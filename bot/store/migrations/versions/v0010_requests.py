"""Which request a campaign's member and an attempt are of, and what became of the request."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults are for the rows that are there.
    for table, column in (
        ("attempts", "request_id"),
        ("campaign_members", "request_id"),
        ("call_requests", "campaign_id"),
        ("call_requests", "contact_id"),
        ("call_requests", "superseded_by"),
    ):
        op.add_column(table, sa.Column(column, sa.String(), nullable=False, server_default=""))
    op.add_column("campaign_members", sa.Column("ask_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_attempts_request_id"), "attempts", ["request_id"])
