"""Sound as it moves between rooms: mono, signed 16-bit little-endian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FRAME_S = 0.02
"""Length of a frame in seconds: the packet time of telephony (RFC 3551, 4.2)."""

SAMPLE_BYTES = 2

SILENT_DBFS = -120.0
"""The level of no sound at all: below the smallest sample's."""

_INAUDIBLE = 33
"""Peak sample of sound in which nobody can be speaking, -60 dBFS: muted lines, and those that send nothing
while nobody speaks."""


@dataclass(frozen=True, slots=True)
class Pcm:
    """A stretch of sound: `data` at `rate` samples a second."""

    data: bytes
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.data) / (SAMPLE_BYTES * self.rate)


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of a line's sound.

    `at` is the media time in seconds at which the frame begins, counted from the first frame of
    the call. `concealed` marks what stands in for what did not arrive. `own_dbfs` is how loud
    (RMS, relative to full scale) the echo of our own sound that is left in it may be; -120 where none is.
    `inaudible` is True only where nobody can be speaking in it: half of a talk is such frames, and whoever
    knows need not look.
    """

    data: bytes
    rate: int
    at: float
    concealed: bool = False
    own_dbfs: float = SILENT_DBFS
    inaudible: bool = False


def frame_bytes(rate: int) -> int:
    """Bytes in one frame at this rate."""
    return round(rate * FRAME_S) * SAMPLE_BYTES


def inaudible(data: bytes) -> bool:
    """Whether no sample is louder than -60 dBFS."""
    samples = np.frombuffer(data, "<i2")
    return bool(samples.max(initial=0) < _INAUDIBLE and samples.min(initial=0) > -_INAUDIBLE)


def silence(seconds: float, rate: int) -> Pcm:
    return Pcm(bytes(round(seconds * rate) * SAMPLE_BYTES), rate)
