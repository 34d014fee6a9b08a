"""Who did what: every change, and every look at a person's data.

A row is written in the transaction of the change itself where there is one (`entry`), so that neither is
there without the other; a look is written before the page goes out (`Audit.note`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from bot.accounts.accounts import Account
from bot.core.clock import Clock
from bot.core.ids import new_id
from bot.store.account_tables import AuditRow
from bot.store.database import Database

LOOK = "view"
"""The action of whoever only looked; every other one is a change."""


class Audit:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def entry(
        self,
        who: Account,
        address: str,
        action: str,
        subject: str,
        subject_id: str,
        details: Mapping[str, Any] | None = None,
    ) -> AuditRow:
        """The row, for a transaction of the caller's: `session.add(audit.entry(…))`."""
        return AuditRow(
            id=new_id("audit"),
            at=self._clock.now(),
            login=who.login,
            role=who.role,
            address=address,
            action=action,
            subject=subject,
            subject_id=subject_id,
            details=dict(details or {}),
        )

    async def note(
        self,
        who: Account,
        address: str,
        action: str,
        subject: str,
        subject_id: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """In a transaction of its own. Raises what the database raises: what cannot be noted is not done."""
        async with self._db.write() as session:
            session.add(self.entry(who, address, action, subject, subject_id, details))

    async def noted_since(self, who: Account, action: str, subject_id: str, since: datetime) -> bool:
        """Whether this account has a line of this already: what is asked for piece by piece is noted once."""
        same = select(AuditRow.id).where(
            col(AuditRow.subject_id) == subject_id,
            col(AuditRow.login) == who.login,
            col(AuditRow.action) == action,
            col(AuditRow.at) >= since,
        )
        async with self._db.read() as session:
            return (await session.exec(same.limit(1))).first() is not None
