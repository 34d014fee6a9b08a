"""A crowd of calls, those who read them, and what their tests ask of a page."""

from __future__ import annotations

import asyncio
import html
import re
import shutil
from datetime import date, datetime
from pathlib import Path
from random import Random

import pytest

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.reports.periods import Period
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.web.parts import Parts
from tests.reports import world
from tests.web.conftest import HTML, PASSWORD, QUICK, Client

ZONE = "Europe/Moscow"
PERIOD = Period(date(2025, 3, 25), date(2025, 4, 8), ZONE)
QUERY = "period=own&from=2025-03-25&to=2025-04-08"
NOW = datetime.fromisoformat("2025-04-20T12:00:00+03:00")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a crowd of calls and a manager: made once, copied for each test."""
    file = tmp_path_factory.mktemp("made") / "otklik.sqlite"
    chance = Random(5)

    async def make() -> None:
        async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{file}")) as db:
            await db.upgrade()
            await world.store(db, [world.random_call(chance) for _ in range(250)])
            accounts = Accounts(db, Passwords(QUICK), ManualClock(NOW))
            for role in Role:
                await accounts.add(role.value, PASSWORD, role)

    asyncio.run(make())
    return file


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> None:
    shutil.copy(made, tmp_path)


@pytest.fixture
async def parts(copied: None, parts: Parts) -> Parts:
    return parts


async def enter(client: Client, role: Role) -> None:
    form = {"login": role.value, "password": PASSWORD}
    async with client.post("/sign-in", data=form, allow_redirects=False) as reply:
        assert reply.status == 303


@pytest.fixture
async def manager(client: Client) -> Client:
    await enter(client, Role.MANAGER)
    return client


async def taken(client: Client, address: str) -> bytes:
    async with client.get(address, headers=HTML) as reply:
        assert reply.status == 200
        assert "attachment" in reply.headers["Content-Disposition"]
        return await reply.read()


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ").split())


def rows(text: str, caption: str) -> list[list[str]]:
    """The cells of the body and the foot of the first table after a heading of this id."""
    part = text[text.index(f'id="{caption}"') :]
    body = part[part.index("<tbody>") : part.index("</table>")]
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]


def key(line: list[str]) -> str:
    """Of a line's slice, whose name stands before the link to its calls."""
    return line[0].removesuffix(" звонки").replace("не указан", "")
