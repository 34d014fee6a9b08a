"""The edges that take a whole node: who comes back is known, and whoever waits when a process ends is owed.

One node lives through all of them, in this order: a caller gives up and comes back, the worker is killed
while a phone rings, and then the node is stopped while another one does.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.core.endings import EndKind
from bot.core.errors import Unavailable
from bot.core.events import CallEvent, HandoverRinging, HandoverStarted, OfferMade, PromptStarted
from bot.settings_rooms import store_settings
from bot.sim.agents import AgentDoes, when_asked
from bot.sim.expectations import heard
from bot.sim.messages import PeerSpec, Report
from bot.sim.results import CallReport
from bot.store import cases
from bot.store.cases import Case
from bot.store.database import Database
from bot.surveys.handover_words import RUSSIAN
from tests.handover.conftest import Measured
from tests.handover.stage import AGENT_HZ, CALLER_HZ, times_of
from tests.node.heard import Talk, agents, talk
from tests.node.running import RunningNode, running_node
from tests.node.test_calls import scenario

ACCEPTS = {"keys": "1", "during_prompt": True}
AFTER = {"tone_hz": CALLER_HZ, "expect_hz": AGENT_HZ, "listen_s": 3.0}
PHONE = "79005550001"
"""The same number both times: a case is found by it."""


OnEvent = Callable[[CallEvent], None]


def nothing(event: CallEvent) -> None:
    """Nobody does anything about it."""


class Played:
    """What came of the three."""

    def __init__(self) -> None:
        self.talks: dict[str, Talk] = {}
        self.rung: dict[str, list[Report]] = {}
        self.cases: dict[str, list[Case]] = {}

    def call(self, edge: str) -> CallReport:
        (call,) = self.talks[edge].report.calls
        return call

    def case(self, edge: str) -> Case:
        (case,) = self.cases[edge]
        return case


def phone(name: str, does: AgentDoes) -> PeerSpec:
    return PeerSpec(
        name="absent",
        user=name,
        on_invite=does.on_invite,
        when_asked=when_asked(does),
        tone_hz=AGENT_HZ,
        listen_hz=(CALLER_HZ,),
    )


def asks_for_him(name: str, *then: dict[str, Any]) -> dict[str, Any]:
    """Somebody who is to be handed over to the agent `absent`."""
    keys = {"matter": {"keys": "4", "during_prompt": True}, "offer": [ACCEPTS, *then]}
    return {"name": name, "survey": "handover", "answers": keys}


async def play(node: RunningNode, folder: Path) -> Played:
    played = Played()

    async def one(edge: str, call: dict[str, Any], does: AgentDoes, on_event: OnEvent = nothing) -> None:
        async with await node.connect() as control, agents(control, phone(edge, does)) as phones:
            played.talks[edge] = await talk(node, scenario(call), folder, control, on_event)
            await phones["absent"].report(0, 15)
        played.rung[edge] = phones["absent"].reports

    gives_up = asks_for_him(PHONE, {"pause_s": 2.5}, {"hang_up": True})
    await one("gave_up", gives_up, AgentDoes.NEVER_ANSWERS)
    played.cases["gave_up"] = await stored_cases(node, played.call("gave_up").call_id)
    back = {"name": PHONE, "survey": "handover", "direction": "inbound", "answers": {"offer": ACCEPTS}}
    await one("caller_returns", {**back, "after_transfer": AFTER}, AgentDoes.ACCEPTS_BY_KEY)

    worker = (await node.ask("status"))["children"]["worker-0"]

    def kill(event: CallEvent) -> None:
        if isinstance(event, HandoverRinging):
            asyncio.get_running_loop().call_later(1.0, os.kill, worker, signal.SIGKILL)

    await one("worker_killed", asks_for_him("killed"), AgentDoes.NEVER_ANSWERS, kill)
    played.cases["worker_killed"] = await stored_cases(node, played.call("worker_killed").call_id)
    await ready(node)

    def stop(event: CallEvent) -> None:
        if isinstance(event, HandoverRinging):
            asyncio.get_running_loop().call_later(1.0, node.process.send_signal, signal.SIGTERM)

    await one("node_drained", asks_for_him("drained"), AgentDoes.NEVER_ANSWERS, stop)
    assert await asyncio.to_thread(node.process.wait, 30) == 0
    played.cases["node_drained"] = await stored_cases(node, played.call("node_drained").call_id)
    return played


async def ready(node: RunningNode) -> None:
    """Until a new worker takes calls."""
    async with asyncio.timeout(60):
        while not (await status(node)).get("ready"):  # noqa: ASYNC110  a worker that starts tells nobody
            await asyncio.sleep(0.2)


async def status(node: RunningNode) -> dict[str, Any]:
    try:
        return await node.ask("status")
    except Unavailable:
        return {}


async def stored_cases(node: RunningNode, call_id: str) -> list[Case]:
    """The open cases of a call, once its writer has got that far."""
    async with asyncio.timeout(20), Database.open(store_settings(node.settings)) as database:
        while True:
            found = [case for case in await cases.cases(database) if case.row.call_id == call_id]
            if found and found[0].row.owner_id and found[0].row.due_at is not None:
                return found
            await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, measured: Measured) -> Played:
    with running_node(call={"drain_s": 1.0}, handover={"ring_s": 25}) as node:
        made = asyncio.run(play(node, tmp_path_factory.mktemp("node")))
    for edge in ("caller_returns", "worker_killed", "node_drained"):
        measured[edge] = {"bridge": times_of(made.talks[edge].events)}
    measured["worker_killed"]["bridge"]["decided_s"] = decided_s(made, "worker_killed")
    return made


def decided_s(played: Played, edge: str) -> float:
    """Until the case was opened that a dead worker could not open: from its handover's beginning."""
    start = next(event.at for event in played.talks[edge].events if isinstance(event, HandoverStarted))
    return round((played.case(edge).row.opened_at - start).total_seconds(), 2)


def owed(played: Played, edge: str, reason: str) -> None:
    row = played.case(edge).row
    assert row.callback
    assert row.owner_id == "absent"
    assert row.due_at is not None
    assert row.reason == reason


def silenced(played: Played, edge: str) -> None:
    """The agent's phone was taken back, long before it would have stopped ringing by itself."""
    (rung,) = played.rung[edge]
    assert (rung.cause, rung.answered) == (EndKind.CANCELLED, False)


def test_caller_returns(played: Played) -> None:
    """No survey: he is asked for his agent at once, and has him."""
    owed(played, "gave_up", "caller_left")
    silenced(played, "gave_up")
    call, talked = played.call("caller_returns"), played.talks["caller_returns"]
    said = [event.text for event in talked.of(PHONE, PromptStarted)]
    assert said[0] == RUSSIAN.returning
    assert talked.of(PHONE, OfferMade)
    assert call.disposition == "transferred"
    assert call.tones.caller_heard is not None
    assert heard(call.tones.caller_heard)
    (rung,) = played.rung["caller_returns"]
    assert heard(rung.tones[0])


def test_worker_killed(played: Played) -> None:
    owed(played, "worker_killed", "interrupted")
    silenced(played, "worker_killed")
    assert played.call("worker_killed").ended == "remote_hangup", "the caller's line was ended for the dead"


def test_node_drained(played: Played) -> None:
    owed(played, "node_drained", "node_stopped")
    silenced(played, "node_drained")
    talked = played.talks["node_drained"]
    assert [event.purpose for event in talked.of("drained", PromptStarted)][-1] == "apology"
    assert played.call("node_drained").longest_bot_silence_s < 2.0
