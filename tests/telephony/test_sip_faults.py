"""The stack's known faults, each with a far end that provokes it. Without the cure the test fails."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from pathlib import Path

import pytest

from bot.core.endings import EndKind
from bot.core.errors import DialFailed, LegClosed
from telephony.sip import SipLeg
from telephony.tones import goertzel_dbfs, level_dbfs, tone
from tests.telephony.conformance import best_dbfs, collect, joined
from tests.telephony.peers import PAYLOADS, SipEndpoint, Sipp, rtp_party, sip_endpoint, sipp


async def dial_on_a_loop_that_is_blocked(endpoint: SipEndpoint, peer: Sipp) -> SipLeg:
    """The INVITE leaves, and for 400 ms nothing of ours runs."""
    dialling = asyncio.create_task(endpoint.dial(peer.uri, timeout_s=5))
    await asyncio.sleep(0)
    time.sleep(0.4)  # noqa: ASYNC251  the fault under test
    return await asyncio.wait_for(dialling, 3)


async def test_a_busy_that_comes_while_the_loop_is_blocked_is_not_lost(tmp_path: Path) -> None:
    async with (
        sipp("uas_refuse", tmp_path, status="486", reason="Busy Here") as peer,
        sip_endpoint() as endpoint,
    ):
        with pytest.raises(DialFailed) as refusal:
            await dial_on_a_loop_that_is_blocked(endpoint, peer)
        assert refusal.value.cause.kind is EndKind.BUSY
        assert not endpoint.legs


async def test_an_answer_that_comes_while_the_loop_is_blocked_is_not_lost(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await dial_on_a_loop_that_is_blocked(endpoint, peer)
        assert leg.codec == "PCMA"
        # The stack's own half of the call knows it, too: a transfer would be refused otherwise.
        await leg.send_digits("1")
        assert party.keys == ["1"]
        await leg.hang_up()
        assert await peer.succeeded()


async def test_an_invite_that_the_stack_cannot_take_keeps_no_line(tmp_path: Path) -> None:
    """RFC 4475, 3.3.1 and 3.4.1: no Contact. The stack answers 500 and counts the call for ever."""
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with sip_endpoint(calls.put_nowait, max_calls=2) as endpoint:
        host, _, port = endpoint.address.partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.bind(("127.0.0.1", 0))
            caller.settimeout(5)
            for number in range(2):
                caller.sendto(without_contact(endpoint.address, caller, number), (host, int(port)))
                await asyncio.to_thread(refused_with_500, caller, number)
            assert await endpoint.stack_calls() == 2, "the fault is there"
            assert (endpoint.legs, await endpoint.taken()) == ((), 2), "no line is free for it"
            async with asyncio.timeout(5):
                while await endpoint.stack_calls():  # noqa: ASYNC110  asked of the stack itself
                    await asyncio.sleep(0.05)
        async with sipp("uac_talk", tmp_path, calls=endpoint.address) as peer:
            leg = await asyncio.wait_for(calls.get(), 5)
            await leg.answer()
            await leg.hang_up()
            assert await peer.succeeded(), peer.log


@pytest.mark.parametrize("direction", ["outbound", "inbound"])
async def test_rtp_longer_than_a_phone_sends_is_cut(tmp_path: Path, direction: str) -> None:
    """The stack decodes 8 kB of G.722, in whatever call, into room for 2.9 kB of it: its heap is overwritten.
    Of as much G.711 it decodes nothing, as there it asks for the room: what is heard of it was cut before."""
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with rtp_party() as party, sip_endpoint(calls.put_nowait) as endpoint:
        scenario, far = ("uas_talk", "") if direction == "outbound" else ("uac_talk", endpoint.address)
        async with sipp(scenario, tmp_path, calls=far, rtp_port=party.address) as peer:
            if direction == "outbound":
                leg = await endpoint.dial(peer.uri, timeout_s=5)
            else:
                leg = await asyncio.wait_for(calls.get(), 5)
                await leg.answer()
            await collect(leg, 10)
            hearing = asyncio.create_task(collect(leg, 50))
            party.send_one(PAYLOADS["PCMA"], b"\xaa\x2a" * 4000)
            assert max(level_dbfs(joined([frame])) for frame in await hearing) > -30
            for _ in range(20):
                party.send_one(PAYLOADS["G722"], b"\x12\x87" * 4000)
            await collect(leg, 10)
            assert not leg.ended.done()
            await leg.hang_up()


def refused_with_500(caller: socket.socket, number: int) -> None:
    """An answer to the INVITE before may be repeated meanwhile."""
    while f"Call-ID: bare-{number}\r\n".encode() not in (answer := caller.recv(65_535)):
        pass
    assert answer.startswith(b"SIP/2.0 500 ")


def without_contact(address: str, caller: socket.socket, number: int) -> bytes:
    own = f"127.0.0.1:{caller.getsockname()[1]}"
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
    return (
        f"INVITE sip:otklik@{address} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKbare{number}\r\n"
        f"From: <sip:bare@{own}>;tag={number}\r\nTo: <sip:otklik@{address}>\r\nCall-ID: bare-{number}\r\n"
        "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def test_no_re_invite_follows_an_answer(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        sip_endpoint(calls.put_nowait) as endpoint,
        sipp("uac_talk_video", tmp_path, calls=endpoint.address) as peer,
    ):
        leg = await asyncio.wait_for(calls.get(), 5)
        await leg.answer()
        await asyncio.sleep(0.5)
        assert not leg.ended.done()
        await leg.hang_up()
        assert await peer.succeeded(), peer.log  # any request but our BYE fails its scenario


async def test_what_is_played_right_after_a_stop_reaches_the_wire(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        loop = asyncio.get_running_loop()
        # Stopped in the middle of a long sound, and near the end of a short one, where little of the
        # old sound is in the line's buffer and much of the new one fits in behind it.
        for seconds in (5.0, 0.25, 0.26, 0.27, 0.3):
            old = leg.play(tone(seconds, 8000, hz=500))
            await asyncio.sleep(0.213)
            began = loop.time()
            await old.stop()
            assert await leg.play(tone(0.2, 8000, hz=1500)).done() == pytest.approx(0.2)
            await asyncio.sleep(0.1)
            heard = party.heard_since(began, 0.5)
            energy_s = heard.seconds * 10 ** ((goertzel_dbfs(heard, 1500) + 12) / 20)
            assert energy_s == pytest.approx(0.2, abs=0.015)
        await leg.hang_up()


async def test_sound_handled_at_the_end_of_a_call_raises_nothing(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        playing = leg.play(tone(10, 8000))
        await asyncio.sleep(0.2)
        peer.hang_up(leg.call_id)
        time.sleep(0.3)  # noqa: ASYNC251  the stack closes the call; we go on without knowing it
        leg.tick(1)
        await playing.stop()
        await asyncio.wait_for(asyncio.shield(leg.ended), 3)
        leg.tick(1)
        assert faults == []


async def test_streams_that_are_replaced_during_the_call(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        rtp_party("PCMA") as party,
        sip_endpoint(calls.put_nowait) as endpoint,
        sipp(
            "uac_reinvite", tmp_path, calls=endpoint.address, rtp_port=party.address,
            codec="PCMA", payload2="0", codec2="PCMU/8000",
        ) as peer,
    ):  # fmt: skip
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        leg = await asyncio.wait_for(calls.get(), 5)
        await leg.answer()
        await collect(leg, 15)
        playing = leg.play(tone(1.0, 8000, hz=1100))
        await asyncio.sleep(0.2)
        party.say(tone(2.0, 8000, hz=700))
        peer.hang_up(leg.call_id)  # which here is the re-INVITE
        async with asyncio.timeout(3):
            while leg.codec != "PCMU":  # noqa: ASYNC110  told by the SIP trace
                await asyncio.sleep(0.01)
        party.codec = "PCMU"
        assert await playing.done() == pytest.approx(1.0)
        assert best_dbfs(joined(await collect(leg, 30)), 700) == pytest.approx(-12, abs=1.5)
        began = asyncio.get_running_loop().time()
        await leg.play(tone(0.5, 8000, hz=1300)).done()
        assert best_dbfs(party.heard_since(began, 0.6), 1300) == pytest.approx(-12, abs=1.5)
        assert faults == []
        await leg.hang_up()
        assert await peer.succeeded(), peer.log


async def test_streams_that_are_replaced_at_another_rate(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        rtp_party("PCMA") as party,
        sip_endpoint(calls.put_nowait) as endpoint,
        sipp(
            "uac_reinvite", tmp_path, calls=endpoint.address, rtp_port=party.address,
            codec="PCMA", payload2="9", codec2="G722/8000",
        ) as peer,
    ):  # fmt: skip
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        leg = await asyncio.wait_for(calls.get(), 5)
        await leg.answer()
        playing = leg.play(tone(1.0, 8000))
        await collect(leg, 15)
        peer.hang_up(leg.call_id)  # which here is the re-INVITE
        frames = await collect(leg, 60)
        assert await playing.done() == pytest.approx(1.0)
        assert (leg.codec, leg.rate) == ("G722", 8000)  # the line's rate stays; the path converts
        assert {len(frame.data) for frame in frames} == {320}
        assert PAYLOADS["G722"] in party.kinds
        assert faults == []
        await leg.hang_up()
        assert await peer.succeeded(), peer.log


async def test_one_call_more_than_there_are_lines_is_busy(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        sip_endpoint(calls.put_nowait, max_calls=3) as endpoint,
        sipp("uac_talk", tmp_path, calls=endpoint.address),
        sipp("uac_talk", tmp_path, calls=endpoint.address),
        sipp("uas_talk", tmp_path) as callee,
    ):
        legs = [await asyncio.wait_for(calls.get(), 5) for _ in range(2)]
        legs.append(await endpoint.dial(callee.uri, timeout_s=5))
        async with sipp("uac_refused", tmp_path, calls=endpoint.address) as late:
            assert await late.succeeded()
        with pytest.raises(DialFailed, match="all 3 lines"):
            await endpoint.dial(callee.uri)
        await legs[0].hang_up()
        async with sipp("uac_talk", tmp_path, calls=endpoint.address):
            leg = await asyncio.wait_for(calls.get(), 5)
            await leg.answer()
            await leg.hang_up()


async def test_more_than_the_stack_s_two_calls_at_once(tmp_path: Path) -> None:
    async with (
        sip_endpoint() as endpoint,
        sipp("uas_talk", tmp_path) as one,
        sipp("uas_talk", tmp_path) as two,
        sipp("uas_talk", tmp_path) as three,
    ):
        legs = [await endpoint.dial(peer.uri, timeout_s=5) for peer in (one, two, three)]
        assert len(endpoint.legs) == 3
        await asyncio.gather(*(leg.hang_up() for leg in legs))
        assert not endpoint.legs


async def test_a_far_end_that_vanishes_is_media_lost(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint(rtp_timeout_s=1) as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        frames = leg.frames()
        await collect(leg, 10)
        party.sending = False
        loop = asyncio.get_running_loop()
        began = loop.time()
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 5)
        assert cause.kind is EndKind.MEDIA_LOST
        # Frames came all the while, every 20 ms, to the end.
        rest = [frame async for frame in frames]
        assert len(rest) * 0.02 == pytest.approx(loop.time() - began + 0.2, abs=0.2)
        assert rest[-1].concealed


async def test_a_200_that_is_never_confirmed_frees_its_line(tmp_path: Path) -> None:
    calls: asyncio.Queue[SipLeg] = asyncio.Queue()
    async with (
        sip_endpoint(calls.put_nowait, ack_timeout_s=1.2) as endpoint,
        sipp("uac_never_acks", tmp_path, calls=endpoint.address) as peer,
    ):
        leg = await asyncio.wait_for(calls.get(), 5)
        with pytest.raises(LegClosed, match="never_acked"):
            await asyncio.wait_for(leg.answer(), 5)  # the stack itself would hold the line for 32 s
        assert leg.ended.result().kind is EndKind.NEVER_ACKED
        assert not endpoint.legs
        assert await peer.succeeded(), peer.log


async def test_a_loop_that_is_blocked_tears_no_sound(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        playing = leg.play(tone(1.0, 8000, hz=1000))
        await asyncio.sleep(0.3)
        time.sleep(0.15)  # noqa: ASYNC251  the party below shares our loop: it reads late, but whole
        assert await playing.done() == pytest.approx(1.0)
        await asyncio.sleep(0.1)
        packets = [pcm for _, pcm in party.heard]
        loud = [index for index, pcm in enumerate(packets) if max(pcm) > 0 and any(b > 20 for b in pcm[1::2])]
        assert loud[-1] - loud[0] + 1 == pytest.approx(50, abs=1)  # 50 packets, and no gap between
        assert level_dbfs(party.heard_since(0, 1e9)) > -30
        await leg.hang_up()


async def test_frames_keep_real_time_through_a_blocked_loop(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        loop = asyncio.get_running_loop()
        first = (await collect(leg, 1))[0]
        began = loop.time()
        time.sleep(0.4)  # noqa: ASYNC251  the fault under test
        await asyncio.sleep(0.1)
        last = (await collect(leg, 1))[0]
        assert last.at - first.at == pytest.approx(loop.time() - began, abs=0.045)
        await leg.hang_up()


async def test_a_stack_that_dies_ends_every_line_and_says_so(tmp_path: Path) -> None:
    # The process that it dies in can run no other: this one is a process of its own.
    async with sipp("uas_talk", tmp_path) as peer:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.telephony.dying", peer.uri,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await asyncio.wait_for(process.communicate(), 20)
        assert output.decode().splitlines()[-1] == "stack_died told runtime_died 0", errors.decode()
