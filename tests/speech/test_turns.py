"""The whole ear on recorded speech: voice activity, recogniser and endpointing, frame by frame."""

from __future__ import annotations

import pytest

from bot.core.answer import Answer
from bot.core.audio import Pcm
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Expectation, OpenExpected, ScaleExpected, YesNoExpected
from bot.core.ports import Transcript
from bot.speech.endpointing import Endpointer, NoInput, SpeechEnded, TurnOver, strategy_for
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import EndpointingSettings
from bot.speech.vad import SileroVad
from bot.surveys.answers import parse
from tests.speech.sounds import Clip, around, clips, cough, frames, sound_of, voiced_span, with_noise

NPS = ScaleExpected(low=0, high=10)
START = 42.0


async def hear(
    recogniser: VoskRecogniser, sound: Pcm, expectation: Expectation = NPS, *, conceal_after: float = 1e9
) -> tuple[TurnOver | NoInput | None, Transcript]:
    vad, endpointer = SileroVad(sound.rate), Endpointer(expectation, no_input_s=4.0)
    stream = recogniser.open(sound.rate, expectation)
    for frame in frames(sound, at=START, conceal_after=conceal_after):
        voice = vad.probability(frame)
        for event in endpointer.push(frame, voice, await stream.feed(frame, voice)):
            if isinstance(event, SpeechEnded) and endpointer.wants_words:
                await stream.settle()
            if isinstance(event, TurnOver | NoInput):
                return event, await stream.finish()
    return None, await stream.finish()


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("said", clips(), ids=lambda c: c.name)
async def test_an_nps_question_hears_what_is_said_and_when_it_ended(
    recogniser: VoskRecogniser, said: Clip, rate: int
) -> None:
    """Numbers, yes and no, but also complaints, a wish for a person and «больше не звоните»."""
    sound = sound_of(said.path, rate)
    begin, end = voiced_span(sound)
    over, heard = await hear(recogniser, with_noise(around(sound, 1.0, 2.0), -60.0))
    assert heard.text == said.text
    assert isinstance(over, TurnOver)
    assert over.started_s == pytest.approx(START + 1.0 + begin, abs=0.2)
    assert over.ended_s == pytest.approx(START + 1.0 + end, abs=0.031)
    needed = strategy_for(NPS, EndpointingSettings()).silence_s(NPS, said.text, 1.0)
    assert over.at - over.ended_s == pytest.approx(needed, abs=0.021)
    if said.intent == "answer_score":
        assert needed == 0.25


@pytest.mark.parametrize("name", ["009_elena", "009_nsh", "020_elena"])
async def test_a_phone_that_stops_sending_after_the_answer_is_answered_as_fast(
    recogniser: VoskRecogniser, name: str
) -> None:
    said = next(c for c in clips() if c.name == name)
    sound = sound_of(said.path)
    _, end = voiced_span(sound)
    padded = around(sound, 1.0, 2.0)
    asked = YesNoExpected() if said.intent == "affirm" else NPS
    over, heard = await hear(recogniser, padded, asked, conceal_after=START + 1.0 + sound.seconds)
    assert isinstance(over, TurnOver)
    assert heard.text == said.text
    assert over.at - (START + 1.0 + end) < 0.3


async def test_a_noisy_line_without_a_caller_is_no_input(recogniser: VoskRecogniser) -> None:
    over, heard = await hear(recogniser, with_noise(around(Pcm(b"", 8000), 3.0, 2.0), -48.0))
    assert over == NoInput(START + 4.0)
    assert heard.text == ""


@pytest.mark.parametrize("expectation", [NPS, YesNoExpected(), OpenExpected()], ids=lambda e: e.kind)
async def test_a_cough_is_no_answer_to_anything(recogniser: VoskRecogniser, expectation: Expectation) -> None:
    sound = with_noise(around(cough(), 1.0, 5.0), -60.0)
    over, heard = await hear(recogniser, sound, expectation)
    assert over == NoInput(START + 4.0) or heard.unknown_share == 1.0, heard.text
    turn = UserTurn(source=TurnSource.SPEECH, text=heard.text, words=heard.words)
    assert isinstance(expectation, OpenExpected) or not isinstance(parse(expectation, turn), Answer)


@pytest.mark.parametrize("name", ["009_nsh", "009_elena"])
async def test_a_cough_before_an_answer_changes_nothing_of_it(recogniser: VoskRecogniser, name: str) -> None:
    said = next(c for c in clips() if c.name == name)
    answer = around(sound_of(said.path), 0.0, 2.0)
    sound = Pcm(around(cough(), 0.6, 0.5).data + answer.data, answer.rate)
    over, heard = await hear(recogniser, with_noise(sound, -60.0))
    assert isinstance(over, TurnOver)
    turn = UserTurn(source=TurnSource.SPEECH, text=heard.text, words=heard.words)
    plain = UserTurn(source=TurnSource.SPEECH, text=said.text)
    found, meant = parse(NPS, turn), parse(NPS, plain)
    assert isinstance(meant, Answer)
    assert isinstance(found, Answer), heard.text
    assert found.value == meant.value
