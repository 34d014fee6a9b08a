"""Whether a node says that it lives, and that it can take calls."""

from __future__ import annotations

import pytest

from bot.core.errors import OtklikError, StoreUnavailable, Unavailable
from bot.store.database import Database
from bot.web.parts import Parts
from tests.web.conftest import Client, Orders

WELL = {"ready": True, "missing": []}


async def test_a_node_with_everything_is_ready(client: Client, control: Orders) -> None:
    control.answers["status"] = WELL
    async with client.get("/readyz") as reply:
        assert (reply.status, await reply.json()) == (200, {"ready": True, "missing": []})


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        ({"ready": True, "missing": ["rasa"]}, ["rasa"]),
        ({"ready": False, "missing": ["media-1"]}, ["media-1"]),
        ({"ready": False}, ["node"]),  # it is being started
        (Unavailable("away"), ["node"]),
    ],
)
async def test_a_node_without_a_part_is_not_ready_and_lives(
    client: Client, control: Orders, status: dict[str, object] | OtklikError, missing: list[str]
) -> None:
    control.answers["status"] = status
    async with client.get("/readyz") as reply:
        assert (reply.status, await reply.json()) == (503, {"ready": False, "missing": missing})
    async with client.get("/healthz") as reply:
        assert reply.status == 200


async def test_a_node_without_its_database_is_not_ready(
    client: Client, parts: Parts, control: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(db: Database) -> None:
        raise StoreUnavailable("postgresql://10.0.0.5 does not answer")

    control.answers["status"] = WELL
    monkeypatch.setattr(Database, "read", away)
    async with client.get("/readyz") as reply:
        text = await reply.text()
    assert (reply.status, '"missing": ["database"]' in text, "10.0.0.5" in text) == (503, True, False)
