"""All our tables, whoever asks: their modules are imported here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table as SqlTable

from bot.store import (  # noqa: F401
    account_tables,
    tables,
    tables_agents,
    tables_campaigns,
    tables_cases,
    tables_contacts,
    tables_corrections,
    tables_delivery,
    tables_drafts,
    tables_notes,
    tables_notices,
    tables_privacy,
    tables_reports,
    tables_transcripts,
)


def every_table() -> Sequence[SqlTable]:
    """In an order in which they can be filled."""
    return tables.Table.metadata.sorted_tables
