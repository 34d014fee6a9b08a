"""The sound of one line, both ways, between the stack's buffers and the leg's face.

Knows no stack: it works on a `Wire`, so its behaviour is tested with a wire that the test holds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from bot.core.audio import FRAME_S, SAMPLE_BYTES, Frame, Pcm, frame_bytes
from telephony.echo import EchoControl
from telephony.intake import Intake, is_quiet
from telephony.playout import PlayQueue, Sound
from telephony.resample import Resampler
from telephony.sent import SentSound
from telephony.slack import Slack

_LEAD_S = 0.2
"""How far ahead of time sounds are handed over: an event loop that stalls for less tears nothing."""

_FLUSH_LIMIT_S = 0.1
_FLUSH_POLL_S = 0.005

_RELAY_SPARE = 2
_RELAY_LIMIT = 4
"""Frames of a bridge that wait in the line. A frame that comes too late for the line's own clock makes the
next ones wait, and so the wait finds its length by itself; where more than the first number wait for two
seconds on end, one is left out at a silence. Never beyond the second."""

DEFAULT_RATE = 8000


@dataclass(frozen=True, slots=True)
class WireState:
    """The stack's buffers at one moment: rates in samples a second, `unsent` in bytes at `tx_rate`."""

    rx_rate: int
    tx_rate: int
    unsent: int


class Wire(Protocol):
    """A call's mono sound as the stack keeps it. Nothing here blocks or raises at the end of a call."""

    def probe(self) -> WireState | None:
        """None while the call has no sound (yet, or any more)."""

    def read(self) -> bytes:
        """Everything that has arrived."""

    def write(self, data: bytes) -> None: ...

    def flush(self) -> None:
        """Throw away what is not sent. What is written before `unsent` is 0 goes the same way."""

    def take_restart(self) -> bool:
        """True once after the streams were replaced (renegotiated), perhaps at other rates."""


