"""Erasures, numbers that are kept under a hash only, the hash's key, and how much of a call is gone."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("erased", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(op.f("ix_attempts_erased_created_at"), "attempts", ["erased", "created_at"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("todo", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.String(), nullable=False),
    )
    op.create_index(op.f("ix_erasures_sealed"), "erasures", ["sealed"])
    op.create_table(
        "sealed_numbers",
        sa.Column("sealed", sa.String(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("erasure_id", sa.String(), nullable=False),
    )
    kept = op.create_table(
        "secrets",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
    )
    op.bulk_insert(kept, [{"name": "sealing", "value": secrets.token_hex(32)}])
