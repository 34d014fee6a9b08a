"""Packets as a socket saw them: when, what, and how many did not come."""

from __future__ import annotations

import socket
import struct
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bot.sim.g711 import RATE, Samples

SO_TIMESTAMPNS = getattr(socket, "SO_TIMESTAMPNS", 35)

LATE_S = 0.06
"""A packet that comes so much behind its place in the stream is late: a telephone whose jitter buffer holds
three packets has played silence instead."""

FITS_AFTER = 50
"""Packets: a second of them."""


_ONE_MOMENT_S = 0.001


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as the socket saw it. `timestamp` counts the sender's samples."""

    at: float
    ssrc: int
    timestamp: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class Span:
    """When a sound went out: `packets` are its first and last place in `RtpSession.sent`, None for a
    sound that was not sent as RTP (a key by SIP INFO).
    """

    began: float
    ended: float
    packets: tuple[int, int] | None = None


@dataclass(slots=True)
class Counters:
    sent: int = 0
    received: int = 0
    lost: int = 0
    stalls: int = 0
    _highest: dict[int, int] = field(default_factory=dict)

    def count(self, ssrc: int, sequence: int) -> None:
        """One more packet; what its number leaves out is lost until it comes late."""
        self.received += 1
        highest = self._highest.get(ssrc)
        step = 1 if highest is None else (sequence - highest + 0x8000) % 0x10000 - 0x8000
        self.lost = max(self.lost + step - 1, 0) if step > 0 else max(self.lost - 1, 0)
        if step > 0:
            self._highest[ssrc] = sequence


def late(packets: Iterable[Packet]) -> int:
    """How many came late, by each stream's own clock: its most punctual packets of the last second say where
    the next one belongs, as they do for a jitter buffer that fits itself. A sender that stalled and goes on
    where it stopped is late for a second, not for the rest of the call."""
    behind: dict[int, list[float]] = defaultdict(list)
    for packet in packets:
        behind[packet.ssrc].append(packet.at - packet.timestamp / RATE)
    return sum(_late(np.array(of_stream)) for of_stream in behind.values())


def _late(behind: NDArray[np.float64]) -> int:
    past = np.concatenate([np.full(FITS_AFTER - 1, np.inf), behind])
    punctual = np.lib.stride_tricks.sliding_window_view(past, FITS_AFTER).min(axis=1)
    return int(np.count_nonzero(behind - punctual > LATE_S))


def arrival(ancillary: list[tuple[int, int, bytes]]) -> float:
    """The kernel's time of arrival on the monotonic clock: what a busy process reads late came early."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
            seconds, nanoseconds = struct.unpack_from("@qq", data)
            now, wall = _both_clocks()
            age: float = wall - (seconds + nanoseconds / 1e9)
            return now - min(max(age, 0.0), 1.0)
    return time.monotonic()


def _both_clocks() -> tuple[float, float]:
    """The monotonic clock and the wall's at one moment. A process that had to wait between its looks at them
    looks again: by that wait one packet would seem to have come too soon, and the fifty behind it late."""
    while True:
        before, wall, now = time.monotonic(), time.time(), time.monotonic()
        if now - before < _ONE_MOMENT_S:
            return now, wall
