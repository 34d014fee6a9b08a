"""How loud a line is where neither side speaks.

The least of what was heard lately, since every talker pauses: minimum statistics (Martin, "Noise power
spectral density estimation based on optimal smoothing and minimum statistics", IEEE Transactions on Speech
and Audio Processing 9/5, 2001), of the power of whole frames.
"""

from __future__ import annotations

from collections import deque

_STRETCH = 25
"""Frames (0.5 s) of which the least is kept at a time."""
_STRETCHES = 4
"""So many of them are looked at: in two seconds of talk there is a gap of 20 ms."""
_ENOUGH = 2
"""From so many on, something is known of the line."""


class LineNoise:
    """Fed only frames in which no sound of ours can be coming back."""

    def __init__(self) -> None:
        self.power = 0.0
        """Mean square of a sample; 0 while nothing is known."""
        self._least: deque[float] = deque(maxlen=_STRETCHES)
        self._least_now = float("inf")
        self._heard = 0

    def hear(self, power: float) -> None:
        """One frame more, of this mean square of a sample."""
        self._least_now = min(self._least_now, power)
        self._heard += 1
        if self._heard < _STRETCH:
            return
        self._least.append(self._least_now)
        self._least_now, self._heard = float("inf"), 0
        if len(self._least) >= _ENOUGH:
            self.power = min(self._least)
