"""Words are believed where somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.audio import FRAME_S
from bot.core.context import Word
from bot.core.ports import Transcript
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.transcribing import words_of
from bot.speech.voiced import Voiced
from bot.surveys.words import UNKNOWN
from tests.speech.sounds import MODELS, PROJECT, clip, sound_of

NOISES = sorted((PROJECT / "tests/data/speech/noise").glob("*.wav"))
A_VOICE_TO_THE_DETECTOR = "siren_11_137"
"""A siren that swings as a voice does: it is heard as «да», and nothing here knows better."""


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoskRecogniser]:
    made = VoskRecogniser(ensure_model("vosk-model-otklik-demo-ru", MODELS, tmp_path_factory.mktemp("var")))
    yield made
    made.close()


def said(*spans: tuple[str, float, float]) -> Transcript:
    words = tuple(Word(text=text, start=start, end=end, confidence=1.0) for text, start, end in spans)
    return Transcript(text=" ".join(word.text for word in words), words=words)


def voiced_between(*spans: tuple[float, float]) -> Voiced:
    """Ten seconds of a line with a voice in these."""
    found = Voiced(0.35)
    for index in range(500):
        at = round(index * FRAME_S, 4)
        found.add(at, 0.9 if any(begin <= at < end for begin, end in spans) else 0.02)
    return found


def test_a_word_without_a_voice_is_left_out_whether_known_or_not() -> None:
    heard = said(("да", 1.0, 1.3), (UNKNOWN, 2.0, 2.4), ("девять", 5.0, 5.4))
    believed = voiced_between((5.1, 5.3)).believed(heard)
    assert believed.text == "девять"
    assert believed.words == heard.words[2:]
    assert believed.unknown_share == 0


def test_what_was_said_is_left_as_it_is() -> None:
    heard = said(("не", 1.0, 1.2), ("девять", 1.3, 1.7))
    assert voiced_between((1.0, 1.7)).believed(heard) is heard


def test_a_voice_may_be_a_little_beside_its_word() -> None:
    """A word's ends are a guess, and the detector lags."""
    heard = said(("да", 1.0, 1.2))
    assert voiced_between((1.28, 1.5)).believed(heard) is heard
    assert voiced_between((0.7, 0.92)).believed(heard) is heard
    assert voiced_between((1.5, 1.7), (0.5, 0.7)).believed(heard).text == ""


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 0.5)), max_size=8), st.floats(0, 9))
def test_words_keep_their_order_and_more_voice_never_takes_one(
    spans: list[tuple[float, float]], more: float
) -> None:
    heard = said(
        *((f"w{number}", start, start + length) for number, (start, length) in enumerate(sorted(spans)))
    )
    little = voiced_between((3.0, 4.0)).believed(heard).words
    much = voiced_between((3.0, 4.0), (more, more + 1.0)).believed(heard).words
    assert [word for word in heard.words if word in little] == list(little)
    assert set(little) <= set(much)


@pytest.mark.parametrize("noise", NOISES, ids=lambda path: path.stem)
def test_of_what_is_no_speech_no_word_is_heard(recogniser: VoskRecogniser, noise: Path) -> None:
    """The recogniser alone makes a word of each."""
    sound = sound_of(noise)
    assert {*recogniser.transcribe(sound).text.split()} - {UNKNOWN}, "else there is nothing to hold back"
    heard = words_of(recogniser, sound).text
    assert bool(heard) == (noise.stem == A_VOICE_TO_THE_DETECTOR)


@pytest.mark.parametrize("name", ["022_elena", "039_nsh"])
def test_of_speech_all_is_heard(recogniser: VoskRecogniser, name: str) -> None:
    assert words_of(recogniser, sound_of(clip(name).path)).text == clip(name).text
