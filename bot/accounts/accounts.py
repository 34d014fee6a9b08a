"""The accounts: add, list, change, give another password, remove.

Whoever changes one may hand over the row of the audit log that says so (`audit`): both are there, or neither.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.core.clock import Clock
from bot.core.errors import AccountTaken, BadInput, LastAdmin
from bot.core.ids import new_id
from bot.store.account_tables import AccountRow, AuditRow, SessionRow
from bot.store.database import Database
from bot.words import words

_LOGIN = re.compile(r"[\w.@+-]{2,64}")


@dataclass(frozen=True, slots=True)
class Account:
    """`agent_id` is the agent (of the agents' table) whose desk this account opens; "" for none. With
    `must_change` its password is known to somebody else, and all that it opens is a way to another one."""

    id: str
    login: str
    name: str
    role: Role
    agent_id: str
    created_at: datetime
    must_change: bool = False

    @property
    def shown(self) -> str:
        return self.name or self.login


def plain_login(written: str) -> str:
    """One writing for all that are taken for the same login: without regard to case or to letters' width."""
    return unicodedata.normalize("NFKC", written).strip().casefold()


def login_of(written: str) -> str:
    """A login as it is kept. Raises BadInput."""
    login = plain_login(written)
    if not _LOGIN.fullmatch(login):
        raise BadInput(
            words(f"имя для входа «{written}» не подходит", f"«{written}» cannot be a login"),
            hint=words("2–64 знака: буквы, цифры и . _ @ + -", "2 to 64 letters, digits or . _ @ + -"),
        )
    return login


class Accounts:
    def __init__(self, db: Database, passwords: Passwords, clock: Clock) -> None:
        self._db = db
        self._passwords = passwords
        self._clock = clock

    async def add(
        self,
        login: str,
        password: str,
        role: Role,
        *,
        name: str = "",
        agent_id: str = "",
        once: bool = False,
        audit: AuditRow | None = None,
    ) -> Account:
        """`once`: the password is good for one sign-in, at which it must be changed. Raises AccountTaken for
        a login that is there already, BadInput for what cannot be one."""
        row = AccountRow(
            id=new_id("account"),
            login=login_of(login),
            name=name.strip(),
            role=role,
            agent_id=agent_id.strip(),
            password_hash=await self._passwords.hash(password),
            must_change=once,
            created_at=self._clock.now(),
        )
        try:
            async with self._db.write() as session:
                session.add(row)
                _add(session, audit)
        except IntegrityError as error:
            raise AccountTaken(
                words(f"имя для входа {row.login} уже занято", f"the login {row.login} is taken"),
                hint=words("кто есть: otklik accounts list", "who there is: otklik accounts list"),
            ) from error
        return _account(row)

    async def list(self) -> Sequence[Account]:
        async with self._db.read() as session:
            rows = (await session.exec(select(AccountRow).order_by(col(AccountRow.login)))).all()
        return [_account(row) for row in rows]

    async def count(self, role: Role) -> int:
        counting = select(func.count()).select_from(AccountRow).where(col(AccountRow.role) == role)
        async with self._db.read() as session:
            return (await session.exec(counting)).one()

    async def named(self, login: str) -> Account:
        """Raises BadInput."""
        async with self._db.read() as session:
            return _account(await self._row(session, login))

    async def change(
        self,
        login: str,
        *,
        role: Role | None = None,
        name: str | None = None,
        agent_id: str | None = None,
        audit: AuditRow | None = None,
    ) -> Account:
        """What is None stays. With another role he has to sign in anew. Raises BadInput, LastAdmin."""
        async with self._db.write() as session:
            row = await self._row(session, login)
            if role is not None and role != row.role:
                await _keep_an_admin(session, row)
                row.role = role
                await session.exec(delete(SessionRow).where(col(SessionRow.account_id) == row.id))
            row.name = row.name if name is None else name.strip()
            row.agent_id = row.agent_id if agent_id is None else agent_id.strip()
            session.add(row)
            _add(session, audit)
        return _account(row)

    async def set_password(
        self,
        login: str,
        password: str,
        *,
        once: bool = False,
        keep: str = "",
        audit: AuditRow | None = None,
    ) -> None:
        """Whoever was signed in with the old one no longer is, but for the session `keep` (its id). `once`
        as in `add`. Raises BadInput."""
        kept = await self._passwords.hash(password)
        async with self._db.write() as session:
            row = await self._row(session, login)
            row.password_hash, row.must_change = kept, once
            session.add(row)
            others = (col(SessionRow.account_id) == row.id, col(SessionRow.id) != keep)
            await session.exec(delete(SessionRow).where(*others))
            _add(session, audit)

    async def remove(self, login: str, *, audit: AuditRow | None = None) -> None:
        """The account and its sessions. Raises BadInput, LastAdmin."""
        async with self._db.write() as session:
            row = await self._row(session, login)
            await _keep_an_admin(session, row)
            await session.exec(delete(SessionRow).where(col(SessionRow.account_id) == row.id))
            await session.delete(row)
            _add(session, audit)

    async def known_by(self, login: str, password: str) -> Account | None:
        """The account of this login and password; None where either is wrong, and it takes as long."""
        try:
            wanted = login_of(login)
        except BadInput:
            wanted = ""
        async with self._db.read() as session:
            row = (await session.exec(select(AccountRow).where(col(AccountRow.login) == wanted))).first()
        if not await self._passwords.fits(row.password_hash if row else "", password) or row is None:
            return None
        if self._passwords.is_outdated(row.password_hash):
            kept = await self._passwords.hash(password)
            async with self._db.write() as session:
                await session.exec(
                    update(AccountRow)
                    .where(col(AccountRow.id) == row.id, col(AccountRow.password_hash) == row.password_hash)
                    .values(password_hash=kept)
                )
        return _account(row)

    async def _row(self, session: AsyncSession, login: str) -> AccountRow:
        wanted = login_of(login)
        row = (await session.exec(select(AccountRow).where(col(AccountRow.login) == wanted))).first()
        if row is None:
            raise BadInput(
                words(f"учётной записи {wanted} нет", f"there is no account {wanted}"),
                hint=words("кто есть: otklik accounts list", "who there is: otklik accounts list"),
            )
        return row


async def _keep_an_admin(session: AsyncSession, row: AccountRow) -> None:
    """Before an account stops being an administrator's. All of them are locked: of two that demote one
    another only one can. Raises LastAdmin."""
    if row.role != Role.ADMIN:
        return
    admins = select(AccountRow.id).where(col(AccountRow.role) == Role.ADMIN).with_for_update()
    if set((await session.exec(admins)).all()) <= {row.id}:
        raise LastAdmin(
            words(f"{row.login} — единственный администратор", f"{row.login} is the only administrator"),
            hint=words(
                "сначала сделайте администратором другого", "make somebody else an administrator first"
            ),
        )


def _add(session: AsyncSession, audit: AuditRow | None) -> None:
    if audit is not None:
        session.add(audit)


def _account(row: AccountRow) -> Account:
    return Account(row.id, row.login, row.name, Role(row.role), row.agent_id, row.created_at, row.must_change)
