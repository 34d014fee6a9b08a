"""An index of the questions without an answer, few among all: at which of them callers left is counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    without = sa.text("status = ''")
    op.create_index(
        op.f("ix_questions_put_without_answer"),
        "questions_put",
        ["created_at"],
        sqlite_where=without,
        postgresql_where=without,
    )
