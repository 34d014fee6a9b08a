"""Faults of a node's own processes and of what it writes to, in the middle of real calls: each call but the
first is the one after a fault.

Silence is measured on what arrived at the caller's own socket.
"""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import signal
from dataclasses import dataclass, field

import pytest

from bot.core.events import (
    AnswerRecorded,
    CallEnded,
    CallEvent,
    ListeningStarted,
    PromptStarted,
    TurnHeard,
)
from bot.sim.results import CallReport
from tests.node.running import RunningNode
from tests.node.test_calls import ANSWERS, DEAD_AIR_S
from tests.trust.faults import (
    STARTED_AGAIN_S,
    Watched,
    answers,
    child,
    killing,
    one,
    other_process,
    then,
    well,
    whole,
)

SLOW_S = 1.5
"""By so much Rasa's reply is late: within what the dialogue is given (2 s), and beyond what silence may last
with the answer's own end."""


# Processes ------------------------------------------------------------------------------------


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


def test_rasa_is_killed(faulty: RunningNode) -> None:
    """He is told, what he had answered is stored, and another Rasa is started."""
    rasa, seen = child(faulty, "rasa"), Watched((AnswerRecorded, killing(faulty, "rasa")))
    call = one(faulty, "orphan", seen, survey="nps", answers=ANSWERS)
    seen.kept_in(call.answers)
    assert seen.said[-1] == "apology"
    assert (call.disposition, call.answers, call.ended) == ("partial", {"nps": 9}, "remote_hangup")
    assert call.longest_silence_s < DEAD_AIR_S
    well(faulty, STARTED_AGAIN_S)
    assert child(faulty, "rasa") != rasa


def test_the_recogniser_is_killed(faulty: RunningNode) -> None:
    """Its process is the media worker's, so SIP goes with it: control hangs up for the dead one, and stores
    from the spool what was committed."""
    worker = child(faulty, "worker-0")
    seen = Watched((AnswerRecorded, int), (AnswerRecorded, killing(faulty, "worker-0")))
    call = one(faulty, "killed", seen, survey="nps", answers=ANSWERS)
    seen.kept_in(call.answers)
    assert (call.disposition, call.ended) == ("interrupted", "remote_hangup")
    assert call.answers == {"nps": 9, "resolved": "yes"}
    assert call.longest_silence_s < DEAD_AIR_S
    well(faulty, STARTED_AGAIN_S)
    assert child(faulty, "worker-0") != worker


def test_the_synthesiser_is_killed(faulty: RunningNode) -> None:
    """All that this survey can say was made before it rang."""
    synthesiser = child(faulty, "synthesiser")
    call = one(faulty, "voiceless", then((PromptStarted, killing(faulty, "synthesiser"))))
    whole(call)
    well(faulty, STARTED_AGAIN_S)
    assert child(faulty, "synthesiser") != synthesiser


def test_the_synthesiser_is_killed_before_a_prompt_of_what_he_said(faulty: RunningNode) -> None:
    """The sentence that asks whether it was this number cannot be made before the call: he is told, and what
    he had answered is stored."""
    number = 100 + secrets.randbelow(900)  # a sentence of an earlier run would be kept
    # Another one is there in two seconds; he is done with the keys before.
    seen = Watched((AnswerRecorded, int), (ListeningStarted, killing(faulty, "synthesiser")))
    pressed = {"resolved": {"keys": "1"}, "minutes": {"keys": f"{number}#"}}
    call = one(faulty, "repeated", seen, survey="confirmed", answers=pressed)
    seen.kept_in(call.answers)
    assert seen.said[-1] == "apology"
    assert (call.disposition, call.answers, call.ended) == ("partial", {"resolved": "yes"}, "remote_hangup")
    assert call.longest_silence_s < DEAD_AIR_S
    well(faulty, STARTED_AGAIN_S)


# What it writes to ----------------------------------------------------------------------------


def test_the_disk_under_the_spool_is_full(faulty: RunningNode) -> None:
    """The caller is told, and whatever anybody was told of is stored."""
    before, worker = faulty.metrics(), child(faulty, "worker-0")
    unlimited = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    # No file of the worker may grow any more: to a writer, that is a full disk.
    full = (1, unlimited[1])
    seen = Watched((AnswerRecorded, lambda: resource.prlimit(worker, resource.RLIMIT_FSIZE, full)))
    try:
        call = one(faulty, "full", seen, survey="nps", answers=ANSWERS)
    finally:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, unlimited)
    assert call.ended == "remote_hangup", "the bot said sorry and hung up"
    assert call.longest_silence_s < DEAD_AIR_S
    # Its end could not be written down, so nobody was told of it; whatever was told of is there.
    (stored,) = asyncio.run(faulty.ask("calls", call_ids=[call.call_id]))["calls"]
    assert seen.committed
    seen.kept_in(stored["answers"])
    after, interrupted = faulty.metrics(), ("otklik_calls_total", ("outbound", "interrupted"))
    assert after["otklik_live_calls", ()] == 0, "that nobody was told of its end does not keep it alive"
    assert after[interrupted] - before.get(interrupted, 0) == 1
    well(faulty)


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
