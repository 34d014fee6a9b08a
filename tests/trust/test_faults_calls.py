"""Faults in the middle of real calls on one node: bad networks, far ends that go their own way, processes
that stall or die, a database that takes nothing, and at last the node itself, killed and started again.

Silence is measured on what arrived at the caller's own socket; and each call but the first is the one after
a fault.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    AnswerRecorded,
    CallEnded,
    CallEvent,
    ListeningStarted,
    PromptStarted,
    TurnHeard,
)
from bot.sim.messages import PeerSpec, Perform, Report
from bot.sim.peer_process import PeerProcess
from bot.sim.results import CallReport
from bot.sim.script import Step
from bot.store import queries
from tests.node.heard import Talk, stored, talk
from tests.node.running import RunningNode, ready, start
from tests.node.test_calls import ANSWERS, DEAD_AIR_S, scenario
from tests.node.test_stopping import alive, gone
from tests.trust.bad_networks import AT_ONCE, HOLD_S, IN_THE_MIDDLE, NETWORKS, calls
from tests.trust.faults import answers, child, nothing, one, other_process, then, well, whole

SLOW_S = 1.5
"""By so much Rasa's reply is late: within what the dialogue is given (2 s), and beyond what silence may last
with the answer's own end."""
GOODBYE_S = 15.0
"""A worker that is left alone says its apology and goes within so long."""


# Networks and far ends ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def met(faulty: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    async def play() -> Talk:
        async with await faulty.connect() as control:
            folder = tmp_path_factory.mktemp("network")
            return await talk(faulty, scenario(*calls(), at_once=AT_ONCE), folder, control, nothing)

    return asyncio.run(play())


@pytest.mark.parametrize("name", [*NETWORKS, *IN_THE_MIDDLE])
def test_what_was_committed_is_stored(met: Talk, name: str) -> None:
    """And nothing else: the last word on each question that has one."""
    recorded = {event.question_id: event.answer.value for event in met.of(name, AnswerRecorded)}
    assert met.call(name).answers == {
        question: value for question, value in recorded.items() if value is not None
    }


@pytest.mark.parametrize(
    "name", ["loss-5", "loss-20", "jitter-60-ms", "reordered", "held", "renegotiated", "moved"]
)
def test_the_survey_is_completed_and_nobody_waits_in_silence(met: Talk, name: str) -> None:
    call = met.call(name)
    assert (call.disposition, call.failures) == ("completed", [])
    assert call.longest_bot_silence_s < DEAD_AIR_S


@pytest.mark.parametrize("name", ["jitter-60-ms", "reordered", "held", "renegotiated", "moved"])
def test_where_nothing_is_lost_every_answer_is_right(met: Talk, name: str) -> None:
    answers = met.call(name).answers
    assert (answers["nps"], answers["resolved"]) == (9, "yes")
    assert answers["comment"]


def test_on_hold_he_is_asked_again_and_answers_when_he_is_back(met: Talk) -> None:
    asked = [event for event in met.of("held", PromptStarted) if event.purpose == "no_input"]
    assert asked, "a silence like any other"
    assert met.call("held").longest_silence_s < HOLD_S + DEAD_AIR_S


def test_a_lost_packet_is_lost(met: Talk) -> None:
    """Or the calls above would prove nothing."""
    lost = [met.call(name) for name in ("loss-5", "loss-20")]
    shares = [call.packets_lost / (call.packets_lost + call.packets_received) for call in lost]
    assert shares == [pytest.approx(0.05, abs=0.03), pytest.approx(0.2, abs=0.07)]


@pytest.mark.parametrize("name", ["caller-hears-nothing", "moved-unsaid"])
def test_whom_the_node_hears_it_believes_though_he_hears_nothing(met: Talk, name: str) -> None:
    """It cannot know it; a network in front of it can: see docs/trust.md."""
    call = met.call(name)
    assert (call.disposition, call.answers["nps"], call.answers["resolved"]) == ("completed", 9, "yes")


def test_a_caller_whom_the_node_does_not_hear_is_hung_up_on(met: Talk) -> None:
    call = met.call("node-hears-nothing")
    (ended,) = met.of("node-hears-nothing", CallEnded)
    assert ended.cause is EndKind.MEDIA_LOST
    assert (call.disposition, call.ended, call.answers) == ("failed", "remote_hangup", {})
    assert call.longest_bot_silence_s < DEAD_AIR_S


def test_a_caller_who_vanishes_leaves_his_answers_and_no_call(met: Talk) -> None:
    call = met.call("vanished")
    (ended,) = met.of("vanished", CallEnded)
    assert (call.disposition, call.answers) == ("partial", {"nps": 9})
    assert ended.cause is EndKind.MEDIA_LOST


def test_every_line_is_free_again(faulty: RunningNode, met: Talk) -> None:
    well(faulty)
    assert faulty.metrics()["otklik_live_calls", ()] == 0


# Processes and the database -------------------------------------------------------------------


@dataclass
class Stalled:
    slow: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    """For what the bot spoke while Rasa was slow, and once it hung."""
    call: CallReport | None = None


@pytest.fixture(scope="module")
def stalled(faulty: RunningNode) -> Stalled:
    """One call: Rasa takes the first answer late, and the second never. Both are said aloud."""
    rasa, told = child(faulty, "rasa"), Stalled()

    def stop() -> None:
        os.kill(rasa, signal.SIGSTOP)

    def go_on_late() -> None:
        asyncio.get_running_loop().call_later(SLOW_S, os.kill, rasa, signal.SIGCONT)

    stall = then(
        (ListeningStarted, stop), (TurnHeard, go_on_late), (AnswerRecorded, int), (ListeningStarted, stop)
    )
    answered = list[CallEvent]()

    def see(event: CallEvent) -> None:
        stall(event)
        if isinstance(event, AnswerRecorded):
            answered.append(event)
        if isinstance(event, PromptStarted):
            (told.hung if answered else told.slow).append(event.purpose)

    try:
        told.call = one(faulty, "rasa", see, survey="nps", answers=ANSWERS)
    finally:
        os.kill(rasa, signal.SIGCONT)
    return told


