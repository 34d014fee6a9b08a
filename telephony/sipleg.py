"""A SIP call as a `CallLeg`. Knows no stack: `telephony/sip.py` gives it a `StackCall` and tells it
what happens; so the order of events at a call's beginning and end is decided here alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Literal, Protocol

import structlog

from bot.core.audio import Frame, Pcm
from bot.core.endings import EndCause, EndKind
from bot.core.errors import DialFailed, LegClosed, TransferFailed
from bot.core.ids import new_id
from telephony.endings import CallHistory, cause_of
from telephony.leg import CallLeg, Digit, LegStats, Playback, RejectReason, TransferOutcome
from telephony.pacer import Pacer
from telephony.settings import CODECS, SipSettings
from telephony.siptrace import Sighting
from telephony.soundpath import SoundPath, Wire
from telephony.streams import Broadcast, Stream

log = structlog.get_logger()

_FRAMES_KEPT = 100  # 2 s, as the port says
_DIGITS_KEPT = 256
_CODEC_WAIT_S = 0.5
_CLOSE_WAIT_S = 5.0
_SOURCE_WAIT_S = 2.0
_REPLACED_WAIT_S = 1.0
"""Whoever took our place has ended our call by then (RFC 3891, 3); else we end it ourselves."""


class StackCall(Protocol):
    """One call in the stack: what can be asked of it. Outcomes come back through `SipLeg.on_...`."""

    @property
    def call_id(self) -> str:
        """The SIP Call-ID; "" before it is known."""

    @property
    def wire(self) -> Wire: ...

    async def answer(self) -> None:
        """Send 200. Raises LegClosed."""

    async def hang_up(self) -> None:
        """BYE, CANCEL or 486, whichever ends the call now. Never raises: it may be gone."""

    async def transfer(self, target: str, timeout_s: float) -> None:
        """REFER; returns when NOTIFY reported success. Raises TransferFailed."""

    async def transfer_to(self, other: StackCall, timeout_s: float) -> None:
        """REFER with Replaces: this call's far end takes our place in `other`. As `transfer`; where it
        fails, both calls go on as they were."""

    async def send_digits(self, keys: str) -> None:
        """Raises LegClosed."""


class SipLeg:
    """Made by the endpoint alone. `closed` is called once, when `ended` is resolved."""

    def __init__(
        self,
        call: StackCall,
        *,
        direction: Literal["inbound", "outbound"],
        remote: str,
        local: str,
        headers: Mapping[str, str],
        settings: SipSettings,
        pacer: Pacer,
        closed: Callable[[SipLeg], None],
    ) -> None:
        self.id = new_id("leg")
        self.direction: Literal["inbound", "outbound"] = direction
        self.remote = remote
        self.local = local
        self.headers: Mapping[str, str] = headers
        self.ended: asyncio.Future[EndCause] = asyncio.get_running_loop().create_future()
        self._call = call
        self._settings = settings
        self._pacer = pacer
        self._closed = closed
        self._history = CallHistory(direction)
        self._sound = SoundPath(call.wire, echo_control=settings.echo_control)
        self._up = asyncio.Event()
        self._changed = asyncio.Event()
        self._codec = ""
        self._source = ""
        self._heard_anything = False
        self._frames: Broadcast[Frame] = Broadcast(_FRAMES_KEPT)
        self._digits: Broadcast[Digit] = Broadcast(_DIGITS_KEPT)
        self._stats: Mapping[str, Mapping[str, int]] = {}

    @property
    def call_id(self) -> str:
        """The SIP Call-ID, to find the call in a capture or in the trunk's log; "" before it is known."""
        return self._call.call_id

    @property
    def rate(self) -> int:
        return self._sound.rate

    @property
    def codec(self) -> str:
        return self._codec

    @property
    def media_s(self) -> float:
        """Media time in seconds: the end of the newest frame."""
        return self._sound.media_s

    # -- getting it up ---------------------------------------------------------------------------

    async def answer(self) -> None:
        self._must_be_open()
        self._history.answering = True
        await self._call.answer()
        if not await self._wait_up(self._settings.ack_timeout_s):
            await self._finish(EndKind.NEVER_ACKED)
        if self.ended.done():
            raise LegClosed(f"the call ended while it was answered: {self.ended.result().kind}")
        await self._wait_codec()

    async def came_from(self) -> str:
        """The address that an inbound call's INVITE came from; "" where it is not known."""
        # The trace comes by way of another thread, and may come after the call.
        await self._wait_for(lambda: bool(self._source) or self.ended.done(), _SOURCE_WAIT_S)
        return self._source

    async def reject(self, reason: RejectReason) -> None:
        await self._finish(EndKind.REJECTED)

    async def established(self, timeout_s: float) -> None:
        patience = min(timeout_s, self._settings.response_timeout_s)
        if not await self._wait_up(patience) and not self._heard_anything:
            await self._finish(EndKind.UNREACHABLE)
        elif not self._up.is_set() and not await self._wait_up(timeout_s - patience):
            await self._finish(EndKind.NO_ANSWER)
        if self.ended.done():
            cause = self.ended.result()
            raise DialFailed(f"{self.remote} was not reached: {cause.kind} {cause.text}", cause=cause)
        await self._wait_codec()

    async def _wait_up(self, timeout_s: float) -> bool:
        """True when the call is up or has ended; False after `timeout_s`."""
        return await self._wait_for(lambda: self._up.is_set() or self.ended.done(), timeout_s)

    async def _wait_codec(self) -> None:
        # The trace comes by way of another thread, a little after the event.
        if not await self._wait_for(lambda: bool(self._codec) or self.ended.done(), _CODEC_WAIT_S):
            log.warning("codec is not known", leg=self.id, sip_call_id=self.call_id)

    async def _wait_for(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return holds()
        return True

    # -- while it is up --------------------------------------------------------------------------

    def frames(self) -> Stream[Frame]:
        return self._frames.subscribe()

    def play(self, pcm: Pcm) -> Playback:
        self._must_be_open()
        return self._sound.play(pcm)

    def write_frame(self, frame: Frame) -> None:
        if not self.ended.done():
            self._sound.relay(frame)

    def digits(self) -> AsyncIterator[Digit]:
        return self._digits.subscribe()

    async def send_digits(self, keys: str) -> None:
        self._must_be_open()
        await self._call.send_digits(keys)

    async def transfer(self, target: str, timeout_s: float) -> TransferOutcome:
        self._must_be_open()
        return await self._refer(self._call.transfer(target, timeout_s))

    async def transfer_to(self, other: CallLeg, timeout_s: float) -> TransferOutcome:
        self._must_be_open()
        if not isinstance(other, SipLeg) or other.ended.done() or not other._up.is_set():
            raise TransferFailed(
                f"{other.remote} cannot be given to {self.remote}: not in a SIP call of ours"
            )
        other._history.replacing = True
        try:
            outcome = await self._refer(self._call.transfer_to(other._call, timeout_s))
            replaced = outcome is TransferOutcome.DONE
            if replaced and not await other._wait_for(other.ended.done, _REPLACED_WAIT_S):
                await other._finish(EndKind.TRANSFERRED)
        finally:
            other._history.replacing = False
        return outcome

    async def _refer(self, transfer: Awaitable[None]) -> TransferOutcome:
        self._history.referring = True
        try:
            await transfer
        except TransferFailed:
            if self.ended.done() and self.ended.result().kind is EndKind.TRANSFER_UNKNOWN:
                return TransferOutcome.UNKNOWN
            raise
        finally:
            self._history.referring = False
        return TransferOutcome.DONE

    def stats(self) -> LegStats:
        sent, received = self._stats.get("tx", {}), self._stats.get("rx", {})
        reports = self._stats.get("rtcp", {})
        return LegStats(
            packets_sent=sent.get("packets", 0),
            packets_received=received.get("packets", 0),
            packets_lost=reports.get("rx_lost", 0),
            jitter_ms=reports.get("rx_jitter_us", 0) / 1000,
            concealed_frames=self._sound.concealed,
            sounds_torn=self._sound.torn,
        )

    async def hang_up(self) -> None:
        if self.direction == "outbound" and not self._up.is_set():
            # A CANCEL may follow a response only (RFC 3261, 9.1). The stack does not wait for one: it
            # would forget the call, and the far end would go on ringing.
            await self._wait_for(
                lambda: self._heard_anything or self._up.is_set() or self.ended.done(),
                self._settings.response_timeout_s,
            )
        if self._up.is_set():
            await self._finish(EndKind.LOCAL_HANGUP)
        elif self.direction == "inbound" and not self._history.answering:
            await self._finish(EndKind.REJECTED)
        else:
            await self._finish(EndKind.CANCELLED)

    async def _finish(self, kind: EndKind) -> None:
        """End the call ourselves, for `kind`, and wait until it is no more."""
        if self.ended.done():
            return
        if self._history.wanted is None:
            self._history.wanted = kind
        await self._call.hang_up()
        if not await self._wait_for(self.ended.done, _CLOSE_WAIT_S):
            log.error("stack did not report the end of a call", leg=self.id, sip_call_id=self.call_id)
            self.end(EndCause(self._history.wanted, text="the stack did not report the end"))

    # -- what the stack reports ------------------------------------------------------------------

    def on_ringing(self) -> None:
        self._heard_anything = True
        self._changed.set()

    def on_early_media(self) -> None:
        """A provisional answer with SDP: there may be sound before the call is up."""
        self.on_ringing()
        if not self.ended.done():
            self._pacer.add(self)

    def on_established(self) -> None:
        if self.ended.done():
            return
        self._sound.open(certainly=True)
        self._pacer.add(self)
        self._history.confirmed = True
        self._up.set()
        self._changed.set()

    def on_digit(self, key: str) -> None:
        self._digits.publish(Digit(key.upper(), self.media_s))

    def on_stats(self, stats: Mapping[str, Mapping[str, int]]) -> None:
        self._stats = stats

    def on_closed(self, text: str) -> None:
        self.end(cause_of(text, self._history))

    def on_sighting(self, seen: Sighting) -> None:
        """What the SIP trace told of this call; the same may be told twice."""
        self._source = self._source or seen.source
        self._heard_anything = self._heard_anything or seen.status is not None
        if seen.codec:
            self._codec = next((name for name in CODECS if name.lower() == seen.codec.lower()), seen.codec)
        self._changed.set()

    def tick(self, count: int) -> None:
        """Called by the pacer: `count` frames of time have passed."""
        for frame in self._sound.tick(count):
            self._frames.publish(frame)

    def end(self, cause: EndCause) -> None:
        """The line is no more. Only the first cause counts."""
        if self.ended.done():
            return
        self._pacer.remove(self)
        self._sound.close()
        self.ended.set_result(cause)
        self._frames.close()
        self._digits.close()
        self._changed.set()
        self._closed(self)

    def _must_be_open(self) -> None:
        if self.ended.done():
            raise LegClosed(f"the line has ended: {self.ended.result().kind}")
