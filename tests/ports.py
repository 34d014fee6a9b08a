"""Ports of loopback for tests, apart from those of the tests that run beside them."""

from __future__ import annotations

import os
import random
import socket
from itertools import count

LANES = 4
LANE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % LANES
"""Which of the processes that run tests side by side this one is."""

_PORTS = 999 // LANES
_numbers = count(random.randrange(_PORTS))


def free_port() -> int:
    """An even port that is free now for UDP and TCP, as is the next one. They are ten apart (sipp takes
    some after the one it is given), and neither of the range from which the system serves whoever
    names none (32768 and up) nor of that in which a node's calls have their RTP (30000 and up)."""
    while True:
        port = 20000 + 10 * (LANE * _PORTS + next(_numbers) % _PORTS)
        try:
            for number in (port, port + 1):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port


def rtp_ports(size: int = 200) -> tuple[int, int]:
    """A range of ports for RTP: nobody there asks who sends, and a stream of another test must not end
    up in this one's call."""
    blocks = 49 // LANES
    first = 10000 + size * (LANE * blocks + random.randrange(blocks))
    return first, first + size - 1
