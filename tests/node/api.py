"""A node's API and its webhooks, as a CRM has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.accounts.tokens import ApiTokens, Scope
from bot.core.clock import SystemClock
from bot.core.ids import new_id
from bot.delivery.endpoints import Endpoints
from bot.settings_rooms import store_settings
from bot.store.database import Database
from tests.node.running import RunningNode

LONGEST_S = 30.0


async def post(node: RunningNode, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """With a token of its own; the answer of an order that is taken."""
    async with Database.open(store_settings(node.settings)) as db:
        _, token = await ApiTokens(db, SystemClock()).add(new_id("crm"), tuple(Scope))
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id("talk")}
    async with (
        aiohttp.ClientSession(node.settings.web.address, headers=headers) as crm,
        crm.post(f"/api/v1/{path}", json=body) as reply,
    ):
        assert reply.status in (201, 202), await reply.text()
        answer: dict[str, Any] = await reply.json()
        return answer


@dataclass
class Crm:
    """What it was told; `told` is set with each message."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    told: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        async with self.told:
            self.messages.append(await request.json())
            self.told.notify_all()
        return web.Response(status=204)

    async def hears(self, name: str) -> dict[str, Any]:
        """The data of the first message of this type."""

        def found() -> list[dict[str, Any]]:
            return [message["data"] for message in self.messages if message["type"] == name]

        async with asyncio.timeout(LONGEST_S), self.told:
            await self.told.wait_for(found)
        return found()[0]


@asynccontextmanager
async def told_crm(node: RunningNode) -> AsyncIterator[Crm]:
    """An endpoint of the node's webhooks, on loopback."""
    crm = Crm()
    app = web.Application()
    app.router.add_post("/", crm.take)
    async with TestServer(app) as server, Database.open(store_settings(node.settings)) as db:
        await Endpoints(db, SystemClock()).add("crm", str(server.make_url("/")), private=True)
        yield crm