def test_rasa_is_slow(stalled: Stalled) -> None:
    """He is asked to wait, and the survey goes on."""
    assert stalled.slow[-1] == "filler"
    assert stalled.hung[:2] == ["acknowledgement", "question"]


def test_rasa_hangs(faulty: RunningNode, stalled: Stalled) -> None:
    """It is given up in time: he is told, and what he had answered is stored."""
    call = stalled.call
    assert call is not None
    assert stalled.hung[-2:] == ["filler", "apology"]
    assert (call.disposition, call.answers) == ("partial", {"nps": 9})
    assert call.ended == "remote_hangup"
    assert call.longest_silence_s < DEAD_AIR_S
    well(faulty)


def test_the_synthesiser_is_killed(faulty: RunningNode) -> None:
    """Whatever a call can say was made before it rang."""
    synthesiser = child(faulty, "synthesiser")
    kill = then((PromptStarted, lambda: os.kill(synthesiser, signal.SIGKILL)))
    call = one(faulty, "voiceless", kill)
    whole(call)
    well(faulty)
    assert child(faulty, "synthesiser") != synthesiser


def test_the_database_is_locked(faulty: RunningNode) -> None:
    """What was said waits in the spool: the caller notices nothing, and it is stored as soon as it may be."""
    with other_process(faulty) as other:
        before, during = answers(other), list[int]()

        def let_go() -> None:
            during.append(answers(other))
            other.execute("ROLLBACK")

        lock = then((PromptStarted, lambda: other.execute("BEGIN IMMEDIATE")), (CallEnded, let_go))
        call = one(faulty, "locked", lock)
    assert during == [before], "none could be stored while he talked"
    whole(call)
    well(faulty)


def test_the_disk_under_the_database_is_full(faulty: RunningNode) -> None:
    """The same where the process that has the database can write no more; as on one that is read-only."""
    control = faulty.process.pid
    unlimited = resource.prlimit(control, resource.RLIMIT_FSIZE)

    def fill() -> None:
        resource.prlimit(control, resource.RLIMIT_FSIZE, (1, unlimited[1]))

    with other_process(faulty) as other:
        before, during = answers(other), list[int]()

        def empty() -> None:
            during.append(answers(other))
            resource.prlimit(control, resource.RLIMIT_FSIZE, unlimited)

        try:
            call = one(faulty, "full", then((PromptStarted, fill), (CallEnded, empty)))
        finally:
            resource.prlimit(control, resource.RLIMIT_FSIZE, unlimited)
    assert during == [before], "none could be stored while he talked"
    whole(call)
    well(faulty)


# The node itself ------------------------------------------------------------------------------


@dataclass
class Killed:
    left: list[str] = field(default_factory=list)
    """Processes that were there when the caller had been told and the time for it was over."""
    reports: list[Report] = field(default_factory=list)
    stored: queries.Call | None = None


async def answer_once_and_kill(node: RunningNode, peer: PeerProcess, told: Killed) -> str:
    """He presses five, and the node is gone as soon as that is committed; the call's id."""
    pids = (await node.ask("status"))["children"]
    async with await node.connect() as control:
        await control.watch()
        call_id = (await control.request("place_call", to=peer.uri, survey="csat"))["call_id"]
        async for event in control.events():
            if isinstance(event, ListeningStarted) and event.question_id == "csat":
                peer.tell(Perform(steps=(Step(keys="5"),)))
            if isinstance(event, AnswerRecorded):
                break
    node.process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(node.process.wait, 10)
    await peer.report(0, GOODBYE_S)
    with suppress(TimeoutError):
        await gone(list(pids.values()))
    told.left = [name for name, pid in pids.items() if alive(pid)]
    return str(call_id)


@pytest.fixture(scope="module")
def killed(faulty: RunningNode) -> Killed:
    """The node is killed in a call and started again, in the same folder. His telephone could be rung until
    somebody else's call with the new one is over."""
    told = Killed()

    async def play() -> str:
        peer = await PeerProcess.start(PeerSpec(name="left", user="left"))
        try:
            call_id = await answer_once_and_kill(faulty, peer, told)
            faulty.process = start(faulty.settings).process
            await ready(faulty)
            whole(await asyncio.to_thread(one, faulty, "next", lambda event: None))
        finally:
            await peer.close()
        told.reports = peer.reports
        return call_id

    told.stored = stored(faulty, asyncio.run(play()))
    return told


def test_the_node_is_killed_and_the_caller_is_told(killed: Killed) -> None:
    report = killed.reports[0]
    assert report.cause is EndKind.REMOTE_HANGUP
    assert report.longest_bot_silence_s < DEAD_AIR_S


def test_the_node_is_killed_and_leaves_nothing_running(killed: Killed) -> None:
    assert killed.left == []


def test_the_node_is_killed_and_its_next_start_stores_the_answer(killed: Killed) -> None:
    assert killed.stored is not None
    assert [(answer.question_id, answer.value) for answer in killed.stored.answers] == [("csat", "5")]
    assert killed.stored.attempt.disposition == Disposition.PARTIAL
    assert killed.stored.attempt.end_cause == EndKind.LOCAL_HANGUP, "by its own word, from the spool"


def test_the_node_is_killed_and_nobody_is_rung_a_second_time(killed: Killed) -> None:
    assert len(killed.reports) == 1
