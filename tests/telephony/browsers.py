"""A browser for the tests: a peer connection of aiortc, with its own codec, on loopback."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import soxr
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from bot.core.audio import Pcm
from telephony.settings import WebRtcSettings
from telephony.tones import KEYS, dtmf_hz, goertzel_dbfs
from telephony.webrtc import WebRtcEndpoint, WebRtcLeg, expect_candidates, with_own_ice

RATE = 48000
FRAME = RATE // 50


class _Microphone(MediaStreamTrack):
    """Sends a frame every 20 ms: what is said, else silence; nothing while muted."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.speech = bytearray()
        self.muted = False
        self._due = 0.0
        self._samples = 0

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        while True:
            self._due = max(self._due + 0.02, loop.time())
            await asyncio.sleep(self._due - loop.time())
            self._samples += FRAME
            if not self.muted:
                break
        sound = np.frombuffer(bytes(self.speech[: 2 * FRAME]).ljust(2 * FRAME, b"\0"), "<i2")
        del self.speech[: 2 * FRAME]
        both = np.repeat(sound, 2)[None, :]  # as stereo: the stack would make mono softer by 3 dB
        frame = AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = RATE, self._samples
        return frame


class Browser:
    """One page. `lose` is the share of its packets that get lost on their way to us, by a fixed seed."""

    def __init__(self, *, lose: float = 0.0, seed: int = 1, prefetch: int = 0) -> None:
        self.microphone = _Microphone()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = self._peer.addTransceiver(self.microphone, "sendrecv")
        self.link = with_own_ice(transceiver, WebRtcSettings(ports=(31000, 31999)))
        transport = transceiver.receiver.transport.transport
        transport._send = self._lossy(transport._send)
        transceiver.receiver._RTCRtpReceiver__jitter_buffer = JitterBuffer(16, prefetch)
        self.receiver = transceiver.receiver
        self.lose = lose
        self.lost = 0
        self._gone = False
        self._chance = random.Random(seed)
        self._heard: list[bytes] = []
        self._since = 0
        self._ear: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.leg: WebRtcLeg | None = None

    def _lossy(self, send: Callable[[bytes], Awaitable[None]]) -> Callable[[bytes], Awaitable[None]]:
        async def lose_some(data: bytes) -> None:
            if self._gone:
                return
            media = 127 < data[0] < 192 and not 192 <= data[1] <= 223  # RTP, not RTCP (RFC 5761, 4)
            if media and self._chance.random() < self.lose:
                self.lost += 1
                return
            await send(data)

        return lose_some

    @property
    def connected(self) -> bool:
        return self._peer.connectionState == "connected"

    def vanish(self) -> None:
        """Nothing of it arrives any more, as when a telephone leaves the network."""
        self._gone = True

    @property
    def answer(self) -> str:
        """What the other side has said of itself."""
        return self._peer.remoteDescription.sdp

    async def offer(self) -> str:
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp

    async def accept(self, answer: str) -> None:
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        if self._ear is None:
            self._ear = asyncio.create_task(self._listen())

    async def call(self, endpoint: WebRtcEndpoint, rejoin_s: float | None = None) -> WebRtcLeg:
        """A line that is up."""
        answer, self.leg = await endpoint.answer(
            await self.offer(), remote="webrtc:page", local="webrtc:bot", rejoin_s=rejoin_s
        )
        await self.accept(answer)
        async with asyncio.timeout(5):
            await self.leg.answer()
        return self.leg

    async def rejoin(self, leg: WebRtcLeg) -> None:
        """This page takes the place of another one of the same call."""
        self.leg = leg
        await self.accept(await leg.negotiate(await self.offer()))

    async def restart_ice(self, *, cut_off: bool = False) -> None:
        """As `RTCPeerConnection.restartIce` does: the same connection, found another way; `cut_off` where
        the old way is there no more."""
        assert self.leg is not None
        if cut_off:
            await self.link._now.close()
        await self.link.restart("", "")
        expect_candidates(self.receiver.transport)
        self.link.ice_controlling = True
        answer = await self.leg.negotiate(await self.offer())
        await self.accept(answer)
        lines = dict(line.partition(":")[::2] for line in answer.splitlines() if line.startswith("a=ice-"))
        self.link.remote_username, self.link.remote_password = lines["a=ice-ufrag"], lines["a=ice-pwd"]
        await self.link.reconnect()

    async def _listen(self) -> None:
        try:
            while True:
                frame: Any = await self.receiver.track.recv()
                sound = frame.to_ndarray().reshape(-1, 2)[:, 0]
                self._heard.append(sound.astype("<i2").tobytes())
        except MediaStreamError:
            return

    async def close(self) -> None:
        await self._peer.close()
        if self._ear is not None:
            self._ear.cancel()
            await asyncio.gather(self._ear, return_exceptions=True)

    # -- the far end of the conformance tests ------------------------------------------------------

    def say(self, pcm: Pcm) -> None:
        sound = soxr.resample(np.frombuffer(pcm.data, "<i2"), pcm.rate, RATE)
        self.microphone.speech += sound.astype("<i2").tobytes()

    def mute(self) -> None:
        self.microphone.muted = True

    def press(self, key: str) -> None:
        assert self.leg is not None
        self.leg.press(key)

    def hang_up(self) -> None:
        self._closing = asyncio.create_task(self._peer.close())

    def listen(self) -> None:
        self._since = len(self._heard)

    def heard(self) -> Pcm:
        return Pcm(b"".join(self._heard[self._since :]), RATE)

    def keys(self) -> list[str]:
        """Keys as an ear for tones would tell them."""
        found, size = [""], 2 * RATE // 25
        data = self.heard().data
        for at in range(0, len(data) - size + 1, size):
            part = Pcm(data[at : at + size], RATE)
            key = next((key for key in KEYS if all(goertzel_dbfs(part, hz) > -20 for hz in dtmf_hz(key))), "")
            if key != found[-1]:
                found.append(key)
        return [key for key in found if key]


@asynccontextmanager
async def browser(**options: Any) -> AsyncIterator[Browser]:
    page = Browser(**options)
    try:
        yield page
    finally:
        await page.close()


@asynccontextmanager
async def webrtc_endpoint(**settings: Any) -> AsyncIterator[WebRtcEndpoint]:
    """Our side, on loopback. A page that closes has hung up, if nothing else is said."""
    endpoint = WebRtcEndpoint(WebRtcSettings(**{"rejoin_s": 0.0, **settings}))
    try:
        yield endpoint
    finally:
        await endpoint.stop()
