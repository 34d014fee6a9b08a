"""A decoder is kept for another turn, and nothing of the turns before is heard in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import vosk

from bot.core.audio import SAMPLE_BYTES, Pcm
from bot.speech.decoding import Decoder, Decoders
from bot.speech.heard import HeardWord
from tests.speech.sounds import around, clips, sound_of

RATE = 8000
HOP = round(0.08 * RATE) * SAMPLE_BYTES


@pytest.fixture(scope="module")
def model(model_path: Path) -> vosk.Model:
    return vosk.Model(str(model_path))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rates of all of Vosk's recognisers that are made meanwhile."""
    made, kind = list[int](), vosk.KaldiRecognizer

    def make(model: vosk.Model, rate: int, *grammar: str) -> vosk.KaldiRecognizer:
        made.append(rate)
        return kind(model, rate, *grammar)

    monkeypatch.setattr(vosk, "KaldiRecognizer", make)
    return made


def sounds() -> list[Pcm]:
    return [around(sound_of(each.path), 0.2, 0.4) for each in clips()]


def told(decoder: Decoder, sound: Pcm) -> None:
    for place in range(0, len(sound.data), HOP):
        decoder.accept(sound.data[place : place + HOP])


def heard(decoder: Decoder, sound: Pcm) -> list[HeardWord]:
    told(decoder, sound)
    return decoder.finish()


def same(found: list[HeardWord], wanted: list[HeardWord]) -> bool:
    return [word.word for word in found] == [word.word for word in wanted] and all(
        (one.start, one.end, one.conf) == pytest.approx((other.start, other.end, other.conf), abs=0.001)
        for one, other in zip(found, wanted, strict=True)
    )


def test_a_decoder_hears_a_turn_as_a_new_one_does_whatever_it_heard_before(
    model: vosk.Model, made: list[int]
) -> None:
    alone = [heard(Decoders(model).open(RATE, None), sound) for sound in sounds()]
    made.clear()
    decoders = Decoders(model)
    for sound, wanted in zip(sounds(), alone, strict=True):
        assert same(heard(decoders.open(RATE, None), sound), wanted)
    # A sentence that ends just where Vosk itself ends one takes its decoder with it.
    assert 1 <= len(made) <= len(alone) / 10


def test_turns_at_once_have_a_decoder_each(model: vosk.Model, made: list[int]) -> None:
    one, other = sounds()[:2]
    wanted = [heard(Decoders(model).open(RATE, None), sound) for sound in (one, other)]
    made.clear()
    decoders = Decoders(model)
    for _ in range(2):
        first, second = decoders.open(RATE, None), decoders.open(RATE, None)
        told(first, one)
        told(second, other)
        assert same(second.finish(), wanted[1])
        assert same(first.finish(), wanted[0])
    assert made == [RATE, RATE]


def test_a_turn_that_was_left_or_had_nothing_to_decide_on_leaves_no_trace(
    model: vosk.Model, made: list[int]
) -> None:
    one, other = sounds()[:2]
    wanted = heard(Decoders(model).open(RATE, None), other)
    made.clear()
    decoders = Decoders(model)
    told(decoders.open(RATE, None), one)  # and nobody wants its words
    assert decoders.open(RATE, None).finish() == []
    assert same(heard(decoders.open(RATE, None), other), wanted)
    assert made == [RATE] * 3


def test_rates_and_grammars_are_kept_apart(model: vosk.Model, made: list[int]) -> None:
    decoders = Decoders(model)
    heard(decoders.open(RATE, None), sounds()[0])
    heard(decoders.open(RATE, ("да", "нет")), sounds()[0])
    heard(decoders.open(16000, None), Pcm(bytes(16000), 16000))
    heard(decoders.open(RATE, ("да", "нет")), sounds()[0])
    assert made == [RATE, RATE, 16000, RATE]
