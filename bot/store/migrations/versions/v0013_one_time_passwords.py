"""Passwords that must be changed at the first sign-in, and where a session was begun."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults are for the rows that are there.
    op.add_column(
        "accounts", sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for column in ("address", "browser"):
        op.add_column("sessions", sa.Column(column, sa.String(), nullable=False, server_default=""))
