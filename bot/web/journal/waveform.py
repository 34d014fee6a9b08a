"""The sound of a call as a picture: peaks of both channels, computed here and drawn as SVG."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

BARS = 900
"""Of each channel over the whole picture: one for each pixel or so of a laptop's screen."""

_HALF = 40
"""Height of a channel's half, in the picture's units."""

_FULL = 32768


@dataclass(frozen=True, slots=True)
class Waveform:
    """`caller` and `bot` are the loudest sample of each bar, 0..1. `seconds` is the length of the sound."""

    seconds: float
    caller: tuple[float, ...]
    bot: tuple[float, ...]


def waveform(file: BinaryIO, bars: int = BARS) -> Waveform | None:
    """Of a WAV; None where there is no sound that could be drawn. Blocks. Raises what its reading does."""
    try:
        with wave.open(file, "rb") as sound:
            frames, rate, channels = sound.getnframes(), sound.getframerate(), sound.getnchannels()
            if channels != 2 or sound.getsampwidth() != 2 or not frames:
                return None
            step = -(-frames // bars)
            found: list[tuple[float, float]] = []
            while piece := sound.readframes(step):
                both = np.abs(np.frombuffer(piece, np.int16).reshape(-1, 2).astype(np.int32)).max(axis=0)
                found.append((float(both[0]) / _FULL, float(both[1]) / _FULL))
    except (wave.Error, EOFError):
        return None
    return Waveform(frames / rate, tuple(left for left, _ in found), tuple(right for _, right in found))


def path(peaks: tuple[float, ...], *, x: float, width: float, middle: float) -> str:
    """The `d` of an SVG path: a line up and down for each peak; quiet sound is lifted so that it is seen."""
    if not peaks:
        return ""
    step = width / len(peaks)
    bars = []
    for place, peak in enumerate(peaks):
        half = _HALF * peak**0.5
        bars.append(f"M{x + place * step:.1f} {middle - half:.1f}V{middle + half:.1f}")
    return "".join(bars)
