"""The description of the API is true: schemas that hold, and no route that it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from jsonschema import Draft202012Validator
from pytest_aiohttp import AiohttpClient

from bot.core.clock import ManualClock
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.web.api import API
from bot.web.api.openapi import document
from bot.web.server import make_app
from tests.web.api import ApiNode
from tests.web.test_api import CALL

DOCUMENT = document("http://pages.test")


def valid(schema: str, given: Any) -> bool:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(whole).is_valid(given))


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_what_it_says_of_a_call() -> None:
    assert valid("CallRequest", CALL)
    assert not valid("CallRequest", {**CALL, "phome": "1"})
    assert not valid("CallRequest", {"survey": "nps"})


async def test_it_is_served_without_a_token_and_names_every_route(
    tmp_path: Path, clock: ManualClock, aiohttp_client: AiohttpClient
) -> None:
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        await db.upgrade()
        node = ApiNode(tmp_path, db, clock)
        client = await aiohttp_client(TestServer(make_app(node.parts)))
        async with client.get(f"{API}/openapi.json") as reply:
            assert (reply.status, await reply.json()) == (200, DOCUMENT)
        routes = {
            (route.method.lower(), route.resource.canonical)
            for route in client.app.router.routes()
            if route.resource is not None and route.resource.canonical.startswith(f"{API}/")
        }
        described = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
        assert {pair for pair in routes if pair[0] != "head"} - described == {("get", f"{API}/openapi.json")}
        assert described <= routes
        mine = await node.token()
        headers = {**mine, "Idempotency-Key": "k"}
        async with client.post(f"{API}/calls", json=CALL, headers=headers) as reply:
            accepted = await reply.json()
        async with client.get(f"{API}/calls/{accepted['id']}", headers=mine) as reply:
            became = await reply.json()
        async with client.post(f"{API}/calls", json={}, headers=headers) as reply:
            problem = await reply.json()
        async with client.post(f"{API}/announcements", json={"phone": "1"}, headers=mine) as reply:
            announced = await reply.json()
    for schema, given in (
        ("Accepted", accepted), ("CallState", became), ("ProblemDetails", problem), ("Announced", announced),
    ):  # fmt: skip
        assert valid(schema, given), (schema, given)


@pytest.mark.parametrize("status", ["401", "403", "413", "415", "422", "429", "503"])
def test_every_order_tells_how_it_may_fail(status: str) -> None:
    for path in ("calls", "announcements"):
        assert status in DOCUMENT["paths"][f"{API}/{path}"]["post"]["responses"]
