"""An agent's browser rung as a telephone: picked up, let ring, taken back, too late, come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.endings import EndKind
from bot.core.errors import BadInput, DialFailed, Unavailable
from bot.desk_lines import DeskLines
from telephony.webrtcleg import WebRtcLeg
from tests.telephony.browsers import browser, webrtc_endpoint

URI = "desk:anna@call-1"


class Control:
    """Keeps the orders it is given; `closed` is a desk that nobody has open."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, dict[str, Any]]] = []
        self.rung = asyncio.Event()
        self.closed = False

    async def request(self, do: str, /, **params: Any) -> dict[str, Any]:
        self.orders.append((do, params))
        if do == "ring_desk":
            if self.closed:
                raise Unavailable("no desk of anna is open")
            self.rung.set()
        return {}

    @property
    def done(self) -> bool:
        return self.orders[-1] == ("desk_done", {"call_id": "call-1", "agent_id": "anna"})


@pytest.fixture
async def control() -> Control:
    return Control()


@pytest.fixture
async def desk(control: Control) -> AsyncIterator[tuple[DeskLines, list[WebRtcLeg]]]:
    kept: list[WebRtcLeg] = []
    async with webrtc_endpoint(rejoin_s=2.0) as endpoint:
        yield DeskLines(endpoint, control.request, lambda call_id, leg: kept.append(leg)), kept


Desk = tuple[DeskLines, list[WebRtcLeg]]


def offer(sdp: str, **more: Any) -> dict[str, Any]:
    return {"call_id": "call-1", "agent_id": "anna", "sdp": sdp, **more}


async def test_a_page_picks_up_and_comes_back_to_the_same_line(desk: Desk, control: Control) -> None:
    lines, kept = desk
    dialling = asyncio.create_task(lines.dial(URI, 5.0))
    await control.rung.wait()
    assert control.orders[0] == ("ring_desk", {"call_id": "call-1", "agent_id": "anna", "ring_s": 5.0})
    async with browser() as page, browser() as reloaded:
        answer = await lines.offer(offer(await page.offer()))
        await page.accept(answer["sdp"])
        leg = await dialling
        assert kept == [leg]
        assert (leg.id, leg.remote) == (answer["leg_id"], "webrtc:anna")
        assert control.done
        again = await lines.offer(offer(await reloaded.offer(), again=True))
        assert again["leg_id"] == leg.id
        await leg.hang_up()


async def test_a_desk_that_nobody_answers(desk: Desk, control: Control) -> None:
    with pytest.raises(DialFailed) as failed:
        await desk[0].dial(URI, 0.1)
    assert failed.value.cause.kind is EndKind.NO_ANSWER
    assert control.done


async def test_a_desk_that_is_closed_cannot_be_rung(desk: Desk, control: Control) -> None:
    control.closed = True
    with pytest.raises(DialFailed) as failed:
        await desk[0].dial(URI, 5.0)
    assert failed.value.cause.kind is EndKind.UNREACHABLE
    assert control.done


async def test_a_ring_that_is_taken_back_stops_on_the_desk_and_cannot_be_picked_up(
    desk: Desk, control: Control
) -> None:
    lines, _ = desk
    dialling = asyncio.create_task(lines.dial(URI, 5.0))
    await control.rung.wait()
    dialling.cancel()
    await asyncio.wait({dialling})
    assert control.done
    async with browser() as page:
        with pytest.raises(BadInput, match="решён"):
            await lines.offer(offer(await page.offer()))


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"agent_id": "anna", "sdp": ""}, "webrtc_offer.call_id"),
        ({"call_id": "call-1", "agent_id": "anna", "sdp": "", "again": True}, "больше нет"),
    ],
)
async def test_what_is_wrong_with_an_offer_is_told(desk: Desk, params: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        await desk[0].offer(params)
