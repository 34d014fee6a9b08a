"""Who is signed in: sessions that the server keeps, ends and lets run out."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import col, delete, select, update

from bot.accounts.accounts import Account
from bot.accounts.roles import Role
from bot.core.clock import Clock
from bot.store.account_tables import AccountRow, SessionRow
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


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    def __init__(self, db: Database, clock: Clock, settings: SessionSettings | None = None) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings or SessionSettings()

    async def begin(self, account: Account) -> str:
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
                col(SessionRow.expires_at) > now,
                col(SessionRow.seen_at) > now - timedelta(seconds=self._settings.idle_s),
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
        )
        return SignedIn(account, row.id)

    async def end(self, token: str) -> None:
        """Signed out. Idempotent."""
        async with self._db.write() as session:
            await session.exec(delete(SessionRow).where(col(SessionRow.id) == hash_of(token)))