class SoundPath:
    """`rate` is 8000 until `open`, and settled then: a later change on the wire is converted."""

    def __init__(self, wire: Wire, *, echo_control: bool = True) -> None:
        self._wire = wire
        self._echo_control = echo_control
        self._rate = DEFAULT_RATE
        self._intake = Intake(self._rate)
        self._queue = PlayQueue(self._rate, self._flush, self.pump)
        self._sent = SentSound(self._rate)
        self._echo = EchoControl(self._rate)
        self._relay_slack = Slack()
        self._opened = False
        self._up = Resampler(self._rate, self._rate)
        self._down = self._up
        self._tx_rate = self._rate
        self._flushed_at: float | None = None
        self._torn = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def rate(self) -> int:
        return self._rate

    @property
    def media_s(self) -> float:
        return self._intake.media_s

    @property
    def concealed(self) -> int:
        return self._intake.concealed

    @property
    def torn(self) -> int:
        """How often a sound was torn: the line ran dry before its next part was handed over."""
        return self._torn

    def open(self, *, certainly: bool = False) -> bool:
        """Settle the rate by what the wire runs at; False while it has no sound. `certainly` opens
        at the default rate all the same: time passes on a line that is up, sound or not."""
        if not self._opened:
            state = self._wire.probe()
            if state is None and not certainly:
                return False
            if state is not None and state.rx_rate != self._rate and not self._queue:
                self._rate = state.rx_rate
                self._intake = Intake(self._rate)
                self._queue = PlayQueue(self._rate, self._flush, self.pump)
                self._sent = SentSound(self._rate)
                self._echo = EchoControl(self._rate)
            self._opened = True
            self._fit(state)
        return True

    def tick(self, count: int) -> list[Frame]:
        """`count` frame times have passed: their frames, without our echo. Hands on what is to be
        played. Media time begins with the first tick at which the wire has sound (the stack may tell
        of early media before it has started it)."""
        if not self.open():
            return []
        data = self._wire.read()
        if self._wire.take_restart():
            self._fit(self._wire.probe())
        self._intake.feed(self._down.convert(data))
        # To ask the stack costs as much as all the rest: not where nothing of ours is under way.
        state = self._wire.probe() if self._queue or self._sent else None
        unsent = self._in_line_bytes(state.unsent) if state is not None else 0
        played = self._sent.frames(count, unsent)
        self._sent.forget(unsent)
        if self._queue and state is not None:
            self._pump(state)
        dropped = self._intake.dropped
        heard = self._intake.take(count)
        if self._intake.dropped > dropped:
            self._echo.slipped()
        if not self._echo_control:
            return heard
        return [self._echo.process(frame, sent) for frame, sent in zip(heard, played, strict=True)]

    def play(self, pcm: Pcm) -> Sound:
        sound = self._queue.add(pcm)
        self.pump()
        return sound

    def relay(self, frame: Frame) -> None:
        """Pass a frame on past the queue; dropped while a sound plays or too much waits."""
        state = self._wire.probe()
        if not self._opened or self._queue or state is None or self._flushing(state):
            return
        size = frame_bytes(self._rate)
        unsent = self._in_line_bytes(state.unsent)
        self._queue.settle(unsent)
        self._relay_slack.see(unsent)
        if unsent + len(frame.data) > _RELAY_LIMIT * size:
            return
        if self._relay_slack.least >= _RELAY_SPARE * size and is_quiet(frame.data):
            self._relay_slack.taken()
            return
        self._hand_over(frame.data)
        self._sent.handed(bytes(len(frame.data)))  # another party's sound: its echo is that party's to hear
        self._queue.relayed(len(frame.data))

    def pump(self) -> None:
        """Settle what was heard, and hand over sounds up to the lead."""
        if not self._opened or not self._queue:
            return
        state = self._wire.probe()
        if state is not None:
            self._pump(state)

    def _pump(self, state: WireState) -> None:
        if self._flushing(state):
            return
        unsent = self._in_line_bytes(state.unsent)
        self._queue.settle(unsent)
        self._torn += self._queue.torn(unsent)
        lead = round(_LEAD_S / FRAME_S) * frame_bytes(self._rate)
        if data := self._queue.pull(lead - unsent):
            self._hand_over(data)
            self._sent.handed(data)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if state := self._wire.probe():
            self._queue.settle(self._in_line_bytes(state.unsent))
        self._queue.close()

    def _fit(self, state: WireState | None) -> None:
        """Convert between the line's rate and the wire's, where they differ."""
        if state is not None:
            self._tx_rate = state.tx_rate
            self._up = Resampler(self._rate, state.tx_rate)
            self._down = Resampler(state.rx_rate, self._rate)

    def _hand_over(self, data: bytes) -> None:
        self._wire.write(self._up.convert(data))

    def _in_line_bytes(self, wire_bytes: int) -> int:
        return wire_bytes * self._rate // self._tx_rate // SAMPLE_BYTES * SAMPLE_BYTES

    def _flush(self) -> int:
        state = self._wire.probe()
        if state is None or state.unsent == 0:
            return 0
        self._wire.flush()
        self._flushed_at = self._loop.time()
        self._poll_flush()
        unsent = self._in_line_bytes(state.unsent)
        self._sent.thrown_away(unsent)
        return unsent

    def _poll_flush(self) -> None:
        # Sooner than the next tick, so that the sound that follows is not late.
        self._timer = self._loop.call_later(_FLUSH_POLL_S, self._after_flush)

    def _after_flush(self) -> None:
        self.pump()
        if self._flushed_at is not None:
            state = self._wire.probe()
            if state is not None and self._flushing(state):
                self._poll_flush()

    def _flushing(self, state: WireState) -> bool:
        """The stack discards what is written until it has emptied its buffer: wait for that."""
        if self._flushed_at is None:
            return False
        if state.unsent and self._loop.time() - self._flushed_at < _FLUSH_LIMIT_S:
            return True
        self._flushed_at = None
        return False
