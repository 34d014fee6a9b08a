"""Far ends for the tests: sipp and Debian's baresip as processes, and an RTP party in this one."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, cast

import numpy as np

from bot.core.audio import FRAME_S, Pcm
from telephony.settings import SipSettings
from telephony.sip import SipEndpoint, SipLeg
from tests.ports import free_port, rtp_ports
from tests.telephony import g711

SCENARIOS = Path(__file__).parent / "sipp"
BARESIP_MODULES = Path("/usr/lib/baresip/modules")
__all__ = [
    "PAYLOADS",
    "RtpParty",
    "SipEndpoint",
    "SipSettings",
    "Sipp",
    "baresip",
    "rtp_party",
    "sip_endpoint",
    "sipp",
]

PAYLOADS = {"PCMU": 0, "PCMA": 8, "G722": 9, "opus": 96}
_NULL = asyncio.subprocess.DEVNULL
_KEYS = "0123456789*#ABCD"


class RtpParty(asyncio.DatagramProtocol):
    """One end of a G.711 RTP stream: sends to whoever sent to it first, and keeps what it hears."""

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.sending = True
        """False: no packet leaves any more, as when a phone vanishes or suppresses silence."""
        self.echo: tuple[float, float] | None = None
        """Return loss in dB and delay in seconds with which it gives back what it hears. The delay is
        a queue, so what the network or this machine delays by less moves nothing."""
        self.sent: list[tuple[float, bytes]] = []
        """Time of sending (loop clock) and PCM of what it says itself, echo apart."""
        self.heard: list[tuple[float, bytes]] = []
        """Arrival time (loop clock) and PCM of every packet, in order of arrival."""
        self.keys: list[str] = []
        self.kinds: list[int] = []
        """Payload type of every packet."""
        self._speech = bytearray()
        self._returning: deque[bytes] = deque()
        self._echoes = False
        self._events: list[bytes] = []
        self._far: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._seq = random.randrange(1 << 16)
        self._stamp = random.randrange(1 << 31)
        self._ssrc = random.randrange(1 << 31)
        self._last_event: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._far = addr
        kind = data[1] & 0x7F
        self.kinds.append(kind)
        stamp = struct.unpack_from("!I", data, 4)[0]
        if kind == 101:
            if stamp != self._last_event:
                self.keys.append(_KEYS[data[12]])
            self._last_event = stamp
        elif kind == PAYLOADS[self.codec]:
            now = asyncio.get_running_loop().time()
            pcm = g711.decode(self.codec, data[12:])
            self.heard.append((now, pcm))
            if self.echo is not None:
                self._returning.append(pcm)

    @property
    def far(self) -> tuple[str, int] | None:
        """Whom it heard last; None before."""
        return self._far

    @property
    def address(self) -> int:
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def say(self, pcm: Pcm) -> None:
        assert pcm.rate == 8000
        self._speech += pcm.data

    def press(self, key: str) -> None:
        """One RFC 4733 event of 160 ms: beginning, middle, and its end three times."""
        for duration, end in ((160, 0), (640, 0), (1280, 0x80), (1280, 0x80), (1280, 0x80)):
            self._events.append(struct.pack("!BBH", _KEYS.index(key), end | 10, duration))

    def send_one(self, kind: int, payload: bytes) -> None:
        """One more packet, of any payload type and length, at once."""
        self._send(kind, self._stamp, payload)

    def heard_since(self, at: float, seconds: float) -> Pcm:
        """What arrived in the `seconds` after `at` (loop clock), packets joined."""
        return Pcm(b"".join(pcm for when, pcm in self.heard if at <= when < at + seconds), 8000)

    async def run(self) -> None:
        """Send a packet every 20 ms, once there is somebody to send to."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        event_stamp = 0
        while True:
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._stamp += 160
            if self._far is None or not self.sending:
                continue
            if self._events:
                if self._events[0][2:] == struct.pack("!H", 160):
                    event_stamp = self._stamp
                self._send(101, event_stamp, self._events.pop(0))
                continue
            pcm = bytes(self._speech[:320]).ljust(320, b"\0")
            del self._speech[:320]
            self.sent.append((loop.time(), pcm))
            pcm = self._with_echo(pcm)
            self._send(PAYLOADS[self.codec], self._stamp, g711.encode(self.codec, pcm))

    def _with_echo(self, pcm: bytes) -> bytes:
        if self.echo is None:
            return pcm
        loss_db, delay_s = self.echo
        self._echoes = self._echoes or len(self._returning) > delay_s / FRAME_S
        if not self._echoes or not self._returning:
            return pcm
        back = np.frombuffer(self._returning.popleft(), "<i2") * 10 ** (-loss_db / 20)
        mixed = np.frombuffer(pcm, "<i2") + np.resize(back, len(pcm) // 2)
        return np.clip(np.rint(mixed), -32768, 32767).astype("<i2").tobytes()

    def _send(self, kind: int, stamp: int, payload: bytes) -> None:
        assert self._transport is not None
        self._seq = (self._seq + 1) % (1 << 16)
        head = struct.pack("!BBHII", 0x80, kind, self._seq, stamp % (1 << 32), self._ssrc)
        self._transport.sendto(head + payload, self._far)


@asynccontextmanager
async def sip_endpoint(
    on_call: Callable[[SipLeg], None] | None = None, *, sip_port: int = 0, **settings: Any
) -> AsyncIterator[SipEndpoint]:
    """Our side, on a free port if none is given, with RTP ports of its own: neither the stack nor the
    party below asks who sends, and a stream of another test must not end up here."""
    settings = {"port": sip_port or free_port(), "rtp_ports": rtp_ports(), **settings}
    endpoint = SipEndpoint(SipSettings(**settings), on_call=on_call)
    await endpoint.start()
    try:
        yield endpoint
    finally:
        await endpoint.stop()


@asynccontextmanager
async def rtp_party(codec: str = "PCMA") -> AsyncIterator[RtpParty]:
    loop = asyncio.get_running_loop()
    transport, party = await loop.create_datagram_endpoint(
        lambda: RtpParty(codec), local_addr=("127.0.0.1", free_port())
    )
    task = asyncio.create_task(party.run())
    try:
        yield party
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        transport.close()


@dataclass
class Sipp:
    """A running sipp. `uri` calls it where it is the one who is called."""

    process: asyncio.subprocess.Process
    port: int
    log: list[str] = field(default_factory=list)
    _nudges: int = 0

    @property
    def uri(self) -> str:
        return f"sip:peer@127.0.0.1:{self.port}"

    def call_id(self, number: int = 1) -> str:
        """The Call-ID of its n-th call, where it is the one who calls."""
        return f"{number}-{self.process.pid}@127.0.0.1"

    async def succeeded(self, timeout_s: float = 10.0) -> bool:
        """Waits for its end; True if the scenario ran as it is written."""
        async with asyncio.timeout(timeout_s):
            output, _ = await self.process.communicate()
        self.log.append(output.decode(errors="replace"))
        return self.process.returncode == 0

    def hang_up(self, call_id: str) -> None:
        """Make it hang up: scenarios that talk wait for an OPTIONS of their call."""
        self.nudge(call_id)

    def nudge(self, call_id: str) -> None:
        """Make it do what its scenario does on an OPTIONS of this call."""
        self._nudges += 1  # two that are the same would be one and its retransmission
        number = 98 + self._nudges
        nudge = (
            f"OPTIONS sip:peer@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{number}\r\n"
            "From: <sip:test@127.0.0.1>;tag=t\r\nTo: <sip:peer@127.0.0.1>\r\nMax-Forwards: 1\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(nudge.encode(), ("127.0.0.1", self.port))


@asynccontextmanager
async def sipp(
    scenario: str | Path,
    workdir: Path,
    *,
    calls: str = "",
    count: int = 1,
    timeout_s: int = 60,
    rtp_port: int = 9,
    codec: str = "PCMA",
    service: str = "otklik",
    **keys: str,  # what stands in the scenario
) -> AsyncIterator[Sipp]:
    """sipp with one of the scenarios, or a file; `calls` is host:port to call, or it waits to be called,
    `count` times. `keys` stand in the scenario as `[name]` (sipp's own keys cannot be a status code)."""
    port = free_port()
    named = {"rtp_port": str(rtp_port), "payload": str(PAYLOADS[codec]), "codec": f"{codec}/8000", **keys}
    text = (scenario if isinstance(scenario, Path) else SCENARIOS / f"{scenario}.xml").read_text()
    for name, value in named.items():
        text = text.replace(f"[{name}]", escape(value))
    (workdir / f"{port}.xml").write_text(text)
    args = ["-sf", f"{port}.xml", "-i", "127.0.0.1", "-p", str(port), "-m", str(count)]
    args += ["-nostdin", "-timeout", f"{timeout_s}s", "-timeout_error", "-trace_err", "-s", service]
    args += ["-mp", str(free_port()), "-au", "trunk-login", "-ap", "s3cret"]
    process = await asyncio.create_subprocess_exec(
        "sipp", *args, *([calls] if calls else []),
        cwd=workdir, stdin=_NULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    peer = Sipp(process, port)
    try:
        if not calls:
            await _listening(port, process)
        yield peer
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def baresip(
    workdir: Path, codec: str, *, certificate: Path | None = None, menc: str = ""
) -> AsyncIterator[str]:
    """Debian's baresip as an echo: answers at once and sends back what it hears. Yields its URI: that of TLS
    where a certificate is given. `menc` is its word for how sound is encrypted."""
    port = free_port()
    modules = {"PCMA": "g711", "PCMU": "g711", "G722": "g722", "opus": "opus"}
    names = {"G722": "G722/16000/1", "opus": "opus/48000/2"}
    (workdir / "config").write_text(
        f"sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\nmodule_path {BARESIP_MODULES}\n"
        f"module {modules[codec]}.so\nmodule aubridge.so\nmodule_app account.so\n"
        "audio_player aubridge,echo\naudio_source aubridge,echo\nrtp_ports 62000-62998\n"
        "module srtp.so\nmodule dtls_srtp.so\n"
        f"{f'sip_certificate {certificate}' if certificate else ''}\n"
    )
    (workdir / "accounts").write_text(
        f"<sip:echo@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs={names.get(codec, codec)}"
        f"{f';mediaenc={menc}' if menc else ''}\n"
    )
    (workdir / "contacts").write_text("")
    process = await asyncio.create_subprocess_exec(
        "baresip", "-4", "-f", str(workdir),
        stdin=_NULL, stdout=_NULL, stderr=_NULL,
    )  # fmt: skip
    try:
        await _listening(port, process)
        yield f"sip:echo@127.0.0.1:{port + 1};transport=tls" if certificate else f"sip:echo@127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    """Waits until `port` is bound (Linux: /proc/net/udp)."""
    wanted = f"0100007F:{port:04X}"
    async with asyncio.timeout(10):
        while wanted not in Path("/proc/net/udp").read_text():  # noqa: ASYNC240  a file of the kernel
            if process.returncode is not None:
                raise RuntimeError(f"the peer ended at once with status {process.returncode}")
            await asyncio.sleep(0.01)
