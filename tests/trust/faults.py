"""What makes a fault in the middle of a call, and what each must leave behind: nobody in silence, nothing
lost, no line taken."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from bot.core.events import CallEvent
from bot.sim.results import CallReport
from tests.node.running import RunningNode
from tests.node.test_calls import DEAD_AIR_S, YES, run, scenario

RTP_TIMEOUT_S = 5
"""In the place of 20 s: after so long without a packet the far end has vanished."""
FREE_WITHIN_S = 10.0


def nothing(event: CallEvent) -> None:
    """Nobody does anything about it."""


def one(node: RunningNode, name: str, on_event: Callable[[CallEvent], None], **changes: Any) -> CallReport:
    """A call to its end: of the short CSAT, by somebody who presses the score and says the rest, unless
    `changes` say otherwise."""
    call = {"survey": "csat", "answers": {"csat": {"keys": "5"}, "resolved": YES}}
    (told,) = asyncio.run(run(node, scenario({"name": name, **call, **changes}), on_event)).calls
    return told


def then(*steps: tuple[type[CallEvent], Callable[[], object]]) -> Callable[[CallEvent], None]:
    """Each step at the first event of its kind that follows the step before."""
    left = list(steps)

    def see(event: CallEvent) -> None:
        if left and isinstance(event, left[0][0]):
            left.pop(0)[1]()

    return see


def whole(call: CallReport) -> None:
    """The caller heard it all, and every answer he gave is stored as he gave it."""
    assert (call.disposition, call.failures) == ("completed", [])
    assert call.answers == {"csat": 5, "resolved": "yes"}
    assert call.longest_silence_s < DEAD_AIR_S


def well(node: RunningNode) -> None:
    """The fault is over: every process is there, no call is left and every line is free. That the next caller
    notices nothing shows in the next test's call."""
    asyncio.run(_free(node))


async def _free(node: RunningNode) -> None:
    async with asyncio.timeout(FREE_WITHIN_S):
        while True:
            status = await node.ask("status")
            if status["ready"] and not status["missing"] and not status["call_ids"]:
                break
            await asyncio.sleep(0.1)  # polled: a line that becomes free tells nobody
    assert status["free_lines"] == node.settings.sip.max_calls


def child(node: RunningNode, name: str) -> int:
    """The process id of one of its processes."""
    pid = asyncio.run(node.ask("status"))["children"][name]
    assert isinstance(pid, int)
    return pid


def other_process(node: RunningNode) -> closing[sqlite3.Connection]:
    """The node's database as another process has it open."""
    return closing(sqlite3.connect(node.settings.database_url.partition("///")[2], isolation_level=None))


def answers(database: sqlite3.Connection) -> int:
    """How many are stored."""
    (count,) = database.execute("SELECT count(*) FROM answers").fetchone()
    return int(count)
