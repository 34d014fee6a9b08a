"""The one interface of a line.

A leg is one party's line: SIP, WebRTC or, in tests, scripted. All of them pass the same
conformance tests. Every method is called from the event loop of the process that owns the leg.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from bot.core.audio import Frame, Pcm
from bot.core.endings import EndCause


class RejectReason(StrEnum):
    BUSY = "busy"  # 486


class TransferOutcome(StrEnum):
    DONE = "done"  # NOTIFY 200: the far end talks to the target and our leg has ended
    UNKNOWN = "unknown"  # accepted with 202, then BYE without a NOTIFY: never ring anyone twice for it


PAGE_CLOSED = "the page closed its connection"
"""The text of a REMOTE_HANGUP of a browser whose user did not hang up: his page went away."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One DTMF key, `0`-`9`, `*`, `#` or `A`-`D`; `at` is the media time in seconds when it was seen."""

    key: str
    at: float


@dataclass(frozen=True, slots=True)
class LegStats:
    """Counters of one line since its start; jitter in milliseconds. `sounds_torn` is how often a sound that
    was played broke off for a moment, because its next part was handed over too late."""

    packets_sent: int = 0
    packets_received: int = 0
    packets_lost: int = 0
    jitter_ms: float = 0.0
    concealed_frames: int = 0
    sounds_torn: int = 0


class Playback(Protocol):
    """A sound that is being, or waits to be, played. Sounds of one leg play one after another."""

    async def done(self) -> float:
        """Waits for its end (played out, stopped, or the line ended); seconds of it that were played."""

    async def pause(self) -> float:
        """Silences it at once, what was already handed to the line included, and keeps its place; the
        sounds behind it wait with it. Seconds that were played. Pausing twice is pausing once."""

    def resume(self) -> float:
        """Goes on from the place that was heard, or up to 150 ms before it, so that no word is torn: the
        second of the sound from which it goes on. Nothing happens where it is not paused."""

    async def stop(self) -> float:
        """Stops it at once, what was already handed to the line included; seconds that were played, each
        counted once where a resumed sound repeated some."""


class CallLeg(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def direction(self) -> Literal["outbound", "inbound"]: ...

    @property
    def remote(self) -> str:
        """The other party's URI."""

    @property
    def local(self) -> str:
        """The URI that was called (inbound) or that we call from (outbound)."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The exposed headers of the INVITE (inbound), as the settings name them."""

    @property
    def rate(self) -> int:
        """Samples a second of `frames()` and of what `play` takes: 8000 or 16000."""

    @property
    def codec(self) -> str:
        """Name of the negotiated codec, such as `PCMA`; "" before there is one."""

    @property
    def ended(self) -> Future[EndCause]:
        """Resolves exactly once, when the line is no more. Await it shielded or with `wait`."""

    async def answer(self) -> None:
        """Inbound: 200, and returns when the call is established. Raises LegClosed."""

    async def reject(self, reason: RejectReason) -> None:
        """Inbound: refuse the call."""

    async def established(self, timeout_s: float) -> None:
        """Outbound: returns when the far end has answered. Raises DialFailed with its `EndCause` when
        it refuses, and after `timeout_s` seconds of ringing (NO_ANSWER; the call is cancelled)."""

    def frames(self) -> AsyncIterator[Frame]:
        """A frame every 20 ms of real time from now on, to the end of the call, whatever the far end
        sends; before the answer too, once there is early media. The echo of our own sound is taken
        out, and `Frame.own_dbfs` tells what may be left of it. Every caller gets all frames; one that
        falls more than 2 s behind loses the oldest."""

    def play(self, pcm: Pcm) -> Playback:
        """Queue a sound at `rate`; it starts at once if nothing else plays. Raises LegClosed."""

    def write_frame(self, frame: Frame) -> None:
        """Pass a live frame of another line on, past the play queue, with at most 80 ms waiting: for
        bridges. Dropped while a sound plays, and when the line has ended."""

    def digits(self) -> AsyncIterator[Digit]:
        """Keys pressed by the far end, from now on, to the end of the call."""

    async def send_digits(self, keys: str) -> None:
        """Raises LegClosed."""

    async def transfer(self, target: str, timeout_s: float) -> TransferOutcome:
        """Blind REFER. Raises TransferFailed when refused or failed and the call lives on."""

    async def transfer_to(self, other: CallLeg, timeout_s: float) -> TransferOutcome:
        """Attended: a REFER with Replaces tells this line's party to take our place in the call with `other`,
        which is up. DONE ends both lines. Raises TransferFailed when refused or failed, and where it is not
        possible (the far end of `other` must know `replaces`, RFC 3891); both calls live on then."""

    async def hang_up(self) -> None:
        """End the line, in whatever state it is. Idempotent; returns when `ended` is resolved."""

    def stats(self) -> LegStats: ...
