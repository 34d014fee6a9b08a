"""One call's sound on one UDP socket and one monotonic clock (RFC 3550, 3551, 4733).

A phone that owns its socket, because the reply gap is measured here: every packet that arrives is
stamped with the kernel's time of arrival, every packet that leaves with the time of its sending,
and nothing is buffered in between. All times are `time.monotonic()` seconds.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import numpy as np
import structlog

from bot.core.audio import FRAME_S
from bot.core.errors import PortInUse
from bot.sim.g711 import RATE, Samples, decode, encode
from bot.sim.measure import voiced
from bot.sim.network import Fate
from bot.sim.packets import SO_TIMESTAMPNS, Counters, Packet, Span, arrival
from bot.sim.sdp import Audio
from bot.sim.sounds import EVENT_CODES, key_tone, tone

log = structlog.get_logger()

FRAME = round(RATE * FRAME_S)
"""Samples in a packet."""

KEY_S, KEY_GAP_S = 0.1, 0.1
"""How long a key is held and the pause after it (at least 40 ms each, ITU-T Q.24)."""

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_STALL_S = 0.2
_SILENCE = np.zeros(FRAME, np.int16)


@dataclass(slots=True)
class _Frame:
    """20 ms to be sent: sound, or the payload of a telephone event with its sound for the record."""

    samples: Samples
    event: bytes = b""
    opens: bool = False


@dataclass(slots=True)
class _Job:
    frames: deque[_Frame]
    done: asyncio.Future[Span]
    first: int | None = None


class RtpSession:
    """Sends a packet every 20 ms once it is connected, and keeps all that went and came.

    What is sent is, in this order: the queued clips and keys, else the tone if one is set, else
    silence; nothing at all while `sending` is False.
    """

    def __init__(self, host: str, sockets: tuple[socket.socket, socket.socket]) -> None:
        self.host = host
        self.port: int = sockets[0].getsockname()[1]
        self.sent: list[Packet] = []
        self.received: list[Packet] = []
        self.digits: list[tuple[float, str]] = []
        self.counters = Counters()
        self.sending = True
        self.tone_hz: float | None = None
        self.noise: Samples = _SILENCE
        """Under all that is sent, over and over; whole packets of it."""
        self.last_voiced_at = float("-inf")
        self.outgoing: Fate | None = None
        """What becomes of each packet that leaves, as on a network; packets may overtake each other."""
        self.incoming: Fate | None = None
        """The same for each that arrives."""
        self.on_packet: Callable[[Packet], None] | None = None
        """Told of each packet of sound that arrives."""
        self._socket, self._rtcp = sockets
        self._given_up: list[socket.socket] = []
        self._remote: Audio | None = None
        self._left: set[tuple[str, int]] = set()
        self._jobs: deque[_Job] = deque()
        self._sequence = random.randrange(0x8000)
        self._timestamp = self._first_timestamp = random.randrange(1 << 31)
        self._ssrc = random.getrandbits(32)
        self._event_timestamp = 0
        self._was_sending = False
        self._seen_events: set[tuple[int, int]] = set()
        self._sender: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, host: str = "127.0.0.1") -> Self:
        """An even port for RTP and the next one for RTCP (RFC 3550, 11). Raises PortInUse.

        The RTCP socket only takes what comes, so that the far end meets no closed port.
        """
        session = cls(host, _pair(host))
        asyncio.get_running_loop().add_reader(session._socket, session._receive)
        return session

    def rebind(self) -> None:
        """Go on at other ports, as behind a NAT that forgot the old ones: what still goes there is lost.
        Raises PortInUse."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._given_up += [self._socket, self._rtcp]  # bound still: a closed port would tell the far end
        self._socket, self._rtcp = _pair(self.host)
        self.port = self._socket.getsockname()[1]
        if self._sender is None:  # else its beat looks at what has come
            loop.add_reader(self._socket, self._receive)

    @property
    def remote(self) -> tuple[str, int] | None:
        """Whom it sends to."""
        return None if self._remote is None else (self._remote.host, self._remote.port)

    def connect(self, remote: Audio) -> None:
        """Send to this party from now on; one that it takes the place of (a transfer) is heard no more."""
        if self._remote is not None:
            self._left.add((self._remote.host, self._remote.port))
        self._left.discard((remote.host, remote.port))
        self._remote = remote
        if self._sender is None:
            self._sender = asyncio.create_task(self._run())

    async def say(self, samples: Samples) -> Span:
        """Send a clip; returns as its last packet leaves."""
        padded = np.concatenate([samples, np.zeros(-samples.size % FRAME, np.int16)])
        return await self._send(_Frame(part) for part in padded.reshape(-1, FRAME))

    async def press(self, keys: str) -> Span:
        """Send keys as telephone events, or as tones where the far end takes no events.

        Returns after the pause that follows the last key; the span ends with the key.
        """
        events = self._remote is not None and self._remote.events_type is not None
        frames = [frame for key in keys for frame in _key_frames(key, events=events)]
        span = await self._send(frames)
        assert span.packets is not None
        first, last = span.packets
        return Span(span.began, span.ended - KEY_GAP_S, (first, last - round(KEY_GAP_S / FRAME_S)))

    async def close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender
        asyncio.get_running_loop().remove_reader(self._socket)
        for each in (self._socket, self._rtcp, *self._given_up):
            each.close()

    async def _send(self, frames: Iterable[_Frame]) -> Span:
        job = _Job(deque(frames), asyncio.get_running_loop().create_future())
        if not job.frames:
            raise ValueError("an empty sound")
        self._jobs.append(job)
        return await job.done

    async def _run(self) -> None:
        # What has come is looked at in the same beat: the kernel has dated it, and to wake up for each packet
        # would cost a telephone as much as all the rest.
        asyncio.get_running_loop().remove_reader(self._socket)
        due = time.monotonic()
        while True:
            self._receive()
            self._tick()
            due += FRAME_S
            late = time.monotonic() - due
            if late > _STALL_S:
                # A stalled machine: the sound goes on from now, its clock keeps the time that was lost.
                missed = int(late / FRAME_S)
                self.counters.stalls += 1
                self._timestamp += missed * FRAME
                due += missed * FRAME_S
            await asyncio.sleep(due - time.monotonic())

    def _tick(self) -> None:
        if self.sending and self._remote is not None:
            job = self._jobs[0] if self._jobs else None
            frame = job.frames.popleft() if job else _Frame(self._background())
            self._transmit(self._in_noise(frame), self._remote)
            if job:
                self._advance(job)
        self._was_sending = self.sending
        self._timestamp += FRAME

    def _advance(self, job: _Job) -> None:
        """One more packet of the job has left."""
        last = len(self.sent) - 1
        job.first = last if job.first is None else job.first
        if not job.frames:
            self._jobs.popleft()
            if not job.done.done():
                began = self.sent[job.first].at - FRAME_S
                job.done.set_result(Span(began, self.sent[last].at, (job.first, last)))

    def _in_noise(self, frame: _Frame) -> _Frame:
        """The same with this phone's noise under it; in place of an event's sound there is no noise."""
        if frame.event or self.noise is _SILENCE:
            return frame
        at = (self._timestamp - self._first_timestamp) % self.noise.size
        both = frame.samples.astype(np.int32) + self.noise[at : at + FRAME]
        return _Frame(np.clip(both, -32768, 32767).astype(np.int16))

    def _background(self) -> Samples:
        if self.tone_hz is None:
            return _SILENCE
        return tone(self.tone_hz, FRAME, start=self._timestamp - self._first_timestamp)

    def _transmit(self, frame: _Frame, remote: Audio) -> None:
        kind, codec = remote.codec
        marker = not self._was_sending
        timestamp = self._timestamp
        payload = frame.event
        if frame.event:
            assert remote.events_type is not None
            kind, marker = remote.events_type, frame.opens
            # All packets of an event carry the time of its beginning (RFC 4733, 2.5.1).
            self._event_timestamp = timestamp if frame.opens else self._event_timestamp
            timestamp = self._event_timestamp
        else:
            payload = encode(codec, frame.samples)
        header = _HEADER.pack(
            0x80, kind | marker << 7, self._sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self._ssrc
        )
        self._sequence += 1
        at = time.monotonic()
        where = (remote.host, remote.port)
        late = self.outgoing() if self.outgoing is not None else 0.0
        if late:
            asyncio.get_running_loop().call_later(late, self._put, header + payload, where)
        elif late is not None:
            self._put(header + payload, where)
        self.counters.sent += 1
        self.sent.append(Packet(at, self._ssrc, self._timestamp, frame.samples))

    def _put(self, data: bytes, where: tuple[str, int]) -> None:
        if self._socket.fileno() < 0:
            return  # closed while a packet was held back
        with suppress(BlockingIOError):  # a full socket buffer loses a packet, as a network does
            self._socket.sendto(data, where)

    def _receive(self) -> None:
        while True:
            try:
                data, ancillary, _, source = self._socket.recvmsg(2048, 64)
            except (BlockingIOError, InterruptedError):
                return
            if source in self._left:
                continue
            at = arrival(ancillary)
            late = self.incoming() if self.incoming is not None else 0.0
            if late:
                asyncio.get_running_loop().call_later(late, self._take, data, at + late)
            elif late is not None:
                self._take(data, at)

    def _take(self, data: bytes, at: float) -> None:
        if len(data) < _HEADER.size or data[0] >> 6 != 2 or self._remote is None:
            return
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        begin = _HEADER.size + 4 * (first & 15)
        if first & 0x10 and len(data) >= begin + 4:  # a header extension (RFC 3550, 5.3.1)
            begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
        end = len(data) - data[-1] if first & 0x20 else len(data)
        payload, kind = data[begin:end], second & 0x7F
        self.counters.count(ssrc, sequence)
        if kind == self._remote.events_type:
            self._take_event(payload, ssrc, timestamp, at)
        elif kind == self._remote.codec[0] and payload:
            samples = decode(self._remote.codec[1], payload)
            if voiced(samples).any():
                self.last_voiced_at = at + samples.size / RATE
            packet = Packet(at, ssrc, timestamp, samples)
            self.received.append(packet)
            if self.on_packet is not None:
                self.on_packet(packet)

    def _take_event(self, payload: bytes, ssrc: int, timestamp: int, at: float) -> None:
        if len(payload) < _EVENT.size or (ssrc, timestamp) in self._seen_events:
            return
        self._seen_events.add((ssrc, timestamp))
        code = payload[0]
        key = next((key for key, known in EVENT_CODES.items() if known == code), "")
        if key:
            self.digits.append((at, key))


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    """An even port and the next one. Raises PortInUse."""
    for _ in range(100):
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            rtp.bind((host, 0))
            port = rtp.getsockname()[1]
            if port % 2:
                raise OSError("an odd port")
            rtcp.bind((host, port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
            continue
        rtp.setblocking(False)
        rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        return rtp, rtcp
    raise PortInUse(f"no free pair of RTP ports on {host}")


def _key_frames(key: str, *, events: bool) -> list[_Frame]:
    held, pause = round(KEY_S / FRAME_S), round(KEY_GAP_S / FRAME_S)
    sounds = [key_tone(key, FRAME, start=index * FRAME) for index in range(held)]
    silent = [_Frame(_SILENCE) for _ in range(pause)]
    if not events:
        return [*map(_Frame, sounds), *silent]
    volume = 10
    frames = []
    for index, sound in enumerate(sounds):
        duration, ends = (index + 1) * FRAME, index == held - 1
        event = _EVENT.pack(EVENT_CODES[key], ends << 7 | volume, duration)
        frames.append(_Frame(sound, event, opens=index == 0))
    # The end is sent three times (RFC 4733, 2.5.1.4); the repeats fall into the pause.
    for frame in silent[:2]:
        frame.event = frames[-1].event
    return [*frames, *silent]
