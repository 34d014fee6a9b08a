from __future__ import annotations

import asyncio

import pytest

from bot.core.endings import EndCause, EndKind
from bot.core.errors import BadInput, DialFailed, LegClosed, PortInUse
from bot.sim.rtp import RtpSession
from bot.sim.sdp import Audio
from bot.sim.sip_agent import ReferPolicy, SipAgent
from bot.sim.sip_call import SipCall
from bot.sim.sip_message import parse
from tests.sim.phones import answer, media, phone, rejecting, ring_forever, until


async def ended(call: SipCall) -> EndCause:
    async with asyncio.timeout(5):
        return await asyncio.shield(call.ended)


async def test_a_call_is_answered_and_ended_by_the_one_who_rang() -> None:
    async with phone("node") as node, phone("ivan") as ivan, media() as rtp:
        call = await ivan.agent.call(node.uri, rtp, [("X-Agent-Id", "42")])
        far = await node.calls.get()
        assert far.invite is not None
        assert far.invite.headers.get("X-Agent-Id") == "42"
        assert far.remote.uri.user == "ivan"
        await call.hang_up()
        assert (await ended(call)).kind is EndKind.LOCAL_HANGUP
        assert (await ended(far)).kind is EndKind.REMOTE_HANGUP
        await until(lambda: not node.agent.calls and not ivan.agent.calls)


async def test_a_call_is_ended_by_the_one_who_was_rung() -> None:
    async with phone("node") as node, phone("ivan") as ivan, media() as rtp:
        call = await ivan.agent.call(node.uri, rtp)
        await (await node.calls.get()).hang_up()
        assert (await ended(call)).kind is EndKind.REMOTE_HANGUP


async def test_a_call_is_held_and_goes_on_at_another_port() -> None:
    async with phone("node") as node, phone("ivan") as ivan, media() as rtp:
        call = await ivan.agent.call(node.uri, rtp)
        await node.calls.get()
        await until(lambda: rtp.received)
        await call.renegotiate("sendonly")
        assert not rtp.sending
        rtp.rebind()
        await call.renegotiate()
        assert rtp.sending
        heard = len(rtp.received)
        await until(lambda: len(rtp.received) > heard + 5)
        await call.hang_up()


async def test_a_phone_that_is_switched_off_hears_of_nothing() -> None:
    async with phone("node") as node, phone("ivan") as ivan, media() as rtp:
        call = await ivan.agent.call(node.uri, rtp)
        far = await node.calls.get()
        ivan.agent.transactions.gone = True
        await far.hang_up()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.shield(call.ended)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(486, EndKind.BUSY), (603, EndKind.DECLINED), (404, EndKind.NOT_FOUND), (503, EndKind.FAILED)],
)
async def test_a_refusal_has_its_cause(status: int, kind: EndKind) -> None:
    async with phone("node", rejecting(status)) as node, phone("ivan") as ivan, media() as rtp:
        with pytest.raises(DialFailed) as caught:
            await ivan.agent.call(node.uri, rtp)
        assert (caught.value.cause.kind, caught.value.cause.status) == (kind, status)


async def test_ringing_is_cancelled() -> None:
    async with phone("node", ring_forever) as node, phone("ivan") as ivan, media() as rtp:
        call = ivan.agent.prepare(node.uri)
        dialling = asyncio.create_task(call.dial(rtp))
        far = await node.calls.get()
        await call.hang_up()
        with pytest.raises(DialFailed):
            await dialling
        assert (await ended(call)).kind is EndKind.CANCELLED
        assert await ended(far) == EndCause(EndKind.CANCELLED, 487)


async def test_nobody_there() -> None:
    async with phone("ivan", t1=0.005) as ivan, media() as rtp:
        with pytest.raises(DialFailed) as caught:
            await ivan.agent.call("sip:nobody@127.0.0.1:9", rtp)
        assert caught.value.cause.kind is EndKind.UNREACHABLE


async def test_an_address_that_is_none() -> None:
    async with phone("ivan") as ivan, media() as rtp:
        with pytest.raises(BadInput):
            await ivan.agent.call("agent", rtp)


async def test_a_taken_port() -> None:
    async with phone("ivan") as ivan:
        with pytest.raises(PortInUse):
            await SipAgent("other", ivan.agent._on_invite).open(port=ivan.agent.transactions.local[1])


async def test_a_codec_that_nobody_shares() -> None:
    async with (
        phone("node", codecs=("PCMU",)) as node,
        phone("ivan", codecs=("PCMA",)) as ivan,
        media() as rtp,
    ):
        with pytest.raises(DialFailed) as caught:
            await ivan.agent.call(node.uri, rtp)
        assert caught.value.cause.status == 488


class Wire(asyncio.DatagramProtocol):
    """A far end of raw datagrams."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait(data)

    async def first_line(self) -> str:
        async with asyncio.timeout(5):
            return (await self.got.get()).decode().splitlines()[0]


INVITE = """INVITE sip:node@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 10.9.9.9:1;branch=z9hG4bKx;rport
From: <sip:ivan@127.0.0.1:{port}>;tag=a
To: <sip:node@127.0.0.1>
Call-ID: c1
CSeq: 1 INVITE
Contact: <sip:ivan@127.0.0.1:{port}>
Content-Type: application/sdp

