"""A line to a browser, against another implementation's Opus on loopback."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.core.audio import FRAME_S
from bot.core.endings import EndKind
from bot.core.errors import BadInput, LegClosed, OfferInvalid, PortInUse, TransferFailed, Unavailable
from bot.sim.browser import heard_at
from telephony.tones import goertzel_dbfs, tone
from telephony.webrtc import WebRtcLeg
from tests.telephony.browsers import Browser, browser, webrtc_endpoint
from tests.telephony.conformance import CallLegConformance, Line, best_dbfs, collect, joined


class TestWebRtc(CallLegConformance):
    @pytest.fixture
    async def line(self) -> AsyncIterator[Line]:
        async with webrtc_endpoint() as endpoint, browser() as page:
            yield Line(await page.call(endpoint), page)


async def hears(leg: WebRtcLeg, page: Browser, hz: float) -> None:
    """The page is heard, and the first of it within 200 ms."""
    page.say(tone(0.5, 8000, hz=hz))
    frames = await collect(leg, 35)
    assert best_dbfs(joined(frames), hz) == pytest.approx(-12, abs=1.5)
    first = next(number for number, frame in enumerate(frames) if goertzel_dbfs(joined([frame]), hz) > -24)
    assert first * 0.02 < 0.2


async def is_heard(leg: WebRtcLeg, page: Browser, hz: float) -> None:
    page.listen()
    assert await leg.play(tone(0.4, leg.rate, hz=hz)).done() == pytest.approx(0.4)
    await asyncio.sleep(0.1)
    assert best_dbfs(page.heard(), hz) == pytest.approx(-12, abs=1.5)


async def connected(leg: WebRtcLeg, page: Browser) -> None:
    async with asyncio.timeout(5):
        while not page.connected:
            await collect(leg, 1)
    await collect(leg, 3)


async def test_the_way_through_is_short() -> None:
    async with webrtc_endpoint(echo_control=False) as endpoint, browser() as page:
        leg = await page.call(endpoint)
        await hears(leg, page, 700)
        assert leg.stats().packets_lost == 0
        assert leg.stats().packets_received > 20
        assert leg.stats().jitter_ms < 20


@asynccontextmanager
async def held_up() -> AsyncIterator[list[int]]:
    """In frames, by how much each sleep of 20 ms was too long while this lasted."""
    late: list[int] = []

    async def beat() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(FRAME_S)
            over_s = time.monotonic() - began - FRAME_S
            late.append(round(over_s / FRAME_S))

    beating = asyncio.create_task(beat())
    try:
        yield late
    finally:
        beating.cancel()


async def test_lost_packets_are_concealed_and_make_nothing_later() -> None:
    async with webrtc_endpoint(echo_control=False) as endpoint, browser(lose=0.08, seed=3) as page:
        leg = await page.call(endpoint)
        await collect(leg, 10)
        concealed, lost = leg.stats().concealed_frames, page.lost
        page.say(tone(4.0, 8000, hz=700))
        async with held_up() as late:
            heard = await collect(leg, 200)
        gone = page.lost - lost
        assert gone > 8
        assert leg.stats().packets_lost == pytest.approx(page.lost, abs=3)
        # What comes too late on a busy machine is concealed as well.
        assert gone - 5 <= leg.stats().concealed_frames - concealed <= 2 * gone + sum(late)
        assert sum(frame.concealed for frame in heard) == leg.stats().concealed_frames - concealed
        assert best_dbfs(joined(heard), 700) == pytest.approx(-12, abs=1.5)
        page.lose = 0.0
        await collect(leg, 10)
        await hears(leg, page, 1100)


async def test_a_page_that_is_loaded_anew_keeps_its_call() -> None:
    async with webrtc_endpoint(rejoin_s=5.0) as endpoint, browser() as page, browser() as again:
        leg = await page.call(endpoint)
        await page.close()
        await again.rejoin(leg)
        await connected(leg, again)
        await hears(leg, again, 700)
        await is_heard(leg, again, 1100)
        assert not leg.ended.done()
        assert endpoint.legs == (leg,)
        assert leg.stats().packets_received > 30  # of both pages


@pytest.mark.parametrize(("settings_s", "line_s"), [(0.4, None), (60.0, 0.4)], ids=["settings", "its own"])
async def test_a_page_that_does_not_come_back_has_hung_up(settings_s: float, line_s: float | None) -> None:
    async with webrtc_endpoint(rejoin_s=settings_s) as endpoint, browser() as page:
        leg = await page.call(endpoint, line_s)
        offer = await page.offer()
        await page.close()
        began = asyncio.get_running_loop().time()
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 3)
        assert cause.kind is EndKind.REMOTE_HANGUP
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.4, abs=0.2)
        with pytest.raises(LegClosed):
            await leg.negotiate(offer)


async def test_a_page_that_says_goodbye_is_not_waited_for() -> None:
    async with webrtc_endpoint(rejoin_s=60.0) as endpoint, browser() as page:
        leg = await page.call(endpoint)
        leg.leave()
        assert leg.ended.result().kind is EndKind.REMOTE_HANGUP


async def test_after_a_change_of_network_the_same_connection_goes_another_way() -> None:
    async with webrtc_endpoint() as endpoint, browser() as page:
        leg = await page.call(endpoint)
        before = page.link.local_candidates
        async with asyncio.timeout(5):
            await page.restart_ice()
        assert page.link.local_candidates != before
        await hears(leg, page, 700)
        await is_heard(leg, page, 1100)
        async with asyncio.timeout(5):
            await page.restart_ice(cut_off=True)
        await hears(leg, page, 900)
        await is_heard(leg, page, 1300)


async def test_a_page_that_comes_back_at_the_last_moment_is_let_in() -> None:
    async with webrtc_endpoint(rejoin_s=0.3) as endpoint, browser() as page, browser() as again:
        leg = await page.call(endpoint)
        await page.close()
        await asyncio.sleep(0.15)
        answer = await leg.negotiate(await again.offer())
        await asyncio.sleep(0.3)  # longer than a page is waited for: but this one is on its way
        await again.accept(answer)
        await connected(leg, again)
        await hears(leg, again, 700)
        assert not leg.ended.done()


async def test_a_page_that_makes_an_offer_and_never_comes_has_hung_up_in_the_end() -> None:
    async with (
        webrtc_endpoint(rejoin_s=0.2, connect_s=0.4) as endpoint,
        browser() as page,
        browser() as again,
    ):
        leg = await page.call(endpoint)
        await page.close()
        await asyncio.sleep(0.05)
        await leg.negotiate(await again.offer())
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 3)
        assert cause.kind is EndKind.REMOTE_HANGUP


async def test_a_page_that_vanishes_is_waited_for_and_then_the_call_is_over() -> None:
    async with webrtc_endpoint(reconnect_s=0.6) as endpoint, browser() as page:
        leg = await page.call(endpoint)
        await collect(leg, 10)
        page.vanish()
        await collect(leg, 15)
        assert not leg.ended.done()
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 3)
        assert cause.kind is EndKind.MEDIA_LOST


async def test_a_page_that_never_comes_is_unreachable() -> None:
    async with webrtc_endpoint(connect_s=0.3) as endpoint, browser() as page:
        _, leg = await endpoint.answer(await page.offer(), remote="webrtc:page", local="webrtc:bot")
        with pytest.raises(LegClosed, match="unreachable"):
            await asyncio.wait_for(leg.answer(), 3)
        assert leg.ended.result().kind is EndKind.UNREACHABLE
        assert endpoint.legs == ()


async def test_somebody_else_s_certificate_is_refused() -> None:
    async with webrtc_endpoint() as endpoint, browser() as page:
        offer = re.sub(r"(a=fingerprint:\S+ )(..)", lambda m: m[1] + ("00" if m[2] != "00" else "11"),
                       await page.offer())  # fmt: skip
        answer, leg = await endpoint.answer(offer, remote="webrtc:page", local="webrtc:bot")
        await page.accept(answer)
        with pytest.raises(LegClosed):
            await asyncio.wait_for(leg.answer(), 5)
        assert leg.ended.result().kind is EndKind.FAILED


async def test_candidates_that_trickle_in_are_taken() -> None:
    async with webrtc_endpoint() as endpoint, browser() as page:
        lines = (await page.offer()).splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("a=candidate", "a=end-of-candidates"))]
        answer, leg = await endpoint.answer("".join(kept), remote="webrtc:page", local="webrtc:bot")
        for line in lines:
            if line.startswith("a=candidate"):
                await leg.add_candidate(line.removeprefix("a=").strip())
        await leg.add_candidate("candidate:1 1 udp 2113937151 3c1f0e0a-9c2b.local 50000 typ host")
        await leg.add_candidate("")
        with pytest.raises(OfferInvalid, match="no ICE candidate"):
            await leg.add_candidate("candidate:nonsense")
        await page.accept(answer)
        await asyncio.wait_for(leg.answer(), 5)
        await hears(leg, page, 700)


async def test_every_line_has_its_place_and_no_more_are_taken() -> None:
    async with webrtc_endpoint(max_calls=1) as endpoint, browser() as page, browser() as other:
        leg = await page.call(endpoint)
        with pytest.raises(Unavailable, match="all 1 lines"):
            await other.call(endpoint)
        await leg.hang_up()
        second = await other.call(endpoint)
        assert endpoint.leg(second.id) is second
        assert endpoint.leg(leg.id) is None


STRANGE = {
    "empty": b"",
    "long as RTP": b"\x80\x60" + bytes(1499),
    "long as RTCP": b"\x80\xc8" + bytes(8000),
    "STUN with a short number": struct.pack("!HHI12xHH", 0x0001, 4, 0x2112A442, 0x8028, 0),
    "DTLS alert": bytes((21, 0xFE, 0xFD)) + bytes(8) + b"\x00\x02\x02\x28",
}


@pytest.mark.parametrize("what", STRANGE)
async def test_whatever_strangers_send_to_its_port_a_line_goes_on(what: str) -> None:
    """The first three ended it: the stack gives a connection up over a datagram that it did not expect."""
    troubles: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    async with webrtc_endpoint() as endpoint, browser() as page:
        leg = await page.call(endpoint)
        await connected(leg, page)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(3):
                stranger.sendto(STRANGE[what], heard_at(page.answer))
        await hears(leg, page, 700)
        assert not leg.ended.done()
    assert troubles == []


async def test_keys_are_checked_and_a_browser_cannot_be_transferred() -> None:
    async with webrtc_endpoint() as endpoint, browser() as page:
        leg = await page.call(endpoint)
        for wrong in ("", "12", "x"):
            with pytest.raises(BadInput, match="no key of a telephone"):
                leg.press(wrong)
        with pytest.raises(TransferFailed, match="WebRTC has no REFER"):
            await leg.transfer("sip:x@127.0.0.1", 1.0)
        with pytest.raises(TransferFailed, match="WebRTC has no REFER"):
            await leg.transfer_to(leg, 1.0)
        assert not leg.ended.done()


async def test_only_the_hosts_and_ports_of_the_settings_are_used() -> None:
    async with webrtc_endpoint(ports=(31990, 31999), max_calls=10) as endpoint, browser() as page:
        answer, _ = await endpoint.answer(await page.offer(), remote="webrtc:page", local="webrtc:bot")
        found = re.findall(r"a=candidate:\S+ \d udp \d+ (\S+) (\d+)", answer)
        assert {host for host, _ in found} == {"127.0.0.1"}
        assert all(31990 <= int(port) <= 31999 for _, port in found)
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with taken:
        taken.bind(("127.0.0.1", 31995))
        async with webrtc_endpoint(ports=(31995, 31995), max_calls=1) as endpoint, browser() as page:
            with pytest.raises(PortInUse, match="31995"):
                await page.call(endpoint)
            assert endpoint.legs == ()
