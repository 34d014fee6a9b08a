"""Whoever works at the command line, as the audit log names him: the machine's login, `shell:` before it."""

from __future__ import annotations

from typing import Any

from bot.accounts.accounts import Account
from bot.accounts.audit import Audit
from bot.accounts.roles import Role
from bot.cli.on_database import who
from bot.core.clock import SystemClock
from bot.store.account_tables import AuditRow
from bot.store.database import Database


def entry(db: Database, action: str, subject: str, subject_id: str, **details: Any) -> AuditRow:
    """The row for a change, to be written in the transaction of the change itself."""
    return Audit(db, SystemClock()).entry(_shell(), "", action, subject, subject_id, details)


async def noted(db: Database, action: str, subject: str, subject_id: str, **details: Any) -> None:
    """The same in a transaction of its own, before what takes many."""
    await Audit(db, SystemClock()).note(_shell(), "", action, subject, subject_id, details)


def _shell() -> Account:
    """Who may read the database's file may do everything, so his role is an administrator's."""
    return Account("", f"shell:{who('')}", "", Role.ADMIN, "", SystemClock().now())
