"""The node gets SIGKILL in the middle of two calls, and is started again in the same folder: one caller has
answered once, the other waits while an agent's telephone rings."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import pytest

from bot.core.control import ControlClient
from bot.core.endings import Disposition, EndKind
from bot.core.events import AnswerRecorded, CallEvent, HandoverRinging, ListeningStarted
from bot.sim.messages import PeerSpec, Perform, Report
from bot.sim.peer_process import PeerProcess
from bot.sim.results import CallReport
from bot.sim.script import OnInvite, Step
from bot.store import queries
from tests.handover.test_node import asks_for_him, stored_cases
from tests.node.heard import stored
from tests.node.running import RunningNode, ready, start
from tests.node.test_calls import DEAD_AIR_S, run, scenario
from tests.patience import no_second_try
from tests.trust.faults import alive, gone, well, whole

KEYS = {"csat": "5", "matter": "4", "offer": "1"}
"""Of the second question nobody has an answer: he who is asked it talks until the node goes."""
AGENT = "absent"
"""Whom the survey of handovers rings for a four."""
GOODBYE_S = 15.0
"""A worker that is left alone says its apology and goes within so long."""
LONGEST_S = 60.0


@dataclass
class Killed:
    silent: list[str] = field(default_factory=list)
    """Telephones that nobody had told of an end when the time for it was over."""
    left: list[str] = field(default_factory=list)
    """Processes that were there still."""
    reports: dict[str, list[Report]] = field(default_factory=dict)
    """Of the telephones of both callers and of the agent."""
    stored: dict[str, queries.Call] = field(default_factory=dict)
    next: dict[str, CallReport] = field(default_factory=dict)


async def talk_and_kill(node: RunningNode, phones: dict[str, PeerProcess], told: Killed) -> dict[str, str]:
    """The call ids. He who asks for an agent rings first; the other one, who presses five, as soon as that is
    offered; and the node is gone when the five is committed and the agent's telephone rings."""
    pids = (await node.ask("status"))["children"]
    call_ids: dict[str, str] = {}
    async with await node.connect() as control:
        await control.watch()
        await control.request("set_agent", target=AGENT, uri=phones[AGENT].uri)
        call_ids["waits"] = await ring(control, phones["waits"], "handover")
        seen = set[type[CallEvent]]()
        async with asyncio.timeout(LONGEST_S):
            async for event in control.events():
                if (
                    isinstance(event, ListeningStarted)
                    and event.question_id == "offer"
                    and len(call_ids) == 1
                ):
                    call_ids["talks"] = await ring(control, phones["talks"], "csat")
                if isinstance(event, ListeningStarted) and event.question_id in KEYS:
                    (name,) = [each for each, call_id in call_ids.items() if call_id == event.call_id]
                    phones[name].tell(Perform(steps=(Step(keys=KEYS[event.question_id]),)))
                if isinstance(event, HandoverRinging) or (
                    isinstance(event, AnswerRecorded) and event.question_id == "csat"
                ):
                    seen.add(type(event))
                if len(seen) == 2:
                    break
    node.process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(node.process.wait, 10)
    found = await asyncio.gather(*(phone.report(0, GOODBYE_S) for phone in phones.values()))
    told.silent = [name for name, report in zip(phones, found, strict=True) if report is None]
    with suppress(TimeoutError):
        await gone(list(pids.values()))
    told.left = [name for name, pid in pids.items() if alive(pid)]
    for name in told.left:
        os.kill(pids[name], signal.SIGKILL)  # or no other node could be started in its place
    return call_ids


async def ring(control: ControlClient, phone: PeerProcess, survey: str) -> str:
    return str((await control.request("place_call", to=phone.uri, survey=survey))["call_id"])


@pytest.fixture(scope="module")
def killed(faulty: RunningNode) -> Killed:
    """Their telephones could be rung until calls of others with the new node are over: one that is whole, and
    one that asks for the same agent."""
    told = Killed()

    async def play() -> dict[str, str]:
        async with AsyncExitStack() as stack:
            phones: dict[str, PeerProcess] = {}
            for name in ("talks", "waits", AGENT):
                on_invite = OnInvite.NO_ANSWER if name == AGENT else OnInvite.ANSWER
                spec = PeerSpec(name=name, user=name, on_invite=on_invite)
                phones[name] = await PeerProcess.start(spec)
                stack.push_async_callback(phones[name].close)
            call_ids = await talk_and_kill(faulty, phones, told)
            faulty.process = start(faulty.settings).process
            await ready(faulty)
            await faulty.ask("set_agent", target=AGENT, uri=phones[AGENT].uri)  # it holds until a node stops
            gives_up = asks_for_him("again", {"pause_s": 2.5}, {"hang_up": True})
            answers = {"csat": {"keys": "5"}, "resolved": {"keys": "1"}}
            script = scenario({"name": "next", "survey": "csat", "answers": answers}, gives_up, at_once=2)
            told.next = {call.name: call for call in (await run(faulty, script)).calls}
            await phones[AGENT].report(1, GOODBYE_S)
            told.reports = {name: phone.reports for name, phone in phones.items()}
            return call_ids

    told.stored = {name: stored(faulty, call_id) for name, call_id in asyncio.run(play()).items()}
    return told


def test_the_node_gets_sigkill_in_a_call(killed: Killed) -> None:
    """The caller is told, and the next start stores his answer; nobody rings him again, and the next caller
    notices nothing."""
    assert (killed.silent, killed.left) == ([], []), "nothing is left running"
    with no_second_try():
        assert [(answer.question_id, answer.value) for answer in killed.stored["talks"].answers] == [
            ("csat", "5")
        ]
        assert len(killed.reports["talks"]) == 1
    (report,) = killed.reports["talks"]
    assert report.cause is EndKind.REMOTE_HANGUP
    assert report.longest_bot_silence_s < DEAD_AIR_S
    attempt = killed.stored["talks"].attempt
    assert attempt.disposition == Disposition.PARTIAL
    assert attempt.end_cause == EndKind.LOCAL_HANGUP, "by its own word, from the spool"
    whole(killed.next["next"])


def test_the_node_gets_sigkill_while_an_agents_telephone_rings(faulty: RunningNode, killed: Killed) -> None:
    """The caller is told and the telephone falls silent; the next start owes him a call of this agent, who is
    free for others."""
    assert killed.silent == []
    (report,) = killed.reports["waits"]
    assert report.cause is EndKind.REMOTE_HANGUP
    assert report.longest_bot_silence_s < DEAD_AIR_S
    first, second = killed.reports[AGENT]
    assert (first.cause, first.answered) == (EndKind.CANCELLED, False)
    call_id = str(killed.stored["waits"].attempt.call_id)
    with no_second_try():
        (case,) = asyncio.run(stored_cases(faulty, call_id))
        assert (case.row.callback, case.row.owner_id, case.row.reason) == (True, AGENT, "node_stopped")
        assert [(answer.question_id, answer.value) for answer in killed.stored["waits"].answers] == [
            ("matter", "4")
        ]
    assert second.cause is EndKind.CANCELLED, "rung for the next caller, who hangs up"


def test_the_node_gets_sigkill_and_no_line_is_stuck(faulty: RunningNode, killed: Killed) -> None:
    assert killed.next
    well(faulty)
