"""What goes wrong on our side of a call: no line is left behind, and whoever is on it is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.call.session import CallSession
from bot.call.settings import CallSettings
from bot.core.audio import Frame, Pcm
from bot.core.directives import Callback, End, Say, Transfer
from bot.core.endings import Disposition, EndKind
from bot.core.errors import DiskFull, StoreUnavailable, SynthesiserUnavailable
from bot.core.events import (
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    HandoverConnected,
    HandoverEnded,
    TurnHeard,
)
from telephony.leg import TransferOutcome
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import FILLER, SORRY, WORDS, Bench, Sink, Voices
from tests.call.test_session import END, NINE, NPS, OPEN, call, prompt_ended, said, silences

LATER = End(disposition=Disposition.CALLBACK, text="до свидания")


def test_a_caller_is_refused_when_his_call_cannot_be_written_down() -> None:
    bench = Bench()
    bench.sink.full = True

    async def talk() -> EndKind:
        leg = ScriptedLeg()
        with pytest.raises(DiskFull):
            await CallSession(bench.plan(), bench.room()).inbound(leg)
        assert leg.ended.done()
        return leg.ended.result().kind

    assert run(talk()) is EndKind.REJECTED


class Deaf:
    """A voice activity detector that breaks after a second."""

    def __init__(self) -> None:
        self._left = 50

    async def probability(self, frame: Frame) -> float:
        self._left -= 1
        if self._left < 0:
            raise ValueError("broken")
        return 0.0


def test_a_bot_that_hears_nothing_any_more_says_so_and_hangs_up() -> None:
    bench = Bench()

    async def talk() -> tuple[Disposition, EndKind]:
        bench.dialogue.replies.append((NPS,))
        leg = ScriptedLeg()
        room = replace(bench.room(), vad=lambda rate: Deaf())
        disposition = await asyncio.wait_for(CallSession(bench.plan(), room).inbound(leg), 60)
        return disposition, leg.ended.result().kind

    assert run(talk()) == (Disposition.INTERRUPTED, EndKind.LOCAL_HANGUP)
    assert said(bench)[-1] == SORRY


def test_a_phone_that_rings_is_left_in_peace_when_the_node_stops() -> None:
    bench = Bench()
    bench.phones.ringing_s = 25.0

    async def ring() -> Disposition:
        session = CallSession(bench.plan(), bench.room())
        task = asyncio.create_task(session.outbound("sip:7@test.invalid"))
        await asyncio.sleep(1.0)
        session.interrupt()
        return await asyncio.wait_for(task, 1.0)

    assert run(ring()) is Disposition.INTERRUPTED
    assert bench.phones.cancelled == ["sip:7@test.invalid"]
    assert bench.sink.of(CallEnded)[0].cause is EndKind.CANCELLED


def test_a_talk_that_is_too_long_is_ended_with_a_word() -> None:
    bench = Bench(settings=CallSettings(max_call_s=3.0))

    async def caller(leg: ScriptedLeg) -> None:
        await leg.ended

    call(bench, caller, (OPEN,))
    assert said(bench)[-1] == SORRY


def test_a_broken_disk_is_told_to_the_caller() -> None:
    class Broken(Sink):
        async def commit(self, event: CallEvent) -> None:
            if self.full:
                raise StoreUnavailable("input/output error")
            await super().commit(event)

    bench = Bench(sink=Broken())

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        bench.sink.full = True
        leg.press("9")
        await leg.ended
        assert leg.played[-1][1].seconds == pytest.approx(0.05 * len(SORRY), abs=0.03)

    with pytest.raises(StoreUnavailable):
        call(bench, caller, (NPS,), (NINE, END))


def test_a_promise_behind_a_sentence_that_the_caller_missed_is_kept() -> None:
    bench = Bench()
    bench.dialogue.slow_s = 0.5

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        leg.press("9")
        await bench.sink.until(lambda: bench.sink.of(TurnHeard))
        leg.remote_hang_up()  # the dialogue has his turn, and he does not wait for its reply

    promised = (Say(text="перезвоним", purpose="apology"), Callback(by="agent"), LATER)
    assert call(bench, caller, (NPS,), promised) is Disposition.CALLBACK
    assert [event.by for event in bench.sink.of(CallbackPromised)] == ["agent"]


def test_an_answer_is_kept_though_the_caller_leaves_as_a_filler_is_fetched() -> None:
    class FillerFromDisk(Voices):
        async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
            if text == FILLER:
                await asyncio.sleep(0.1)
            return await super().get(text, voice=voice, language=language, rate=rate)

    bench = Bench()

    async def talk() -> Disposition:
        bench.dialogue.replies.extend([(NPS,), (NINE, END)])
        leg = ScriptedLeg()
        room = replace(bench.room(), prompts=FillerFromDisk())
        task = asyncio.create_task(CallSession(bench.plan(), room).inbound(leg))
        await prompt_ended(bench, 1)
        bench.dialogue.slow_s = 2.0
        leg.press("9")
        await bench.sink.until(lambda: bench.sink.of(TurnHeard))
        await asyncio.sleep(bench.settings.filler_after_s + 0.05)
        leg.remote_hang_up()
        return await task

    assert run(talk()) is Disposition.COMPLETED
    assert len(bench.sink.of(AnswerRecorded)) == 1


# Handover -----------------------------------------------------------------------------------

BOSS = "sip:boss@test.invalid"
TRANSFER = Transfer(target="boss", reason="nps", text="соединю", whisper="недоволен")


def with_boss(**changes: Any) -> Bench:
    bench = Bench(**changes)
    bench.desk.person("boss", "boss")
    return bench


async def joined(bench: Bench) -> None:
    """The boss takes the caller, by the key of his telephone."""
    await bench.sink.until(lambda: WORDS.accept in said(bench))
    boss = bench.phones.legs[BOSS]
    assert isinstance(boss, ScriptedLeg)
    boss.press("1")
    await bench.sink.until(lambda: bench.sink.of(HandoverConnected) or bench.sink.of(CallEnded))


def test_people_who_talk_are_not_cut_off_by_the_length_of_a_survey() -> None:
    bench = with_boss(settings=CallSettings(max_call_s=10.0))

    async def caller(leg: ScriptedLeg) -> None:
        bench.phones.legs[BOSS] = ScriptedLeg(direction="outbound")
        await joined(bench)
        await asyncio.sleep(60.0)
        leg.remote_hang_up()

    assert call(bench, caller, (TRANSFER,)) is Disposition.TRANSFERRED
    (ended,) = bench.sink.of(HandoverEnded)
    assert ended.by == "caller"
    assert ended.talk_s == pytest.approx(60.0, abs=0.1)


def test_a_talk_with_a_human_that_a_stop_cuts_off_was_a_transfer() -> None:
    bench = with_boss()

    async def talk() -> tuple[Disposition, EndKind]:
        bench.dialogue.replies.append((TRANSFER,))
        leg = ScriptedLeg()
        agent = bench.phones.legs[BOSS] = ScriptedLeg(direction="outbound")
        session = CallSession(bench.plan(), bench.room())
        task = asyncio.create_task(session.inbound(leg))
        await joined(bench)
        session.interrupt()
        return await task, agent.ended.result().kind

    assert run(talk()) == (Disposition.TRANSFERRED, EndKind.LOCAL_HANGUP)
    assert [event.by for event in bench.sink.of(HandoverEnded)] == ["bot"]
    assert said(bench)[-1] == SORRY


def test_an_agent_without_a_whisper_gets_his_caller_all_the_same() -> None:
    class NoWhisper(Voices):
        async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
            if text == TRANSFER.whisper:
                raise SynthesiserUnavailable("gone")
            return await super().get(text, voice=voice, language=language, rate=rate)

    bench = with_boss()

    async def talk() -> Disposition:
        bench.dialogue.replies.append((TRANSFER,))
        agent = bench.phones.legs[BOSS] = ScriptedLeg(direction="outbound")
        room = replace(bench.room(), prompts=NoWhisper())
        task = asyncio.create_task(CallSession(bench.plan(), room).inbound(ScriptedLeg()))
        await joined(bench)
        await asyncio.sleep(3.0)
        agent.remote_hang_up()
        return await task

    with capture_logs() as logged:
        assert run(talk()) is Disposition.TRANSFERRED
    told = {entry["event"]: entry["reason"] for entry in logged if "reason" in entry}
    assert told["agent not told who and why"] == "gone"
    assert told["part of a handover ended early"] == "SynthesiserUnavailable"


def test_a_caller_whose_pbx_takes_its_time_over_a_refer_hears_music() -> None:
    class Slow(ScriptedLeg):
        async def transfer(self, target: str, timeout_s: float) -> TransferOutcome:
            await asyncio.sleep(8.0)
            return await super().transfer(target, timeout_s)

    bench = with_boss(settings=CallSettings(handover_form="blind"))

    async def talk() -> tuple[Disposition, float]:
        bench.dialogue.replies.append((TRANSFER,))
        leg = Slow()
        disposition = await CallSession(bench.plan(), bench.room()).inbound(leg)
        return disposition, max([*silences(leg), leg.media_s - sum(pcm.seconds for _, pcm in leg.played)])

    disposition, silence_s = run(talk())
    assert disposition is Disposition.TRANSFERRED
    assert silence_s < 2.0


def test_an_agent_who_answers_as_the_node_stops_is_not_left_on_the_line() -> None:
    bench = with_boss()

    async def talk() -> bool:
        bench.dialogue.replies.append((TRANSFER,))
        agent = ScriptedLeg(direction="outbound")

        async def answer_and_stop(uri: str, timeout_s: float, placed: object) -> ScriptedLeg:
            await asyncio.sleep(2.0)
            asyncio.get_running_loop().call_soon(session.interrupt)
            return agent

        session = CallSession(bench.plan(), replace(bench.room(), dial=answer_and_stop))
        await session.inbound(ScriptedLeg())
        return agent.ended.done()

    assert run(talk())
