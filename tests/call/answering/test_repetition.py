"""A recording in a loop is heard as one; speech that only resembles itself is not."""

from __future__ import annotations

import numpy as np
import pytest

from bot.call.answering.hearing import Hearing
from bot.call.answering.recorded import frames
from bot.call.answering.repetition import Repetition
from bot.core.audio import Pcm, silence
from bot.speech.files import read_audio
from telephony.tones import samples
from tests.speech.sounds import AUDIO


def with_noise(pcm: Pcm, dbfs: float) -> Pcm:
    wave = samples(pcm)
    wave = wave + 10 ** (dbfs / 20) * np.random.default_rng(3).standard_normal(len(wave))
    return Pcm((np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes(), pcm.rate)


def lags(pcm: Pcm) -> list[float]:
    hearing, loop = Hearing(pcm.rate), Repetition()
    found = (loop.push(hearing.hear(frame, 0.0), voiced_s=2.0) for frame in frames(pcm))
    return [lag for lag in found if lag is not None]


def clip(*names: str) -> bytes:
    return b"".join(read_audio(AUDIO / f"{name}.wav").data for name in names)


SENTENCES = ("056_elena", "039_elena", "032_elena")


@pytest.mark.parametrize("shift", [0, 37, 80, 120])
def test_a_loop_is_found_at_its_length_whatever_its_place_among_the_frames(shift: int) -> None:
    once = clip(*SENTENCES) + silence(0.7, 8000).data + bytes(2 * shift)
    found = lags(with_noise(Pcm(2 * once, 8000), -50))
    assert found
    assert found[0] == pytest.approx(len(once) / 16000, abs=0.02)


def test_other_sentences_by_the_same_voice_are_no_loop() -> None:
    names = ("056_elena", "039_elena", "032_elena", "038_elena", "046_elena", "060_elena", "010_elena")
    assert lags(with_noise(Pcm(clip(*names), 8000), -50)) == []


def test_noise_and_pauses_are_no_loop() -> None:
    burst = np.random.default_rng(5)
    parts = [np.concatenate([burst.standard_normal(16000) * 0.08, np.zeros(4000)]) for _ in range(5)]
    data = (np.clip(np.concatenate(parts), -1, 1) * 32767).astype("<i2").tobytes()
    assert lags(Pcm(data, 8000)) == []


def test_a_greeting_said_twice_is_shorter_than_a_loop() -> None:
    assert lags(with_noise(Pcm(3 * (clip("020_elena") + silence(0.8, 8000).data), 8000), -50)) == []
