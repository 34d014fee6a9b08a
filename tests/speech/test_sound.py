from __future__ import annotations

import numpy as np
import pytest

from bot.core.audio import Pcm
from bot.speech.sound import Samples, active_dbfs, level, resample, to_pcm, to_samples, trim


def tone(seconds: float, rate: int, amplitude: float = 0.3, hertz: float = 440.0) -> Samples:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def quiet(seconds: float, rate: int) -> Samples:
    return np.zeros(round(seconds * rate), dtype=np.float32)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_only_the_wanted_silence_stays_at_the_edges(rate: int) -> None:
    sound = np.concatenate(
        (quiet(0.7, rate), tone(0.5, rate), quiet(0.3, rate), tone(0.2, rate), quiet(0.9, rate))
    )
    trimmed = trim(sound, rate, 0.02)
    assert len(trimmed) / rate == pytest.approx(0.02 + 0.5 + 0.3 + 0.2 + 0.02, abs=0.006)
    assert not np.any(trimmed[: round(0.014 * rate)])
    assert np.any(trimmed[round(0.02 * rate) : round(0.03 * rate)])


def test_silence_trims_to_nothing() -> None:
    assert len(trim(quiet(1.0, 8000), 8000, 0.02)) == 0
    assert len(trim(quiet(0.0, 8000), 8000, 0.02)) == 0
    assert len(level(quiet(0.1, 8000), 8000, -20.0)) == 800


@pytest.mark.parametrize("amplitude", [0.001, 0.05, 0.9])
def test_the_level_is_set_by_the_voiced_parts(amplitude: float) -> None:
    sound = np.concatenate((tone(0.5, 8000, amplitude), quiet(2.0, 8000), tone(0.5, 8000, amplitude)))
    assert active_dbfs(level(sound, 8000, -20.0), 8000) == pytest.approx(-20.0, abs=0.1)


def test_peaks_bound_the_level() -> None:
    spiky = tone(0.5, 8000, 0.01)
    spiky[100] = 0.9
    assert float(np.abs(level(spiky, 8000, -6.0)).max()) == pytest.approx(10 ** (-1 / 20), abs=1e-3)


def test_resampling_moves_nothing_in_time() -> None:
    sound = np.concatenate((quiet(0.5, 22050), tone(0.5, 22050), quiet(0.5, 22050)))
    narrow = resample(sound, 22050, 8000)
    assert len(narrow) == pytest.approx(1.5 * 8000, abs=2)
    loud = np.flatnonzero(np.abs(narrow) > 0.15)
    assert loud[0] / 8000 == pytest.approx(0.5, abs=0.002)
    assert loud[-1] / 8000 == pytest.approx(1.0, abs=0.002)
    assert resample(sound, 8000, 8000) is sound


def test_pcm_there_and_back_is_the_same_and_never_wraps() -> None:
    pcm = to_pcm(tone(0.1, 8000), 8000)
    assert to_pcm(to_samples(pcm), 8000) == pcm
    loud = np.array([1.5, -1.5, 1.0, -1.0], dtype=np.float32)
    assert to_pcm(loud, 8000) == Pcm(np.array([32767, -32768, 32767, -32768], "<i2").tobytes(), 8000)
