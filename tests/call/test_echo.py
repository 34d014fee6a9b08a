"""Our own prompt comes back: whole calls with the real recogniser and voice activity, on virtual time.

The prompts are recorded voices that the recogniser understands well, and every word of them would be an
answer: without echo control all of these calls end wrongly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.call.plan import CallRoom
from bot.call.session import CallSession
from bot.core.audio import Pcm
from bot.core.context import TurnSource
from bot.core.directives import Ask, Directive, End, Say, ScaleExpected
from bot.core.endings import Disposition
from bot.core.events import PromptEnded, PromptPaused, PromptResumed, PromptStarted
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings
from bot.speech.sound import level, to_pcm, to_samples
from bot.speech.voices import SileroVoices
from telephony.scripted import EchoPath, ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import Bench
from tests.call.test_session import NINE
from tests.speech.sounds import MODELS, around, clip, sound_of, voiced_span
from tests.telephony.echoes import NINE as CASES

RATE = 8000
PROMPTS = {
    # text: the recordings that it is made of, all of one voice
    "десять девять да": ("010_elena", "009_elena", "020_elena"),
    "девять нет десять да решили девять десять": (
        "009_elena", "024_elena", "010_elena", "022_elena", "009_elena", "010_elena",
    ),
}  # fmt: skip
CONSENT, QUESTION = PROMPTS
ASK = Ask(question_id="nps", text=QUESTION, expectation=ScaleExpected(low=0, high=10), no_input_s=2.0)
SAY = Say(text=CONSENT, purpose="consent", protected=True)
END = End(disposition=Disposition.COMPLETED)


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoskRecogniser]:
    path: Path = ensure_model("vosk-model-otklik-demo-ru", MODELS, tmp_path_factory.mktemp("var"))
    made = VoskRecogniser(path, RecogniserSettings(feed_wait_s=5.0))
    yield made
    made.close()


def spoken(*names: str, pause_s: float = 0.15) -> Pcm:
    """Recordings one after another, at the level of prompts."""
    parts = [around(sound_of(clip(name).path), 0.0, pause_s).data for name in names]
    joined = Pcm(b"".join(parts), RATE)
    return to_pcm(level(to_samples(joined), RATE, -23.0), RATE)


class Recorded:
    """The prompts of this test."""

    async def prepare(self, texts: tuple[str, ...], *, voice: str, language: str, rate: int) -> None: ...

    async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        return spoken(*PROMPTS[text])


@dataclass
class RealBench(Bench):
    """The bench with real hearing."""

    def room(self) -> CallRoom:
        return replace(super().room(), vad=SileroVoices().line)


def call(
    recogniser: VoskRecogniser,
    path: EchoPath,
    replies: list[tuple[Directive, ...]],
    *,
    speech: Pcm | None = None,
    into_s: float = 0.0,
) -> RealBench:
    """A call whose far end gives our sound back, and says `speech` `into_s` seconds into the question."""
    bench = RealBench(words=recogniser, voices=Recorded())  # type: ignore[arg-type]

    async def talk() -> None:
        bench.dialogue.replies.extend(replies)
        leg = ScriptedLeg()
        leg.echo = path
        session = asyncio.create_task(CallSession(bench.plan(), bench.room()).inbound(leg))
        await bench.sink.until(lambda: any(e.text == QUESTION for e in bench.sink.of(PromptStarted)))
        if speech is not None:
            await asyncio.sleep(into_s)
            leg.say(speech)
        await session

    run(talk())
    return bench


@pytest.mark.parametrize(("loss_db", "delay_s"), CASES)
@pytest.mark.parametrize("first", [True, False])
def test_echo_neither_stops_a_prompt_nor_answers_it(
    recogniser: VoskRecogniser, loss_db: float, delay_s: float, first: bool
) -> None:
    """`first`: the question is the first sound of the call, and nothing is known of the line."""
    opening: tuple[Directive, ...] = (ASK,) if first else (SAY, ASK)
    bench = call(recogniser, EchoPath(loss_db, delay_s), [opening, (END,)])
    assert [turn.source for turn in bench.dialogue.turns] == [TurnSource.SILENCE], bench.dialogue.turns
    assert all(event.completed for event in bench.sink.of(PromptEnded))
    assert not bench.sink.of(PromptPaused)


@pytest.mark.parametrize(("loss_db", "delay_s"), CASES)
@pytest.mark.parametrize(("name", "into_s"), [("009_nsh", 0.9), ("039_nsh", 1.7)])
def test_a_caller_who_talks_over_an_echoing_prompt_is_heard(
    recogniser: VoskRecogniser, loss_db: float, delay_s: float, name: str, into_s: float
) -> None:
    said = clip(name)
    speech = sound_of(said.path)
    voice_s = into_s + voiced_span(speech)[0]
    bench = call(
        recogniser,
        EchoPath(loss_db, delay_s),
        [(SAY, ASK), (NINE, END)],
        speech=speech,
        into_s=into_s,
    )
    assert [turn.text for turn in bench.dialogue.turns] == [said.text]
    began = next(event.media_s for event in bench.sink.of(PromptStarted) if event.text == QUESTION)
    (paused,) = bench.sink.of(PromptPaused)
    ended = bench.sink.of(PromptEnded)[1]
    assert began is not None
    assert paused.media_s is not None
    assert ended.media_s is not None
    assert paused.media_s - (began + voice_s) < 0.22
    assert not ended.completed
    assert ended.media_s - paused.media_s < 0.7


@pytest.mark.parametrize(("loss_db", "delay_s"), CASES)
def test_a_nod_over_an_echoing_prompt_lets_it_go_on(
    recogniser: VoskRecogniser, loss_db: float, delay_s: float
) -> None:
    """«да» is no answer to a scale."""
    bench = call(
        recogniser,
        EchoPath(loss_db, delay_s),
        [(SAY, ASK), (END,)],
        speech=sound_of(clip("020_nsh").path),
        into_s=1.2,
    )
    assert [turn.source for turn in bench.dialogue.turns] == [TurnSource.SILENCE]
    assert all(event.completed for event in bench.sink.of(PromptEnded))
    assert len(bench.sink.of(PromptPaused)) == len(bench.sink.of(PromptResumed)) == 1
