"""Handovers on virtual time: what can be done in a talk, and what becomes of one that breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from bot.call.joining import REJOINS
from bot.core.endings import Disposition, EndCause, EndKind
from bot.core.errors import BadInput
from bot.core.events import (
    CaseOpened,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HoldEnded,
    HoldStarted,
    OfferDecided,
)
from tests.call.fakes import DUE_AT, FAREWELL, SORRY, WORDS
from tests.call.handover_scene import NOBODY, Scene, talk


def joined(then: Callable[[Scene], Awaitable[None]]) -> Callable[[Scene], Coroutine[Any, Any, None]]:
    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        await asyncio.sleep(0.1)
        await then(scene)

    return act


def test_a_caller_who_is_held_hears_music_and_comes_back() -> None:
    scene = Scene("anna")

    async def then(scene: Scene) -> None:
        before = len(scene.caller.played)
        scene.session.hold()
        await asyncio.sleep(20.0)
        assert len(scene.caller.played) > before + 10, "music"
        assert WORDS.cancel not in scene.said(), "that one is for who waits to be joined"
        scene.session.unhold()
        await asyncio.sleep(0.1)
        await talk(scene, "anna")
        scene.caller.remote_hang_up()

    assert scene.play(joined(then)) is Disposition.TRANSFERRED
    assert len(scene.of(HoldStarted)) == 1
    assert [ended.held_s for ended in scene.of(HoldEnded)] == [pytest.approx(20.0, abs=0.1)]


def test_whoever_hangs_up_on_hold_ends_it() -> None:
    scene = Scene("anna")

    async def then(scene: Scene) -> None:
        scene.session.hold()
        await asyncio.sleep(5.0)
        scene.caller.remote_hang_up()

    scene.play(joined(then))
    (held,), (ended,) = scene.of(HoldEnded), scene.of(HandoverEnded)
    assert held.seq < ended.seq
    assert held.held_s == pytest.approx(5.0, abs=0.1)


def test_an_agent_passes_the_caller_on() -> None:
    scene = Scene("anna", "boris")

    async def then(scene: Scene) -> None:
        await talk(scene, "anna")
        scene.session.pass_on("boris")
        await scene.asked(2)
        assert scene.phones["anna"].ended.done()
        assert scene.bench.desk.claims == {"anna": set(), "boris": {"call-1"}}
        scene.phones["boris"].press("1")
        await scene.until(lambda: len(scene.of(HandoverConnected)) == 2)
        await asyncio.sleep(0.1)
        await talk(scene, "boris")
        scene.phones["boris"].remote_hang_up()

    assert scene.play(joined(then)) is Disposition.TRANSFERRED
    assert [ended.agent_id for ended in scene.of(HandoverEnded)] == ["anna", "boris"]
    assert WORDS.passing_on in scene.said()


def test_a_colleague_who_does_not_take_the_caller_leaves_a_case() -> None:
    scene = Scene("anna", "boris")

    async def then(scene: Scene) -> None:
        scene.session.pass_on("boris")
        await scene.asked(2)
        scene.phones["boris"].press("2")

    scene.play(joined(then))
    scene.owed("declined")


@pytest.mark.parametrize("side", ["agent", "caller"])
def test_either_side_is_hung_up_on(side: Any) -> None:
    scene = Scene("anna")

    async def then(scene: Scene) -> None:
        await scene.session.hang_up(side)

    assert scene.play(joined(then)) is Disposition.TRANSFERRED
    assert scene.of(HandoverEnded)[0].by == side
    assert not scene.of(CaseOpened), "who hangs up at his desk has not dropped"


def test_what_is_not_going_on_cannot_be_steered() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverRinging))
        with pytest.raises(BadInput):
            scene.session.hold()
        with pytest.raises(BadInput):
            scene.session.pass_on("boris")
        with pytest.raises(BadInput):
            scene.session.agent_decides("boris", True)
        scene.caller.remote_hang_up()

    scene.play(act)


# A talk that breaks off ---------------------------------------------------------------------------------


def drops(
    *caller: Callable[[Scene], Awaitable[None]], talk_s: float = 5.0
) -> Callable[[Scene], Coroutine[Any, Any, None]]:
    """Anna takes the caller and is lost; once he is asked, for the n-th time, the caller does the n-th."""

    async def act(scene: Scene) -> None:
        for times, answer in enumerate(caller, start=1):
            await scene.asked(times)
            scene.phones["anna"].press("1")
            await scene.until(lambda times=times: len(scene.of(HandoverConnected)) == times)
            await asyncio.sleep(talk_s)
            if talk_s > 2:
                scene.phones["anna"].fail(EndCause(EndKind.MEDIA_LOST))
            else:
                scene.phones["anna"].remote_hang_up()
            await scene.until(lambda times=times: scene.said().count(WORDS.rejoin) == times)
            await asyncio.sleep(0.5)
            await answer(scene)

    return act


async def agrees(scene: Scene) -> None:
    scene.line("anna")  # she can be rung again
    scene.caller.press("1")


async def refuses(scene: Scene) -> None:
    scene.caller.press("2")


async def says_nothing(scene: Scene) -> None:
    await scene.until(lambda: WORDS.join_reask in scene.said())


async def leaves(scene: Scene) -> None:
    scene.caller.remote_hang_up()


@pytest.mark.parametrize("talk_s", [0.5, 5.0])
@pytest.mark.parametrize("answer", [refuses, says_nothing, leaves])
def test_agent_drops_in_talk(answer: Callable[[Scene], Awaitable[None]], talk_s: float) -> None:
    scene = Scene("anna", "boris")
    assert scene.play(drops(answer, talk_s=talk_s)) is Disposition.CALLBACK
    scene.owed("dropped")
    last = WORDS.rejoin if answer is leaves else WORDS.promise
    assert scene.said()[-1] == last
    assert not scene.of(HandoverFailed), "they had been joined"
    assert [decided.accepted for decided in scene.of(OfferDecided)] == ([] if answer is leaves else [False])
    assert scene.rang("boris") == 0


def test_what_was_said_to_the_agent_does_not_answer_whether_to_go_on() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        await asyncio.sleep(3.0)
        await scene.speak(scene.caller, "нет так не договаривались")
        await asyncio.sleep(0.5)
        scene.phones["anna"].fail(EndCause(EndKind.MEDIA_LOST))
        await scene.until(lambda: WORDS.rejoin in scene.said())
        await asyncio.sleep(1.5)
        await agrees(scene)
        await scene.asked(2)
        scene.phones["anna"].press("1")
        await scene.until(lambda: len(scene.of(HandoverConnected)) == 2)
        await talk(scene, "anna")
        scene.phones["anna"].remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    assert [decided.accepted for decided in scene.of(OfferDecided)] == [True]


def test_whoever_was_cut_off_goes_back_to_the_same_agent() -> None:
    """Anna is the last of the route, and the first to be rung again."""
    scene = Scene("boris", "anna")

    async def boris_declines(scene: Scene) -> None:
        await scene.asked()
        scene.phones["boris"].press("2")

    async def anna(scene: Scene) -> None:
        await scene.asked(2)
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        await asyncio.sleep(4.0)
        scene.phones["anna"].fail(EndCause(EndKind.MEDIA_LOST))
        await scene.until(lambda: WORDS.rejoin in scene.said())
        await agrees(scene)
        await scene.asked(3)
        scene.phones["anna"].press("1")
        await scene.until(lambda: len(scene.of(HandoverConnected)) == 2)
        await talk(scene, "anna")
        scene.phones["anna"].remote_hang_up()

    assert scene.play(boris_declines, anna) is Disposition.TRANSFERRED
    assert [event.agent_id for event in scene.of(HandoverRinging)] == ["boris", "anna", "anna"]
    assert [order.target for order in scene.bench.desk.orders] == ["responsible", "anna"]
    assert f"{WORDS.rejoined} недоволен" in scene.said(), "she is told who waits"
    assert not scene.of(CaseOpened), "they have talked"
    assert scene.said()[-1] == FAREWELL


def test_where_the_same_agent_is_gone_the_others_are_rung() -> None:
    scene = Scene("anna", "boris")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        await asyncio.sleep(4.0)
        scene.phones["anna"].fail(EndCause(EndKind.MEDIA_LOST))  # and she stays away
        await scene.until(lambda: WORDS.rejoin in scene.said())
        scene.caller.press("1")
        await scene.asked(2)
        scene.phones["boris"].press("1")
        await scene.until(lambda: len(scene.of(HandoverConnected)) == 2)
        await talk(scene, "boris")
        scene.phones["boris"].remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    assert [event.agent_id for event in scene.of(HandoverRinging)] == ["anna", "anna", "boris"]
    assert [order.target for order in scene.bench.desk.orders] == ["responsible", "anna", "responsible"]


def test_where_nobody_is_left_the_survey_says_so() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        await asyncio.sleep(4.0)
        scene.phones["anna"].fail(EndCause(EndKind.MEDIA_LOST))
        await scene.until(lambda: WORDS.rejoin in scene.said())
        scene.caller.press("1")

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.said()[-1] == NOBODY
    assert len(scene.of(HandoverConnected)) == 1
    (case,) = scene.of(CaseOpened)
    assert (case.owner_id, case.due_at) == ("chief", DUE_AT)


def test_whoever_is_lost_again_and_again_is_rung_back() -> None:
    scene = Scene("anna")

    async def lost_for_good(scene: Scene) -> None:
        await agrees(scene)
        await scene.asked(REJOINS + 1)
        scene.phones["anna"].press("1")
        await scene.until(lambda: len(scene.of(HandoverConnected)) == REJOINS + 1)
        await asyncio.sleep(4.0)
        scene.phones["anna"].fail(EndCause(EndKind.MEDIA_LOST))

    assert scene.play(drops(*(agrees,) * (REJOINS - 1), lost_for_good)) is Disposition.CALLBACK
    assert scene.said().count(WORDS.rejoin) == REJOINS
    assert scene.said()[-1] == WORDS.dropped
    scene.owed("dropped")


def test_a_node_that_stops_while_he_is_asked_leaves_a_case() -> None:
    scene = Scene("anna")

    async def stops(scene: Scene) -> None:
        scene.session.interrupt()

    assert scene.play(drops(stops)) is Disposition.CALLBACK
    assert scene.said()[-1] == SORRY
    scene.owed("node_stopped")