v=0
c=IN IP4 127.0.0.1
m=audio 9 RTP/AVP 8
"""


async def test_repetitions_are_absorbed_answers_go_to_the_source_and_a_lost_ack_brings_the_200_again() -> (
    None
):
    loop = asyncio.get_running_loop()
    async with phone("node", t1=0.05) as node:
        wire = Wire()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: wire, remote_addr=node.agent.transactions.local
        )
        port = transport.get_extra_info("sockname")[1]
        invite = INVITE.format(port=port).replace("\n", "\r\n").encode()
        transport.sendto(invite)
        transport.sendto(invite)
        seen = [await wire.first_line() for _ in range(4)]
        assert seen.count("SIP/2.0 100 Trying") == 1
        assert seen.count("SIP/2.0 200 OK") >= 2
        ok = parse(await wire.got.get())
        assert ok.via.params["rport"] == str(port)
        assert ok.via.params["received"] == "127.0.0.1"
        call = await node.calls.get()
        assert node.calls.empty()
        assert (await ended(call)).kind is EndKind.NEVER_ACKED
        while not (line := await wire.first_line()).startswith("BYE"):
            assert line == "SIP/2.0 200 OK"
        transport.close()


async def test_requests_outside_any_call() -> None:
    loop = asyncio.get_running_loop()
    async with phone("node") as node:
        wire = Wire()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: wire, remote_addr=node.agent.transactions.local
        )
        for method, status in {"OPTIONS": 200, "BYE": 481, "CANCEL": 481, "REFER": 481}.items():
            text = (
                INVITE.partition("\n\n")[0].replace("INVITE", method).replace("z9hG4bKx", f"z9hG4bK{method}")
            )
            transport.sendto((text.format(port=1) + "\n\n").replace("\n", "\r\n").encode())
            assert (await wire.first_line()).startswith(f"SIP/2.0 {status}"), method
        transport.sendto(b"\r\n\r\n")
        transport.sendto(b"nonsense")
        assert wire.got.empty()
        transport.close()


async def test_a_reinvite_is_answered_and_moves_the_media() -> None:
    async with phone("node") as node, phone("ivan") as ivan, media() as rtp, media() as other:
        call = await ivan.agent.call(node.uri, rtp)
        far = await node.calls.get()
        offer = Audio.offering(other.host, other.port)
        response = await call.request("INVITE", [("Content-Type", "application/sdp")], offer.to_bytes(2))
        assert response is not None
        assert response.status == 200
        other.connect(Audio.parse(response.body))
        await until(lambda: len(other.received) > 2)
        await far.hang_up()


async def test_a_key_by_info() -> None:
    async with phone("node") as node, phone("ivan") as ivan, media() as rtp:
        call = await ivan.agent.call(node.uri, rtp)
        far = await node.calls.get()
        keys: list[str] = []
        far.on_key = keys.append
        response = await call.send_info_key("5")
        assert response is not None
        assert (response.status, keys) == (200, ["5"])


async def refer(call: SipCall, target: str) -> int:
    headers = [("Refer-To", f"<{target}>"), ("Contact", f"<{call._phone.contact}>")]
    response = await call.request("REFER", headers)
    assert response is not None
    return response.status


async def test_a_refer_is_followed_with_the_same_media_socket() -> None:
    async with phone("agent") as agent, phone("ivan") as ivan, phone("node") as node, media() as rtp:
        call = await node.agent.call(ivan.uri, rtp)
        first = await ivan.calls.get()
        assert await refer(call, agent.uri) == 202
        second = await ivan.calls.get()
        assert second.direction == "outbound"
        assert second.rtp is first.rtp
        assert (await agent.calls.get()).remote.uri.user == "ivan"
        await call.hang_up()
        assert not second.ended.done()


@pytest.mark.parametrize(
    ("policy", "status"), [(ReferPolicy.REFUSE, 603), (ReferPolicy.SILENT, 202), (ReferPolicy.BYE, 202)]
)
async def test_a_refer_is_not_followed(policy: ReferPolicy, status: int) -> None:
    async with phone("ivan", refer=policy) as ivan, phone("node") as node, media() as rtp:
        call = await node.agent.call(ivan.uri, rtp)
        assert await refer(call, "sip:agent@127.0.0.1:9") == status
        if policy is ReferPolicy.BYE:
            assert (await ended(call)).kind is EndKind.REMOTE_HANGUP
        else:
            assert not call.ended.done()


async def test_answering_a_call_that_was_taken_back() -> None:
    closed = asyncio.Event()

    async def late(call: SipCall, rtp: RtpSession) -> None:
        call.ring()
        await asyncio.shield(call.ended)
        with pytest.raises(LegClosed):
            await answer(call, rtp)
        closed.set()

    async with phone("node", late) as node, phone("ivan") as ivan, media() as rtp:
        call = ivan.agent.prepare(node.uri)
        dialling = asyncio.create_task(call.dial(rtp))
        await node.calls.get()
        await call.hang_up()
        async with asyncio.timeout(2):
            await closed.wait()
        with pytest.raises(DialFailed):
            await dialling
