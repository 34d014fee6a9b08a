"""From what arrived to a frame every 20 ms. Pure.

A frame that is not there when it is due is concealed: by what came last, fading out, and then by silence.
When the far end's packets then come in a burst, the burst must not be replayed at its own pace, or the talk
would lag for ever: silence in it is dropped at once, and speech as soon as it lags by more than `_LIMIT`
frames. A frame that waited for two seconds without ever being needed is dropped at the next silence, too.
"""

from __future__ import annotations

import numpy as np

from bot.core.audio import FRAME_S, Frame, frame_bytes, inaudible
from telephony.slack import Slack

_TARGET = 2
"""Frames that may wait: what the packets' own timing needs."""

_LIMIT = 10
"""Frames of lag (200 ms) at which speech is dropped, too: people notice it in a talk (ITU-T G.114)."""

_QUIET = 200
"""Peak sample of a frame that nobody misses, -44 dBFS."""

_FADE = (1.0, 0.7, 0.35)
"""Gains of the last frame that came, in the place of the first ones that did not. A hole in a word makes
another word of it, or none: of numbers on a line that loses 5, 10, 20 % the small model understands 89, 71,
43 % with silence in the holes, and 96, 93, 82 % with these (tests/trust/test_faults_loss.py)."""


class Intake:
    """The received half of one line at `rate` samples a second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = frame_bytes(rate)
        self._waiting = bytearray()
        self._slack = Slack()
        self._ticks = 0
        self._last = b""
        self._silence = bytes(self._size)  # the newest frame that was found inaudible: many are alike
        self._missing = 0
        self.concealed = 0
        self.dropped = 0

    @property
    def media_s(self) -> float:
        """Media time in seconds: the end of the newest frame."""
        return self._ticks * FRAME_S

    def feed(self, data: bytes) -> None:
        self._waiting += data

    def take(self, count: int) -> list[Frame]:
        """The frames of the `count` frame times that have passed."""
        frames = [self._next() for _ in range(count)]
        self._slack.see(len(self._waiting))
        self._catch_up()
        return frames

    def _next(self) -> Frame:
        at = self.media_s
        self._ticks += 1
        if len(self._waiting) < self._size:
            self.concealed += 1
            data = self._stand_in()
            return Frame(data, self._rate, at, concealed=True, inaudible=self._is_inaudible(data))
        data = bytes(self._waiting[: self._size])
        del self._waiting[: self._size]
        self._last, self._missing = data, 0
        return Frame(data, self._rate, at, inaudible=self._is_inaudible(data))

    def _is_inaudible(self, data: bytes) -> bool:
        if data == self._silence:
            return True
        if not inaudible(data):
            return False
        self._silence = data
        return True

    def _stand_in(self) -> bytes:
        self._missing += 1
        if not self._last or self._missing > len(_FADE):
            return bytes(self._size)
        faded = np.frombuffer(self._last, "<i2") * _FADE[self._missing - 1]
        return faded.astype("<i2").tobytes()

    def _catch_up(self) -> None:
        over = len(self._waiting) // self._size - _TARGET
        while over > 0 and (over > _LIMIT - _TARGET or self._head_is_quiet()):
            del self._waiting[: self._size]
            self.dropped += 1
            over -= 1
        if self._slack.least >= self._size <= len(self._waiting) and self._head_is_quiet():
            del self._waiting[: self._size]
            self.dropped += 1
            self._slack.taken()

    def _head_is_quiet(self) -> bool:
        return is_quiet(bytes(self._waiting[: self._size]))


def is_quiet(data: bytes) -> bool:
    """True for sound that nobody misses."""
    return int(np.abs(np.frombuffer(data, "<i2").astype(np.int32)).max()) < _QUIET
