"""What a line has played, frame by frame: the far-end reference of echo control. Pure.

The line tells only how much it still holds, and that moves in steps of packets, by another clock than
ours. An echo canceller needs a reference without gaps or repeats, so the place in the sound moves on
by exactly a frame a frame, at most `_AHEAD` frames before what is known to be sent, and jumps only where
it has fallen behind by more than `_BEHIND`. Such a constant offset is a delay like any other; being a
little ahead is harmless, being behind could make the echo come before its cause.
"""

from __future__ import annotations

from bot.core.audio import frame_bytes

_AHEAD = 2
_BEHIND = 3


class SentSound:
    """Counts are bytes at the line's rate."""

    def __init__(self, rate: int) -> None:
        self._size = frame_bytes(rate)
        self._sound = bytearray()  # handed over and not yet told
        self._told = 0  # bytes of it that were told already, perhaps ahead of being sent
        self._running = False

    def __bool__(self) -> bool:
        """Whether anything that was handed over is not told yet."""
        return bool(self._sound)

    def handed(self, data: bytes) -> None:
        """The line was given this, after what it was given before."""
        self._sound += data

    def thrown_away(self, size: int) -> None:
        """The last `size` bytes that the line was given will not be sent."""
        kept = max(0, len(self._sound) - size)
        del self._sound[kept:]
        self._told = min(self._told, kept)

    def frames(self, count: int, unsent: int) -> list[bytes]:
        """What was sent in the last `count` frame times; the line still holds `unsent` bytes."""
        sent = max(0, len(self._sound) - unsent)
        return [self._frame(sent - later * self._size) for later in reversed(range(count))]

    def _frame(self, sent: int) -> bytes:
        if sent - self._told > _BEHIND * self._size:
            self._told = sent - self._size
        # A sound begins when it is seen to be sent, so that every one has the same offset to the line.
        ahead = _AHEAD if self._running else 0
        if self._told + self._size > max(sent, 0) + ahead * self._size:
            return bytes(self._size)
        part = bytes(self._sound[self._told : self._told + self._size])
        self._told += len(part)
        self._running = bool(part)
        return part.ljust(self._size, b"\0")

    def forget(self, unsent: int) -> None:
        """Let go of what was sent and told. Called once the frames of a tick were read."""
        done = min(self._told, max(0, len(self._sound) - unsent))
        del self._sound[:done]
        self._told -= done
