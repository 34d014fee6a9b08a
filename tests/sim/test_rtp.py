from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bot.sim.capture import two_channels
from bot.sim.g711 import RATE
from bot.sim.packets import FITS_AFTER, Packet, late
from bot.sim.rtp import FRAME, RtpSession
from bot.sim.sdp import Audio
from bot.sim.sounds import key_tone, read_tone, tone
from tests.sim.phones import media, until


@asynccontextmanager
async def line(codec: str = "PCMA", *, events: bool = True) -> AsyncIterator[tuple[RtpSession, RtpSession]]:
    """Two sessions that talk to each other."""
    async with media() as one, media() as other:
        for session, peer in ((one, other), (other, one)):
            offer = Audio.offering(peer.host, peer.port, (codec,))
            session.connect(offer if events else Audio(offer.host, offer.port, offer.formats[:1]))
        yield one, other


def lateness_s(packets: list[Packet]) -> list[float]:
    """How much after its time by the sample clock each packet left, counted from the first."""
    first = packets[0]
    return [packet.at - first.at - (packet.timestamp - first.timestamp) / RATE for packet in packets]


async def test_packets_leave_at_their_time_never_early_and_none_is_lost() -> None:
    async with line() as (one, other):
        await until(lambda: len(one.sent) >= 75)
        late = lateness_s(one.sent)
        assert min(late) > -0.005
        # Steal and load make a packet late; the pace as a whole stays that of the clock.
        assert statistics.median(late) < 0.01
        await until(lambda: len(other.received) >= 70)
        assert other.counters.lost == 0
        assert other.counters.received == len(other.received)


async def test_arrival_is_the_kernels_time_even_when_the_process_was_busy() -> None:
    async with line() as (one, other):
        await until(lambda: len(other.received) > 5)
        one.sending = False
        await asyncio.sleep(0.05)
        count = len(other.received)
        one.sending = True
        await until(lambda: len(one.sent) > count)
        # The loop is held up with a packet in the socket's buffer: it is read late, not stamped late.
        time.sleep(0.15)  # noqa: ASYNC251
        await until(lambda: len(other.received) > count)
        assert other.received[count].at - one.sent[count].at < 0.02


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
async def test_a_tone_crosses_both_ways_and_lies_where_it_was_heard(codec: str) -> None:
    async with line(codec) as (one, other):
        origin = time.monotonic() - 0.1
        other.tone_hz = 440
        span = await one.say(tone(700, RATE))
        assert span.packets is not None
        assert span.packets[1] - span.packets[0] == RATE / FRAME - 1
        await asyncio.sleep(0.1)
        sent, received = two_channels(one.sent, one.received, origin, 2.0)
        assert read_tone(sent, 700).dominance > 0.99
        assert read_tone(received, 440).dominance > 0.99
        assert read_tone(received, 440).level_dbfs == pytest.approx(-12, abs=0.5)
        heard, _ = two_channels(other.received, other.sent, origin, 2.0)
        assert read_tone(heard, 700).heard_s >= 0.9
        # On loopback the far end hears a sound 20 ms after it began: the time of filling its packet.
        first_sent = next(index for index, sample in enumerate(sent) if abs(sample) > 500)
        _, far = two_channels(other.sent, other.received, origin, 2.0)
        first_heard = next(index for index, sample in enumerate(far) if abs(sample) > 500)
        assert (first_heard - first_sent) / RATE == pytest.approx(0.02, abs=0.015)


async def test_a_clip_is_sent_whole_and_in_order() -> None:
    async with line() as (one, other):
        clip = np.repeat(np.arange(1, 26, dtype=np.int16) * 1000, FRAME)
        await asyncio.gather(one.say(clip), one.say(-clip))
        await asyncio.sleep(0.1)
        loud = np.concatenate([packet.samples for packet in other.received])
        loud = loud[np.abs(loud) > 500]
        assert np.allclose(loud, np.concatenate([clip, -clip]), rtol=0.04)


async def test_silence_without_rtp_begins_right_after_the_clip() -> None:
    async with line() as (one, other):
        await one.say(tone(300, FRAME * 5))
        one.sending = False
        sent = len(one.sent)
        await asyncio.sleep(0.2)
        assert len(one.sent) == sent
        assert np.abs(other.received[-1].samples).max() > 500
        one.sending = True
        await until(lambda: len(one.sent) > sent + 2)
        # The sender's clock kept the time in between.
        assert (one.sent[sent].timestamp - one.sent[sent - 1].timestamp) / RATE == pytest.approx(
            0.2, abs=0.06
        )


async def test_keys_cross_as_events() -> None:
    async with line() as (one, other):
        span = await one.press("159*#")
        await asyncio.sleep(0.1)
        assert "".join(key for _, key in other.digits) == "159*#"
        assert span.ended - span.began == pytest.approx(0.9, abs=0.05)
        assert not any(np.abs(packet.samples).max() > 500 for packet in other.received)
        # The record holds the keys as tones, so that a measure finds their end.
        sent, _ = two_channels(one.sent, one.received, span.began, 0.1)
        assert read_tone(sent, 697).dominance == pytest.approx(0.4, abs=0.05)


async def test_keys_cross_as_tones_where_events_are_not_spoken() -> None:
    async with line(events=False) as (one, other):
        await one.press("8")
        await until(lambda: any(np.abs(packet.samples).max() > 500 for packet in other.received))
        await asyncio.sleep(0.1)
        heard = np.concatenate([packet.samples for packet in other.received])
        heard = heard[np.flatnonzero(np.abs(heard) > 500)[0] :][:800]
        for hz in (852, 1336):
            expected = read_tone(key_tone("8", 800), hz).dominance
            assert read_tone(heard, hz).dominance == pytest.approx(expected, abs=0.1)
        assert not other.digits


async def test_a_line_is_quiet_since_its_last_voiced_packet() -> None:
    async with line() as (one, other):
        assert other.last_voiced_at == float("-inf")
        span = await one.say(tone(300, FRAME * 5))
        await asyncio.sleep(0.2)
        assert other.last_voiced_at == pytest.approx(span.ended + 0.02, abs=0.02)


async def test_what_is_lost_on_the_way_is_counted() -> None:
    async with line() as (one, other):
        await until(lambda: len(other.received) > 3)
        one._sequence += 5
        await until(lambda: other.counters.lost == 5)


async def test_garbage_is_ignored() -> None:
    async with line() as (one, other):
        for data in (b"", b"\x80", bytes(12), b"\x90" + bytes(11), b"\x8f\x08" + bytes(20)):
            one._socket.sendto(data, (other.host, other.port))
        await until(lambda: len(other.received) > 3)


def test_a_packet_is_late_by_the_clock_of_its_own_stream() -> None:
    sound = np.zeros(FRAME, np.int16)

    def stream(ssrc: int, first: int, delays: dict[int, float], usual: float = 0.001) -> list[Packet]:
        return [
            Packet(100 + 0.02 * place + delays.get(place, usual), ssrc, first + FRAME * place, sound)
            for place in range(200)
        ]

    punctual = stream(1, 7_000_000, {})
    assert late(punctual) == 0
    assert late([*punctual, *stream(2, 90_000, {3: 0.05, 9: 0.07, 10: 0.2})]) == 2
    assert late([]) == 0
    stalled = stream(3, 0, dict.fromkeys(range(100), 0.001), usual=0.2)  # 0.2 s behind from the 100th on
    assert late(stalled) == FITS_AFTER - 1
