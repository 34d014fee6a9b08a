"""Handovers on virtual time: the caller leaves, changes his mind, comes back."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    CallbackPromised,
    CaseOpened,
    HandoverRinging,
)
from bot.core.returning import OpenMatter
from tests.call.fakes import DUE_AT, WORDS
from tests.call.handover_scene import Scene, accepts


def test_caller_hangs_up_while_ringing() -> None:
    scene = Scene("anna", "boris")
    scene.bench.phones.ringing_s = 40.0

    async def act(scene: Scene) -> None:
        await asyncio.sleep(3.0)
        scene.caller.remote_hang_up()

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.bench.phones.cancelled == ["sip:anna@test.invalid"]
    assert scene.rang("boris") == 0
    scene.owed("caller_left")


def test_caller_hangs_up_in_whisper() -> None:
    scene = Scene("anna", "boris")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.caller.remote_hang_up()

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.phones["anna"].ended.result().kind is EndKind.LOCAL_HANGUP
    assert scene.rang("boris") == 0
    scene.owed("caller_left")


@pytest.mark.parametrize("how", ["key", "не надо", "ой отмена"])
def test_caller_changes_mind(how: str) -> None:
    scene = Scene("anna", "boris")
    scene.bench.phones.ringing_s = 40.0

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverRinging))
        await asyncio.sleep(3.0)
        if how == "key":
            scene.caller.press("2")
        else:
            await scene.speak(scene.caller, how)

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.bench.phones.cancelled == ["sip:anna@test.invalid"]
    assert scene.said()[-1] == WORDS.cancelled
    scene.owed("cancelled")


def test_caller_changes_mind_while_what_he_said_before_is_decoded() -> None:
    scene = Scene("anna", "boris")
    scene.bench.phones.ringing_s = 40.0
    scene.bench.words.finish_s = 1.5

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverRinging))
        await asyncio.sleep(3.0)
        await scene.speak(scene.caller, "подожди минуту")
        await asyncio.sleep(1.8)  # more than ends his turn
        await scene.speak(scene.caller, "не надо")

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.said()[-1] == WORDS.cancelled
    scene.owed("cancelled")


def test_what_a_waiting_caller_says_to_others_changes_nothing() -> None:
    scene = Scene("anna")
    scene.bench.phones.ringing_s = 10.0

    async def act(scene: Scene) -> None:
        await asyncio.sleep(3.0)
        await scene.speak(scene.caller, "нет положи на место")

    assert scene.play(act, accepts("anna")) is Disposition.TRANSFERRED


def returning(scene: Scene, *, phone: str = "sip:+74950000001@test.invalid") -> list[str]:
    asked: list[str] = []

    async def look_up(remote: str) -> OpenMatter | None:
        asked.append(remote)
        return OpenMatter(target="responsible", owner_id="anna", due_at=DUE_AT, whisper="недоволен")

    scene.bench.returning = look_up
    plan = scene.bench.plan(direction="inbound")
    scene.bench.plan = lambda: plan  # type: ignore[method-assign,assignment]
    return asked


def test_caller_returns_and_goes_straight_to_the_same_owner() -> None:
    scene = Scene("anna")
    asked = returning(scene)

    async def act(scene: Scene) -> None:
        await scene.until(lambda: WORDS.returning in scene.said())
        await asyncio.sleep(0.5)
        scene.caller.press("1")

    assert scene.play(act, accepts("anna")) is Disposition.TRANSFERRED
    assert asked == [scene.caller.remote]
    assert scene.said()[:4] == [
        WORDS.returning, WORDS.connecting, f"{WORDS.returned} недоволен", WORDS.accept,
    ]  # fmt: skip
    assert scene.bench.desk.orders[0].target == "anna"
    assert not scene.bench.dialogue.turns, "no survey"


@pytest.mark.parametrize("key", ["2", ""])
def test_caller_returns_and_does_not_want_to_be_connected(key: str) -> None:
    scene = Scene("anna")
    returning(scene)

    async def act(scene: Scene) -> None:
        await scene.until(lambda: WORDS.returning in scene.said())
        scene.caller.press(key)

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.said()[-1] == WORDS.promise
    assert not scene.of(CaseOpened), "his matter has a case already"


def test_what_a_caller_says_before_he_is_known_again_does_not_connect_him() -> None:
    scene = Scene("anna")
    returning(scene)
    look_up = scene.bench.returning

    async def slowly(remote: str) -> OpenMatter | None:
        await asyncio.sleep(0.9)
        return await look_up(remote)

    scene.bench.returning = slowly

    async def act(scene: Scene) -> None:
        await scene.speak(scene.caller, "да здравствуйте")
        await scene.until(lambda: WORDS.returning in scene.said())
        await asyncio.sleep(1.5)
        scene.caller.press("2")

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.said() == [WORDS.returning, WORDS.promise]


def test_caller_returns_and_nobody_is_there() -> None:
    scene = Scene()
    returning(scene)

    async def act(scene: Scene) -> None:
        await scene.until(lambda: WORDS.returning in scene.said())
        scene.caller.press("1")

    assert scene.play(act) is Disposition.CALLBACK
    (promised,) = scene.of(CallbackPromised)
    assert (promised.owner_id, promised.due_at) == ("chief", DUE_AT)
    assert not scene.of(CaseOpened)
