"""A receiver of webhooks on loopback, and calls as a worker would spool them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlmodel import select

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.events import CallEvent
from bot.delivery.endpoints import Endpoint, Endpoints
from bot.delivery.posting import Limits, Postman
from bot.delivery.sender import Sender
from bot.store.database import Database
from bot.store.tables_delivery import WebhookDeliveryRow
from bot.store.writer import Writer
from tests.databases import database_at
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
    async with database_at(tmp_path / "otklik.sqlite") as database:
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


@pytest.fixture
async def crm(endpoints: Endpoints, receiver: Receiver) -> Endpoint:
    return await endpoints.add("crm", receiver.url, personal=True, private=True)


def verify(endpoint: Endpoint, got: Received) -> None:
    """As docs/api.md says it, without the library that signs."""
    key = base64.b64decode(endpoint.secret.get_secret_value().removeprefix("whsec_"))
    said = f"{got.id}.{got.headers['webhook-timestamp']}.{got.text}".encode()
    wanted = base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    assert got.headers["webhook-signature"] == f"v1,{wanted}"


async def statuses(db: Database) -> list[tuple[str, str, int]]:
    async with db.read() as session:
        rows = (await session.exec(select(WebhookDeliveryRow))).all()
    return sorted((row.event, row.status, row.tries) for row in rows)
