"""Handovers on virtual time: what can be done in a talk, and what becomes of one that breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from bot.core.endings import Disposition, EndCause, EndKind
from bot.core.errors import BadInput
from bot.core.events import (
    CaseOpened,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
)
from tests.call.fakes import WORDS
from tests.call.handover_scene import Scene, talk


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


@pytest.mark.parametrize("talk_s", [0.5, 5.0])
def test_agent_drops_in_talk(talk_s: float) -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        await asyncio.sleep(talk_s)
        if talk_s > 2:
            scene.phones["anna"].fail(EndCause(EndKind.MEDIA_LOST))
        else:
            scene.phones["anna"].remote_hang_up()

    assert scene.play(act) is Disposition.CALLBACK
    scene.owed("dropped")
    assert scene.said()[-1] == WORDS.dropped
    assert not scene.of(HandoverFailed), "they had been joined"
