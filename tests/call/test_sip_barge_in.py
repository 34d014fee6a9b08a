"""Barge-in on real SIP calls, measured at the caller's socket, and a caller whose telephone echoes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from bot.call.session import CallSession
from bot.core.audio import Pcm
from bot.core.context import TurnSource
from bot.core.events import PromptEnded, PromptPaused, PromptResumed, PromptStarted
from bot.core.ports import Prompts
from bot.speech.recogniser import VoskRecogniser
from telephony.sip import SipLeg
from telephony.tones import tone
from tests.call.test_echo import ASK, END, QUESTION, SAY, RealBench, Recorded, recogniser
from tests.call.test_session import NINE
from tests.speech.sounds import clip, sound_of
from tests.telephony.peers import RtpParty, rtp_party, sip_endpoint, sipp

__all__ = ["recogniser"]

FRAME_S = 0.02


def voiced(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, "<i2") / 32768
    return float(np.mean(samples**2)) > 10 ** (-45 / 10)


def voice_began(party: RtpParty, since: float) -> float:
    """When the first voiced packet that was sent after `since` began to be spoken."""
    return next(at for at, pcm in party.sent if at >= since and voiced(pcm)) - FRAME_S


def silent_from(party: RtpParty, since: float) -> float:
    """The end of the last voiced packet before the first 150 ms of silence after `since`."""
    sounds = [at for at, pcm in party.heard if at >= since and voiced(pcm)]
    ends = [one for one, other in pairwise([*sounds, float("inf")]) if other - one > 0.15]
    return ends[0] + FRAME_S


class Humming:
    """Prompts without a pause of their own, so that every silence is the bot's decision."""

    async def prepare(self, texts: tuple[str, ...], *, voice: str, language: str, rate: int) -> None: ...

    async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        return tone(8.0, rate, dbfs=-20)


async def call(
    recogniser: VoskRecogniser,
    folder: Path,
    caller: Callable[[RealBench, RtpParty], Awaitable[None]],
    *replies: tuple[object, ...],
    echo: tuple[float, float] | None = None,
    voices: Prompts | None = None,
) -> RealBench:
    bench = RealBench(words=recogniser, voices=voices or Recorded())  # type: ignore[arg-type]
    bench.dialogue.replies.extend(replies)  # type: ignore[arg-type]
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        rtp_party() as party,
        sip_endpoint(calls.put_nowait) as endpoint,
        sipp("uac_talk", folder, calls=endpoint.address, rtp_port=party.address) as peer,
    ):
        party.echo = echo
        leg = await asyncio.wait_for(calls.get(), 5)
        session = asyncio.create_task(CallSession(bench.plan(), bench.room()).inbound(leg))
        await bench.sink.until(lambda: any(e.text == QUESTION for e in bench.sink.of(PromptStarted)))
        await caller(bench, party)
        await session
        assert await peer.succeeded(), peer.log
    return bench


def went_on_soon(bench: RealBench) -> None:
    """Whatever prompt was paused and went on."""
    for pause, resume in zip(bench.sink.of(PromptPaused), bench.sink.of(PromptResumed), strict=False):
        assert pause.media_s is not None
        assert resume.media_s is not None
        assert resume.media_s - pause.media_s < 0.7


async def nobody(bench: RealBench, party: RtpParty) -> None:
    """Says nothing."""


async def test_a_telephone_that_echoes_neither_stops_nor_answers(
    recogniser: VoskRecogniser, tmp_path: Path
) -> None:
    """That it does not even pause a prompt is test_echo.py's, where time is ours. Here the jitter buffer may
    move the echo by a packet in the middle of a word: that may pause it once, for a moment."""
    bench = await call(recogniser, tmp_path, nobody, (SAY, ASK), (END,), echo=(15.0, 0.12))
    assert [turn.source for turn in bench.dialogue.turns] == [TurnSource.SILENCE]
    assert len(bench.sink.of(PromptPaused)) == len(bench.sink.of(PromptResumed)) <= 1
    went_on_soon(bench)
    assert all(event.completed for event in bench.sink.of(PromptEnded))


async def test_an_answer_over_an_echoing_prompt(recogniser: VoskRecogniser, tmp_path: Path) -> None:
    times: list[float] = []

    async def caller(bench: RealBench, party: RtpParty) -> None:
        await asyncio.sleep(1.5)
        began = asyncio.get_running_loop().time()
        party.say(sound_of(clip("009_nsh").path))
        await bench.sink.until(lambda: bench.sink.of(PromptEnded)[1:])
        await asyncio.sleep(0.3)
        times.extend((voice_began(party, began), silent_from(party, began)))

    bench = await call(recogniser, tmp_path, caller, (SAY, ASK), (NINE, END), echo=(15.0, 0.12))
    assert [turn.text for turn in bench.dialogue.turns] == ["девять"]
    assert times[1] - times[0] < 0.4
    assert not bench.sink.of(PromptEnded)[1].completed


async def test_the_time_to_a_pause_and_to_a_stop_at_the_callers_socket(
    recogniser: VoskRecogniser, tmp_path: Path
) -> None:
    """Three nods that pause the prompt, and an answer that stops it."""
    pauses: list[float] = []

    async def caller(bench: RealBench, party: RtpParty) -> None:
        for number, name in enumerate(("020_elena", "020_nsh", "009_nsh"), start=1):
            await asyncio.sleep(0.7)
            began = asyncio.get_running_loop().time()
            party.say(sound_of(clip(name).path))
            await bench.sink.until(lambda count=number: len(bench.sink.of(PromptPaused)) >= count)
            await asyncio.sleep(0.25)
            pauses.append(silent_from(party, began) - voice_began(party, began))
            if number < 3:
                await bench.sink.until(lambda count=number: len(bench.sink.of(PromptResumed)) >= count)

    bench = await call(recogniser, tmp_path, caller, (ASK,), (NINE, END), voices=Humming())
    assert [turn.text for turn in bench.dialogue.turns] == ["девять"]
    assert sorted(pauses)[1] < 0.25, pauses
    went_on_soon(bench)
    paused, stopped = bench.sink.of(PromptPaused), bench.sink.of(PromptEnded)[0]
    assert stopped.media_s is not None
    assert paused[-1].media_s is not None
    assert stopped.media_s - paused[-1].media_s < 0.7
    assert not stopped.completed
