"""A call from a browser as a `CallLeg`. Knows no stack: `telephony/webrtc.py` gives it `Session`s, one for
each connection that the browser makes, and tells it what happens; a line outlives its sessions.

    the page offers ──► session, coming ──► up: it is the line's ──► the line ends: closed
                                    ▲            │ network changed: the same session, by another way
                                    └────────────┘ page loaded anew: another session takes its place
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, Literal, Protocol

import structlog

from bot.core.audio import Frame, Pcm, frame_bytes
from bot.core.endings import EndCause, EndKind
from bot.core.errors import BadInput, DialFailed, LegClosed, TransferFailed
from bot.core.ids import new_id
from telephony.leg import PAGE_CLOSED, CallLeg, Digit, LegStats, Playback, RejectReason, TransferOutcome
from telephony.opus import OPUS_CLOCK, OPUS_RATE, OpusDecoder, OpusEncoder
from telephony.pacer import Pacer
from telephony.reorder import Reorder
from telephony.settings import WebRtcSettings
from telephony.soundpath import SoundPath, WireState
from telephony.streams import Broadcast, Stream
from telephony.tones import KEYS, dtmf
from telephony.webrtcoffer import Offer

log = structlog.get_logger()

_FRAMES_KEPT = 100  # 2 s, as the port says
_DIGITS_KEPT = 256
_SEND_AFTER_S = 0.003
"""After the beat in which a frame is heard, so that what a bridge passes on leaves in the same beat."""

_GONE = EndCause(EndKind.REMOTE_HANGUP, text=PAGE_CLOSED)


class Session(Protocol):
    """One connection with a browser. Outcomes come back through `WebRtcLeg.on_...`."""

    @property
    def heard_at(self) -> float:
        """When the browser was last heard (loop clock)."""

    def continues(self, offer: Offer) -> bool:
        """True if this offer is of the connection that this session is the other end of."""

    async def answer(self, offer: Offer) -> str:
        """Our description; the connection comes up by itself. Raises OfferInvalid, PortInUse."""

    async def add_candidate(self, candidate: str) -> None:
        """Raises OfferInvalid."""

    def send(self, packet: bytes, at: int) -> None:
        """One Opus packet; `at` is the place of its beginning in samples of `OPUS_RATE`."""

    async def close(self) -> None: ...


class _Wire:
    """The line's sound between beats: what was decoded, and what waits to be encoded."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self._waiting = bytearray()

    def probe(self) -> WireState:
        return WireState(OPUS_RATE, OPUS_RATE, len(self._waiting))

    def read(self) -> bytes:
        data = bytes(self.heard)
        self.heard.clear()
        return data

    def write(self, data: bytes) -> None:
        self._waiting += data

    def flush(self) -> None:
        self._waiting.clear()

    def take_restart(self) -> bool:
        return False

    def next_frame(self) -> bytes:
        size = frame_bytes(OPUS_RATE)
        frame = bytes(self._waiting[:size]).ljust(size, b"\0")
        del self._waiting[:size]
        return frame


