"""The web application without a node: a database of its own, and orders that are written down."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pytest_aiohttp import AiohttpClient

from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.core.errors import OtklikError
from bot.published import Published
from bot.web.live import Live
from bot.web.parts import Parts, web_parts
from bot.web.server import make_app
from bot.web.settings import MODULES, WebSettings
from tests.accounts.conftest import QUICK
from tests.databases import database_at

PASSWORD = "верблюд и четыре окна"
HTML = {"Accept": "text/html", "Accept-Language": "ru"}


class Orders:
    """Whoever takes the pages' orders: notes them, and answers what `answers` has for their name."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any] | OtklikError] = {}

    async def __call__(self, do: str, **params: Any) -> dict[str, Any]:
        self.taken.append((do, params))
        answer = self.answers.get(do, {})
        if isinstance(answer, OtklikError):
            raise answer
        return answer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def control() -> Orders:
    return Orders()


@pytest.fixture
def worker() -> Orders:
    return Orders()


@pytest.fixture
async def parts(tmp_path: Path, clock: ManualClock, control: Orders, worker: Orders) -> AsyncIterator[Parts]:
    async with database_at(tmp_path / "otklik.sqlite") as db:
        yield web_parts(
            WebSettings("127.0.0.1", 0, "http://pages.test", "s" * 32, MODULES),
            db,
            clock,
            Published(tmp_path / "surveys"),
            Live(),
            control=control,
            worker=worker,
            passwords=Passwords(QUICK),
        )


Client = TestClient[Any, Any]


@pytest.fixture
async def client(parts: Parts, aiohttp_client: AiohttpClient) -> Client:
    """A visitor; his cookies are kept, redirects are not followed."""
    return await aiohttp_client(TestServer(make_app(parts)))


async def sign_in(client: Client, parts: Parts, role: Role, login: str = "irina", agent_id: str = "") -> None:
    await parts.accounts.add(login, PASSWORD, role, agent_id=agent_id)
    form = {"login": login, "password": PASSWORD}
    async with client.post("/sign-in", data=form, allow_redirects=False) as reply:
        assert reply.status == 303, await reply.text()


async def csrf_of(client: Client, path: str = "/") -> str:
    """The token that the forms of a page hold."""
    async with client.get(path, headers=HTML) as reply:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', await reply.text())
    assert found
    return found[1]


async def page(client: Client, address: str, status: int = 200, language: str = "ru") -> str:
    """Its text; a redirect is not followed."""
    headers = {**HTML, "Accept-Language": language}
    async with client.get(address, headers=headers, allow_redirects=False) as reply:
        text = await reply.text()
        assert reply.status == status, text
        return text


@pytest.fixture
async def manager(client: Client, parts: Parts) -> Client:
    await sign_in(client, parts, Role.MANAGER)
    return client
