"""Attended transfers: a REFER with Replaces, and what far ends make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.endings import EndKind
from bot.core.errors import TransferFailed
from telephony.leg import TransferOutcome
from telephony.scripted import ScriptedLeg
from telephony.sip import SipLeg
from tests.telephony.peers import RtpParty, Sipp, rtp_party, sip_endpoint, sipp
from tests.telephony.test_sip_transfer import the_call_lives


@dataclass
class Two:
    """A caller's line and an agent's, with their far ends."""

    caller: SipLeg
    agent: SipLeg
    parties: tuple[RtpParty, RtpParty]
    peers: tuple[Sipp, Sipp]


@asynccontextmanager
async def two_lines(workdir: Path, caller: str, *, supports: str = "replaces") -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        parties = [await stack.enter_async_context(rtp_party()) for _ in range(2)]
        peers = [
            await stack.enter_async_context(
                sipp(
                    scenario,
                    workdir,
                    rtp_port=party.address,
                    extension=supports,
                    status="603",
                    reason="Decline",
                )
            )
            for scenario, party in zip((caller, "uas_replaces_refused"), parties, strict=True)
        ]
        endpoint = await stack.enter_async_context(sip_endpoint())
        legs = [await endpoint.dial(peer.uri, timeout_s=5) for peer in peers]
        yield Two(legs[0], legs[1], (parties[0], parties[1]), (peers[0], peers[1]))
        await asyncio.gather(*(leg.hang_up() for leg in legs))
        for peer in peers:
            assert await peer.succeeded(), peer.log


async def test_done_ends_both_lines(tmp_path: Path) -> None:
    async with two_lines(tmp_path, "uas_replaces_done") as two:
        assert await two.caller.transfer_to(two.agent, 5) is TransferOutcome.DONE
        for leg in (two.caller, two.agent):
            cause = await asyncio.wait_for(asyncio.shield(leg.ended), 3)
            assert cause.kind is EndKind.TRANSFERRED


async def test_refused_leaves_both_calls_alive(tmp_path: Path) -> None:
    async with two_lines(tmp_path, "uas_replaces_refused") as two:
        with pytest.raises(TransferFailed) as failure:
            await two.caller.transfer_to(two.agent, 5)
        assert failure.value.status == 603
        for leg, party in zip((two.caller, two.agent), two.parties, strict=True):
            await the_call_lives(leg, party)


async def test_a_far_end_without_replaces_is_told_at_once_and_loses_nothing(tmp_path: Path) -> None:
    async with two_lines(tmp_path, "uas_replaces_refused", supports="timer") as two:
        with pytest.raises(TransferFailed, match="Replaces"):
            await two.caller.transfer_to(two.agent, 5)
        for leg, party in zip((two.caller, two.agent), two.parties, strict=True):
            await the_call_lives(leg, party)


async def test_what_is_no_call_of_ours_cannot_be_given_away(tmp_path: Path) -> None:
    async with two_lines(tmp_path, "uas_replaces_refused") as two:
        with pytest.raises(TransferFailed, match="not in a SIP call of ours"):
            await two.caller.transfer_to(ScriptedLeg(direction="outbound"), 5)
        await two.agent.hang_up()
        with pytest.raises(TransferFailed, match="not in a SIP call of ours"):
            await two.caller.transfer_to(two.agent, 5)
        assert not two.caller.ended.done()
