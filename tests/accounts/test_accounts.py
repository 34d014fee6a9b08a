"""Accounts, their passwords and sessions: what is kept, what is refused, what runs out."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.accounts.accounts import Accounts, login_of
from bot.accounts.passwords import SHORTEST, Passwords
from bot.accounts.roles import Role
from bot.accounts.sessions import Sessions, SessionSettings
from bot.core.clock import ManualClock
from bot.core.errors import AccountTaken, BadInput, LastAdmin
from bot.store.database import Database
from tests.accounts.conftest import QUICK

PASSWORD = "верблюд и четыре окна"


async def test_an_account_is_known_by_its_password_alone(accounts: Accounts) -> None:
    added = await accounts.add("Irina", PASSWORD, Role.AGENT, name="Ирина", agent_id="ivanova")
    known = await accounts.known_by(" IRINA ", PASSWORD)
    assert known == added
    assert (added.login, added.role, added.agent_id, added.shown) == (
        "irina",
        Role.AGENT,
        "ivanova",
        "Ирина",
    )
    assert await accounts.known_by("irina", PASSWORD + "!") is None
    assert await accounts.known_by("nobody", PASSWORD) is None
    assert await accounts.known_by("no such / login", PASSWORD) is None


async def test_a_password_is_the_same_on_every_keyboard(accounts: Accounts) -> None:
    """A letter й may come as one character or as two (Unicode's NFC and NFD)."""
    await accounts.add("irina", "\u0439 и ещё много слов", Role.AGENT)
    assert await accounts.known_by("irina", "\u0438\u0306 и ещё много слов") is not None


async def test_no_password_is_kept(accounts: Accounts, tmp_path: Path) -> None:
    await accounts.add("irina", PASSWORD, Role.AGENT)
    (kept,) = sqlite3.connect(tmp_path / "otklik.sqlite").execute("SELECT password_hash FROM accounts")
    assert kept[0].startswith("$argon2id$")
    assert PASSWORD.encode() not in (tmp_path / "otklik.sqlite").read_bytes()


@pytest.mark.parametrize("password", ["", "короткий", "x" * 257])
async def test_a_password_that_will_not_do_makes_no_account(accounts: Accounts, password: str) -> None:
    with pytest.raises(BadInput, match=str(SHORTEST)):
        await accounts.add("irina", password, Role.AGENT)
    assert await accounts.list() == []


async def test_a_login_is_taken_once_whatever_its_case(accounts: Accounts) -> None:
    await accounts.add("irina", PASSWORD, Role.AGENT)
    with pytest.raises(AccountTaken):
        await accounts.add("IRINA", PASSWORD, Role.ADMIN)
    assert [(each.login, each.role) for each in await accounts.list()] == [("irina", Role.AGENT)]


@pytest.mark.parametrize("login", ["", "a", "two words", "a/b", "x" * 65, "<b>"])
def test_what_no_login_can_be(login: str) -> None:
    with pytest.raises(BadInput):
        login_of(login)


async def test_a_weak_hash_is_made_anew_when_its_owner_signs_in(db: Database, clock: ManualClock) -> None:
    await Accounts(db, Passwords(QUICK), clock).add("irina", PASSWORD, Role.AGENT)
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    accounts = Accounts(db, Passwords(stronger), clock)
    for _ in range(2):
        assert await accounts.known_by("irina", PASSWORD) is not None
    async with db.read() as session:
        kept = (await session.connection()).exec_driver_sql("SELECT password_hash FROM accounts")
        row = (await kept).one()
    assert "t=2" in row[0]


async def test_an_unknown_login_costs_a_hash_as_a_known_one_does() -> None:
    """Otherwise the time of an answer would tell who has an account."""
    made: list[str] = []

    class Counted(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            made.append("verify")
            return super().verify(hash, password)

    passwords = Passwords(Counted(time_cost=1, memory_cost=8, parallelism=1))
    assert not await passwords.fits("", "nobody's password")
    assert made == ["verify"]


async def test_the_first_administrator_is_missed_until_there_is_one(accounts: Accounts) -> None:
    await accounts.add("irina", PASSWORD, Role.AGENT)
    assert await accounts.count(Role.ADMIN) == 0
    await accounts.add("admin", PASSWORD, Role.ADMIN)
    assert await accounts.count(Role.ADMIN) == 1


# Sessions -------------------------------------------------------------------------------------


async def test_a_session_is_found_by_its_token_until_it_is_ended(
    accounts: Accounts, db: Database, clock: ManualClock
) -> None:
    sessions = Sessions(db, clock)
    account = await accounts.add("irina", PASSWORD, Role.AGENT)
    first, second = await sessions.begin(account), await sessions.begin(account)
    found = await sessions.find(first)
    assert found is not None
    assert found.account == account
    assert found.session_id != first
    await sessions.end(first)
    assert await sessions.find(first) is None
    assert await sessions.find(second) is not None
    await accounts.set_password("irina", "другой длинный пароль")
    assert await sessions.find(second) is None
    assert await sessions.find("made up") is None


async def test_a_session_runs_out_with_time_and_with_disuse(
    accounts: Accounts, db: Database, clock: ManualClock
) -> None:
    sessions = Sessions(db, clock, SessionSettings(lifetime_s=3600, idle_s=900))
    account = await accounts.add("irina", PASSWORD, Role.AGENT)
    used, idle = await sessions.begin(account), await sessions.begin(account)
    for _ in range(4):
        clock.advance(800)
        assert await sessions.find(used) is not None
    assert await sessions.find(idle) is None
    clock.advance(400)  # an hour since the beginning
    assert await sessions.find(used) is None


async def test_a_new_password_and_a_removal_end_every_session(
    accounts: Accounts, db: Database, clock: ManualClock
) -> None:
    sessions = Sessions(db, clock)
    account = await accounts.add("irina", PASSWORD, Role.AGENT)
    before = await sessions.begin(account)
    await accounts.set_password("Irina", "другой длинный пароль")
    assert await sessions.find(before) is None
    assert await accounts.known_by("irina", PASSWORD) is None
    assert await accounts.known_by("irina", "другой длинный пароль") is not None
    after = await sessions.begin(account)
    await accounts.remove("irina")
    assert await sessions.find(after) is None
    for change in (accounts.remove("irina"), accounts.set_password("irina", PASSWORD)):
        with pytest.raises(BadInput, match="irina"):
            await change


async def test_of_two_administrators_who_demote_one_another_one_stays(accounts: Accounts) -> None:
    for login in ("anna", "boris"):
        await accounts.add(login, PASSWORD, Role.ADMIN)
    done = await asyncio.gather(
        *(accounts.change(login, role=Role.AGENT) for login in ("anna", "boris")), return_exceptions=True
    )
    assert [type(each) for each in done if isinstance(each, Exception)] == [LastAdmin]
    assert await accounts.count(Role.ADMIN) == 1
