"""The scripted leg's own face: what a test does as the far end, and what it can see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.core.audio import Pcm, silence
from bot.core.endings import EndCause, EndKind
from bot.core.errors import DialFailed, LegClosed, TransferFailed
from telephony.leg import TransferOutcome
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run


def tone(seconds: float, value: int = 1000) -> Pcm:
    return Pcm(value.to_bytes(2, "little", signed=True) * round(8000 * seconds), 8000)


def test_what_is_said_arrives_at_real_time_and_silence_fills_the_rest() -> None:
    async def call() -> None:
        leg = ScriptedLeg()
        await leg.answer()
        frames = leg.frames()
        leg.say(tone(0.04))
        heard = [await anext(frames) for _ in range(3)]
        assert [any(frame.data) for frame in heard] == [True, True, False]
        assert [frame.at for frame in heard] == pytest.approx([0.0, 0.02, 0.04])
        assert not any(frame.concealed for frame in heard)

    run(call())


def test_a_far_end_without_rtp_gives_concealed_frames_at_the_same_pace() -> None:
    async def call() -> None:
        leg = ScriptedLeg()
        await leg.answer()
        leg.rtp = False
        frames = leg.frames()
        heard = [await anext(frames) for _ in range(50)]
        assert all(frame.concealed for frame in heard)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        assert leg.stats().concealed_frames == 50

    run(call())


def test_played_tells_when_and_how_much_was_heard() -> None:
    async def call() -> None:
        leg = ScriptedLeg()
        await leg.answer()
        first, second = leg.play(tone(0.5, 1)), leg.play(tone(1.0, 2))
        assert await first.done() == pytest.approx(0.5)
        await asyncio.sleep(0.3)
        assert await second.stop() == pytest.approx(0.3, abs=0.021)
        await leg.wait_played(2)
        assert [at for at, _ in leg.played] == pytest.approx([0.0, 0.5], abs=0.021)
        assert [pcm.seconds for _, pcm in leg.played] == pytest.approx([0.5, 0.3], abs=0.021)

    run(call())


def test_a_call_of_a_minute_takes_no_time() -> None:
    async def call() -> float:
        leg = ScriptedLeg()
        await leg.answer()
        await leg.play(silence(60, 8000)).done()
        return leg.media_s

    began = time.monotonic()
    assert run(call()) == pytest.approx(60, abs=0.05)
    assert time.monotonic() - began < 30  # half of what it would last in earnest


def test_threads_take_no_virtual_time() -> None:
    async def call() -> float:
        leg = ScriptedLeg()
        await leg.answer()
        await asyncio.to_thread(time.sleep, 0.05)
        return leg.media_s

    assert run(call()) == 0.0


@pytest.mark.parametrize("kind", [EndKind.BUSY, EndKind.DECLINED])
def test_an_outbound_leg_can_be_refused(kind: EndKind) -> None:
    async def call() -> None:
        leg = ScriptedLeg(direction="outbound", answered=False)
        asyncio.get_running_loop().call_later(1, leg.remote_refuse, EndCause(kind))
        with pytest.raises(DialFailed) as refusal:
            await leg.established(30)
        assert refusal.value.cause.kind is kind
        with pytest.raises(LegClosed):
            leg.play(tone(1))

    run(call())


def test_an_outbound_leg_that_nobody_answers_ends_at_the_limit() -> None:
    async def call() -> None:
        leg = ScriptedLeg(direction="outbound", answered=False)
        with pytest.raises(DialFailed) as refusal:
            await leg.established(30)
        assert refusal.value.cause.kind is EndKind.NO_ANSWER
        assert asyncio.get_running_loop().time() == pytest.approx(30)

    run(call())


def test_keys_and_hang_up_reach_whoever_listens() -> None:
    async def call() -> None:
        leg = ScriptedLeg()
        await leg.answer()
        keys = leg.digits()
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, leg.press, "9#")
        loop.call_later(2.0, leg.remote_hang_up)
        pressed = [digit async for digit in keys]
        assert [digit.key for digit in pressed] == ["9", "#"]
        assert pressed[0].at == pytest.approx(1.0, abs=0.021)
        assert (await leg.ended).kind is EndKind.REMOTE_HANGUP

    run(call())


def test_an_attended_transfer_is_noted_and_goes_as_it_was_set() -> None:
    async def call() -> None:
        caller, agent = (ScriptedLeg(direction="outbound") for _ in range(2))
        caller.attended_result = TransferFailed("refused", status=603)
        with pytest.raises(TransferFailed, match="refused"):
            await caller.transfer_to(agent, 5)
        assert not caller.ended.done()
        assert not agent.ended.done()
        caller.attended_result = TransferOutcome.DONE
        assert await caller.transfer_to(agent, 5) is TransferOutcome.DONE
        assert caller.attended == [agent, agent]
        assert {leg.ended.result().kind for leg in (caller, agent)} == {EndKind.TRANSFERRED}

        caller, agent = (ScriptedLeg(direction="outbound") for _ in range(2))
        caller.attended_result = TransferOutcome.UNKNOWN
        assert await caller.transfer_to(agent, 5) is TransferOutcome.UNKNOWN
        assert caller.ended.result().kind is EndKind.TRANSFER_UNKNOWN
        assert not agent.ended.done()
        await agent.hang_up()
        with pytest.raises(TransferFailed, match="not in a call of ours"):
            await ScriptedLeg(direction="outbound").transfer_to(agent, 5)

    run(call())


def test_a_test_that_waits_for_nothing_fails_at_once() -> None:
    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    main: Coroutine[Any, Any, None] = forever()
    with pytest.raises(RuntimeError, match="nothing can ever happen"):
        run(main)