class WebRtcLeg:
    """Made by the endpoint alone. `make` opens a session for this leg, `keep` lets work run to its end,
    `closed` is called once, when `ended` is resolved."""

    direction: Literal["outbound", "inbound"] = "inbound"

    def __init__(
        self,
        make: Callable[[WebRtcLeg], Session],
        *,
        remote: str,
        local: str,
        headers: Mapping[str, str],
        settings: WebRtcSettings,
        pacer: Pacer,
        keep: Callable[[Coroutine[Any, Any, None]], None],
        closed: Callable[[WebRtcLeg], None],
    ) -> None:
        self.id = new_id("leg")
        self.remote = remote
        self.local = local
        self.headers: Mapping[str, str] = headers
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[EndCause] = self._loop.create_future()
        self._make = make
        self._settings = settings
        self._pacer = pacer
        self._keep = keep
        self._closed = closed
        self._wire = _Wire()
        self._sound = SoundPath(self._wire, echo_control=settings.echo_control)
        self._sound.open()
        self._encoder = OpusEncoder()
        self._decoder = OpusDecoder()
        self._order = Reorder(OPUS_CLOCK)
        self._session: Session | None = None
        self._coming: Session | None = None
        self._negotiating = asyncio.Lock()
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._answering = False
        self._left = False
        self._asked_at = self._loop.time()  # when the page last made an offer
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._frames: Broadcast[Frame] = Broadcast(_FRAMES_KEPT)
        self._digits: Broadcast[Digit] = Broadcast(_DIGITS_KEPT)
        self._sent = self._sent_samples = self._received_before = self._lost_before = 0

    @property
    def rate(self) -> int:
        return self._sound.rate

    @property
    def codec(self) -> str:
        return "opus"

    @property
    def media_s(self) -> float:
        """Media time in seconds: the end of the newest frame."""
        return self._sound.media_s

    # -- getting it up, and up again ---------------------------------------------------------------

    async def negotiate(self, sdp: str) -> str:
        """The answer to an offer of this line's page: its first, one after a change of network, or that of
        a page loaded anew. The call goes on meanwhile. Raises OfferInvalid, PortInUse, LegClosed."""
        offer = Offer.parse(sdp)
        async with self._negotiating:
            self._must_be_open()
            self._asked_at = self._loop.time()
            if self._session is not None and self._session.continues(offer):
                return await self._session.answer(offer)
            coming = self._make(self)
            try:
                answer = await coming.answer(offer)
                self._must_be_open()
            except BaseException:
                self._keep(coming.close())
                raise
            self._drop_coming()
            self._coming = coming
            self._stop_timer("rejoin")
            self._set_timer("connect", self._settings.connect_s, self._not_connected)
            return answer

    async def add_candidate(self, candidate: str) -> None:
        """An ICE candidate of the page, as `RTCIceCandidate.candidate` has it; "" is the last. Raises
        OfferInvalid; what comes for a line that has ended is dropped."""
        session = self._coming or self._session
        if session is not None and not self.ended.done():
            await session.add_candidate(candidate)

    async def answer(self) -> None:
        self._must_be_open()
        self._answering = True
        await self._wait_up(None)
        self._must_be_open()

    async def reject(self, reason: RejectReason) -> None:
        self.end(EndCause(EndKind.REJECTED, text=reason.value))

    async def established(self, timeout_s: float) -> None:
        if not await self._wait_up(timeout_s):
            self.end(EndCause(EndKind.NO_ANSWER))
        if self.ended.done():
            cause = self.ended.result()
            raise DialFailed(f"{self.remote} was not reached: {cause.kind} {cause.text}", cause=cause)

    async def _wait_up(self, timeout_s: float | None) -> bool:
        """True when the line is up or has ended."""
        waited: set[asyncio.Future[Any]] = {self._up, self.ended}
        done, _ = await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    def _not_connected(self) -> None:
        self._give_up(EndCause(EndKind.UNREACHABLE, text="the browser's media did not arrive"))

    def _give_up(self, cause: EndCause) -> None:
        """The session that was coming will not come: `cause` is the line's where it never had another."""
        self._drop_coming()
        if not self._up.done():
            self.end(cause)
        elif self._left:
            self.end(_GONE)

    def _drop_coming(self) -> None:
        self._stop_timer("connect")
        if self._coming is not None:
            self._keep(self._coming.close())
            self._coming = None

    # -- while it is up ----------------------------------------------------------------------------

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

    def press(self, key: str) -> None:
        """The page's user pressed a key on the screen. Raises BadInput; nothing after the end."""
        if key.upper() not in KEYS or len(key) != 1:
            raise BadInput(f"no key of a telephone: {key!r}", hint=f"Right would be one of {KEYS}.")
        if not self.ended.done():
            self._digits.publish(Digit(key.upper(), self.media_s))

    async def send_digits(self, keys: str) -> None:
        """As tones: a browser has no other ear for keys."""
        self._must_be_open()
        await self._sound.play(dtmf(keys, self.rate)).done()

    async def transfer(self, target: str, timeout_s: float) -> TransferOutcome:
        self._must_be_open()
        raise TransferFailed(f"a browser cannot be transferred to {target}: WebRTC has no REFER")

    async def transfer_to(self, other: CallLeg, timeout_s: float) -> TransferOutcome:
        self._must_be_open()
        raise TransferFailed(f"a browser cannot be transferred to {other.remote}: WebRTC has no REFER")

    def stats(self) -> LegStats:
        return LegStats(
            packets_sent=self._sent,
            packets_received=self._received_before + self._order.received,
            packets_lost=self._lost_before + self._order.lost,
            jitter_ms=self._order.jitter_s * 1000,
            concealed_frames=self._sound.concealed,
        )

    async def hang_up(self) -> None:
        if self._up.done():
            self.end(EndCause(EndKind.LOCAL_HANGUP))
        else:
            self.end(EndCause(EndKind.CANCELLED if self._answering else EndKind.REJECTED))

    def leave(self) -> None:
        """The page's user hung up, and the page says so: no waiting for it to come back."""
        self.end(EndCause(EndKind.REMOTE_HANGUP if self._up.done() else EndKind.CANCELLED, text="left"))

    # -- what the stack reports --------------------------------------------------------------------

    def on_up(self, session: Session) -> None:
        """This session's media can flow."""
        if session is not self._coming or self.ended.done():
            return
        self._coming, old, self._session = None, self._session, session
        self._left = False
        self._stop_timer("connect")
        self._received_before += self._order.received
        self._lost_before += self._order.lost
        self._order, self._decoder, self._encoder = Reorder(OPUS_CLOCK), OpusDecoder(), OpusEncoder()
        self._sent_samples = 0
        if old is not None:
            self._keep(old.close())
            log.info("a browser came back", leg=self.id)
        if not self._up.done():
            self._up.set_result(None)
            self._pacer.add(self)

    def on_left(self, session: Session) -> None:
        """The browser closed this session."""
        if session is self._coming:
            self._give_up(EndCause(EndKind.CANCELLED, text=PAGE_CLOSED))
        elif session is self._session and not self.ended.done():
            self._left = True
            if self._coming is not None:
                return  # the page is back before its old connection is gone
            if self._settings.rejoin_s:
                self._set_timer("rejoin", self._settings.rejoin_s, lambda: self.end(_GONE))
            else:
                self.end(_GONE)

    def on_failed(self, session: Session, text: str) -> None:
        """This session will never come up."""
        if session is self._coming:
            log.warning("a browser's connection failed", leg=self.id, reason=text)
            self._give_up(EndCause(EndKind.FAILED, text=text))

    def on_packet(self, session: Session, sequence: int, timestamp: int, payload: bytes) -> None:
        if session is self._session:
            for part in self._order.add(sequence, timestamp, payload, self._loop.time()):
                self._wire.heard += self._decoder.decode(part)

    def tick(self, count: int) -> None:
        """Called by the pacer: `count` frames of time have passed."""
        for frame in self._sound.tick(count):
            self._frames.publish(frame)
        self._timers["send"] = self._loop.call_later(_SEND_AFTER_S, self._send, count)
        if self._session is not None:
            silent_s = self._loop.time() - max(self._session.heard_at, self._asked_at)
            if silent_s > self._settings.reconnect_s and self._coming is None:
                self.end(EndCause(EndKind.MEDIA_LOST, text=f"nothing heard for {silent_s:.0f} s"))

    def _send(self, count: int) -> None:
        if self._session is None:
            return
        for _ in range(count):
            for packet in self._encoder.encode(self._wire.next_frame()):
                self._session.send(packet, self._sent_samples)
                self._sent += 1
            self._sent_samples += OPUS_RATE // 50

    def end(self, cause: EndCause) -> None:
        """The line is no more. Only the first cause counts."""
        if self.ended.done():
            return
        self._pacer.remove(self)
        for name in tuple(self._timers):
            self._stop_timer(name)
        self._sound.close()
        self.ended.set_result(cause)
        self._frames.close()
        self._digits.close()
        self._drop_coming()
        if self._session is not None:
            self._keep(self._session.close())
        self._closed(self)

    def _set_timer(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer(name)
        self._timers[name] = self._loop.call_later(seconds, then)

    def _stop_timer(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    def _must_be_open(self) -> None:
        if self.ended.done():
            raise LegClosed(f"the line has ended: {self.ended.result().kind}")
