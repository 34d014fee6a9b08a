"""WebRTC over aiortc. The only file that knows the stack, its limits and their cures.

The stack's version is pinned, because three of its private parts are replaced on each connection (none of
the module's, so nothing else in the process is touched):
- its ICE agent, by one that listens where the settings say and can restart (telephony/webrtcice.py);
- its jitter buffer, which holds four packets (80 ms) always, and fourteen for ever after one was lost:
  packets are taken where it would take them, put in order (telephony/reorder.py), and wait in the line's
  own intake, as those of SIP do;
- with it its decoder, which gives 48 kHz stereo in another thread.
"""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, cast

import structlog
from aioice import Candidate
from aiortc import (
    RTCConfiguration,
    RTCDtlsTransport,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtp import RtpPacket
from av.frame import Frame
from av.packet import Packet

from bot.core.errors import OfferInvalid, Unavailable
from telephony.opus import OPUS_RATE
from telephony.pacer import Pacer
from telephony.settings import WebRtcSettings
from telephony.webrtcice import IceLink
from telephony.webrtcleg import WebRtcLeg
from telephony.webrtcoffer import Offer

__all__ = [
    "PacketTrack",
    "WebRtcEndpoint",
    "WebRtcLeg",
    "expect_candidates",
    "opus_only",
    "take_packets",
    "with_own_ice",
]

log = structlog.get_logger()

_UNSENT = 10
"""Packets that wait while the connection is not ready for them; older ones are dropped."""

_TIME_BASE = fractions.Fraction(1, OPUS_RATE)


class PacketTrack(MediaStreamTrack):
    """What is sent, encoded already: the stack passes packets on as they are."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._packets: asyncio.Queue[Packet[Any]] = asyncio.Queue()

    def put(self, packet: bytes, at: int) -> None:
        while self._packets.qsize() >= _UNSENT:
            self._packets.get_nowait()
        sent = Packet(packet)
        sent.pts, sent.time_base = at, _TIME_BASE
        self._packets.put_nowait(sent)

    async def recv(self) -> Frame | Packet[Any]:
        return await self._packets.get()


class _Tap:
    """In the place of a receiver's jitter buffer: every packet is handed on, none gets to the decoder."""

    def __init__(self, take: Callable[[int, int, bytes], None]) -> None:
        self._take = take

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        self._take(packet.sequence_number, packet.timestamp, packet.payload)
        return False, None


def take_packets(receiver: RTCRtpReceiver, take: Callable[[int, int, bytes], None]) -> None:
    """`take` gets sequence number, timestamp and payload of every packet as it arrives."""
    receiver._RTCRtpReceiver__jitter_buffer = _Tap(take)  # type: ignore[attr-defined]


def with_own_ice(transceiver: RTCRtpTransceiver, settings: WebRtcSettings) -> IceLink:
    """Give the transport of a new transceiver our ICE agent. Tests' peers on loopback use it as well."""
    link = IceLink(settings)
    transport = transceiver.receiver.transport.transport
    transport.iceGatherer._connection = transport._connection = cast(Any, link)
    transport._recv, transport._send = link.recv, link.send
    return link


def expect_candidates(dtls: RTCDtlsTransport) -> None:
    """Candidates come anew after a restart; the stack takes none after the last of the first round."""
    dtls.transport.iceGatherer._remote_candidates_end = False


def opus_only(transceiver: RTCRtpTransceiver) -> None:
    """Every browser has Opus (RFC 7874, 3)."""
    capabilities = RTCRtpReceiver.getCapabilities("audio")
    assert capabilities is not None
    transceiver.setCodecPreferences(
        [codec for codec in capabilities.codecs if codec.mimeType.lower() == "audio/opus"]
    )


class _PeerSession:
    """A `Session`."""

    def __init__(self, settings: WebRtcSettings, leg: WebRtcLeg) -> None:
        self._leg = leg
        self._track = PacketTrack()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = self._peer.addTransceiver(self._track, direction="sendrecv")
        opus_only(transceiver)
        self._link = with_own_ice(transceiver, settings)
        take_packets(transceiver.receiver, self._take)
        self._dtls = transceiver.receiver.transport
        self._dtls.on("statechange", self._on_dtls)
        self._offer: Offer | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def heard_at(self) -> float:
        return self._link.heard_at

    def continues(self, offer: Offer) -> bool:
        known = self._offer is not None and offer.fingerprints == self._offer.fingerprints
        return known and not self._closing and self._dtls.state == "connected"

    async def answer(self, offer: Offer) -> str:
        restarts = self._offer is not None and offer.ufrag != self._offer.ufrag
        if restarts:
            await self._link.restart(offer.ufrag, offer.password)
            expect_candidates(self._dtls)
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except (InvalidAccessError, InvalidStateError, OperationError, ValueError, KeyError) as error:
            raise OfferInvalid(f"the offer cannot be answered: {error}") from error
        self._offer = offer
        if restarts:
            if self._restarting is not None:
                self._restarting.cancel()
            self._restarting = asyncio.create_task(self._reconnect())
        return self._peer.localDescription.sdp

    async def _reconnect(self) -> None:
        try:
            await self._link.reconnect()
        except ConnectionError as error:
            log.info("ICE did not restart", leg=self._leg.id, reason=str(error))
        else:
            log.info("a browser is reached another way", leg=self._leg.id)

    async def add_candidate(self, candidate: str) -> None:
        if not candidate:
            return  # there will be no more: we listen to checks from anywhere all the same
        try:
            parsed = Candidate.from_sdp(candidate.removeprefix("candidate:"))
            await self._link.add_remote_candidate(parsed)
        except (ValueError, AssertionError, IndexError) as error:
            raise OfferInvalid(f"no ICE candidate: {candidate[:200]!r}: {error}") from error

    def send(self, packet: bytes, at: int) -> None:
        self._track.put(packet, at)

    def _take(self, sequence: int, timestamp: int, payload: bytes) -> None:
        self._leg.on_packet(self, sequence, timestamp, payload)

    async def close(self) -> None:
        self._closing = True
        if self._restarting is not None:
            self._restarting.cancel()
        await self._peer.close()

    def _on_dtls(self) -> None:
        if self._closing:
            return
        if self._dtls.state == "connected":
            self._leg.on_up(self)
        elif self._dtls.state == "closed":
            self._leg.on_left(self)
        elif self._dtls.state == "failed":
            self._leg.on_failed(self, "DTLS failed: the far end is not who it said it is, or spoke no DTLS")


class WebRtcEndpoint:
    """The browsers' side of a process: all its calls from pages.

    endpoint = WebRtcEndpoint(settings, pacer=pacer)
    answer, leg = await endpoint.answer(offer_sdp, remote="webrtc:customer", local="webrtc:survey")
    ...                             # `answer` goes to the page; its candidates to `leg.add_candidate`
    await leg.answer()              # returns when sound can flow
    again = await leg.negotiate(offer_sdp)      # the page came back: same call, same leg
    await endpoint.stop()
    """

    def __init__(self, settings: WebRtcSettings, *, pacer: Pacer | None = None) -> None:
        self.settings = settings
        self._pacer = pacer or Pacer()
        self._legs: dict[str, WebRtcLeg] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def legs(self) -> tuple[WebRtcLeg, ...]:
        """Every line there is now, those that are not up yet included."""
        return tuple(self._legs.values())

    def leg(self, leg_id: str) -> WebRtcLeg | None:
        """A line that has not ended."""
        return self._legs.get(leg_id)

    async def answer(
        self,
        sdp: str,
        *,
        remote: str,
        local: str,
        headers: Mapping[str, str] | None = None,
        rejoin_s: float | None = None,
    ) -> tuple[str, WebRtcLeg]:
        """Our answer with all its candidates, and the line, which is on its way up. `remote` and `local`
        are URIs that say who talks to whom; `rejoin_s` is this line's own in the place of the settings'.
        Raises OfferInvalid, PortInUse, and Unavailable where all lines are taken."""
        if len(self._legs) >= self.settings.max_calls:
            raise Unavailable(f"all {self.settings.max_calls} lines for browsers are taken")
        leg = WebRtcLeg(
            lambda leg: _PeerSession(self.settings, leg),
            remote=remote,
            local=local,
            headers=dict(headers or {}),
            settings=self.settings if rejoin_s is None else replace(self.settings, rejoin_s=rejoin_s),
            pacer=self._pacer,
            keep=self._run,
            closed=lambda leg: self._forget(leg.id),
        )
        self._legs[leg.id] = leg
        try:
            return await leg.negotiate(sdp), leg
        except BaseException:
            await leg.hang_up()
            raise

    async def stop(self) -> None:
        """End every line; returns when all that was open is closed. Idempotent."""
        await asyncio.gather(*(leg.hang_up() for leg in self.legs))
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _forget(self, leg_id: str) -> None:
        self._legs.pop(leg_id, None)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
