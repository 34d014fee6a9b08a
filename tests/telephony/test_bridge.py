"""Two parties joined: they hear each other, and we can tell by their tones."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bot.core.audio import Frame, Pcm
from bot.core.endings import EndKind
from telephony.bridge import Bridge
from telephony.leg import CallLeg
from telephony.pacer import Pacer
from telephony.scripted import ScriptedLeg
from telephony.tones import goertzel_dbfs, hears, tone
from telephony.virtual_time import run
from tests.telephony.conformance import best_dbfs
from tests.telephony.peers import RtpParty, baresip, rtp_party, sip_endpoint, sipp


def test_each_hears_the_other_and_not_himself() -> None:
    async def call() -> None:
        pacer = Pacer()
        a, b = (ScriptedLeg(direction="outbound", pacer=pacer) for _ in range(2))
        taps: list[tuple[CallLeg, Frame]] = []
        bridge = Bridge(a, b, tap=lambda leg, frame: taps.append((leg, frame)))
        talking = asyncio.create_task(bridge.run())
        a.say(tone(1.0, 8000, hz=500))
        b.say(tone(1.0, 8000, hz=1500))
        await asyncio.sleep(1.2)
        for leg, hears_hz in ((a, 1500), (b, 500)):
            heard = Pcm(b"".join(frame.data for frame in leg.relayed[2:45]), 8000)
            assert hears(heard, hears_hz)
        assert {leg.id for leg, _ in taps} == {a.id, b.id}
        b.remote_hang_up()
        assert await talking is b
        assert not a.ended.done()
        before = len(a.relayed)
        a.say(tone(0.2, 8000))
        await asyncio.sleep(0.2)
        assert len(b.relayed) <= 61
        assert len(a.relayed) == before

    run(call())


def test_rates_that_differ_are_converted() -> None:
    async def call() -> None:
        pacer = Pacer()
        a = ScriptedLeg(direction="outbound", rate=8000, pacer=pacer)
        b = ScriptedLeg(direction="outbound", rate=16000, codec="G722", pacer=pacer)
        async with Bridge(a, b).joined() as over:
            a.say(tone(1.0, 8000, hz=500))
            b.say(tone(1.0, 16000, hz=1500))
            await asyncio.sleep(1.1)
            assert not over.done()
        assert await over is None  # told to stop, nobody hung up
        for leg, hz in ((a, 1500), (b, 500)):
            assert {frame.rate for frame in leg.relayed} == {leg.rate}
            heard = Pcm(b"".join(frame.data for frame in leg.relayed[2:45]), leg.rate)
            assert goertzel_dbfs(heard, hz) == pytest.approx(-12, abs=1)

    run(call())


def test_what_was_said_before_is_not_passed_on() -> None:
    async def call() -> None:
        pacer = Pacer()
        a, b = (ScriptedLeg(direction="outbound", pacer=pacer) for _ in range(2))
        a.say(tone(1.0, 8000, hz=500))
        a.say(tone(1.0, 8000, hz=900))
        await a.said()
        a.say(tone(1.0, 8000, hz=1500))
        async with Bridge(a, b).joined():
            await asyncio.sleep(0.9)
        heard = Pcm(b"".join(frame.data for frame in b.relayed), 8000)
        assert hears(heard, 1500)
        assert goertzel_dbfs(heard, 900) < -40

    run(call())


async def test_after_a_stall_only_what_is_fresh_is_passed_on() -> None:
    pacer = Pacer()
    a, b = (ScriptedLeg(direction="outbound", pacer=pacer) for _ in range(2))
    async with Bridge(a, b).joined():
        await asyncio.sleep(0.1)
        before = len(b.relayed)
        time.sleep(0.5)  # noqa: ASYNC251  the fault under test
        await asyncio.sleep(0.05)
        assert len(b.relayed) - before <= 8
        assert a.media_s - b.relayed[-1].at < 0.1


def test_a_bridge_that_is_cancelled_parts_the_lines() -> None:
    async def call() -> None:
        pacer = Pacer()
        a, b = (ScriptedLeg(direction="outbound", pacer=pacer) for _ in range(2))
        talking = asyncio.create_task(Bridge(a, b).run())
        await asyncio.sleep(0.5)
        talking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talking
        seen = len(b.relayed)
        await asyncio.sleep(0.5)
        assert len(b.relayed) == seen

    run(call())


async def test_a_fault_in_a_tap_is_seen() -> None:
    pacer = Pacer()
    a, b = (ScriptedLeg(direction="outbound", pacer=pacer) for _ in range(2))

    def tap(leg: CallLeg, frame: Frame) -> None:
        raise ValueError("disk full")

    with pytest.raises(ValueError, match="disk full"):
        await Bridge(a, b, tap=tap).run()


async def burst(speaker: RtpParty, listener: RtpParty, hz: float) -> float:
    """How long after it was said a burst of tone is heard, in seconds."""
    loop = asyncio.get_running_loop()
    began, known = loop.time(), len(listener.heard)
    speaker.say(tone(0.2, 8000, hz=hz))
    async with asyncio.timeout(5):
        while True:
            heard = [at for at, pcm in listener.heard[known:] if hears(Pcm(pcm, 8000), hz)]
            if heard and loop.time() - heard[-1] > 0.1:  # it is over
                return heard[0] - began
            await asyncio.sleep(0.02)


async def test_two_sip_parties_hear_each_other_within_a_quarter_of_a_second(tmp_path: Path) -> None:
    async with (
        rtp_party() as caller,
        rtp_party("PCMU") as agent,
        sipp("uas_talk", tmp_path, rtp_port=caller.address) as one,
        sipp("uas_talk", tmp_path, rtp_port=agent.address, codec="PCMU") as two,
        sip_endpoint() as endpoint,
    ):
        a, b = await endpoint.dial(one.uri, timeout_s=5), await endpoint.dial(two.uri, timeout_s=5)
        talking = asyncio.create_task(Bridge(a, b).run())
        await asyncio.sleep(0.4)
        for speaker, listener, hz in ((caller, agent, 500), (agent, caller, 1500)):
            # Each packet waits in one process after another: the quickest burst tells what the bridge adds.
            assert min([await burst(speaker, listener, hz) for _ in range(4)]) < 0.25
        began = asyncio.get_running_loop().time()
        caller.say(tone(1.0, 8000, hz=500))
        agent.say(tone(1.0, 8000, hz=1500))
        await asyncio.sleep(1.3)
        for party, hz in ((agent, 500), (caller, 1500)):
            assert best_dbfs(party.heard_since(began, 1.3), hz) == pytest.approx(-12, abs=1.5)
        two.hang_up(b.call_id)
        assert await asyncio.wait_for(talking, 3) is b
        assert b.ended.result().kind is EndKind.REMOTE_HANGUP
        await a.hang_up()
        assert await one.succeeded()
        assert await two.succeeded()


async def test_lines_of_different_codecs_are_bridged(tmp_path: Path) -> None:
    async with (
        rtp_party() as caller,
        sipp("uas_talk", tmp_path, rtp_port=caller.address) as one,
        baresip(tmp_path, "G722") as echo,
        sip_endpoint() as endpoint,
    ):
        a, b = await endpoint.dial(one.uri, timeout_s=5), await endpoint.dial(echo, timeout_s=5)
        assert (a.rate, b.rate) == (8000, 16000)
        async with Bridge(a, b).joined():
            await asyncio.sleep(0.3)
            began = asyncio.get_running_loop().time()
            caller.say(tone(1.0, 8000, hz=1000))
            await asyncio.sleep(1.2)
        heard = caller.heard_since(began, 1.2)  # 8 kHz -> 16 -> G.722 -> echo -> 16 -> 8
        assert best_dbfs(heard, 1000) == pytest.approx(-12, abs=1.5)
        await asyncio.gather(a.hang_up(), b.hang_up())
