"""Blind transfers and everything that far ends make of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.core.endings import EndKind
from bot.core.errors import TransferFailed
from telephony.leg import TransferOutcome
from telephony.sip import SipLeg
from telephony.tones import tone
from tests.telephony.conformance import best_dbfs, collect, joined
from tests.telephony.peers import RtpParty, rtp_party, sip_endpoint, sipp

TARGET = "sip:agent@127.0.0.1:9"


async def the_call_lives(leg: SipLeg, party: RtpParty) -> None:
    """Tones both ways say so, not a flag."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    party.say(tone(0.6, 8000, hz=700))
    playing = leg.play(tone(0.6, 8000, hz=1100))
    frames = await collect(leg, 35)
    await playing.done()
    assert best_dbfs(joined(frames), 700) == pytest.approx(-12, abs=1.5)
    assert best_dbfs(party.heard_since(began, 0.7), 1100) == pytest.approx(-12, abs=1.5)
    assert not leg.ended.done()


async def test_a_transfer_that_is_reported_done_ends_our_line(tmp_path: Path) -> None:
    async with sipp("uas_refer_done", tmp_path) as peer, sip_endpoint() as endpoint:
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        assert await leg.transfer(TARGET, 5) is TransferOutcome.DONE
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 1)
        assert cause.kind is EndKind.TRANSFERRED
        assert await peer.succeeded(), peer.log


async def test_a_202_and_then_a_bye_without_a_word_is_unknown(tmp_path: Path) -> None:
    async with sipp("uas_refer_bye", tmp_path) as peer, sip_endpoint() as endpoint:
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        assert await leg.transfer(TARGET, 5) is TransferOutcome.UNKNOWN
        assert leg.ended.result().kind is EndKind.TRANSFER_UNKNOWN
        assert await peer.succeeded(), peer.log


@pytest.mark.parametrize(("status", "reason"), [("603", "Decline"), ("405", "Method Not Allowed")])
async def test_a_refused_transfer_leaves_the_call_alive(tmp_path: Path, status: str, reason: str) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_refer_refused", tmp_path, rtp_port=party.address, status=status, reason=reason) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        with pytest.raises(TransferFailed) as failure:
            await leg.transfer(TARGET, 5)
        assert failure.value.status == int(status)
        await the_call_lives(leg, party)
        peer.hang_up(leg.call_id)
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 3)
        assert cause.kind is EndKind.REMOTE_HANGUP  # and not a transfer of unknown outcome
        assert await peer.succeeded()


async def test_a_busy_target_leaves_the_call_alive(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_refer_busy", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        with pytest.raises(TransferFailed) as failure:
            await leg.transfer(TARGET, 5)
        assert failure.value.status == 486
        await the_call_lives(leg, party)


async def test_a_far_end_that_never_reports_is_waited_for_no_longer_than_told(tmp_path: Path) -> None:
    async with (
        rtp_party() as party,
        sipp("uas_refer_silent", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        with pytest.raises(TransferFailed) as failure:
            await leg.transfer(TARGET, 0.5)
        assert failure.value.status is None
        await the_call_lives(leg, party)


async def test_a_target_that_cannot_travel_is_refused_at_once(tmp_path: Path) -> None:
    async with sipp("uas_talk", tmp_path) as peer, sip_endpoint() as endpoint:
        leg = await endpoint.dial(peer.uri, timeout_s=5)
        with pytest.raises(TransferFailed, match="not sent"):
            await leg.transfer("sip:agent\r\nBye: now", 5)
        assert not leg.ended.done()
