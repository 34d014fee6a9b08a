"""Who gets through the edge: strangers, guests with a password, and sound from where it is expected."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bot.core.errors import DialFailed
from bot.sim.g711 import Samples
from bot.sim.rtp import RtpSession
from bot.sim.sdp import Audio
from bot.sim.sip_agent import SipAgent
from bot.sim.sip_call import SipCall
from tests.cluster.conftest import until
from tests.cluster.edge import Edge, running_edge
from tests.ports import free_port

GUEST, PASSWORD, REALM = "guest", "let-me-in", "otklik"
CALLED = "100"
LOUD = 5000
SILENT_S = 0.5
IN_VAIN = 25
"""Packets that are sent and heard by nobody: half a second of sound."""
QUIET = 10
"""So many quiet packets in a row, and no loud one is on its way any more."""


class Phone:
    """A telephone on each side of the edge: it answers at once, and keeps what it hears."""

    def __init__(self, user: str) -> None:
        self.agent = SipAgent(user, self._answer)
        self.rtp: RtpSession | None = None
        self.invites: list[SipCall] = []

    async def _answer(self, call: SipCall) -> None:
        self.invites.append(call)
        self.rtp = RtpSession.open()
        await call.answer(self.rtp)

    async def close(self) -> None:
        await self.agent.close()
        if self.rtp is not None:
            await self.rtp.close()

    @property
    def heard(self) -> int:
        """Loud packets."""
        assert self.rtp is not None
        return sum(_loud(packet.samples) for packet in self.rtp.received)

    async def hears(self) -> bool:
        return self.heard > 0

    async def hears_nothing(self) -> bool:
        """Packets come, and no loud one is left on the way."""
        assert self.rtp is not None
        last = self.rtp.received[-QUIET:]
        return len(last) == QUIET and not any(_loud(packet.samples) for packet in last)

    def forget(self) -> None:
        assert self.rtp is not None
        self.rtp.received.clear()


def asked(holds: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return holds()

    return ask


def _loud(samples: Samples) -> bool:
    return bool(np.abs(samples.astype(np.int32)).max(initial=0) > LOUD)


@asynccontextmanager
async def phone(user: str, port: int = 0) -> AsyncIterator[Phone]:
    made = Phone(user)
    await made.agent.open(port=port)
    try:
        yield made
    finally:
        await made.close()


async def told(edge: Edge, text: str) -> str:
    """What the edge answers an INVITE from an address of nobody's; "" where it says nothing."""
    host, _, port = edge.address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.settimeout(SILENT_S)
        own = f"127.0.0.2:{stranger.getsockname()[1]}"
        stranger.sendto(text.format(own=own, edge=edge.address).encode(), (host, int(port)))
        try:
            return (await asyncio.to_thread(stranger.recv, 65_535)).decode()
        except TimeoutError:
            return ""


INVITE = (
    "INVITE sip:100@{edge} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKstranger\r\n"
    "From: <sip:guest@{own}>;tag=1\r\nTo: <sip:100@{edge}>\r\nCall-ID: stranger\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:guest@{own}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def proof(challenge: str, uri: str, password: str) -> str:
    """The answer to a digest challenge (RFC 2617, 3.2.2.1, with qop)."""
    nonce = re.search(r'nonce="([^"]+)"', challenge)
    assert nonce is not None, challenge

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()  # noqa: S324  SIP's own

    response = md5(md5(GUEST, REALM, password), nonce[1], "00000001", "abc", "auth", md5("INVITE", uri))
    return (
        f'Digest username="{GUEST}", realm="{REALM}", nonce="{nonce[1]}", uri="{uri}", qop=auth, '
        f'nc=00000001, cnonce="abc", response="{response}"'
    )


async def test_a_stranger_gets_no_answer_and_a_guest_is_asked_for_his_password() -> None:
    async with phone("node") as node, phone("stranger", port=0) as caller:
        with running_edge([address(node)], [f"127.0.0.3:{free_port()}"]) as closed:
            assert await told(closed, INVITE) == ""
        with running_edge([address(node)], [f"127.0.0.3:{free_port()}"], guest=(GUEST, PASSWORD)) as edge:
            challenge = await told(edge, INVITE)
            assert challenge.startswith("SIP/2.0 407 ")
            assert node.invites == [], "nothing of it has reached a node"
            await until_up(edge, node)
            uri = f"sip:{CALLED}@{edge.address}"
            with pytest.raises(DialFailed) as refused:
                await call(caller, uri, proof(challenge, uri, "wrong"))
            assert refused.value.cause.status == 407
            assert node.invites == []
            made = await call(caller, uri, proof(challenge, uri, PASSWORD))
            assert len(node.invites) == 1
            assert node.invites[0].invite is not None
            assert node.invites[0].invite.headers.get("Proxy-Authorization") == "", "it goes no further"
            await made.hang_up()
            await asyncio.wait_for(asyncio.shield(node.invites[0].ended), 5)


async def call(caller: Phone, uri: str, credentials: str) -> SipCall:
    caller.rtp = caller.rtp or RtpSession.open()
    return await caller.agent.call(uri, caller.rtp, [("Proxy-Authorization", credentials)])


def address(of: Phone) -> str:
    host, port = of.agent.transactions.local
    return f"{host}:{port}"


async def until_up(edge: Edge, node: Phone) -> None:
    async def up() -> bool:
        return "принимает" in edge.states()[address(node)]

    await until(up)


async def test_sound_from_a_strange_address_is_dropped_and_a_re_invite_moves_it() -> None:
    """A stranger who found the port is not heard; nor is a caller whose NAT moved him, until he says so."""
    async with phone("node") as node, phone("trunk") as trunk:
        with running_edge([address(node)], [address(trunk)]) as edge:
            await until_up(edge, node)
            trunk.rtp = RtpSession.open()
            made = await trunk.agent.call(f"sip:{CALLED}@{edge.address}", trunk.rtp)
            trunk.rtp.tone_hz = 700
            await until(node.hears)
            host, port = trunk.rtp.host, trunk.rtp.port
            await until(asked(lambda: edge.settled_on(host, port)))
            trunk.rtp.tone_hz = None
            await until(node.hears_nothing)
            target = trunk.rtp.remote
            assert target is not None
            moved = RtpSession.open()
            try:
                trunk.rtp.sending = False
                node.forget()
                moved.connect(Audio.offering(*target))
                moved.tone_hz = 700
                await until(asked(lambda: len(moved.sent) >= IN_VAIN))
                assert node.heard == 0, "it comes from an address that nobody told of"
                offer = Audio.offering(moved.host, moved.port).to_bytes(2)
                contact = ("Contact", f"<{trunk.agent.contact}>")
                answer = await made.request("INVITE", [("Content-Type", "application/sdp"), contact], offer)
                assert answer is not None
                assert answer.status == 200
                moved.connect(Audio.parse(answer.body))
                await until(node.hears)
            finally:
                await moved.close()
            await made.hang_up()
