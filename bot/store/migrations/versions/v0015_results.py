"""What results pages count: holds of a talk, and indexes that hold all that scores are made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handovers", sa.Column("holds", sa.Integer(), nullable=True))
    op.add_column("handovers", sa.Column("held_s", sa.Float(), nullable=True))
