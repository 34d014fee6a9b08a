"""Handovers on virtual time, an edge a test: whoever is rung takes the caller, or does not."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.endings import Disposition, EndCause, EndKind
from bot.core.events import (
    CaseOpened,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverPassed,
    HandoverRinging,
    HandoverStarted,
)
from telephony.tones import tone
from tests.call.fakes import FAREWELL, HOLD, WORDS
from tests.call.handover_scene import NOBODY, ORDER, Scene, accepts, talk

# Whoever takes it ---------------------------------------------------------------------------------------


def test_accepted() -> None:
    scene = Scene("anna")
    assert scene.play(accepts("anna")) is Disposition.TRANSFERRED
    assert scene.said() == [ORDER.text, ORDER.whisper, WORDS.accept, FAREWELL]
    (accepted,) = scene.of(HandoverAccepted)
    assert (accepted.agent_id, accepted.by) == ("anna", "key")
    (ended,) = scene.of(HandoverEnded)
    assert (ended.by, ended.agent_id) == ("agent", "anna")
    assert ended.talk_s == pytest.approx(3.0, abs=0.1)
    assert not scene.of(CaseOpened)
    kinds = [kind for kind in scene.bench.sink.kinds() if kind.startswith("handover")]
    assert kinds == [f"handover_{step}" for step in (
        "started", "routed", "ringing", "accepted", "connected", "ended",
    )]  # fmt: skip


def test_the_telephone_rings_while_the_announcement_is_still_being_said() -> None:
    scene = Scene("anna")
    scene.play(accepts("anna"))
    started, ringing = scene.of(HandoverStarted)[0], scene.of(HandoverRinging)[0]
    assert (ringing.at - started.at).total_seconds() < 0.1


def test_accepted_by_voice() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        await scene.until(lambda: scene.bench.sink.kinds().count("prompt_ended") >= 3)
        await scene.speak(scene.phones["anna"], "да принимаю")
        await scene.until(lambda: scene.of(HandoverConnected))
        scene.caller.remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    assert scene.of(HandoverAccepted)[0].by == "voice"
    assert scene.of(HandoverEnded)[0].by == "caller"


def test_a_greeting_that_begins_with_yes_is_no_acceptance() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await asyncio.sleep(1.05)
        await scene.speak(scene.phones["anna"], "да слушаю")
        await scene.asked(3)
        assert not scene.of(HandoverAccepted)

    scene.play(act)
    scene.owed("undecided")


@pytest.mark.parametrize("words", ["да", "нет"])
def test_what_an_agent_says_before_he_is_asked_decides_nothing(words: str) -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.until(lambda: "недоволен" in scene.said())
        scene.bench.words.coming.append(words)
        scene.phones["anna"].say(tone(0.2, scene.phones["anna"].rate))
        await scene.asked()
        await asyncio.sleep(1.5)
        scene.bench.words.coming.clear()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        scene.caller.remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    assert scene.said().count(WORDS.accept) == 1
    assert scene.of(HandoverAccepted)[0].by == "key"


def test_accepted_by_button_before_he_picks_up() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverRinging))
        scene.session.agent_decides("anna", True)
        await scene.until(lambda: scene.of(HandoverConnected))
        await talk(scene, "anna")
        scene.phones["anna"].remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    assert scene.of(HandoverAccepted)[0].by == "button"


def test_whoever_takes_calls_in_the_browser_has_decided_there() -> None:
    scene = Scene("olga")
    scene.prefix, scene.suffix = "desk:", ""

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverConnected))
        await talk(scene, "olga")
        scene.phones["olga"].remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    assert scene.of(HandoverAccepted)[0].by == "button"
    assert WORDS.accept not in scene.said()


# Whoever does not ---------------------------------------------------------------------------------------


def test_declined_key_and_the_next_one_takes_it() -> None:
    scene = Scene("anna", "boris")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("2")
        await scene.asked(2)
        scene.phones["boris"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        scene.caller.remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    (passed,) = scene.of(HandoverPassed)
    assert (passed.agent_id, passed.reason) == ("anna", "declined")
    assert scene.of(HandoverConnected)[0].agent_id == "boris"


def test_declined_voice() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        await scene.until(lambda: scene.bench.sink.kinds().count("prompt_ended") >= 3)
        await scene.speak(scene.phones["anna"], "нет не могу")

    assert scene.play(act) is Disposition.CALLBACK
    scene.owed("declined")


@pytest.mark.parametrize("picked_up", [False, True])
def test_declined_button(picked_up: bool) -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverRinging))
        if picked_up:
            await scene.asked()
        scene.session.agent_decides("anna", False)

    assert scene.play(act) is Disposition.CALLBACK
    scene.owed("declined")
    assert scene.bench.phones.cancelled == ([] if picked_up else ["sip:anna@test.invalid"])


def test_no_answer() -> None:
    scene = Scene("anna", handover_ring_s=20.0)
    scene.picks_up = False
    assert scene.play() is Disposition.CALLBACK
    scene.owed("no_answer")
    assert scene.said() == [ORDER.text, HOLD, WORDS.cancel, NOBODY]
    assert scene.phones["anna"].ended.result().kind is EndKind.NO_ANSWER


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (EndCause(EndKind.BUSY, 486), "busy"),
        (EndCause(EndKind.DECLINED, 603), "declined"),
        (EndCause(EndKind.NOT_FOUND, 404), "unreachable"),
        (EndCause(EndKind.UNREACHABLE), "unreachable"),
    ],
)
def test_busy_and_agent_unreachable(cause: EndCause, reason: str) -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        scene.phones["anna"].remote_refuse(cause)

    scene.picks_up = False
    assert scene.play(act) is Disposition.CALLBACK
    scene.owed(reason)


def test_voicemail_is_let_go_and_never_joined() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverRinging))
        await asyncio.sleep(1.2)
        mailbox = scene.phones["anna"]
        scene.bench.words.partial = "оставьте сообщение после сигнала"
        mailbox.say(tone(4.0, 8000))
        await mailbox.said()

    assert scene.play(act) is Disposition.CALLBACK
    scene.owed("voicemail")
    assert not scene.of(HandoverAccepted)


def test_agent_drops_in_whisper() -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].remote_hang_up()

    assert scene.play(act) is Disposition.CALLBACK
    scene.owed("agent_left")
