"""Bad networks, and far ends that go their own way in the middle of a call: each test looks at a call of its
own, and all of them are made at once.

Silence is measured on what arrived at the caller's own socket.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from bot.core.endings import EndKind
from bot.core.events import CallEnded, PromptStarted
from bot.sim.results import CallReport
from tests.node.heard import Talk, stored, talk
from tests.node.running import RunningNode
from tests.node.test_calls import DEAD_AIR_S, scenario
from tests.patience import no_second_try
from tests.trust.bad_networks import AT_ONCE, HOLD_S, Sipped, calls, renegotiates, vanishes
from tests.trust.faults import children, committed, nothing, well


@dataclass(frozen=True, slots=True)
class Met:
    """What came of all the calls; those of sipp raise in their own tests what went wrong with them."""

    talked: Talk
    renegotiated: asyncio.Task[Sipped]
    vanished: asyncio.Task[Sipped]


@pytest.fixture(scope="module")
def met(faulty: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Met:
    before = children(faulty)

    async def play() -> Met:
        renegotiated = asyncio.create_task(renegotiates(faulty, tmp_path_factory.mktemp("sipp")))
        vanished = asyncio.create_task(vanishes(faulty, tmp_path_factory.mktemp("sipp")))
        async with await faulty.connect() as control:
            folder = tmp_path_factory.mktemp("network")
            talked = await talk(faulty, scenario(*calls(), at_once=AT_ONCE), folder, control, nothing)
        await asyncio.wait((renegotiated, vanished))
        return Met(talked, renegotiated, vanished)

    made = asyncio.run(play())
    with no_second_try():
        assert children(faulty) == before, "no process of the node is another one"
    return made


def survived(met: Met, name: str) -> CallReport:
    """The survey comes to its end, nobody waits in silence, and what was committed is stored."""
    call = committed(met.talked, name)
    assert (call.disposition, call.failures) == ("completed", [])
    assert call.longest_bot_silence_s < DEAD_AIR_S
    return call


def right(met: Met, name: str) -> CallReport:
    """And every answer is what he said."""
    call = survived(met, name)
    assert (call.answers["nps"], call.answers["resolved"]) == (9, "yes")
    assert call.answers["comment"]
    return call


def lost(call: CallReport) -> float:
    """The share of the node's packets that did not arrive: without it a call would prove nothing."""
    return call.packets_lost / (call.packets_lost + call.packets_received)


def test_packet_loss_of_5_percent(met: Met) -> None:
    call = right(met, "loss-5")
    assert lost(call) == pytest.approx(0.05, abs=0.03)


def test_packet_loss_of_20_percent(met: Met) -> None:
    call = survived(met, "loss-20")
    assert call.answers["nps"] in (9, 10), "«девять», or «десять» where its middle is gone"
    assert call.answers["resolved"] == "yes"
    assert call.answers["comment"]
    assert lost(call) == pytest.approx(0.2, abs=0.07)


def test_jitter_of_60_ms(met: Met) -> None:
    right(met, "jitter-60-ms")


def test_reordering_of_a_fifth_of_the_packets(met: Met) -> None:
    right(met, "reordered")


def test_one_way_audio_the_caller_hears_nothing(met: Met) -> None:
    """What he says is believed: the node cannot know that it is not heard."""
    call = committed(met.talked, "caller-hears-nothing")
    assert (call.disposition, call.answers["nps"], call.answers["resolved"]) == ("completed", 9, "yes")


def test_one_way_audio_the_node_hears_nothing(met: Met) -> None:
    """It hangs up."""
    call = committed(met.talked, "node-hears-nothing")
    (ended,) = met.talked.of("node-hears-nothing", CallEnded)
    assert ended.cause is EndKind.MEDIA_LOST
    assert (call.disposition, call.ended, call.answers) == ("failed", "remote_hangup", {})
    assert call.longest_bot_silence_s < DEAD_AIR_S


def test_nat_rebinding(met: Met) -> None:
    """Followed by a re-INVITE, as of a telephone that has noticed it."""
    right(met, "moved")


def test_nat_rebinding_without_a_word(met: Met) -> None:
    """The node hears him at any port, and sends where SIP said: a network in front of it can do better, see
    docs/trust.md."""
    call = committed(met.talked, "moved-unsaid")
    assert (call.disposition, call.answers["nps"], call.answers["resolved"]) == ("completed", 9, "yes")


def test_hold_in_the_middle(met: Met) -> None:
    """He is asked again, and answers when he is back."""
    call = right(met, "held")
    asked = [event for event in met.talked.of("held", PromptStarted) if event.purpose == "no_input"]
    assert asked, "a silence like any other"
    assert call.longest_silence_s < HOLD_S + DEAD_AIR_S


def test_reinvite_in_the_middle(met: Met) -> None:
    right(met, "renegotiated")


def test_reinvite_with_another_codec_in_the_middle_of_a_call_of_sipp(faulty: RunningNode, met: Met) -> None:
    call = met.renegotiated.result()
    found = stored(faulty, call.call_id)
    assert call.ended, "the node hung up, as it should"
    assert found.attempt.disposition == "completed"
    assert {answer.question_id: answer.value for answer in found.answers} == {"csat": "5", "resolved": "yes"}
    assert call.longest_silence_s < DEAD_AIR_S


def test_the_far_end_vanishes(met: Met) -> None:
    """His answers are kept, and the call is none any more."""
    call = committed(met.talked, "vanished")
    (ended,) = met.talked.of("vanished", CallEnded)
    assert (call.disposition, call.answers) == ("partial", {"nps": 9})
    assert ended.cause is EndKind.MEDIA_LOST


def test_the_far_end_vanishes_and_it_is_sipp(faulty: RunningNode, met: Met) -> None:
    call = met.vanished.result()
    found = stored(faulty, call.call_id)
    assert (found.attempt.disposition, found.attempt.end_cause) == ("partial", EndKind.MEDIA_LOST)
    assert [(answer.question_id, answer.value) for answer in found.answers] == [("nps", "9")]


def test_no_line_is_stuck_after_bad_networks(faulty: RunningNode, met: Met) -> None:
    well(faulty)
    assert faulty.metrics()["otklik_live_calls", ()] == 0
