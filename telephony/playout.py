"""What a line has yet to play: the pure accounting behind `CallLeg.play`.

Sounds are handed to the line a little ahead of time (so that a short stall of the event loop does
not tear them) and can still be stopped at once: the line throws away what it has not sent, and the
queue knows how much of every sound was really heard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bot.core.audio import FRAME_S, SAMPLE_BYTES, Pcm, frame_bytes

_BACK_S = 0.14
"""How far a resumed sound goes back: about a syllable of speech, in whole frames."""


class Sound:
    """A `Playback`: one sound in the queue of one line."""

    def __init__(self, pcm: Pcm, queue: PlayQueue) -> None:
        self._rate = pcm.rate
        self.length = len(pcm.data)
        """Bytes of the sound itself, without padding."""
        # Whole frames only: a half-filled packet counts as a starved line in the stack.
        self.data = pcm.data + bytes(-len(pcm.data) % frame_bytes(pcm.rate))
        self.handed = 0  # bytes given to the line
        self.sent = 0  # bytes that the line has played
        self.paused = False
        self.running = False  # handed to the line, and not taken back since
        self._furthest = 0  # `sent` before a resumed sound went back
        self._queue = queue
        self._finished: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    @property
    def heard_s(self) -> float:
        """Seconds of it that the line has played."""
        return min(max(self.sent, self._furthest), self.length) / (SAMPLE_BYTES * self._rate)

    def go_back(self) -> None:
        """Go on from a little before the place that was heard."""
        self._furthest = max(self._furthest, self.sent)
        self.sent = max(0, self.sent - round(_BACK_S / FRAME_S) * frame_bytes(self._rate))
        self.handed = self.sent
        self.running = False

    def finish(self) -> None:
        if not self._finished.done():
            self._finished.set_result(self.heard_s)

    @property
    def finished(self) -> bool:
        return self._finished.done()

    def on_finish(self, callback: Callable[[], None]) -> None:
        """`callback()` soon after the sound has ended in any way."""
        self._finished.add_done_callback(lambda _: callback())

    async def done(self) -> float:
        return await asyncio.shield(self._finished)

    async def pause(self) -> float:
        if not self._finished.done():
            self._queue.pause(self)
        return self.heard_s

    def resume(self) -> float:
        if not self._finished.done():
            self._queue.resume(self)
        return min(self.sent, self.length) / (SAMPLE_BYTES * self._rate)

    async def stop(self) -> float:
        if not self._finished.done():
            self._queue.stop(self)
        return await asyncio.shield(self._finished)


class PlayQueue:
    """The sounds of one line, one after another. All counts are bytes at the line's rate.

    `flush` throws away what the line was handed and has not sent, and returns its length in bytes;
    `ready` is told that a paused sound may be pulled again.
    """

    def __init__(self, rate: int, flush: Callable[[], int], ready: Callable[[], None]) -> None:
        self._rate = rate
        self._flush = flush
        self._ready = ready
        self._sounds: deque[Sound] = deque()
        self._ahead = 0  # bytes of relayed frames that the line has not sent
        self._outstanding = 0  # bytes of sounds that the line has not sent
        self._closed = False

    def __bool__(self) -> bool:
        return bool(self._sounds)

    @property
    def playing(self) -> Sound | None:
        """The sound that is being heard, or is next."""
        return self._sounds[0] if self._sounds else None

    def add(self, pcm: Pcm) -> Sound:
        if pcm.rate != self._rate:
            raise ValueError(f"this line plays {self._rate} samples a second, not {pcm.rate}")
        sound = Sound(pcm, self)
        if not sound.data or self._closed:
            sound.finish()
        else:
            self._sounds.append(sound)
        return sound

    def pull(self, size: int) -> bytes:
        """The next bytes for the line, `size` at most. The line must take them all."""
        parts: list[bytes] = []
        for sound in self._sounds:
            if size <= 0 or sound.paused:
                break
            part = sound.data[sound.handed : sound.handed + size]
            sound.handed += len(part)
            sound.running = True
            size -= len(part)
            parts.append(part)
        pulled = b"".join(parts)
        self._outstanding += len(pulled)
        return pulled

    def torn(self, buffered: int) -> bool:
        """Whether the line, which holds `buffered` bytes, ran dry in the middle of a sound (settle first)."""
        sound = self.playing
        if buffered or sound is None or sound.paused:
            return False
        return sound.running and sound.sent == sound.handed

    def relayed(self, size: int) -> None:
        """`size` bytes went to the line past the queue (a bridge's frame)."""
        self._ahead += size

    def settle(self, buffered: int) -> None:
        """The line still holds `buffered` bytes: count the rest as played and finish what is complete."""
        sent = max(0, self._ahead + self._outstanding - buffered)
        relayed = min(sent, self._ahead)
        self._ahead -= relayed
        sent -= relayed
        self._outstanding -= sent
        for sound in self._sounds:
            step = min(sent, sound.handed - sound.sent)
            sound.sent += step
            sent -= step
        while self._sounds and self._sounds[0].sent >= len(self._sounds[0].data):
            self._sounds.popleft().finish()

    def close(self) -> None:
        """The line has ended: every sound ends with what was heard of it."""
        self._closed = True
        for sound in self._sounds:
            sound.finish()
        self._sounds.clear()

    def pause(self, sound: Sound) -> None:
        """It and what is behind it fall silent."""
        if not sound.paused:
            sound.paused = True
            self._take_back(sound)

    def resume(self, sound: Sound) -> None:
        if sound.paused:
            sound.paused = False
            sound.go_back()
            self._ready()

    def stop(self, sound: Sound) -> None:
        self._take_back(sound)
        if not sound.finished:
            self._sounds.remove(sound)
            sound.finish()
            self._ready()

    def _take_back(self, sound: Sound) -> None:
        """What the line was handed of this sound and has not sent is not played."""
        if sound.handed > sound.sent:
            self.settle(self._flush())
            # What was thrown away of the other sounds will be handed over again.
            for other in self._sounds:
                other.handed = other.sent
                other.running = False
            self._outstanding = 0
            self._ahead = 0
