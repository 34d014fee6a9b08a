"""What is on whose desk: rung, taken by exactly one, talked through, written about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from bot.accounts.accounts import Account
from bot.accounts.roles import Role
from bot.core.endings import Disposition, EndKind
from bot.core.errors import BadInput, Unavailable
from bot.core.events import (
    CallEnded,
    CallEvent,
    CallStarted,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
)
from bot.web.desk.desks import Desks, Phase, TakenElsewhere
from bot.web.desk.keeping import DeskKeeper
from bot.web.live import Listener, Live
from tests.web.conftest import Orders

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ANNA = Account("account-1", "anna", "Анна", Role.AGENT, "anna", NOW)
ASKED = {"call_id": "call-1", "agent_id": "anna"}
RING = {**ASKED, "ring_s": 20.0}
E = TypeVar("E", bound=CallEvent)


def event(kind: type[E], **fields: Any) -> E:
    return kind(call_id="call-1", seq=1, at=NOW, **fields)


def of(kind: type[E], **more: Any) -> E:
    return event(kind, target="responsible", agent_id="anna", **more)


@pytest.fixture
def live() -> Live:
    return Live()


@pytest.fixture
def desks(live: Live) -> Desks:
    return Desks(live)


async def told(listener: Listener) -> dict[str, Any]:
    message = await listener.next()
    assert message is not None
    said: dict[str, Any] = {"name": message.name, **json.loads(message.data)}
    return said


async def test_a_closed_desk_cannot_be_rung(desks: Desks) -> None:
    with pytest.raises(Unavailable):
        await desks.ring_desk(RING)
    assert desks.of_agent("anna") == []


@pytest.mark.parametrize("params", [{}, {"call_id": "call-1"}, {"call_id": "", "agent_id": "anna"}])
async def test_a_ring_for_nobody_is_refused(desks: Desks, params: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="ring_desk"):
        await desks.ring_desk(params)


async def test_a_call_from_its_ring_to_the_note(desks: Desks, live: Live) -> None:
    with live.of_account(ANNA) as page:
        desks.saw(of(HandoverRinging))
        await desks.ring_desk(RING)
        assert (await told(page))["how"] == "phone"
        assert (await told(page))["how"] == "desk"
        desks.take("call-1", "anna", "tab-1")
        assert (await told(page))["phase"] == "answering"
        await desks.desk_done(ASKED)  # the worker's ringing is over; the call's events tell the rest
        desks.saw(of(HandoverAccepted, by="button"))
        desks.saw(of(HandoverConnected))
        assert (await told(page))["phase"] == "talking"
        desks.hold("call-1", "anna", held=True)
        assert (await told(page))["held"] is True
        with pytest.raises(BadInput):
            desks.written("call-1", "anna")
        desks.saw(of(HandoverEnded, talk_s=5.0, by="agent"))
        assert (await told(page))["phase"] == "after"
        desks.written("call-1", "anna")
        assert (await told(page))["phase"] == "gone"
    assert desks.of_agent("anna") == []


async def test_the_order_may_overtake_the_event(desks: Desks, live: Live) -> None:
    with live.of_account(ANNA):
        await desks.ring_desk(RING)
        desks.saw(of(HandoverRinging))
    (call,) = desks.of_agent("anna")
    assert call.how == "desk"


async def test_of_two_windows_exactly_one_has_the_call(desks: Desks, live: Live) -> None:
    with live.of_account(ANNA):
        await desks.ring_desk(RING)
        desks.take("call-1", "anna", "tab-1")
        with pytest.raises(TakenElsewhere):
            desks.take("call-1", "anna", "tab-2")
        desks.drop("call-1", "anna", "tab-2")  # not its to give back
        with pytest.raises(TakenElsewhere):
            desks.take("call-1", "anna", "tab-2")
        desks.drop("call-1", "anna", "tab-1")
        assert desks.take("call-1", "anna", "tab-2").page == "tab-2"


async def test_whom_it_does_not_ring_cannot_take_it(desks: Desks, live: Live) -> None:
    with live.of_account(ANNA):
        await desks.ring_desk(RING)
    with pytest.raises(BadInput):
        desks.take("call-1", "boris", "tab-1")


ENDS: dict[str, CallEvent] = {
    "no_answer": of(HandoverPassed, reason="no_answer"),
    "cancelled": event(HandoverFailed, target="responsible", reason="cancelled"),
    "caller_left": event(
        CallEnded, cause=EndKind.REMOTE_HANGUP, disposition=Disposition.CALLBACK, duration_s=9.0
    ),
}


@pytest.mark.parametrize("reason", ENDS)
async def test_a_ring_that_ends_is_taken_off_with_its_reason(desks: Desks, live: Live, reason: str) -> None:
    with live.of_account(ANNA) as page:
        desks.saw(of(HandoverRinging))
        await told(page)
        desks.saw(ENDS[reason])
        last = await told(page)
    assert (last["phase"], last["reason"]) == ("gone", reason)
    assert desks.of_agent("anna") == []
    assert not live.sees(ANNA, "call-1")


async def test_another_agents_passing_over_leaves_this_ring_alone(desks: Desks, live: Live) -> None:
    desks.saw(of(HandoverRinging))
    desks.saw(event(HandoverPassed, target="responsible", agent_id="boris", reason="busy"))
    assert [each.phase for each in desks.of_agent("anna")] == [Phase.RINGING]


async def test_a_worker_that_died_leaves_no_ring(desks: Desks) -> None:
    desks.saw(of(HandoverRinging))
    desks.worker_lost()
    assert desks.of_agent("anna") == []
    desks.saw(of(HandoverRinging))
    desks.saw(of(HandoverConnected))
    desks.worker_lost()
    assert [each.phase for each in desks.of_agent("anna")] == [Phase.AFTER]


async def test_an_agent_is_not_told_the_whole_number_by_the_stream(desks: Desks, live: Live) -> None:
    started = event(
        CallStarted,
        direction="inbound",
        remote="sip:+79001234567@trunk",
        survey_id="nps",
        survey_hash="h",
        attempt_id="attempt-1",
    )
    with live.of_account(ANNA) as page:
        desks.saw(of(HandoverRinging))
        assert (await told(page))["name"] == "desk"
        live.publish(started)
        live.publish(of(HandoverRinging))
        assert (await told(page))["kind"] == "handover_ringing"


# Presence -------------------------------------------------------------------------------------------


async def test_a_desk_is_open_as_long_as_a_page_is(live: Live) -> None:
    control = Orders()
    keeper = DeskKeeper(live, control, look_s=30.0)
    with live.of_account(ANNA):
        with live.of_account(ANNA):
            await keeper.look()
        await keeper.look()
    await keeper.look()
    await keeper.look()
    said = [params["desk"] for do, params in control.taken if do == "presence"]
    assert said == [True, True, False]


async def test_a_board_that_is_away_stops_nothing(live: Live) -> None:
    control = Orders()
    control.answers["presence"] = Unavailable("no Redis")
    keeper = DeskKeeper(live, control, look_s=30.0)
    with live.of_account(ANNA):
        await keeper.look()
        await keeper.look()
    assert len(control.taken) == 2
