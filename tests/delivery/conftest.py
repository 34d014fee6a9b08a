"""A receiver of webhooks on loopback, and calls as a worker would spool them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.events import CallEvent
from bot.delivery.endpoints import Endpoints
from bot.delivery.posting import Limits, Postman
from bot.delivery.sender import Sender
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.writer import Writer
from tests.store.talk import START

Keep = Callable[..., Awaitable[None]]


@dataclass
class Received:
    """One request, as it came."""

    headers: dict[str, str]
    text: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.text)


@dataclass
class Receiver:
    """Answers with what `answers` has next, and with `otherwise` after that."""

    server: TestServer = field(init=False)
    answers: list[web.Response] = field(default_factory=list)
    otherwise: int = 204
    got: list[Received] = field(default_factory=list)
    held: Callable[[], Awaitable[None]] | None = None

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Received({k.lower(): v for k, v in request.headers.items()}, await request.text()))
        if self.held is not None:
            await self.held()
        return self.answers.pop(0) if self.answers else web.Response(status=self.otherwise)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/hook"))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    async with TestServer(app) as receiver.server:
        yield receiver


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START + timedelta(minutes=1))


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as database:
        await database.upgrade()
        yield database


@pytest.fixture
def writer(db: Database, tmp_path: Path, clock: ManualClock) -> Writer:
    return Writer(db, SpoolReader(tmp_path / "spool"), clock)


@pytest.fixture
def keep(tmp_path: Path, writer: Writer) -> Keep:
    async def through_the_spool(*events: CallEvent) -> None:
        async with Spool.open(tmp_path / "spool", "media-1") as spool:
            for event in events:
                await spool.commit(event)
        await writer.drain_once()

    return through_the_spool


@pytest.fixture
def endpoints(db: Database, clock: ManualClock) -> Endpoints:
    return Endpoints(db, clock)


@pytest.fixture
async def postman(clock: ManualClock) -> AsyncIterator[Postman]:
    async with Postman(clock, Limits(connect_s=1, whole_s=1)) as postman:
        yield postman


@pytest.fixture
def sender(db: Database, postman: Postman, clock: ManualClock, writer: Writer) -> Sender:
    return Sender(db, postman, clock, writer.drain_once, chance=lambda: 0.5)
