"""Who is signed in: sessions that the server keeps, ends and lets run out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, delete, select, update

from bot.accounts.accounts import Account
from bot.accounts.roles import Role
from bot.core.clock import Clock
from bot.store.account_tables import AccountRow, AuditRow, SessionRow
from bot.store.database import Database
from bot.store.tables_agents import AgentRow

TOKEN_BYTES = 32
"""256 random bits: nobody guesses one (OWASP asks for 64 at least)."""

SEEN_EVERY_S = 60.0
"""How often at most it is written down that a session is in use."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """`lifetime_s` seconds after its beginning a session is over, `idle_s` after it was last used."""

    lifetime_s: float = 12 * 3600.0
    idle_s: float = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account in one browser. `session_id` is no secret: the cookie's token cannot be told from it."""

    account: Account
    session_id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A session that lives, as its owner and an administrator see it."""

    id: str
    login: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    browser: str


BROWSER_LETTERS = 200
"""Of a User-Agent so many are kept: the system and the browser stand in its first half."""


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    def __init__(self, db: Database, clock: Clock, settings: SessionSettings | None = None) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings or SessionSettings()

    async def begin(self, account: Account, address: str = "", browser: str = "") -> str:
        """The token of a fresh session, for the cookie; those that ran out are cleared away."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock.now()
        async with self._db.write() as session:
            await session.exec(delete(SessionRow).where(col(SessionRow.expires_at) <= now))
            session.add(
                SessionRow(
                    id=hash_of(token),
                    account_id=account.id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + timedelta(seconds=self._settings.lifetime_s),
                    address=address,
                    browser=browser[:BROWSER_LETTERS],
                )
            )
        return token

    async def find(self, token: str) -> SignedIn | None:
        """Whose session it is, if it lives; that it is used is remembered. An account that names no agent is
        that of the agent who signs in by the same name."""
        now = self._clock.now()
        statement = (
            select(SessionRow, AccountRow, AgentRow.id)
            .join(AccountRow, col(AccountRow.id) == col(SessionRow.account_id))
            .outerjoin(AgentRow, func.lower(col(AgentRow.login)) == col(AccountRow.login))
            .where(
                col(SessionRow.id) == hash_of(token),
                *self._alive(now),
            )
        )
        async with self._db.read() as session:
            found = (await session.exec(statement)).first()
        if found is None:
            return None
        row, owner, agent_id = found
        if (now - row.seen_at).total_seconds() >= SEEN_EVERY_S:
            async with self._db.write() as session:
                await session.exec(update(SessionRow).where(col(SessionRow.id) == row.id).values(seen_at=now))
        account = Account(
            owner.id,
            owner.login,
            owner.name,
            Role(owner.role),
            owner.agent_id or agent_id or "",
            owner.created_at,
            owner.must_change,
        )
        return SignedIn(account, row.id)

    async def seen(self, login: str | None = None) -> Sequence[Seen]:
        """Those that live, of one account or of all; who was here last comes first."""
        statement = (
            select(SessionRow, AccountRow.login)
            .join(AccountRow, col(AccountRow.id) == col(SessionRow.account_id))
            .where(*self._alive(self._clock.now()))
            .order_by(col(SessionRow.seen_at).desc(), col(SessionRow.id))
        )
        if login is not None:
            statement = statement.where(col(AccountRow.login) == login)
        async with self._db.read() as session:
            found = (await session.exec(statement)).all()
        return [
            Seen(row.id, owner, row.created_at, row.seen_at, row.expires_at, row.address, row.browser)
            for row, owner in found
        ]

    async def end_seen(self, session_id: str, login: str, *, audit: AuditRow | None = None) -> bool:
        """End a session of this account by its id; False where it has no such one."""
        own = select(AccountRow.id).where(col(AccountRow.login) == login)
        async with self._db.write() as session:
            done = await session.exec(
                delete(SessionRow).where(
                    col(SessionRow.id) == session_id, col(SessionRow.account_id).in_(own)
                )
            )
            if done.rowcount and audit is not None:
                session.add(audit)
        return bool(done.rowcount)

    def _alive(self, now: datetime) -> tuple[Any, ...]:
        return (
            col(SessionRow.expires_at) > now,
            col(SessionRow.seen_at) > now - timedelta(seconds=self._settings.idle_s),
        )

    async def end(self, token: str) -> None:
        """Signed out. Idempotent."""
        async with self._db.write() as session:
            await session.exec(delete(SessionRow).where(col(SessionRow.id) == hash_of(token)))
