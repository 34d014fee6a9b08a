"""A SIP line on a wire that the test holds, without a stack."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.audio import Frame, silence
from bot.core.endings import EndCause, EndKind
from telephony.pacer import Pacer
from telephony.settings import SipSettings
from telephony.sipleg import SipLeg, StackCall
from telephony.soundpath import Wire
from telephony.virtual_time import run
from tests.telephony.wires import StackLikeWire


class Call:
    """What a line asks of a call that is up and stays so."""

    call_id = "a"

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def answer(self) -> None: ...

    async def hang_up(self) -> None: ...

    async def transfer(self, target: str, timeout_s: float) -> None: ...

    async def transfer_to(self, other: StackCall, timeout_s: float) -> None: ...

    async def send_digits(self, keys: str) -> None: ...


class Line:
    def __init__(self) -> None:
        self.wire = StackLikeWire()
        self.leg = SipLeg(
            Call(self.wire),
            direction="inbound",
            remote="sip:a@example.org",
            local="sip:b@example.org",
            headers={},
            settings=SipSettings(),
            pacer=Pacer(),
            closed=lambda leg: None,
        )
        self.leg.on_established()

    async def hear(self, seconds: float) -> list[int]:
        """How many frames came at each of the moments at which some came."""
        stream, found = self.leg.frames(), list[int]()

        async def listen() -> None:
            while frames := await stream.together():
                found.append(len(frames))

        listening = asyncio.create_task(listen())
        await asyncio.sleep(seconds)
        listening.cancel()
        return found

    def close(self) -> None:
        self.leg.end(EndCause(EndKind.LOCAL_HANGUP))
        self.wire.stop()


def test_a_listener_is_woken_for_two_frames_at_a_time() -> None:
    async def call() -> None:
        line = Line()
        assert await line.hear(2.01) == [2] * 50
        line.close()

    run(call())


def test_what_is_said_in_a_talk_is_passed_on_frame_by_frame() -> None:
    async def call() -> None:
        line = Line()
        line.leg.write_frame(Frame(silence(0.02, 8000).data, 8000, 0.0))
        assert await line.hear(0.91) == [1] * 45
        await asyncio.sleep(1.0)  # the talk is over
        assert set(await line.hear(0.5)) == {2}
        assert line.leg.media_s == pytest.approx(2.4, abs=0.021)
        line.close()

    run(call())
