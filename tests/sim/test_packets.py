"""What a simulated phone says of the packets that came, whatever held its process up."""

import socket
import struct

import numpy as np
import pytest

from bot.sim import packets
from bot.sim.g711 import RATE
from bot.sim.packets import SO_TIMESTAMPNS, Packet, arrival, late
from bot.sim.rtp import FRAME, FRAME_S

WALL_S = 1_700_000_000.0
"""How far the wall clock is ahead of the monotonic one."""


class Clocks:
    """Both clocks of one machine. The process waits for `held_up_s` before its look number `at_look`."""

    def __init__(self, at_look: int, held_up_s: float) -> None:
        self.now = 5.0
        self._looks_left = at_look
        self._held_up_s = held_up_s

    def _look(self) -> float:
        if self._looks_left == 0:
            self.now += self._held_up_s
        self._looks_left -= 1
        return self.now

    def monotonic(self) -> float:
        return self._look()

    def time(self) -> float:
        return WALL_S + self._look()


def stamped(at: float) -> list[tuple[int, int, bytes]]:
    """What the kernel says of a packet that came at this monotonic time."""
    seconds, fraction = divmod(WALL_S + at, 1)
    return [(socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@qq", int(seconds), round(fraction * 1e9)))]


@pytest.mark.parametrize("at_look", range(4))
def test_a_phone_that_is_held_up_in_the_middle_calls_nothing_late(
    at_look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = []
    for number in range(100):
        clocks = Clocks(at_look if number == 40 else -1, held_up_s=0.08)
        clocks.now += number * FRAME_S
        monkeypatch.setattr(packets, "time", clocks)
        at = arrival(stamped(5.0 + number * FRAME_S))
        came.append(Packet(at, 1, number * FRAME, np.zeros(FRAME, np.int16)))
    lags = [packet.at - packet.timestamp / RATE for packet in came]
    assert lags == pytest.approx([5.0] * len(came), abs=0.001)
    assert late(came) == 0
