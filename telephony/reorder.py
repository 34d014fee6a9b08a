"""RTP packets of one stream back in their order (RFC 3550, 5.1: sequence numbers of 16 bits that wrap).
Pure.

What comes in order goes on at once. A packet that is missing is waited for until `_PATIENCE` later ones
are here: by then it is lost, and what was held goes on. How long sound waits to be played is not decided
here but where it is played (telephony/intake.py): this buffer adds delay only where something is missing.
"""

from __future__ import annotations

_PATIENCE = 3
"""Later packets (60 ms of sound) that give a missing one up."""

_RESTART = 100
"""A sequence number so far from what is expected begins a new stream (RFC 3550, A.1: MAX_MISORDER)."""

_JITTER_WEIGHT = 16.0
"""RFC 3550, 6.4.1."""


class Reorder:
    """`lost` counts packets that were given up, less those that came after all; `jitter_s` is the
    interarrival jitter of RFC 3550, 6.4.1, in seconds."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._expected: int | None = None
        self._held: dict[int, bytes] = {}
        self._transit: float | None = None
        self.received = 0
        self.lost = 0
        self.jitter_s = 0.0

    def add(self, sequence: int, timestamp: int, payload: bytes, now: float) -> list[bytes]:
        """What can go on now that this packet is here; `now` in seconds of any steady clock."""
        self.received += 1
        self._measure(timestamp, now)
        if self._expected is None:
            self._expected = sequence
        ahead = (sequence - self._expected + 0x8000) % 0x10000 - 0x8000
        if abs(ahead) >= _RESTART:
            self._held.clear()
            self._expected, ahead = sequence, 0
        if ahead < 0:
            # Given up, or a copy: whether it was counted as lost cannot be told, so never below none.
            self.lost = max(0, self.lost - 1)
            return []
        self._held[sequence] = payload
        return self._ready()

    def _ready(self) -> list[bytes]:
        assert self._expected is not None
        ready = []
        while self._held:
            if self._expected in self._held:
                ready.append(self._held.pop(self._expected))
            elif len(self._held) < _PATIENCE:
                break
            else:
                self.lost += 1
            self._expected = (self._expected + 1) % 0x10000
        return ready

    def _measure(self, timestamp: int, now: float) -> None:
        transit = now - timestamp / self._clock_rate
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < 1.0:  # a timestamp that wrapped, or a new stream, is no jitter
                self.jitter_s += (change - self.jitter_s) / _JITTER_WEIGHT
        self._transit = transit
