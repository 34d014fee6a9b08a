"""The node gets SIGTERM in the middle of calls: nobody is cut off without a word, and nothing is left
running."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from pathlib import Path

from bot.core.events import CallEvent, PromptStarted
from bot.sim.results import CallReport
from bot.sim.run import run_scenario
from tests.node.heard import stored
from tests.node.running import RunningNode, running_node
from tests.node.test_calls import ANSWERS, DEAD_AIR_S, run, scenario
from tests.telephony.peers import sipp
from tests.trust.faults import alive, children, then

INTO_IT = 3
"""Prompts after which a caller has been asked the first question."""


def test_the_node_gets_sigterm_in_a_call() -> None:
    """It waits for the call's own end."""
    with running_node(call={"drain_s": 60}) as node:
        pids = children(node)
        stop = then((PromptStarted, lambda: node.process.send_signal(signal.SIGTERM)))
        (call,) = asyncio.run(run(node, scenario({"name": "last", "answers": ANSWERS}), stop)).calls
        assert node.process.wait(60) == 0
    assert (call.ended, call.disposition) == ("remote_hangup", "completed")
    assert call.longest_silence_s < DEAD_AIR_S
    assert not [name for name, pid in pids.items() if alive(pid)]
    assert not node.settings.control_socket.exists()


class Stopper:
    """What was said in each call; the node gets SIGTERM as soon as two are that far."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._sent = False
        self.said: dict[str, list[str]] = defaultdict(list)

    def __call__(self, event: CallEvent) -> None:
        if not isinstance(event, PromptStarted):
            return
        self.said[event.call_id].append(event.purpose)
        if not self._sent and sum(len(each) >= INTO_IT for each in self.said.values()) == 2:
            self._sent = True
            self._node.process.send_signal(signal.SIGTERM)


def test_the_node_gets_sigterm_in_calls_that_last_longer_than_it_waits(tmp_path: Path) -> None:
    """Both callers are told before their lines are cut; one of them is sipp, and gets its BYE."""
    with running_node(call={"drain_s": 0.5}) as node:
        stopper = Stopper(node)

        async def play() -> tuple[CallReport, bool]:
            async with (
                await node.connect() as control,
                sipp("uac_talk", tmp_path, calls=node.sip, service="csat") as peer,
            ):
                script = scenario({"name": "cut", "answers": {"nps": {"silence": True}}})
                (call,) = (await run_scenario(script, control, node.sip, None, stopper)).calls
                return call, await peer.succeeded()

        call, got_its_bye = asyncio.run(play())
        assert node.process.wait(60) == 0
        ends = {call_id: stored(node, call_id).attempt.disposition for call_id in stopper.said}
    assert got_its_bye
    assert call.longest_silence_s < DEAD_AIR_S
    assert set(ends) > {call.call_id}
    assert list(ends.values()) == ["interrupted", "interrupted"]
    assert [each[-1] for each in stopper.said.values()] == ["apology", "apology"]
