"""The heartbeat of all lines of a process: 20 ms, whatever the far ends and the event loop do.

A line that waits for RTP stands still when its far end stops sending. So nothing here waits for
RTP: the pacer ticks every leg on the monotonic clock, and a leg makes a frame of what has arrived
or of silence. A tick that comes late is followed by as many as are due, so media time never drifts
from real time.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from bot.core.audio import FRAME_S


class Ticked(Protocol):
    def tick(self, count: int) -> None:
        """`count` frames of time (20 ms each) have passed since the last tick."""


class Beat:
    """How many periods are due: the pure half of the pacer. Times in seconds of any monotonic clock."""

    def __init__(self, start: float, period: float = FRAME_S) -> None:
        self._start = start
        self._period = period
        self._done = 0

    @property
    def next_at(self) -> float:
        """When the next tick is due. Counted from the start, so that rounding never accumulates."""
        return self._start + (self._done + 1) * self._period

    def due(self, now: float) -> int:
        """The number of ticks due at `now` that have not been counted yet."""
        # A timer may fire a hair early (the loop rounds to its clock's resolution).
        total = int((now - self._start) / self._period + 1e-6)
        count = max(0, total - self._done)
        self._done += count
        return count


class Pacer:
    """Ticks its members every 20 ms of the event loop's clock. One per process; idle without members."""

    def __init__(self) -> None:
        self._members: dict[Ticked, None] = {}
        self._beat: Beat | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, member: Ticked) -> None:
        """From the next beat on, within 20 ms, `member` is ticked. Adding twice is adding once."""
        self._members[member] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._beat = Beat(loop.time())
            self._arm(loop, self._beat)

    def remove(self, member: Ticked) -> None:
        """`member` is not ticked any more. Unknown members are ignored."""
        self._members.pop(member, None)
        if not self._members and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop, beat: Beat) -> None:
        self._timer = loop.call_at(beat.next_at, self._on_timer, loop, beat)

    def _on_timer(self, loop: asyncio.AbstractEventLoop, beat: Beat) -> None:
        count = beat.due(loop.time())
        self._arm(loop, beat)
        if count == 0:
            return
        for member in tuple(self._members):
            try:
                member.tick(count)
            except Exception as error:  # one line's fault must not stop the others' sound
                loop.call_exception_handler(
                    {"message": "a line failed in its tick", "exception": error, "line": member}
                )
