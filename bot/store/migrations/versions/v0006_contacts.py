"""What companies tell of their contacts, consents, do-not-call lists with their history, imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OURS = "contact-%"
"""The ids that were made here; any other was told by the company and is its own name for the contact."""


def upgrade() -> None:
    _contacts()
    for column, default in (("source", "call"), ("by", "")):
        op.add_column("do_not_call", sa.Column(column, sa.String(), nullable=False, server_default=default))
    op.create_index(op.f("ix_do_not_call_source"), "do_not_call", ["source"])
    _consents()
    _imports()


def _contacts() -> None:
    # The defaults are for the rows that are there.
    for column in ("external_id", "extension", "other_phones", "department", "region", "city", "import_id"):
        op.add_column("contacts", sa.Column(column, sa.String(), nullable=False, server_default=""))
    op.add_column("contacts", sa.Column("own_fields", sa.Text(), nullable=False, server_default=""))
    op.add_column("contacts", sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_contacts_import_id"), "contacts", ["import_id"])
    contacts = sa.table("contacts", sa.column("id", sa.String()), sa.column("external_id", sa.String()))
    op.execute(contacts.update().where(contacts.c.id.not_like(_OURS)).values(external_id=contacts.c.id))
    op.create_index(
        "uq_contacts_external_id",
        "contacts",
        ["external_id"],
        unique=True,
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    )


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("recording", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=False),
        sa.Column("withdrawn_words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_contact_id"), "consents", ["contact_id"])
    op.create_index(op.f("ix_consents_phone"), "consents", ["phone"])
    op.create_table(
        "do_not_call_removed",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_do_not_call_removed")),
    )
    op.create_index(op.f("ix_do_not_call_removed_phone"), "do_not_call_removed", ["phone"])


def _imports() -> None:
    op.create_table(
        "import_mappings",
        sa.Column("headings", sa.String(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("example", sa.String(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("headings", name=op.f("pk_import_mappings")),
    )
    op.create_table(
        "contact_imports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        *(
            sa.Column(count, sa.Integer(), nullable=False)
            for count in ("rows", "added", "updated", "unchanged", "repeated", "refused")
        ),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_imports")),
    )
    op.create_index(op.f("ix_contact_imports_started_at"), "contact_imports", ["started_at"])
