"""The same sound again: a recording in a loop repeats itself to the millisecond, a person never does."""

from __future__ import annotations

import numpy as np

from bot.call.answering.evidence import BAND_EDGES_HZ, Sound
from bot.core.audio import FRAME_S

WINDOW_S = 2.0
"""What must come again: long enough to hold several words."""
MIN_LAG_S = 3.0
"""A loop is longer than this; «алло… алло» is not."""
MEMORY_S = 30.0
_STEP_S = 0.5
_ALIKE = 0.8
"""Correlation of the two stretches' spectral shapes, frame by frame. 1 is the same samples; noise, and a
shift by up to half a frame, cost some of it. Measured on the tuning clips of tests/data/amd: 0.94 for a
loop, at most 0.55 for anything else."""
_MIN_SPREAD_DB = 2.5
"""A shape that hardly changes (hum, steady noise) is like any other one."""
_LOUD_DB = -45.0
"""Band levels are kept down to this far below full scale: what is softer is the line's noise."""


class Repetition:
    """Compares the newest `WINDOW_S` with everything before it, every half second."""

    def __init__(self) -> None:
        self._frames = round(WINDOW_S / FRAME_S)
        self._shapes: list[tuple[float, ...]] = []
        self._since = 0

    def push(self, sound: Sound, *, voiced_s: float) -> float | None:
        """The lag in seconds at which the newest stretch was heard before, or None.

        `voiced_s` is how much of it is speech: only words are compared, not pauses.
        """
        if len(sound.bands) != len(BAND_EDGES_HZ) - 1:
            return None
        self._shapes.append(sound.bands)
        limit = round(MEMORY_S / FRAME_S)
        if len(self._shapes) > limit:
            del self._shapes[0]
        self._since += 1
        if self._since * FRAME_S < _STEP_S or voiced_s < WINDOW_S * 0.6:
            return None
        self._since = 0
        return self._find()

    def forget(self) -> None:
        self._shapes.clear()

    def _find(self) -> float | None:
        size, least = self._frames, round(MIN_LAG_S / FRAME_S)
        if len(self._shapes) < size + least:
            return None
        levels = np.maximum(np.array(self._shapes), _LOUD_DB - 15)
        loud = levels[-size:].max(axis=1) > _LOUD_DB
        # The shape alone, and only where there is sound: any two stretches begin and end after a pause.
        shapes = levels - levels.mean(axis=1, keepdims=True)
        newest = shapes[-size:][loud]
        if not len(newest):
            return None
        newest = newest - newest.mean(axis=0)
        power = float((newest**2).sum())
        if power < newest.size * _MIN_SPREAD_DB**2:
            return None
        past = shapes[: len(shapes) - least]
        windows = np.lib.stride_tricks.sliding_window_view(past, size, axis=0)[:, :, loud]
        centred = windows - windows.mean(axis=2, keepdims=True)
        product = np.einsum("sbt,tb->s", centred, newest)
        spread = np.sqrt(np.einsum("sbt,sbt->s", centred, centred) * power)
        alike = np.divide(product, spread, out=np.zeros_like(product), where=spread > 0)
        best = int(alike.argmax())
        if alike[best] < _ALIKE:
            return None
        return (len(shapes) - size - best) * FRAME_S
