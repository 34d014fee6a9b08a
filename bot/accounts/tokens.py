"""Tokens by which programs use the API: made, shown once, kept as hashes, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update

from bot.accounts.sessions import SEEN_EVERY_S, TOKEN_BYTES, hash_of
from bot.core.clock import Clock
from bot.core.errors import BadInput
from bot.names import check_name
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.tables_delivery import ApiTokenRow
from bot.words import words

MARK = "otklik_"
"""Before a token: so it is known for one wherever it stands, in a log or a public repository."""

LONGEST = 200
"""Characters of a token that are looked at."""


class Scope(StrEnum):
    """What a token is good for; none includes another."""

    CALLS = "calls"  # ask for calls, and see what became of those
    ANNOUNCEMENTS = "announcements"  # tell of calls before they come in


@dataclass(frozen=True, slots=True)
class ApiToken:
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class ApiTokens:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(
        self,
        name: str,
        scopes: Collection[Scope],
        *,
        expires_at: datetime | None = None,
        audit: AuditRow | None = None,
    ) -> tuple[ApiToken, str]:
        """The token itself comes back this once: only its hash is kept. The name of a revoked one may be
        given again. `audit` is the row that says who did it. Raises BadInput."""
        now = self._clock.now()
        check_name(name)
        if not scopes:
            raise BadInput(
                words("не сказано, что можно", "it is not said what it may do"), hint=", ".join(Scope)
            )
        if expires_at is not None and expires_at <= now:
            raise BadInput(
                words("этот срок уже прошёл", "that time is over already"),
                hint=words("день в будущем: 2027-12-31", "a day to come: 2027-12-31"),
            )
        token = MARK + secrets.token_urlsafe(TOKEN_BYTES)
        row = ApiTokenRow(
            id=hash_of(token),
            name=name,
            scopes=",".join(sorted(set(scopes))),
            created_at=now,
            expires_at=expires_at,
        )
        revoked = (col(ApiTokenRow.name) == name, col(ApiTokenRow.revoked_at).is_not(None))
        try:
            async with self._db.write() as session:
                await session.exec(delete(ApiTokenRow).where(*revoked))
                session.add(row)
                if audit is not None:
                    session.add(audit)
        except IntegrityError as error:
            raise BadInput(
                words(f"токен {name} уже есть", f"there is a token {name} already"),
                hint=words("отзовите его или назовите иначе", "revoke it, or take another name"),
            ) from error
        return _token(row), token

    async def list(self) -> Sequence[ApiToken]:
        """By name, revoked ones too."""
        async with self._db.read() as session:
            rows = (await session.exec(select(ApiTokenRow).order_by(col(ApiTokenRow.name)))).all()
        return [_token(row) for row in rows]

    async def revoke(self, name: str, *, audit: AuditRow | None = None) -> None:
        """Good for nothing from now on. Raises BadInput for one that is not there, or was revoked."""
        async with self._db.write() as session:
            done = await session.exec(
                update(ApiTokenRow)
                .where(col(ApiTokenRow.name) == name, col(ApiTokenRow.revoked_at).is_(None))
                .values(revoked_at=self._clock.now())
            )
            if done.rowcount and audit is not None:
                session.add(audit)
        if not done.rowcount:
            raise BadInput(
                words(f"действующего токена {name} нет", f"there is no valid token {name}"),
                hint="otklik tokens list",
            )

    async def find(self, token: str) -> ApiToken | None:
        """Whose it is, if it is good now; that it is used is remembered."""
        if len(token) > LONGEST:
            return None
        now = self._clock.now()
        async with self._db.read() as session:
            row = await session.get(ApiTokenRow, hash_of(token))
        if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= now):
            return None
        if row.used_at is None or (now - row.used_at).total_seconds() >= SEEN_EVERY_S:
            async with self._db.write() as session:
                await session.exec(
                    update(ApiTokenRow).where(col(ApiTokenRow.id) == row.id).values(used_at=now)
                )
        return _token(row)


def _token(row: ApiTokenRow) -> ApiToken:
    return ApiToken(
        row.name,
        tuple(map(Scope, row.scopes.split(","))),
        row.created_at,
        row.expires_at,
        row.used_at,
        row.revoked_at,
    )
