"""Recorded voices in whole calls, with the real recogniser and voice activity, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.call.plan import CallRoom
from bot.call.session import CallSession
from bot.core.audio import Pcm, silence
from bot.core.events import AnswerRecorded, TurnHeard
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings
from bot.speech.voices import SileroVoices
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import Bench
from tests.call.test_foreseen import Surveying, asked
from tests.speech.sounds import MODELS, PROJECT, sound_of, voiced_span, with_noise
from tests.surveys.turns import NPS, context

RATE = 8000
ONSET_S = 0.06
"""The consonant before the first voiced sound: without it «ну» is heard as «нуль»."""
TURNS = PROJECT / "tests" / "data" / "audio" / "turns"
NOISES = PROJECT / "tests" / "data" / "speech" / "noise"


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoskRecogniser]:
    path = ensure_model("vosk-model-otklik-demo-ru", MODELS, tmp_path_factory.mktemp("var"))
    made = VoskRecogniser(path, RecogniserSettings(feed_wait_s=5.0))
    yield made
    made.close()


def voice(name: str) -> Pcm:
    """A recording without the silence around its voice, but for `ONSET_S` before it."""
    sound = sound_of(TURNS / f"{name}.wav")
    begin_s, end_s = voiced_span(sound)
    missing = silence(max(0.0, ONSET_S - begin_s), RATE).data
    begin, end = (round(at * RATE) * 2 for at in (max(0.0, begin_s - ONSET_S), end_s))
    return Pcm(missing + sound.data[begin:end], RATE)


def said(*parts: Pcm | float) -> Pcm:
    """Recordings, and pauses (seconds) between their voices, on a line with a little noise."""
    sounds = [silence(max(0.0, part - ONSET_S), RATE) if isinstance(part, float) else part for part in parts]
    return with_noise(Pcm(b"".join(sound.data for sound in sounds), RATE), -60.0)


class Hearing(Bench):
    """The bench with real ears."""

    def room(self) -> CallRoom:
        return replace(super().room(), vad=SileroVoices().line)


def answer_nps(recogniser: VoskRecogniser, speech: Pcm) -> Hearing:
    """A call whose caller says this to the first question, and nothing more before he hangs up."""
    bench = Hearing(words=recogniser, dialogue=Surveying())  # type: ignore[arg-type]
    plan = replace(bench.plan(), context=context(NPS), survey=NPS)

    async def talk() -> None:
        leg = ScriptedLeg()
        session = asyncio.create_task(CallSession(plan, bench.room()).inbound(leg))
        await asked(bench, "nps")
        leg.say(speech)
        await leg.said()
        await asyncio.sleep(2.5)
        leg.remote_hang_up()
        await session

    run(talk())
    return bench


def values(bench: Hearing) -> list[object]:
    return [e.answer.value for e in bench.sink.of(AnswerRecorded) if e.question_id == "nps"]


def test_music_that_sounds_like_a_word_answers_nothing(recogniser: VoskRecogniser) -> None:
    """«ну да», as the recogniser alone has it."""
    music = sound_of(NOISES / "music_11_026.wav")
    bench = answer_nps(recogniser, said(music, 0.3, voice("009_elena"), 1.0))
    assert values(bench) == [9]
    assert [event.text for event in bench.sink.of(TurnHeard) if event.text] == ["девять"]


PAUSES = [0.3, 0.5, 0.8, 1.1, 1.5]


@pytest.mark.parametrize("pause_s", PAUSES)
@pytest.mark.parametrize("who", ["elena", "nsh"])
def test_a_correction_within_a_second_and_a_half_replaces_the_answer(
    recogniser: VoskRecogniser, who: str, pause_s: float
) -> None:
    speech = said(voice(f"008_{who}"), pause_s, voice(f"024_{who}"), 0.12, voice(f"009_{who}"), 1.0)
    bench = answer_nps(recogniser, speech)
    assert values(bench) == [8, 9], [event.text for event in bench.sink.of(TurnHeard)]


@pytest.mark.parametrize("pause_s", [0.05, 0.12, 0.2])
def test_a_correction_in_one_breath_is_one_turn(recogniser: VoskRecogniser, pause_s: float) -> None:
    speech = said(voice("008_elena"), pause_s, voice("024_elena"), 0.12, voice("009_elena"), 1.0)
    assert values(answer_nps(recogniser, speech)) == [9]


@pytest.mark.parametrize("pause_s", [0.3, 0.9, 1.5])
@pytest.mark.parametrize(("hesitation", "answer"), [("011_nsh_a", "009_nsh"), ("011_elena_c", "009_elena")])
def test_a_hesitation_is_waited_out(
    recogniser: VoskRecogniser, hesitation: str, answer: str, pause_s: float
) -> None:
    """«ну наверное… девять», «наверное… девять»."""
    speech = said(voice(hesitation), pause_s, voice(answer), 1.0)
    bench = answer_nps(recogniser, speech)
    assert values(bench) == [9]
    assert len([event for event in bench.sink.of(TurnHeard) if event.question_id == "nps"]) == 1


@pytest.mark.parametrize("number", range(11))
def test_a_single_word_is_answered_at_once_and_never_twice(recogniser: VoskRecogniser, number: int) -> None:
    bench = answer_nps(recogniser, said(voice(f"{number:03d}_elena"), 1.0))
    assert values(bench) == [number]
    turn = bench.sink.of(TurnHeard)[0]
    assert turn.media_s is not None
    assert turn.ended_s is not None
    assert turn.media_s - turn.ended_s == pytest.approx(0.6 if number == 1 else 0.25, abs=0.021)
