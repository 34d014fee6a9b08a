"""Drafts on a node that works: checked, tried with its Rasa and its voice, published."""

from __future__ import annotations

import asyncio
import base64
import wave
from io import BytesIO
from typing import Any

import pytest

from bot.core.clock import SystemClock
from bot.core.control import ControlClient
from bot.core.errors import BadInput
from bot.published import Published, published_dir
from bot.settings_rooms import store_settings
from bot.store import drafts
from bot.store.database import Database
from bot.surveys.loader import from_json, survey_hash
from tests.node.running import RunningNode
from tests.node.test_publishing import TEXT

DRAFT = TEXT.replace("id: fresh", "id: tried").format(version=1, title="Пробный")


async def over(control: ControlClient) -> dict[str, Any]:
    """The publication at its end."""
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await control.request("survey_progress", survey="tried"))["publication"]
            if found["state"] in ("done", "failed"):
                return found
            await asyncio.sleep(0.05)


async def test_a_draft_is_checked_tried_and_published(node: RunningNode) -> None:
    async with await node.connect() as control:
        found = await control.request("survey_check", text=DRAFT)
        assert found["problems"] == []
        json = found["survey"]["json"]

        talk = await control.request("survey_try", json=json, owner="oleg", language="en")
        who = {"talk": talk["talk_id"], "owner": "oleg"}
        assert any("Оцените" in line["text"] for line in talk["lines"])
        talk = await control.request("survey_turn", line="пять", **who)
        assert talk["answers"][0]["value"] == "5"
        talk = await control.request("survey_turn", line="#1", **who)
        assert talk["disposition"] == "completed"
        spoken = base64.b64decode((await control.request("survey_sound", number=0, **who))["wav"])
        with wave.open(BytesIO(spoken)) as sound:
            assert (sound.getframerate(), sound.getnframes() > 8000) == (8000, True)
        with pytest.raises(BadInput):
            await control.request("survey_tried", talk=talk["talk_id"], owner="anna")

        published = Published(published_dir(node.settings))
        assert "tried" not in published.current(), "a trial publishes nothing"
        async with Database.open(store_settings(node.settings)) as db:
            now = SystemClock().now()
            await drafts.begin(db, "tried", DRAFT, started_from="", login="oleg", now=now)
            await control.request("survey_publish", survey="tried", revision=1, login="oleg")
            done = await over(control)
            assert (done["state"], done["version"], done["ready"]) == ("done", 1, done["total"])
            assert published.current()["tried"] == survey_hash(from_json(json))
            assert await drafts.find(db, "tried") is None
