"""Calls that a PBX passes on: a real SIPp rings the node, with headers, keys, and too often."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from bot.core.control import ControlClient
from bot.core.events import Answered, CallEnded, CallEvent, ListeningStarted
from bot.sim.measure import voiced
from tests.node.heard import DEAD_AIR_S, SAME, Sound, place_of, sentence, stored
from tests.node.running import RunningNode
from tests.telephony.peers import RtpParty, Sipp, rtp_party, sipp

PBX = Path(__file__).parent / "sipp" / "uac_keys.xml"
KEYS = {"csat": "5", "resolved": "1"}
"""Satisfied, and the matter is settled."""

LONGEST_S = 60.0


@dataclass
class PassedOn:
    """One call as SIPp and its party had it."""

    call_id: str = ""
    ended: bool = False
    voiced_at: list[float] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    def take(self, party: RtpParty) -> None:
        for at, pcm in party.heard:
            self.heard.append(pcm)
            if voiced(np.frombuffer(pcm.ljust(320, b"\0"), "<i2")).any():
                self.voiced_at.append(at)

    @property
    def sound(self) -> Sound:
        return np.frombuffer(b"".join(self.heard), "<i2")

    @property
    def longest_silence_s(self) -> float:
        return float(np.diff(self.voiced_at).max())


async def events_of_next_call(control: ControlClient, until: type[CallEvent]) -> list[CallEvent]:
    events: list[CallEvent] = []
    async with asyncio.timeout(LONGEST_S):
        async for event in control.events():
            events.append(event)
            if isinstance(event, until):
                break
    return events


async def all_received(party: RtpParty) -> None:
    """Nothing sends any more, but an event loop reads one packet a turn."""
    known = -1
    while known < len(party.heard):
        known = len(party.heard)
        await asyncio.sleep(0.1)  # longer than five packets apart


def press(how: str, peer: Sipp, party: RtpParty, key: str) -> None:
    if how == "rfc4733":
        party.press(key)
    else:
        peer.nudge(peer.call_id())


async def pass_on(node: RunningNode, how: str, folder: Path) -> PassedOn:
    """A customer who answers by keys, each as soon as the node listens."""
    result = PassedOn()
    async with await node.connect() as control, rtp_party() as party:
        await control.watch()
        async with sipp(
            PBX,
            folder,
            calls=node.sip,
            service="100",
            rtp_port=party.address,
            agent="op-17",
            department="billing",
            first=KEYS["csat"],
            second=KEYS["resolved"],
        ) as peer:
            async with asyncio.timeout(LONGEST_S):
                async for event in control.events():
                    result.call_id = event.call_id
                    if isinstance(event, ListeningStarted):
                        press(how, peer, party, KEYS[event.question_id])
                    if isinstance(event, CallEnded):
                        break
            result.ended = await peer.succeeded()
        await control.request("calls", call_ids=[result.call_id])  # which waits until it is in SQL
        await all_received(party)
        result.take(party)
    return result


@pytest.mark.parametrize("how", ["rfc4733", "info"])
def test_keys_answer_and_the_answers_are_the_agents(
    other_node: RunningNode, tmp_path: Path, how: str
) -> None:
    call = asyncio.run(pass_on(other_node, how, tmp_path))
    assert call.ended, "the node hung up, as it should"
    found = stored(other_node, call.call_id)
    assert found.attempt.direction == "inbound"
    assert (found.attempt.survey_id, found.attempt.disposition) == ("csat", "completed")
    assert (found.attempt.agent_id, found.attempt.department) == ("op-17", "billing")
    answers = {answer.question_id: (answer.value, answer.source) for answer in found.answers}
    assert answers == {"csat": ("5", "dtmf"), "resolved": ("yes", "dtmf")}
    for text in ("Ответы сохраняются.", "Оценка от одного до пяти?", "Вопрос решён?", "Спасибо!"):
        assert place_of(sentence(other_node, text), call.sound).likeness > SAME, text
    assert call.longest_silence_s < DEAD_AIR_S


def test_a_number_that_no_survey_is_for_is_busy(other_node: RunningNode, tmp_path: Path) -> None:
    async def ring() -> None:
        async with await other_node.connect() as control:
            await control.watch()
            async with sipp("uac_refused", tmp_path, calls=other_node.sip, service="nowhere") as peer:
                assert await peer.succeeded(), peer.log
            assert (await control.request("status"))["calls"] == 0

    asyncio.run(ring())


def test_one_call_too_many_is_busy_and_harms_none_of_the_others(
    other_node: RunningNode, tmp_path: Path
) -> None:
    lines = other_node.settings.sip.max_calls

    async def ring() -> None:
        async with await other_node.connect() as control:
            await control.watch()
            async with sipp(
                "uac_talk", tmp_path, calls=other_node.sip, service="100", count=lines
            ) as customers:
                for _ in range(lines):
                    await events_of_next_call(control, Answered)
                async with sipp("uac_refused", tmp_path, calls=other_node.sip, service="100") as peer:
                    assert await peer.succeeded(), peer.log
                assert (await control.request("status"))["calls"] == lines
                for number in range(1, lines + 1):
                    customers.hang_up(customers.call_id(number))
                for _ in range(lines):
                    (*_, ended) = await events_of_next_call(control, CallEnded)
                    assert isinstance(ended, CallEnded)
                    assert ended.disposition == "hung_up"
                assert await customers.succeeded(), customers.log
            # And the lines are free again.
            async with sipp("uac_talk", tmp_path, calls=other_node.sip, service="100") as customer:
                await events_of_next_call(control, Answered)
                customer.hang_up(customer.call_id())
                await events_of_next_call(control, CallEnded)
                assert await customer.succeeded(), customer.log

    asyncio.run(ring())
