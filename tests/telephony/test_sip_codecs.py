"""Each codec, through a foreign phone and back: Debian's baresip decodes and encodes what we send."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from telephony.tones import goertzel_dbfs, hears, tone
from tests.telephony.conformance import best_dbfs, collect, joined
from tests.telephony.peers import baresip, rtp_party, sip_endpoint, sipp


@pytest.mark.parametrize(
    ("codec", "rate", "hz"),
    [("PCMA", 8000, 1000), ("PCMU", 8000, 1000), ("G722", 16000, 1000), ("opus", 16000, 1000)],
)
async def test_a_tone_goes_through_a_foreign_phone_and_back(
    tmp_path: Path, codec: str, rate: int, hz: int
) -> None:
    async with baresip(tmp_path, codec) as uri, sip_endpoint(echo_control=False) as endpoint:
        leg = await endpoint.dial(uri, timeout_s=5)
        assert (leg.codec, leg.rate) == (codec, rate)
        hearing = asyncio.create_task(collect(leg, 60))
        await leg.play(tone(1.2, rate, hz=hz)).done()
        heard = joined(await hearing)
        # At its level and pitch: no octave slip by a wrong rate, no halving by a lost channel.
        assert best_dbfs(heard, hz) == pytest.approx(-12, abs=1.5)
        assert best_dbfs(heard, 2 * hz) < -35
        assert best_dbfs(heard, hz / 2) < -35
        await leg.hang_up()


@pytest.mark.parametrize("codec", ["G722", "opus"])
async def test_wide_band_is_wide(tmp_path: Path, codec: str) -> None:
    async with baresip(tmp_path, codec) as uri, sip_endpoint(echo_control=False) as endpoint:
        leg = await endpoint.dial(uri, timeout_s=5)
        hearing = asyncio.create_task(collect(leg, 60))
        await leg.play(tone(1.2, 16000, hz=5500)).done()
        assert best_dbfs(joined(await hearing), 5500) == pytest.approx(-12, abs=3)
        await leg.hang_up()


@pytest.mark.parametrize("codec", ["PCMA", "opus"])
async def test_the_way_there_and_back_is_short(tmp_path: Path, codec: str) -> None:
    """A burst of tone, from `play` until it is in a frame: the foreign phone's own buffers included,
    and no resampler of ours that would hold it back."""
    async with baresip(tmp_path, codec) as uri, sip_endpoint(echo_control=False) as endpoint:
        leg = await endpoint.dial(uri, timeout_s=5)
        await collect(leg, 25)
        delays = []
        for _ in range(3):  # a busy machine adds to one of them: the line is as quick as the quickest
            hearing = asyncio.create_task(collect(leg, 40))
            await asyncio.sleep(0)
            leg.play(tone(0.2, leg.rate, hz=1000))
            frames = await hearing
            delays.append(next(index for index, frame in enumerate(frames) if hears(joined([frame]), 1000)))
        assert min(delays) * 0.02 < 0.35
        await leg.hang_up()


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
async def test_what_leaves_is_right_on_the_wire(tmp_path: Path, codec: str) -> None:
    async with (
        rtp_party(codec) as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address, codec=codec) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        assert leg.codec == codec
        began = asyncio.get_running_loop().time()
        await leg.play(tone(0.6, 8000, hz=1000)).done()
        heard = party.heard_since(began + 0.1, 0.4)
        assert goertzel_dbfs(heard, 1000) == pytest.approx(-12, abs=0.5)
        await leg.hang_up()


async def test_our_preference_decides(tmp_path: Path) -> None:
    async with (
        baresip(tmp_path, "PCMU") as uri,
        sip_endpoint(codecs=("opus", "PCMU")) as endpoint,
    ):
        leg = await endpoint.dial(uri, timeout_s=5)
        assert leg.codec == "PCMU"  # the only one that both have
        await leg.hang_up()
