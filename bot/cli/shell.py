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
    """The row for a change, to be written in the transaction of the change itself. Who may read the
    database's file may do everything, so his role is an administrator's."""
    clock = SystemClock()
    shell = Account("", f"shell:{who('')}", "", Role.ADMIN, "", clock.now())
    return Audit(db, clock).entry(shell, "", action, subject, subject_id, details)
