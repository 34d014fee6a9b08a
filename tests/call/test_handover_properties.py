"""Whatever people do and when: a handover ends, no two phones ring, and nobody is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.call.session import CallSession
from bot.core.endings import EndCause, EndKind
from bot.core.errors import BadInput, TransferFailed
from bot.core.events import (
    CallEnded,
    CaseOpened,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverRinging,
    HandoverStarted,
)
from bot.core.routing import HandoverForm
from telephony.leg import CallLeg, TransferOutcome
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import Bench
from tests.call.handover_scene import DEAD_AIR_S, Scene

NAMES = ("anna", "boris", "vera")

_people = st.sampled_from(NAMES)
_doings = st.one_of(
    st.tuples(st.just("press"), _people, st.sampled_from("1123")),
    st.tuples(st.just("agent_leaves"), _people, st.booleans()),
    st.tuples(st.just("answers"), _people, st.none()),
    st.tuples(st.just("refuses"), _people, st.sampled_from([EndKind.BUSY, EndKind.DECLINED])),
    st.tuples(st.just("button"), _people, st.booleans()),
    st.tuples(st.just("hold"), st.none(), st.none()),
    st.tuples(st.just("unhold"), st.none(), st.none()),
    st.tuples(st.just("pass_on"), _people, st.none()),
    st.tuples(st.just("hang_up"), st.sampled_from(["agent", "caller"]), st.none()),
    st.tuples(st.just("caller_presses"), st.none(), st.sampled_from("12225")),
    st.tuples(st.just("caller_leaves"), st.none(), st.none()),
    st.tuples(st.just("node_stops"), st.none(), st.none()),
)
_course = st.lists(st.tuples(st.sampled_from([0.0, 0.4, 1.5, 4.0, 9.0]), _doings), max_size=8)
_outcomes: st.SearchStrategy[Any] = st.sampled_from(
    [
        TransferOutcome.DONE,
        TransferOutcome.UNKNOWN,
        TransferFailed("no", status=603),
        TransferFailed("silent"),
    ]
)


class Telephones:
    """Counts what rings at this moment."""

    def __init__(self, bench: Bench) -> None:
        self._dial = bench.phones.dial
        self.ringing = self.most = 0

    async def dial(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None
    ) -> CallLeg:
        self.ringing += 1
        self.most = max(self.most, self.ringing)
        try:
            return await self._dial(uri, timeout_s, placed)
        finally:
            self.ringing -= 1


@settings(max_examples=250, deadline=None)
@given(
    form=st.sampled_from(["bridge", "bridge", "attended", "blind"]),
    people=st.lists(_people, unique=True, max_size=3),
    picks_up=st.booleans(),
    taken=st.sets(_people),
    outcome=_outcomes,
    course=_course,
)
def test_whatever_happens(
    form: HandoverForm,
    people: list[str],
    picks_up: bool,
    taken: set[str],
    outcome: TransferOutcome | TransferFailed,
    course: list[tuple[float, tuple[str, Any, Any]]],
) -> None:
    scene = Scene(*people, handover_form=form, handover_ring_s=12.0)
    scene.picks_up = picks_up
    for name in taken:
        scene.bench.desk.claims[name] = {"another"}

    async def call() -> Telephones:
        caller = scene.caller = ScriptedLeg()
        caller.transfer_result = caller.attended_result = outcome
        for name in people:
            scene.add(name)
        phones = Telephones(scene.bench)
        room = replace(scene.bench.room(), dial=phones.dial)
        scene.session = CallSession(scene.bench.plan(), room)
        task = asyncio.create_task(scene.session.inbound(caller))
        for delay, doing in course:
            await asyncio.sleep(delay)
            await do(scene, *doing)
        await asyncio.wait({task}, timeout=300.0)
        caller.remote_hang_up()  # people talk as long as they like, but not for ever
        async with asyncio.timeout(60.0):
            await task
        return phones

    phones = run(call())
    assert phones.most <= 1, "two phones never ring for one caller"
    assert phones.ringing == 0
    claims = scene.bench.desk.claims
    assert not any("call-1" in calls for calls in claims.values()), "every place was given back"
    rung = {event.agent_id for event in scene.of(HandoverRinging)}
    assert not rung & taken, "nobody is rung whose last place is another call's"
    joined, owed = scene.of(HandoverConnected), scene.of(CaseOpened)
    if scene.of(HandoverStarted):
        assert joined or owed, "connected, or owed a call"
    if form == "bridge":
        assert len(scene.of(HandoverEnded)) == len(joined) <= len(scene.of(HandoverAccepted))
    assert all(case.owner_id == "chief" and case.due_at for case in owed)
    assert scene.bench.sink.kinds().count("call_ended") == len(scene.of(CallEnded)) == 1
    assert max(scene.silences(), default=0.0) < DEAD_AIR_S


async def do(scene: Scene, what: str, whom: Any, how: Any) -> None:
    leg = scene.phones.get(whom)
    try:
        match what:
            case "press" if leg is not None:
                leg.press(how)
            case "agent_leaves" if leg is not None and not leg.ended.done():
                leg.remote_hang_up() if how else leg.fail(EndCause(EndKind.MEDIA_LOST))
            case "answers" if leg is not None:
                leg.remote_answer()
            case "refuses" if leg is not None:
                leg.remote_refuse(EndCause(how, 486))
            case "button":
                scene.session.agent_decides(whom, how)
            case "hold":
                scene.session.hold()
            case "unhold":
                scene.session.unhold()
            case "pass_on":
                scene.session.pass_on(whom)
            case "hang_up":
                await scene.session.hang_up(whom)
            case "caller_presses":
                scene.caller.press(how)
            case "caller_leaves":
                scene.caller.remote_hang_up()
            case "node_stops":
                scene.session.interrupt()
    except BadInput:
        pass  # it was not the time for it, and nothing came of it
