"""A wire that the test holds: it behaves as the stack's buffers were measured."""

from __future__ import annotations

import asyncio

from telephony.soundpath import WireState


class StackLikeWire:
    """20 ms leave every 20 ms. A flush takes effect when the next packet is due; whatever is written
    before that is thrown away, too."""

    def __init__(self, rate: int = 8000) -> None:
        self.rate = rate
        self.up = True
        self.sent = bytearray()
        self.arrived = bytearray()
        self.ring = bytearray()
        self.flush_asked = False
        self.restarted = False
        self._size = rate // 50 * 2
        self._task = asyncio.create_task(self._clock())

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            if self.flush_asked:
                self.ring.clear()
                self.flush_asked = False
            self.sent += bytes(self.ring[: self._size]).ljust(self._size, b"\0")
            del self.ring[: self._size]

    def probe(self) -> WireState | None:
        return WireState(self.rate, self.rate, len(self.ring)) if self.up else None

    def read(self) -> bytes:
        data = bytes(self.arrived)
        self.arrived.clear()
        return data

    def write(self, data: bytes) -> None:
        self.ring += data

    def flush(self) -> None:
        self.flush_asked = True

    def take_restart(self) -> bool:
        restarted, self.restarted = self.restarted, False
        return restarted

    def stop(self) -> None:
        self._task.cancel()
