"""The audit log: a row beside its change, or alone for a look."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from bot.accounts.accounts import Account
from bot.accounts.audit import LOOK, Audit
from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.store.account_tables import AccountRow, AuditRow
from bot.store.database import Database

WHO = Account("account_1", "olga", "Ольга", Role.MANAGER, "", datetime(2026, 1, 1, tzinfo=UTC))


async def test_a_look_is_kept_with_who_where_from_and_when(db: Database, clock: ManualClock) -> None:
    await Audit(db, clock).note(WHO, "10.0.0.7", LOOK, "call", "call_1", {"audio": True})
    async with db.read() as session:
        (row,) = (await session.exec(select(AuditRow))).all()
    assert (row.login, row.role, row.address) == ("olga", "manager", "10.0.0.7")
    assert (row.action, row.subject, row.subject_id, row.details) == (
        "view",
        "call",
        "call_1",
        {"audio": True},
    )
    assert row.at == clock.now()


async def test_an_entry_is_there_only_if_its_change_is(db: Database, clock: ManualClock) -> None:
    audit = Audit(db, clock)
    await audit.note(WHO, "", "publish", "survey", "csat")
    with pytest.raises(IntegrityError):
        await _change_and_note(db, audit)
    async with db.read() as session:
        assert [row.subject_id for row in (await session.exec(select(AuditRow))).all()] == ["csat"]


async def _change_and_note(db: Database, audit: Audit) -> None:
    """A change that the database refuses: the login is taken by the same transaction."""
    async with db.write() as session:
        session.add(audit.entry(WHO, "", "publish", "survey", "nps"))
        for place in ("1", "2"):
            session.add(
                AccountRow(id=place, login="x", role="agent", password_hash="", created_at=WHO.created_at)
            )
