"""Tones: what a line plays while nobody talks, and how to tell that one was heard. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bot.core.audio import Pcm

RINGBACK_HZ = 425.0
"""The ringing tone of Russia: 425 Hz, one second in five (ITU-T E.180, supplement 2)."""

KEYS = "123A456B789C*0#D"
"""A telephone's keys, row by row (ITU-T Q.23)."""

_FULL_SCALE = 32767.0


def _pcm(wave: NDArray[np.float64], rate: int) -> Pcm:
    return Pcm(np.rint(np.clip(wave, -1, 1) * _FULL_SCALE).astype("<i2").tobytes(), rate)


def samples(pcm: Pcm) -> NDArray[np.float64]:
    """The sound as numbers from -1 to 1."""
    return np.frombuffer(pcm.data, "<i2").astype(np.float64) / _FULL_SCALE


def tone(seconds: float, rate: int, *, hz: float = RINGBACK_HZ, dbfs: float = -12.0) -> Pcm:
    """A sine at `dbfs` (peak, relative to full scale) with 5 ms ramps, so that it does not click."""
    count = round(seconds * rate)
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz / rate * np.arange(count))
    ramp = min(round(0.005 * rate), count // 2)
    if ramp:
        edge = np.linspace(0, 1, ramp)
        wave[:ramp] *= edge
        wave[-ramp:] *= edge[::-1]
    return _pcm(wave, rate)


def ringback(seconds: float, rate: int) -> Pcm:
    """What somebody hears while another phone rings: a second of tone, four of silence."""
    cycle = tone(1.0, rate, dbfs=-18).data + bytes(2 * 4 * rate)
    size = 2 * round(seconds * rate)
    return Pcm((cycle * (size // len(cycle) + 1))[:size], rate)


def hold_music(rate: int) -> Pcm:
    """Two soft notes (C5, E5) and a breath, twice, four seconds in all: to be repeated for a caller who
    waits. The breath is short, because two silent seconds are a dead line."""
    notes = tone(0.35, rate, hz=523.25, dbfs=-26).data + tone(0.55, rate, hz=659.25, dbfs=-26).data
    return Pcm(2 * (notes + bytes(2 * round(1.1 * rate))), rate)


def listening_sign(rate: int) -> Pcm:
    """A short, quiet blip for a caller who thinks: the line is alive, take your time."""
    return tone(0.08, rate, hz=880.0, dbfs=-34)


def comfort(seconds: float, rate: int, *, dbfs: float = -60.0) -> Pcm:
    """Faint, steady noise (mean level `dbfs`), so that a silent line does not sound dead. Always the same."""
    noise = np.random.default_rng(0).standard_normal(round(seconds * rate))
    return _pcm(10 ** (dbfs / 20) * noise, rate)


def dtmf(keys: str, rate: int) -> Pcm:
    """Keys as their pairs of tones, 100 ms each and 100 ms apart (at least 40 ms, ITU-T Q.24). Raises
    ValueError."""
    unknown = set(keys.upper()) - set(KEYS)
    if unknown:
        raise ValueError(f"no keys of a telephone: {''.join(sorted(unknown))!r}")
    gap = bytes(2 * round(0.1 * rate))
    parts = []
    for key in keys.upper():
        row, column = (tone(0.1, rate, hz=hz, dbfs=-12) for hz in dtmf_hz(key))
        parts.append(_pcm(samples(row) + samples(column), rate).data + gap)
    return Pcm(b"".join(parts), rate)


def dtmf_hz(key: str) -> tuple[float, float]:
    """The two frequencies of a key (ITU-T Q.23)."""
    row, column = divmod(KEYS.index(key), 4)
    return (697.0, 770.0, 852.0, 941.0)[row], (1209.0, 1336.0, 1477.0, 1633.0)[column]


def level_dbfs(pcm: Pcm) -> float:
    """Mean (RMS) level relative to a full-scale square wave; -inf for digital silence."""
    wave = samples(pcm)
    power = float(np.mean(wave**2)) if len(wave) else 0.0
    return 10 * float(np.log10(power)) if power > 0 else float("-inf")


def goertzel_dbfs(pcm: Pcm, hz: float) -> float:
    """Level of one frequency in the sound as the peak of its sine, by a single DFT bin (Goertzel 1958);
    -inf where there is none. The bin is about 1 / seconds wide."""
    wave = samples(pcm)
    if not len(wave):
        return float("-inf")
    turn = np.exp(-2j * np.pi * hz / pcm.rate * np.arange(len(wave)))
    peak = 2 * abs(complex(np.dot(wave, turn))) / len(wave)
    return 20 * float(np.log10(peak)) if peak > 0 else float("-inf")


def hears(pcm: Pcm, hz: float, *, above_dbfs: float = -30.0) -> bool:
    """True if this frequency is loud and at least half the power of what is heard."""
    peak = goertzel_dbfs(pcm, hz)
    return peak > above_dbfs and peak > level_dbfs(pcm)  # a sine's power is 3 dB below its peak
