"""A node at work for the tests of the console: everybody's account, two calls that were made, and browsers
in which somebody is signed in."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Locator, Page, expect

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.core.clock import SystemClock
from bot.core.endings import Disposition
from bot.core.events import CallEnded
from bot.settings_rooms import store_settings
from bot.store.database import Database
from tests.browser import Complaints, chromium
from tests.node.heard import talk
from tests.node.running import RunningNode
from tests.node.test_calls import clip, scenario
from tests.node.test_pages import PASSWORD

PATIENCE_MS = 30_000

ANEW = count(1)
"""A test that is tried again meets what its first try left: each gives its own number to what it makes."""

WORST, BETTER, ANNA = "gleb", "vera", "desk-anna"
PEOPLE = {
    "oleg": (Role.OPS, ""),
    "olga": (Role.MANAGER, ""),
    WORST: (Role.AGENT, WORST),
    "irina": (Role.ADMIN, ""),
    "anna": (Role.AGENT, ""),
}
"""Login -> role, and the agent whose desk it opens; Anna's entry of the agents' table names her login."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the live stream, and how long after its moment it came."""

    event: dict[str, Any]
    lag_s: float


@dataclass(frozen=True, slots=True)
class Day:
    """`seen` is what an administrator's stream told of two calls while they were made: one of a customer
    who is content, one of a customer who is not."""

    node: RunningNode
    trunk_port: int
    seen: list[Seen]
    content: str
    unhappy: str

    def at(self, path: str) -> str:
        return self.node.settings.web.address + path


async def morning(node: RunningNode, port: int, folder: Path) -> Day:
    staff = [
        {"id": BETTER, "name": "Вера Ли", "languages": ["ru"]},
        {"id": WORST, "name": "Глеб Цой", "shift": "always", "languages": ["ru"]},
        {"id": ANNA, "name": "Анна Иванова", "login": "anna", "shift": "always", "languages": ["ru"]},
    ]
    await node.ask("agent_save", agents=staff)
    async with Database.open(store_settings(node.settings)) as db:
        accounts = Accounts(db, Passwords(), SystemClock())
        for login, (role, agent_id) in PEOPLE.items():
            await accounts.add(login, PASSWORD, role, agent_id=agent_id)
    well = {"nps": key("9"), "resolved": key("1"), "comment": clip("056_elena.wav")}
    badly = {"nps": key("2"), "resolved": key("2"), "reason": clip("032_elena.wav"), "offer": key("1")}
    elena = {"first_name": "Елена"}
    script = scenario(
        {"name": "content", "agent": {"id": BETTER}, "answers": well},
        {"name": "unhappy", "agent": {"id": WORST}, "customer": elena, "answers": badly},
        at_once=2,
    )
    seen: list[Seen] = []
    async with (
        session(node, "irina") as http,
        await node.connect() as control,
        http.get("/live", timeout=aiohttp.ClientTimeout(total=None)) as stream,
    ):
        listening = asyncio.create_task(listen(stream, seen))
        talked = await talk(node, script, folder, control)
        async with asyncio.timeout(10):
            await listening
    content, unhappy = talked.call("content"), talked.call("unhappy")
    assert (content.disposition, unhappy.disposition) == (Disposition.COMPLETED, Disposition.CALLBACK)
    return Day(node, port, seen, content.call_id, unhappy.call_id)


def key(pressed: str) -> dict[str, Any]:
    return {"keys": pressed, "during_prompt": True}


@asynccontextmanager
async def session(node: RunningNode, login: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody signed in, without a browser."""
    jar = aiohttp.CookieJar(unsafe=True)  # keeps those of an address without a name as well
    async with aiohttp.ClientSession(node.settings.web.address, cookie_jar=jar) as http:
        async with http.post("/sign-in", data={"login": login, "password": PASSWORD}) as reply:
            assert reply.status == 200
        yield http


async def listen(stream: aiohttp.ClientResponse, seen: list[Seen]) -> None:
    """Until both calls are over."""
    name, ended = "", 0
    async for line in stream.content:
        field, _, value = line.decode().rstrip("\r\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data" and name == "call":
            event = json.loads(value)
            lag = datetime.now(UTC) - datetime.fromisoformat(event["at"])
            seen.append(Seen(event, lag.total_seconds()))
            ended += event["kind"] == CallEnded.model_fields["kind"].default
            if ended == 2:
                return


@asynccontextmanager
async def signed_in(day: Day, login: str, microphone: Path | None = None) -> AsyncIterator[Page]:
    """A browser in which somebody has signed in by the form; in the end it has nothing to complain of."""
    async with chromium(microphone, viewport={"width": 1280, "height": 900}) as context:
        page = context.pages[0]
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        complaints = Complaints(page)
        await page.goto(day.at("/"))
        await enter(page, login, PASSWORD)
        yield page
        assert not complaints.found, complaints.found


async def enter(page: Page, login: str, password: str) -> None:
    await page.get_by_label("Имя для входа").fill(login)
    await page.get_by_label("Пароль").fill(password)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Выйти").wait_for()


async def section(page: Page, name: str) -> None:
    await page.get_by_role("navigation", name="Разделы").get_by_role("link", name=name).click()


async def caret_after(page: Page, text: str) -> None:
    """In the editor, right behind where it stands first."""
    await page.get_by_label("Текст опроса").evaluate(
        "(area, text) => { area.focus();"
        " const at = area.value.indexOf(text) + text.length; area.setSelectionRange(at, at); }",
        text,
    )


async def table_of(page: Page, button: Locator) -> list[dict[str, str]]:
    """The CSV that comes down where this is pressed."""
    async with page.expect_download() as coming:
        await button.click()
    text = (await (await coming.value).path()).read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))
