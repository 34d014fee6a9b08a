"""The worker's orders for calls from browsers, with lines that only note what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from bot.browser_calls import BrowserCalls, CustomerOffer
from bot.call.plan import CallPlan
from bot.core.context import CallContext
from bot.core.control import ControlClient, ControlServer
from bot.core.endings import EndCause, EndKind
from bot.core.errors import BadInput, CallOver, OfferInvalid, OtklikError
from telephony.webrtc import WebRtcEndpoint


class Line:
    def __init__(self, number: int) -> None:
        self.id = f"leg-{number}"
        self.pressed = ""
        self.told: list[str] = []
        self.ended: asyncio.Future[EndCause] = asyncio.get_running_loop().create_future()

    def press(self, key: str) -> None:
        self.pressed += key

    async def negotiate(self, sdp: str) -> str:
        self.told.append(sdp)
        return f"answer to {sdp}"

    async def add_candidate(self, candidate: str) -> None:
        self.told.append(candidate)

    def leave(self) -> None:
        self.ended.set_result(EndCause(EndKind.REMOTE_HANGUP))


class Endpoint:
    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.asked: list[tuple[str, str]] = []

    async def answer(self, sdp: str, *, remote: str, local: str) -> tuple[str, Line]:
        if sdp == "bad":
            raise OfferInvalid("no audio in the offer")
        self.asked.append((remote, local))
        line = Line(len(self.lines))
        self.lines[line.id] = line
        return f"answer to {sdp}", line

    def leg(self, leg_id: str) -> Line | None:
        return self.lines.get(leg_id)


class Plan:
    survey_id = "nps"


def offer(call_id: str, sdp: str = "one", **more: Any) -> dict[str, Any]:
    context = CallContext(call_id=call_id, survey_hash="h", direction="inbound")
    new = {} if more.get("again") else {"context": context.model_dump(), "attempt_id": "attempt-1"}
    return {"purpose": "customer", "call_id": call_id, "sdp": sdp, **new, **more}


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def begun() -> list[Line]:
    return []


@pytest.fixture
async def worker(endpoint: Endpoint, begun: list[Line], tmp_path: Path) -> AsyncIterator[ControlClient]:
    async def plan(given: CustomerOffer, context: CallContext) -> CallPlan:
        return cast(CallPlan, Plan())

    calls = BrowserCalls(
        cast(WebRtcEndpoint, endpoint), plan=plan, begin=lambda plan, leg: begun.append(cast(Line, leg))
    )
    server = ControlServer(tmp_path / "worker.sock")
    calls.register(server)
    await server.start()
    async with await ControlClient.connect(server.path) as client:
        yield client
    await server.close()


async def test_a_second_offer_comes_back_to_the_same_line(
    worker: ControlClient, endpoint: Endpoint, begun: list[Line]
) -> None:
    first = await worker.request("webrtc_offer", **offer("call-1", remote="tel:+79001234567"))
    assert first == {"sdp": "answer to one", "leg_id": "leg-0"}
    assert endpoint.asked == [("tel:+79001234567", "webrtc:nps")]
    again = await worker.request("webrtc_offer", **offer("call-1", "two", again=True))
    assert again == {"sdp": "answer to two", "leg_id": "leg-0"}
    await worker.request("webrtc_ice", leg_id="leg-0", candidate="candidate:1")
    await worker.request("press", call_id="call-1", keys="10")
    (line,) = begun
    assert (line.told, line.pressed) == (["two", "candidate:1"], "10")


async def test_who_hung_up_has_no_line_any_more(worker: ControlClient, begun: list[Line]) -> None:
    await worker.request("webrtc_offer", **offer("call-1"))
    begun[0].leave()
    await asyncio.sleep(0)  # what is called back when a line ends
    for order in (
        {"do": "press", "call_id": "call-1", "keys": "1"},
        {"do": "webrtc_offer", **offer("call-1", "two", again=True)},
    ):
        with pytest.raises(CallOver):
            await worker.request(**order)


async def test_an_unfit_offer_begins_nothing(worker: ControlClient, begun: list[Line]) -> None:
    with pytest.raises(OfferInvalid):
        await worker.request("webrtc_offer", **offer("call-1", "bad"))
    with pytest.raises(CallOver):
        await worker.request("press", call_id="call-1", keys="1")
    assert begun == []


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"do": "webrtc_offer", "purpose": "spy"}, "spy"),
        ({"do": "webrtc_offer", "purpose": "customer", "call_id": "c", "sdp": "x"}, "context"),
        ({"do": "webrtc_offer", "purpose": "customer", "call_id": "c"}, "sdp"),
        ({"do": "press", "call_id": "c", "keys": "1; reboot"}, "press"),
        ({"do": "press", "call_id": "c", "keys": ""}, "press"),
        ({"do": "webrtc_ice", "leg_id": "leg-9"}, "candidate"),
        ({"do": "webrtc_ice", "leg_id": "leg-9", "candidate": "x"}, "over"),
    ],
)
async def test_an_order_that_makes_no_sense_is_told_so(
    worker: ControlClient, order: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        await worker.request(**order)
    assert isinstance(refused.value, OtklikError)
