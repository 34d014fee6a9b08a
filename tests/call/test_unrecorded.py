"""A caller who does not want to be recorded is not, and what was recorded of him is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.call.recording import Recording
from bot.call.session import CallSession
from bot.core.directives import Directive, Say, StopRecording
from bot.core.endings import Disposition
from bot.core.events import (
    AnswerRecorded,
    ConsentHeard,
    PromptStarted,
    RecordingRefused,
    RecordingStarted,
    RecordingStopped,
)
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import Bench
from tests.call.test_asides import CONSENT, END, begun
from tests.call.test_session import NINE, NPS, prompt_ended, said, say
from tests.call.test_talking_over import at

TOLD = Say(text="хорошо без записи", purpose="privacy")
STOP = StopRecording(words="не записывайте")


def recorded_call(
    folder: Path, caller: Callable[[Bench, ScriptedLeg], Awaitable[None]], *replies: tuple[Directive, ...]
) -> Bench:
    async def open_recording(call_id: str, rate: int) -> Recording:
        return await Recording.open(folder / f"{call_id}.wav", rate)

    bench = Bench(open_recording=open_recording)
    bench.dialogue.replies.extend(replies)

    async def talk() -> Disposition:
        leg = ScriptedLeg()
        plan = replace(bench.plan(), record=True)
        session = asyncio.create_task(CallSession(plan, bench.room()).inbound(leg))
        await caller(bench, leg)
        return await session

    assert run(talk()) is Disposition.COMPLETED
    return bench


async def refuses_at_the_question(bench: Bench, leg: ScriptedLeg) -> None:
    await prompt_ended(bench, 2)
    await asyncio.sleep(1.0)
    await say(bench, leg, "не записывайте", 1.0)
    await prompt_ended(bench, 4)
    await say(bench, leg, "девять")


def test_without_a_refusal_there_is_a_recording(tmp_path: Path) -> None:
    async def caller(bench: Bench, leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 2)
        await say(bench, leg, "девять")

    bench = recorded_call(tmp_path, caller, (CONSENT, NPS), (NINE, END))
    assert [file.name for file in tmp_path.iterdir()] == ["call-1.wav"]
    assert not bench.sink.of(RecordingRefused)


def test_a_refusal_at_a_question_stops_it_and_deletes_what_there_is(tmp_path: Path) -> None:
    bench = recorded_call(tmp_path, refuses_at_the_question, (CONSENT, NPS), (STOP, TOLD, NPS), (NINE, END))
    assert list(tmp_path.iterdir()) == []
    (stopped,) = bench.sink.of(RecordingStopped)
    assert (stopped.seconds, stopped.reason) == (0.0, "refused")
    (refused,) = bench.sink.of(RecordingRefused)
    assert refused.words == "не записывайте"
    told = next(event for event in bench.sink.of(PromptStarted) if event.text == TOLD.text)
    assert refused.seq < told.seq, "it is true when it is said"
    assert len(bench.sink.of(RecordingStarted)) == 1
    assert len(bench.sink.of(AnswerRecorded)) == 1, "the survey goes on"


@pytest.mark.parametrize("begins_s", [0.3, 1.5, 2.6])
def test_a_refusal_over_the_consent_leaves_nothing_to_delete(tmp_path: Path, begins_s: float) -> None:
    async def caller(bench: Bench, leg: ScriptedLeg) -> None:
        await begun(bench, CONSENT.text)
        await at(leg, begins_s)
        await say(bench, leg, "я против записи", 0.9)
        await prompt_ended(bench, 3)
        await say(bench, leg, "девять")

    bench = recorded_call(tmp_path, caller, (CONSENT, NPS), (STOP, TOLD, NPS), (NINE, END))
    assert list(tmp_path.iterdir()) == []
    assert bench.sink.of(ConsentHeard), "it was heard out, and refused"
    assert not bench.sink.of(RecordingStarted)
    assert len(bench.sink.of(RecordingRefused)) == 1
    assert said(bench) == [CONSENT.text, TOLD.text, NPS.text, END.text]


def test_a_refusal_over_the_farewell_counts_too(tmp_path: Path) -> None:
    farewell = END.model_copy(update={"text": "спасибо ваши ответы помогут нам стать лучше всего доброго"})

    async def caller(bench: Bench, leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 2)
        leg.press("9")
        await begun(bench, farewell.text)
        await asyncio.sleep(0.5)
        await say(bench, leg, "и не записывайте меня", 1.0)

    recorded_call(tmp_path, caller, (CONSENT, NPS), (NINE, farewell), (STOP, TOLD))
    assert list(tmp_path.iterdir()) == []
