"""What makes a fault in the middle of a call, and what each must leave behind: nobody in silence, nothing
lost, no line taken."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from bot.core.events import AnswerRecorded, CallEvent, PromptStarted
from bot.sim.results import CallReport
from tests.node.heard import Talk
from tests.node.running import RunningNode
from tests.node.test_calls import DEAD_AIR_S, YES, run, scenario
from tests.patience import no_second_try

RTP_TIMEOUT_S = 5
"""In the place of 20 s: after so long without a packet the far end has vanished."""
FREE_WITHIN_S = 10.0
STARTED_AGAIN_S = 60.0
"""A process that was killed is there again within so long, whatever it has to load."""
GONE_WITHIN_S = 10.0


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


class Watched:
    """A call as it is told of: for what the bot spoke, and what was committed. `steps` are as in `then`."""

    def __init__(self, *steps: tuple[type[CallEvent], Callable[[], object]]) -> None:
        self._act = then(*steps)
        self.said: list[str] = []
        self.committed: dict[str, object] = {}

    def __call__(self, event: CallEvent) -> None:
        self._act(event)
        if isinstance(event, PromptStarted):
            self.said.append(event.purpose)
        if isinstance(event, AnswerRecorded) and event.answer.value is not None:
            self.committed[event.question_id] = event.answer.value

    def kept_in(self, stored: Mapping[str, object]) -> None:
        """What was committed is stored, and nothing else."""
        with no_second_try():
            assert stored == self.committed, f"stored {stored}, committed {self.committed}"


def whole(call: CallReport) -> None:
    """The caller heard it all, and every answer he gave is stored as he gave it."""
    assert (call.disposition, call.failures) == ("completed", [])
    assert call.answers == {"csat": 5, "resolved": "yes"}
    assert call.longest_silence_s < DEAD_AIR_S


def committed(talked: Talk, name: str) -> CallReport:
    """What was committed of a call is stored, and nothing else: the last word on each question."""
    call = talked.call(name)
    recorded = {event.question_id: event.answer.value for event in talked.of(name, AnswerRecorded)}
    kept = {question: value for question, value in recorded.items() if value is not None}
    with no_second_try():
        assert call.answers == kept, f"{name}: stored {call.answers}, committed {kept}"
    return call


def well(node: RunningNode, within_s: float = FREE_WITHIN_S) -> None:
    """The fault is over: every process is there, no call is left and every line is free. That the next caller
    notices nothing shows in the next test's call."""
    asyncio.run(_free(node, within_s))


async def _free(node: RunningNode, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while True:
            status = await node.ask("status")
            if status["ready"] and not status["missing"] and not status["call_ids"]:
                break
            await asyncio.sleep(0.1)  # polled: a line that becomes free tells nobody
    assert status["free_lines"] == node.settings.sip.max_calls


def children(node: RunningNode) -> dict[str, int]:
    """The process ids of its processes by their names."""
    found: dict[str, int] = asyncio.run(node.ask("status"))["children"]
    return found


def child(node: RunningNode, name: str) -> int:
    """The process id of one of its processes."""
    return children(node)[name]


def killing(node: RunningNode, name: str) -> Callable[[], None]:
    """What kills one of its processes: the one that there is now."""
    pid = child(node, name)
    return lambda: os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(pids: list[int]) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(GONE_WITHIN_S):
        while any(alive(pid) for pid in pids):  # noqa: ASYNC110  these are no children of ours
            await asyncio.sleep(0.1)


def other_process(node: RunningNode) -> closing[sqlite3.Connection]:
    """The node's database as another process has it open."""
    return closing(sqlite3.connect(node.settings.database_url.partition("///")[2], isolation_level=None))


def answers(database: sqlite3.Connection) -> int:
    """How many are stored."""
    (count,) = database.execute("SELECT count(*) FROM answers").fetchone()
    return int(count)
