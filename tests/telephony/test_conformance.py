"""The conformance tests, against the scripted leg and against SIP in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.audio import Pcm
from telephony.scripted import ScriptedLeg
from telephony.sip import SipLeg
from tests.telephony.conformance import CallLegConformance, Line
from tests.telephony.peers import RtpParty, Sipp, rtp_party, sip_endpoint, sipp


class ScriptedFarEnd:
    def __init__(self, leg: ScriptedLeg) -> None:
        self._leg = leg
        self._since = 0
        self._relayed = 0

    def say(self, pcm: Pcm) -> None:
        self._leg.say(pcm)

    def mute(self) -> None:
        self._leg.rtp = False

    def press(self, key: str) -> None:
        self._leg.press(key)

    def hang_up(self) -> None:
        self._leg.remote_hang_up()

    def listen(self) -> None:
        self._since = len(self._leg.heard)
        self._relayed = len(self._leg.relayed)

    def heard(self) -> Pcm:
        played = bytes(self._leg.heard[self._since :])
        return Pcm(played + b"".join(frame.data for frame in self._leg.relayed[self._relayed :]), 8000)

    def keys(self) -> list[str]:
        return [key for _, key in self._leg.sent_digits]


class SipFarEnd:
    def __init__(self, leg: SipLeg, party: RtpParty, peer: Sipp) -> None:
        self._leg = leg
        self._party = party
        self._peer = peer
        self._since = 0.0

    def say(self, pcm: Pcm) -> None:
        self._party.say(pcm)

    def mute(self) -> None:
        self._party.sending = False

    def press(self, key: str) -> None:
        self._party.press(key)

    def hang_up(self) -> None:
        self._peer.hang_up(self._leg.call_id)

    def listen(self) -> None:
        self._since = asyncio.get_running_loop().time()

    def heard(self) -> Pcm:
        return self._party.heard_since(self._since, 60)

    def keys(self) -> list[str]:
        return self._party.keys


class TestScripted(CallLegConformance):
    @pytest.fixture
    async def line(self) -> Line:
        leg = ScriptedLeg()
        await leg.answer()
        return Line(leg, ScriptedFarEnd(leg))


class TestSipOutbound(CallLegConformance):
    @pytest.fixture
    async def line(self, tmp_path: Path) -> AsyncIterator[Line]:
        async with (
            rtp_party() as party,
            sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
            sip_endpoint() as endpoint,
        ):
            leg = await endpoint.dial(peer.uri, timeout_s=5)
            yield Line(leg, SipFarEnd(leg, party, peer))
            await leg.hang_up()
            assert await peer.succeeded(), peer.log


class TestSipInbound(CallLegConformance):
    @pytest.fixture
    async def line(self, tmp_path: Path) -> AsyncIterator[Line]:
        calls: asyncio.Queue[SipLeg] = asyncio.Queue()
        async with (
            rtp_party("PCMU") as party,
            sip_endpoint(calls.put_nowait) as endpoint,
            sipp("uac_talk", tmp_path, calls=endpoint.address, rtp_port=party.address, codec="PCMU") as peer,
        ):
            leg = await asyncio.wait_for(calls.get(), 5)
            await leg.answer()
            yield Line(leg, SipFarEnd(leg, party, peer))
            await leg.hang_up()
            assert await peer.succeeded(), peer.log
