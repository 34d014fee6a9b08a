"""A browser that calls by WebRTC, without the browser: what it sends and receives, packet by packet.

The connection (ICE, DTLS, SRTP) is a peer connection of aiortc on loopback. The sound is Opus of 16 kHz
mono, encoded and decoded here, so that every packet has the time of its sending and of its arrival, and no
jitter buffer is in between. All times are `time.monotonic()` seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription

from bot.core.audio import FRAME_S
from bot.core.errors import Unavailable
from bot.sim.g711 import Samples
from bot.sim.packets import Packet
from telephony.opus import OPUS_RATE, OpusDecoder, OpusEncoder
from telephony.settings import WebRtcSettings
from telephony.webrtc import PacketTrack, opus_only, take_packets, with_own_ice

FRAME = round(OPUS_RATE * FRAME_S)


def _is_rtp(data: bytes) -> bool:
    """RTP, and neither RTCP nor DTLS (RFC 7983, 7; RFC 5761, 4)."""
    return 127 < data[0] < 192 and not 192 <= data[1] <= 223


def heard_at(sdp: str) -> tuple[str, int]:
    """Where the node listens, by its answer. Raises Unavailable for one without an address."""
    for media in SessionDescription.parse(sdp).media:
        for candidate in media.ice_candidates:
            return candidate.ip, candidate.port
    raise Unavailable("the node's answer has no address")


class SimBrowser:
    """Sends a packet every 20 ms once it is connected: what is said, else silence. `jitter` holds each back
    by so many seconds; packets may overtake each other. `ports` are its own UDP ports."""

    rate = OPUS_RATE

    def __init__(self, ports: tuple[int, int], jitter: Callable[[], float] | None = None) -> None:
        self.sent: list[Packet] = []
        self.received: list[Packet] = []
        self.on_packet: Callable[[Packet], None] | None = None
        self._jitter = jitter
        self._loop = asyncio.get_running_loop()
        self._track = PacketTrack()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = self._peer.addTransceiver(self._track, direction="sendrecv")
        opus_only(transceiver)
        with_own_ice(transceiver, WebRtcSettings(ports=ports, max_calls=1))
        take_packets(transceiver.receiver, self._take)
        transport = transceiver.receiver.transport.transport
        self._at_once = transport._send
        transport._send = self._send_late
        self._encoder, self._decoder = OpusEncoder(), OpusDecoder()
        self._speech = np.zeros(0, np.int16)
        self._connected = asyncio.Event()
        self._peer.on("connectionstatechange", self._on_state)
        self._sender: asyncio.Task[None] | None = None
        self._late: set[asyncio.Future[None]] = set()

    async def offer(self) -> str:
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """Returns when it is connected."""
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await self._connected.wait()
        self._sender = asyncio.create_task(self._run())

    def say(self, samples: Samples) -> None:
        """From the next packet on (16 kHz)."""
        self._speech = np.concatenate([self._speech, samples])

    async def close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait((self._sender,))
        await self._peer.close()

    def _on_state(self) -> None:
        if self._peer.connectionState == "connected":
            self._connected.set()

    async def _run(self) -> None:
        due, place = time.monotonic(), 0
        while True:
            frame = np.pad(self._speech[:FRAME], (0, FRAME - self._speech[:FRAME].size))
            self._speech = self._speech[FRAME:]
            self.sent.append(Packet(time.monotonic(), 0, place, frame))
            for packet in self._encoder.encode(frame.astype("<i2").tobytes()):
                self._track.put(packet, place)
            place += FRAME
            due += FRAME_S
            await asyncio.sleep(due - time.monotonic())

    async def _send_late(self, data: bytes) -> None:
        if self._jitter is None or not _is_rtp(data):
            await self._at_once(data)
        else:
            self._loop.call_later(self._jitter(), self._send_now, self._at_once, data)

    def _send_now(self, send: Callable[[bytes], Awaitable[None]], data: bytes) -> None:
        task = asyncio.ensure_future(self._sent_or_closed(send, data))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _sent_or_closed(self, send: Callable[[bytes], Awaitable[None]], data: bytes) -> None:
        if self._peer.connectionState == "connected":
            await send(data)

    def _take(self, sequence: int, timestamp: int, payload: bytes) -> None:
        sound = np.frombuffer(self._decoder.decode(payload), "<i2").astype(np.int16)
        packet = Packet(time.monotonic(), 0, timestamp, sound)
        self.received.append(packet)
        if self.on_packet is not None:
            self.on_packet(packet)
