from __future__ import annotations

import numpy as np
import pytest

from bot.core.audio import Pcm
from bot.speech.loudness import loudness
from bot.speech.sound import (
    Part,
    Samples,
    band,
    fade,
    for_the_line,
    joined,
    level,
    resample,
    to_pcm,
    to_samples,
    trim,
)


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
    assert loudness(level(sound, 8000, -21.0), 8000) == pytest.approx(-21.0, abs=0.05)


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


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 48000])
def test_loudness_is_that_of_the_standard(rate: int) -> None:
    """EBU Tech 3341's signals, in one channel: 3.01 dB less than the two of a stereo programme."""

    def sine(dbfs: float, seconds: float) -> Samples:
        return tone(seconds, rate, 10 ** (dbfs / 20), 997.0)

    assert loudness(sine(0.0, 3.0), rate) == pytest.approx(-3.01, abs=0.01)
    assert loudness(sine(-23.0, 3.0), rate) == pytest.approx(-26.01, abs=0.1)
    gated = np.concatenate((sine(-36.0, 2.0), sine(-23.0, 30.0), sine(-36.0, 2.0), quiet(4.0, rate)))
    assert loudness(gated, rate) == pytest.approx(-26.01, abs=0.1)
    assert loudness(quiet(1.0, rate), rate) == -np.inf
    assert loudness(sine(-20.0, 0.1), rate) == pytest.approx(-23.01, abs=0.1)


def test_low_sound_counts_less_than_high_sound() -> None:
    assert loudness(tone(2.0, 8000, 0.1, 60.0), 8000) < loudness(tone(2.0, 8000, 0.1, 1000.0), 8000) - 1.0
    assert loudness(tone(2.0, 8000, 0.1, 3000.0), 8000) > loudness(tone(2.0, 8000, 0.1, 1000.0), 8000) + 2.5


@pytest.mark.parametrize(
    ("hertz", "line", "stays"),
    [
        (50, 8000, False),
        (250, 8000, True),
        (3300, 8000, True),
        (3900, 8000, False),
        (90, 16000, True),
        (6800, 16000, True),
    ],
)
def test_a_line_gets_what_it_can_carry(hertz: int, line: int, stays: bool) -> None:
    sound = tone(1.0, 22050, 0.3, hertz)
    kept = band(sound, 22050, line)[5000:15000]
    power = float(np.sqrt(np.mean(kept**2)) / np.sqrt(np.mean(sound[5000:15000] ** 2)))
    assert power == pytest.approx(1.0, abs=0.01) if stays else power < 0.02


def test_a_prompt_begins_and_ends_in_silence() -> None:
    cut = np.full(8000, 0.5, np.float32)  # an engine that stops in the middle of a wave
    faded = fade(cut, 8000)
    assert abs(faded[0]) < 1e-6
    assert abs(faded[-1]) < 1e-6
    assert float(np.abs(np.diff(faded)).max()) < 0.03
    assert np.array_equal(faded[40:-40], cut[40:-40])
    assert len(fade(cut[:0], 8000)) == 0


@pytest.mark.parametrize("line", [8000, 16000])
def test_voices_of_any_level_and_rate_are_equally_loud(line: int) -> None:
    rng = np.random.default_rng(1)
    heard = []
    for rate, amplitude in ((22050, 0.02), (24000, 0.3), (48000, 0.9)):
        syllables = [
            tone(0.2, rate, amplitude * rng.uniform(0.5, 1.0), rng.uniform(300, 2500)) for _ in range(8)
        ]
        said = np.concatenate([part for each in syllables for part in (each, quiet(0.05, rate))])
        made = for_the_line(said, rate, line, edge_s=0.02, lufs=-21.0)
        heard.append(loudness(to_samples(made), line))
    assert heard == pytest.approx([-21.0] * 3, abs=0.1)


def silences(pcm: Pcm) -> list[int]:
    """The lengths of the runs of zeros within a sound, in samples, of 20 ms and more."""
    sounding = np.flatnonzero(np.frombuffer(pcm.data, dtype="<i2"))
    return [int(gap) - 1 for gap in np.diff(sounding) if gap > pcm.rate // 50]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_pieces_are_joined_by_exact_silence_and_are_one_prompt(rate: int) -> None:
    """Pieces of other rates and levels, with silence of their own around them."""
    loud = np.concatenate((quiet(0.4, 22050), tone(0.6, 22050, 0.8), quiet(0.2, 22050)))
    soft = np.concatenate((quiet(0.1, 24000), tone(0.6, 24000, 0.4), quiet(0.5, 24000)))
    parts = [
        Part(loud, 22050, 0.4),
        Part(soft, 24000, 1.5),
        Part(quiet(0.3, 24000), 24000, 0.2),
        Part(loud, 22050),
    ]
    pcm = joined(parts, rate, edge_s=0.02, lufs=-23.0)
    first, second = silences(pcm)
    assert first == pytest.approx(0.4 * rate, abs=4)  # a tone's own first and last sample may be zeros
    assert second == pytest.approx(1.5 * rate, abs=4)
    assert pcm.seconds == pytest.approx(0.02 + 3 * 0.6 + 0.4 + 1.5 + 0.02, abs=0.03)
    assert loudness(to_samples(pcm), rate) == pytest.approx(-23.0, abs=0.2)
    assert joined([Part(quiet(0.3, rate), rate, 0.5)], rate, edge_s=0.02, lufs=-23.0).data == b""


def test_one_piece_is_what_it_was_before_there_were_pauses() -> None:
    sound = np.concatenate((quiet(0.2, 8000), tone(0.5, 8000), quiet(0.2, 8000)))
    whole = to_pcm(fade(level(band(trim(sound, 8000, 0.02), 8000, 8000), 8000, -23.0), 8000), 8000)
    assert joined([Part(sound, 8000, 0.7)], 8000, edge_s=0.02, lufs=-23.0) == whole
