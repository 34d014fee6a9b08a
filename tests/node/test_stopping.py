"""How a node goes down: nobody is cut off without a word, and nothing is left running."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from bot.core.events import CallEvent, PromptStarted
from bot.sim.results import SimReport
from bot.sim.run import run_scenario
from tests.node.running import RunningNode, running_node
from tests.node.test_calls import ANSWERS, DEAD_AIR_S, scenario


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def run_and(node: RunningNode, script: Any, on_event: Any) -> SimReport:
    async with await node.connect() as control:
        return await run_scenario(script, control, node.sip, None, on_event)


def stopped_when(node: RunningNode, prompt: int) -> Callable[[CallEvent], None]:
    def stop(event: CallEvent) -> None:
        if isinstance(event, PromptStarted) and event.prompt == prompt:
            node.process.send_signal(signal.SIGTERM)

    return stop


def test_sigterm_lets_a_call_end_by_itself_and_leaves_nothing_running() -> None:
    with running_node(call={"drain_s": 60}) as node:
        pids = asyncio.run(node.ask("status"))["children"]
        script = scenario({"name": "last", "answers": ANSWERS})
        report = asyncio.run(run_and(node, script, stopped_when(node, 1)))
        assert node.process.wait(60) == 0
    (call,) = report.calls
    assert call.ended == "remote_hangup"
    assert call.disposition == "completed"
    assert call.longest_silence_s < DEAD_AIR_S
    assert not [name for name, pid in pids.items() if alive(pid)]
    assert not node.settings.control_socket.exists()


def test_a_caller_who_talks_for_longer_is_told_before_the_line_is_cut() -> None:
    heard: list[str] = []

    def listen(event: CallEvent) -> None:
        if isinstance(event, PromptStarted):
            heard.append(event.purpose)

    with running_node(call={"drain_s": 0.5}) as node:
        stop = stopped_when(node, 3)
        script = scenario({"name": "cut", "answers": {"nps": {"silence": True}}})
        report = asyncio.run(run_and(node, script, lambda event: (listen(event), stop(event))))
        assert node.process.wait(60) == 0
    (call,) = report.calls
    assert call.disposition == "interrupted"
    assert heard[-1] == "apology"
    assert call.longest_silence_s < DEAD_AIR_S


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(10):
        while any(alive(pid) for pid in pids):  # noqa: ASYNC110  these are no children of ours
            await asyncio.sleep(0.1)
