"""Which conversation an incoming call is about, and where what is known of it came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults are for the rows that are there.
    op.add_column("attempts", sa.Column("conversation_id", sa.String(), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("attribution", sa.Text(), nullable=False, server_default=""))
    op.create_index(op.f("ix_attempts_conversation_id"), "attempts", ["conversation_id"])
