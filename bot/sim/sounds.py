"""Sounds that a simulated phone makes and recognises: clips, tones, keys (all 8 kHz mono int16)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from bot.core.errors import AudioInvalid
from bot.sim.g711 import RATE, Samples

BLOCK_S = 0.1
"""Length of the blocks in which a tone is looked for: 10 Hz of resolution."""

TONE_LEVEL_DBFS = -12.0
NO_TONE_DBFS = -100.0

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
"""The keypad row by row (ITU-T Q.23)."""

EVENT_CODES = {key: code for code, key in enumerate("0123456789*#ABCD")}
"""Telephone events of the keys (RFC 4733, 3.2)."""


def read_clip(path: Path) -> Samples:
    """Any sound file that libsndfile reads (WAV, FLAC, OGG, at any rate, its channels mixed), as 8 kHz mono.

    Raises AudioInvalid.
    """
    try:
        data, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioInvalid(
            f"{path}: not a readable sound file: {error}", hint="give a WAV or FLAC file"
        ) from error
    mono = data.mean(axis=1)
    sound: NDArray[np.float64] = mono if rate == RATE else soxr.resample(mono, rate, RATE)
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)


def tone(hz: float, samples: int, *, start: int = 0, level_dbfs: float = TONE_LEVEL_DBFS) -> Samples:
    """A sine whose phase goes on from sample `start`; the level is its RMS against a full-scale sine's."""
    amplitude = 32767 * 10 ** (level_dbfs / 20)
    phase = 2 * np.pi * hz * (np.arange(start, start + samples) / RATE)
    return np.rint(amplitude * np.sin(phase)).astype(np.int16)


def noise(level_dbfs: float, samples: int, seed: int = 0) -> Samples:
    """White noise; the level is its RMS against full scale."""
    drawn = np.random.default_rng(seed).normal(0.0, 32768 * 10 ** (level_dbfs / 20), samples)
    return np.clip(np.rint(drawn), -32768, 32767).astype(np.int16)


def key_tone(key: str, samples: int, *, start: int = 0) -> Samples:
    """The two tones of a key. Raises KeyError for what is no key."""
    place = KEYS.index(key) if key in EVENT_CODES else -1
    if place < 0:
        raise KeyError(key)
    row, column = _ROWS[place // 4], _COLUMNS[place % 4]
    low = tone(row, samples, start=start, level_dbfs=-18)
    return low + tone(column, samples, start=start, level_dbfs=-16)


@dataclass(frozen=True, slots=True)
class ToneReading:
    """What was measured of one tone in a stretch of sound, over its best second.

    `level_dbfs` is the tone's own level (a full-scale sine is 0), `dominance` its share 0..1 of all
    power there, `heard_s` how long in all it made up more than half of a voiced block.
    """

    hz: float
    level_dbfs: float
    dominance: float
    heard_s: float


def read_tone(samples: Samples, hz: float) -> ToneReading:
    """Look for a tone with the Goertzel power of every block of 100 ms."""
    size = round(BLOCK_S * RATE)
    count = samples.size // size
    if not count:
        return ToneReading(hz, NO_TONE_DBFS, 0.0, 0.0)
    blocks = samples[: count * size].reshape(count, size).astype(np.float64) / 32768
    power = (blocks**2).mean(axis=1)
    # The Goertzel recursion computes just this sum, the Fourier term at one frequency.
    turns = np.exp(-2j * np.pi * hz * np.arange(size) / RATE)
    tone_power = 2 * np.abs((blocks * turns).sum(axis=1) / size) ** 2
    share = np.where(power > 1e-7, tone_power / np.maximum(power, 1e-12), 0.0).clip(0, 1)
    best = _best_second(share)
    power_there = float(np.median(tone_power[best])) * 2
    level = max(10 * math.log10(power_there), NO_TONE_DBFS) if power_there else NO_TONE_DBFS
    return ToneReading(
        hz=hz,
        level_dbfs=round(level, 1),
        dominance=round(float(np.median(share[best])), 3),
        heard_s=round(float((share > 0.5).sum()) * BLOCK_S, 2),
    )


def _best_second(share: NDArray[np.float64]) -> slice:
    width = min(share.size, round(1 / BLOCK_S))
    sums = np.convolve(share, np.ones(width), "valid")
    start = int(sums.argmax())
    return slice(start, start + width)
