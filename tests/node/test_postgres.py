"""A node on a real PostgreSQL, and what becomes of a call when the database goes away in its middle."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.core.errors import StoreUnavailable
from bot.core.events import AnswerRecorded, CallEnded, CallEvent
from tests.node.heard import DEAD_AIR_S, Talk, stored, talk
from tests.node.running import RunningNode
from tests.node.test_calls import ANSWERS, scenario
from tests.postgres import Postgres


def select(node: RunningNode, query: str, *values: str) -> list[dict[str, Any]]:
    """What a program that knows nothing of ours reads from the tables."""

    async def ask() -> list[dict[str, Any]]:
        url = node.settings.database_url.replace("postgresql+asyncpg://", "postgresql://")
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    return asyncio.run(ask())


async def run(
    node: RunningNode, folder: Path, call: dict[str, Any], on_event: Any = lambda event: None
) -> Talk:
    async with await node.connect() as control:
        return await talk(node, scenario(call), folder, control, on_event)


def test_a_call_is_in_the_tables(other_node: RunningNode, tmp_path: Path) -> None:
    keys = {
        "csat": {"keys": "4", "during_prompt": True},
        "resolved": {"keys": "2", "during_prompt": True},
    }
    call = {"name": "kept", "survey": "csat", "agent": {"id": "op-3"}, "department": "sales", "answers": keys}
    done = asyncio.run(run(other_node, tmp_path, call))
    call_id = done.call("kept").call_id
    assert asyncio.run(other_node.ask("status"))["database"] == "postgresql"
    answers = select(
        other_node,
        "SELECT question_id, status, value, number, source FROM answers WHERE call_id = $1 ORDER BY seq",
        call_id,
    )
    assert [tuple(row.values()) for row in answers] == [
        ("csat", "answered", "4", 4.0, "dtmf"),
        ("resolved", "answered", "no", None, "dtmf"),
    ]
    (attempt,) = select(other_node, "SELECT * FROM attempts WHERE call_id = $1", call_id)
    assert (attempt["status"], attempt["disposition"]) == ("final", "completed")
    assert (attempt["agent_id"], attempt["department"]) == ("op-3", "sales")
    kinds = select(other_node, "SELECT kind FROM call_events WHERE call_id = $1 ORDER BY seq", call_id)
    assert [row["kind"] for row in kinds] == [event.kind for event in done.events]


class Outage:
    """Takes the database away after the first answer and brings it back once the call is over."""

    def __init__(self, postgres: Postgres, node: RunningNode) -> None:
        self._postgres, self._node = postgres, node
        self._work: asyncio.Task[None] | None = None
        self._answers = 0
        self.lag_s = 0.0
        self.refused: StoreUnavailable | None = None

    def __call__(self, event: CallEvent) -> None:
        if isinstance(event, AnswerRecorded):
            self._answers += 1
            if self._answers == 1:
                self._work = asyncio.create_task(asyncio.to_thread(self._postgres.stop))
            elif self._answers == 3:
                self._work = asyncio.create_task(self._look(self._work))
        if isinstance(event, CallEnded):
            self._work = asyncio.create_task(self._bring_back(self._work))

    async def _look(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        self.lag_s = (await self._node.ask("status"))["lag_s"]
        try:
            await self._node.ask("place_call", to="sip:nobody@127.0.0.1:9")
        except StoreUnavailable as error:
            self.refused = error

    async def _bring_back(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        await asyncio.to_thread(self._postgres.start)

    async def over(self) -> None:
        assert self._work is not None
        await self._work


def test_a_database_that_goes_away_in_the_middle_loses_no_answer(
    other_node: RunningNode, postgres: Postgres, tmp_path: Path
) -> None:
    outage = Outage(postgres, other_node)

    async def call() -> Talk:
        try:
            return await run(other_node, tmp_path, {"name": "outlived", "answers": ANSWERS}, outage)
        finally:
            await outage.over()

    done = asyncio.run(call())
    outlived = done.call("outlived")
    assert outlived.failures == []
    assert outlived.longest_silence_s < DEAD_AIR_S, "the caller noticed nothing"
    assert len(outlived.said) == 3
    assert outage.lag_s > 0, "while it was away, the events waited"
    assert outage.refused is not None
    assert "only-for-tests" not in str(outage.refused), "the password is nobody's business"

    assert outlived.disposition == "completed"
    found = stored(other_node, outlived.call_id)
    assert {answer.question_id: answer.value for answer in found.answers} == {
        "nps": "9",
        "resolved": "yes",
        "comment": outlived.answers["comment"],
    }
    rows = select(
        other_node, "SELECT event_id FROM call_events WHERE call_id = $1 ORDER BY seq", outlived.call_id
    )
    assert [row["event_id"] for row in rows] == [event.id for event in done.events], "each once"
    assert not select(other_node, "SELECT id FROM attempts WHERE to_uri LIKE 'sip:nobody@%'")
    assert not select(other_node, "SELECT event_id FROM call_events WHERE NOT projected")


def test_calls_go_on_as_before(other_node: RunningNode, tmp_path: Path) -> None:
    leaves = {"name": "later", "survey": "csat", "on_answer": [{"pause_s": 0.3}, {"hang_up": True}]}
    done = asyncio.run(run(other_node, tmp_path, leaves))
    assert done.call("later").disposition == "hung_up"
    assert asyncio.run(other_node.ask("status"))["lag_s"] == pytest.approx(0, abs=1)
