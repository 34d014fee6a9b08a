"""Calls out and in, with and without a trunk's registration and passwords."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from bot.core.audio import Pcm
from bot.core.endings import EndKind
from bot.core.errors import DialFailed, LegClosed, PortInUse, RuntimeDied, TrunkUnreachable
from telephony.leg import RejectReason
from telephony.settings import SipSettings
from telephony.sip import SipEndpoint, SipLeg
from telephony.tones import tone
from tests.ports import free_port
from tests.telephony.conformance import best_dbfs, collect, joined
from tests.telephony.peers import rtp_party, sip_endpoint, sipp


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        ("486", "Busy Here", EndKind.BUSY),
        ("603", "Decline", EndKind.DECLINED),
        ("404", "Not Found", EndKind.NOT_FOUND),
        ("480", "Temporarily Unavailable", EndKind.NO_ANSWER),
        ("403", "Forbidden", EndKind.FORBIDDEN),
        ("503", "Service Unavailable", EndKind.FAILED),
        ("302", "Moved Temporarily", EndKind.REDIRECTED),
    ],
)
async def test_a_refusal_is_told_with_its_status(
    tmp_path: Path, status: str, reason: str, kind: EndKind
) -> None:
    async with sipp("uas_refuse", tmp_path, status=status, reason=reason) as peer, sip_endpoint() as endpoint:
        with pytest.raises(DialFailed) as refusal:
            await endpoint.dial(peer.uri, timeout_s=5)
        assert refusal.value.cause.kind is kind
        assert refusal.value.cause.status == int(status)
        assert endpoint.legs == ()
        assert await peer.succeeded()


async def test_a_phone_that_rings_too_long_is_cancelled(tmp_path: Path) -> None:
    async with sipp("uas_ring", tmp_path) as peer, sip_endpoint() as endpoint:
        with pytest.raises(DialFailed) as refusal:
            await endpoint.dial(peer.uri, timeout_s=0.5)
        assert refusal.value.cause.kind is EndKind.NO_ANSWER
        assert await peer.succeeded()  # it saw the CANCEL


async def test_a_dial_that_is_cancelled_stops_the_ringing(tmp_path: Path) -> None:
    async with sipp("uas_ring", tmp_path) as peer, sip_endpoint() as endpoint:
        dialling = asyncio.create_task(endpoint.dial(peer.uri, timeout_s=30))
        async with asyncio.timeout(5):
            while not endpoint.legs:  # noqa: ASYNC110  there is no event for it
                await asyncio.sleep(0.01)
        (leg,) = endpoint.legs
        await asyncio.sleep(0.2)
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        assert leg.ended.result().kind is EndKind.CANCELLED
        assert await peer.succeeded()


@pytest.mark.parametrize("scenario", ["uas_ring", "uas_late_ring"])
async def test_a_dial_that_is_cancelled_at_once_leaves_nobody_ringing(tmp_path: Path, scenario: str) -> None:
    async with sipp(scenario, tmp_path) as peer, sip_endpoint() as endpoint:
        dialling = asyncio.create_task(endpoint.dial(peer.uri, timeout_s=30))
        await asyncio.sleep(0)  # it has begun
        await asyncio.sleep(0)  # the stack has its order, and has not confirmed it
        assert endpoint.legs == ()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        assert await peer.succeeded()  # it saw the CANCEL


async def test_nobody_there_is_unreachable_and_known_soon() -> None:
    async with sip_endpoint(response_timeout_s=0.5) as endpoint:
        began = asyncio.get_running_loop().time()
        with pytest.raises(DialFailed) as refusal:
            await endpoint.dial(f"sip:x@127.0.0.1:{free_port()}", timeout_s=30)
        assert refusal.value.cause.kind is EndKind.UNREACHABLE
        assert asyncio.get_running_loop().time() - began < 2
        assert endpoint.legs == ()


async def test_a_proxy_that_only_says_trying_is_there_but_nobody_answers(tmp_path: Path) -> None:
    async with sipp("uas_trying", tmp_path) as peer, sip_endpoint(response_timeout_s=0.5) as endpoint:
        with pytest.raises(DialFailed) as refusal:
            await endpoint.dial(peer.uri, timeout_s=1.2)
        assert refusal.value.cause.kind is EndKind.NO_ANSWER
        assert await peer.succeeded()


@pytest.mark.parametrize("uri", ["sip:x@10.255.255.1", "sip:a b\r\n@127.0.0.1", ""])
async def test_an_address_that_cannot_be_called_fails_at_once(uri: str) -> None:
    async with sip_endpoint() as endpoint:
        with pytest.raises(DialFailed) as refusal:
            await endpoint.dial(uri)
        assert refusal.value.cause.kind is EndKind.UNREACHABLE


async def test_early_media_is_heard_before_the_answer(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_early", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.place(peer.uri)
        party.say(tone(1.2, 8000, hz=425))
        frames = await collect(leg, 50)  # while it rings
        assert not leg.ended.done()
        assert best_dbfs(joined(frames), 425) == pytest.approx(-12, abs=1.5)
        await leg.established(5)
        assert frames[-1].at < leg.media_s  # one media time, on through the answer
        await leg.hang_up()
        assert await peer.succeeded()


@pytest.mark.parametrize("scenario", ["uas_auth", "uas_proxy_auth"])
async def test_a_trunk_without_registration_that_asks_for_a_password(tmp_path: Path, scenario: str) -> None:
    async with (
        sipp(scenario, tmp_path) as trunk,
        sip_endpoint(auth_user="trunk-login", password="s3cret") as endpoint,
    ):
        leg = await endpoint.dial(f"sip:+74950000001@127.0.0.1:{trunk.port}", timeout_s=5)
        await leg.hang_up()
        assert await trunk.succeeded(), trunk.log


@pytest.mark.parametrize(("status", "reason"), [("403", "Forbidden"), ("401", "Unauthorized")])
async def test_a_wrong_password_is_forbidden(tmp_path: Path, status: str, reason: str) -> None:
    """Refused in so many words, or asked for again."""
    async with (
        sipp("uas_auth_wrong", tmp_path, status=status, reason=reason) as trunk,
        sip_endpoint(auth_user="trunk-login", password="wrong") as endpoint,
    ):
        with pytest.raises(DialFailed) as refusal:
            await endpoint.dial(f"sip:+74950000001@127.0.0.1:{trunk.port}", timeout_s=5)
        assert refusal.value.cause.kind is EndKind.FORBIDDEN
        assert await trunk.succeeded(), trunk.log


async def test_a_trunk_with_registration(tmp_path: Path) -> None:
    async with sipp("registrar", tmp_path) as trunk:
        async with sip_endpoint(
            domain=f"127.0.0.1:{trunk.port}", register=True, auth_user="trunk-login", password="s3cret"
        ) as endpoint:
            assert endpoint.registered
        assert not endpoint.registered
        assert await trunk.succeeded(), trunk.log  # which includes that we took it back


async def test_a_registrar_that_refuses_stops_the_start_and_frees_the_port(tmp_path: Path) -> None:
    port = free_port()
    async with sipp("registrar_refuses", tmp_path, status="403", reason="Forbidden") as trunk:
        with pytest.raises(TrunkUnreachable, match="403 Forbidden"):
            await SipEndpoint(SipSettings(port=port, domain=f"127.0.0.1:{trunk.port}", register=True)).start()
    async with sip_endpoint(sip_port=port) as endpoint:
        assert endpoint.address.endswith(str(port))


async def test_requests_go_through_the_outbound_proxy(tmp_path: Path) -> None:
    async with (
        sipp("uas_refuse", tmp_path, status="486", reason="Busy Here") as proxy,
        sip_endpoint(domain="company.invalid", outbound_proxy=f"127.0.0.1:{proxy.port}") as endpoint,
    ):
        with pytest.raises(DialFailed) as refusal:
            await endpoint.dial("sip:+74950000001@company.invalid", timeout_s=5)
        assert refusal.value.cause.kind is EndKind.BUSY
        assert await proxy.succeeded()


async def test_headers_and_caller_id_are_on_the_invite(tmp_path: Path) -> None:
    caller = '"Отклик" *<sip:74957770000@company.invalid>'
    async with (
        sipp("uas_headers", tmp_path, x_call="^ *call-7$", caller=caller) as peer,
        sip_endpoint(domain="company.invalid", display_name="Отклик") as endpoint,
    ):
        leg = await endpoint.dial(
            peer.uri, headers={"X-Call": "call-7"}, caller_id="74957770000", timeout_s=5
        )
        assert leg.local == "sip:74957770000@company.invalid"
        assert await peer.succeeded(), peer.log


async def test_an_inbound_call_tells_who_called_whom_and_its_headers(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        sip_endpoint(calls.put_nowait, expose_headers=("X-Queue", "P-Asserted-Identity")) as endpoint,
        sipp("uac_talk", tmp_path, calls=endpoint.address, service="+78005553535") as peer,
    ):
        leg = await asyncio.wait_for(calls.get(), 5)
        assert leg.direction == "inbound"
        assert leg.remote == f"sip:+74951112233@127.0.0.1:{peer.port}"
        assert leg.local == f"sip:+78005553535@{endpoint.address}"
        assert leg.headers == {"X-Queue": "night", "P-Asserted-Identity": "<sip:+74950000009@pbx.invalid>"}
        await leg.answer()
        assert (leg.codec, leg.rate) == ("PCMA", 8000)
        await leg.hang_up()
        assert await peer.succeeded()


async def test_an_inbound_call_is_rejected_busy(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        sip_endpoint(calls.put_nowait) as endpoint,
        sipp("uac_refused", tmp_path, calls=endpoint.address) as peer,
    ):
        leg = await asyncio.wait_for(calls.get(), 5)
        await leg.reject(RejectReason.BUSY)
        assert leg.ended.result().kind is EndKind.REJECTED
        assert await peer.succeeded()


async def test_a_taker_that_fails_leaves_no_line_ringing(tmp_path: Path) -> None:
    def broken(leg: SipLeg) -> None:
        raise ValueError("no survey")

    async with (
        sip_endpoint(broken) as endpoint,
        sipp("uac_refused", tmp_path, calls=endpoint.address) as peer,
    ):
        assert await peer.succeeded()
    async with sip_endpoint() as endpoint, sipp("uac_refused", tmp_path, calls=endpoint.address) as peer:
        assert await peer.succeeded()


async def test_a_caller_who_gives_up_while_it_rings(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        sip_endpoint(calls.put_nowait) as endpoint,
        sipp("uac_cancel", tmp_path, calls=endpoint.address) as peer,
    ):
        leg = await asyncio.wait_for(calls.get(), 5)
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 5)
        assert cause.kind is EndKind.CANCELLED
        with pytest.raises(LegClosed):
            await leg.answer()
        assert await peer.succeeded()


async def test_keys_by_sip_info(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        sip_endpoint(calls.put_nowait) as endpoint,
        sipp("uac_info", tmp_path, calls=endpoint.address) as peer,
    ):
        leg = await asyncio.wait_for(calls.get(), 5)
        keys = leg.digits()
        await leg.answer()
        digit = await asyncio.wait_for(anext(keys), 5)
        assert digit.key == "7"
        assert digit.at == pytest.approx(0.5, abs=0.2)
        await leg.hang_up()
        assert await peer.succeeded()


async def test_keys_are_sent_by_sip_info_where_settings_say_so(tmp_path: Path) -> None:
    async with sipp("uas_info", tmp_path) as peer, sip_endpoint(dtmf="info") as endpoint:
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        await leg.send_digits("4")
        assert await peer.succeeded(), peer.log


async def test_a_port_in_use_is_told_with_what_to_do() -> None:
    port = free_port()
    async with sip_endpoint(sip_port=port):
        code = (
            "import asyncio\n"
            "from telephony.settings import SipSettings\n"
            "from telephony.sip import SipEndpoint\n"
            f"asyncio.run(SipEndpoint(SipSettings(port={port})).start())\n"
        )
        other = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
    assert f"{PortInUse.__name__}: SIP cannot listen on 127.0.0.1:{port}: the port is in use" in other.stderr
    assert "set another sip.port" in other.stderr


async def test_draining_takes_no_new_calls_and_waits_for_the_last(tmp_path: Path) -> None:
    async with sipp("uas_talk", tmp_path) as peer, sip_endpoint() as endpoint:
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        draining = asyncio.create_task(endpoint.drain())
        await asyncio.sleep(0.1)
        with pytest.raises(DialFailed):
            await endpoint.dial(peer.uri)
        async with sipp("uac_refused", tmp_path, calls=endpoint.address) as caller:
            assert await caller.succeeded()
        assert not draining.done()
        await leg.hang_up()
        await asyncio.wait_for(draining, 3)


async def test_a_stopped_endpoint_raises_and_its_lines_have_ended(tmp_path: Path) -> None:
    async with sipp("uas_talk", tmp_path) as peer:
        async with sip_endpoint() as endpoint:
            leg = await endpoint.dial(peer.uri, timeout_s=5)
        assert leg.ended.result().kind is EndKind.LOCAL_HANGUP
        assert await peer.succeeded()  # it got its BYE
        with pytest.raises(RuntimeDied):
            await endpoint.dial(peer.uri)
        await endpoint.stop()


async def test_the_counters_of_a_line(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        await leg.play(Pcm(bytes(16000), 8000)).done()
        await leg.hang_up()
        stats = leg.stats()
        assert stats.packets_sent == pytest.approx(50, abs=10)
        assert stats.packets_received == pytest.approx(50, abs=10)
        assert await peer.succeeded()


async def test_our_own_call_that_a_proxy_sends_back_to_us() -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with sip_endpoint(calls.put_nowait, codecs=("G722",)) as endpoint:
        dialling = asyncio.create_task(endpoint.dial(f"sip:anyone@{endpoint.address}", timeout_s=5))
        inbound = await asyncio.wait_for(calls.get(), 5)
        await inbound.answer()
        outbound = await dialling
        assert inbound.call_id == outbound.call_id  # two lines, one Call-ID
        assert (inbound.codec, outbound.codec) == ("G722", "G722")
        playing = outbound.play(tone(0.8, 16000, hz=3000))
        assert best_dbfs(joined(await collect(inbound, 40)), 3000) == pytest.approx(-12, abs=1.5)
        await playing.done()
        await outbound.hang_up()
        cause = await asyncio.wait_for(asyncio.shield(inbound.ended), 3)
        assert cause.kind is EndKind.REMOTE_HANGUP
