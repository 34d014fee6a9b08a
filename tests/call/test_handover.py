"""Handovers on virtual time, an edge a test: what the caller hears, what is written, who is rung."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from bot.call.session import CallSession
from bot.core.directives import Callback, End, Transfer
from bot.core.endings import Disposition, EndCause, EndKind
from bot.core.errors import BadInput, TransferFailed
from bot.core.events import (
    CallbackPromised,
    CaseOpened,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    HandoverRouted,
    HandoverStarted,
    PromptStarted,
)
from bot.core.returning import OpenMatter
from bot.core.routing import DESK, PassedOver, RouteStep, Skipped
from telephony.leg import TransferOutcome
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from telephony.virtual_time import run
from tests.call.fakes import DUE_AT, FAREWELL, HOLD, SORRY, WORDS, Bench

E = TypeVar("E")

ORDER = Transfer(target="responsible", reason="low_score", text="сейчас соединю", whisper="недоволен")
NOBODY = "все заняты"
FAILED = (Callback(by="agent"), End(disposition=Disposition.CALLBACK, text=NOBODY))
DEAD_AIR_S = 2.0


class Scene:
    """One caller, the agents of a route, and a survey that says `ORDER`."""

    def __init__(self, *agents: str, **settings: Any) -> None:
        self.bench = Bench()
        self.bench.settings = replace(self.bench.settings, **settings)
        self.bench.dialogue.replies.extend([(ORDER,), FAILED])
        self.bench.phones.ringing_s = 1.0
        self.caller: ScriptedLeg
        self.session: CallSession
        self.phones: dict[str, ScriptedLeg] = {}
        self.names = agents
        self.prefix, self.suffix = "sip:", "@test.invalid"
        self.picks_up = True

    def play(self, *acts: Callable[[Scene], Coroutine[Any, Any, None]]) -> Disposition:
        """The call to its end, with what the people do beside it; then nothing may be left over."""

        async def call() -> Disposition:
            self.caller = ScriptedLeg()
            for name in self.names:
                self.add(name)
            self.session = CallSession(self.bench.plan(), self.bench.room())
            task = asyncio.create_task(self.session.inbound(self.caller))
            doing = [asyncio.create_task(act(self)) for act in acts]
            disposition = await task
            for act in doing:
                act.cancel()
            for outcome in await asyncio.gather(*doing, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            return disposition

        disposition = run(call())
        assert self.bench.desk.taken == 0, "every place was given back"
        stopped = self.bench.phones.cancelled
        assert all(
            leg.ended.done() or f"sip:{name}@test.invalid" in stopped
            for name, leg in self.phones.items()
            if self.rang(name) and not self.caller.transfers
        ), "no phone rings for nobody"
        assert max(self.silences(), default=0.0) < DEAD_AIR_S
        return disposition

    def add(self, name: str) -> None:
        address = f"{self.prefix}{name}{self.suffix}"
        self.phones[name] = ScriptedLeg(direction="outbound", answered=self.picks_up)
        self.bench.desk.person("responsible", name, address)
        rung_at = f"{address}@call-1" if address.startswith(DESK) else address
        self.bench.phones.legs[rung_at] = self.phones[name]

    def of(self, kind: type[E]) -> list[E]:
        return self.bench.sink.of(kind)

    def rang(self, name: str) -> int:
        return sum(event.agent_id == name for event in self.of(HandoverRinging))

    def said(self) -> list[str]:
        return [event.text for event in self.of(PromptStarted)]

    async def until(self, holds: Callable[[], object]) -> None:
        await self.bench.sink.until(holds)

    async def asked(self, times: int = 1) -> None:
        """Until an agent is being asked for his word for the n-th time."""
        await self.until(lambda: self.said().count(WORDS.accept) >= times)

    async def speak(self, leg: ScriptedLeg, words: str) -> None:
        self.bench.words.coming.append(words)
        leg.say(tone(0.6, leg.rate))
        await leg.said()

    def silences(self) -> list[float]:
        """Seconds between the sounds that the caller heard; a talk is no silence."""
        spans = [(at, at + pcm.seconds) for at, pcm in self.caller.played]
        talks = [frame.at for frame in self.caller.relayed]
        return [
            later[0] - earlier[1]
            for earlier, later in pairwise(spans)
            if not any(earlier[1] <= at for at in talks)
        ]

    def owed(self, reason: str) -> None:
        """A case with an owner and a deadline, and the caller was told where he was still there."""
        (promised,), (case,) = self.of(CallbackPromised), self.of(CaseOpened)
        for owed in (promised, case):
            assert (owed.reason, owed.owner_id, owed.due_at) == (reason, "chief", DUE_AT)
        assert case.callback


def accepts(name: str, key: str = "1") -> Callable[[Scene], Coroutine[Any, Any, None]]:
    """An agent who presses a key when asked, talks a while, and hangs up."""

    async def act(scene: Scene) -> None:
        await scene.asked()
        await asyncio.sleep(0.5)
        scene.phones[name].press(key)
        await scene.until(lambda: scene.of(HandoverConnected))
        await talk(scene, name)
        scene.phones[name].remote_hang_up()

    return act


async def talk(scene: Scene, name: str, seconds: float = 3.0) -> None:
    agent = scene.phones[name]
    before = len(scene.caller.relayed), len(agent.relayed)
    scene.caller.say(tone(seconds, 8000))
    agent.say(tone(seconds, 8000))
    await agent.said()
    assert any(any(frame.data) for frame in scene.caller.relayed[before[0] :])
    assert any(any(frame.data) for frame in agent.relayed[before[1] :])


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


# The caller ---------------------------------------------------------------------------------------------


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


# By REFER -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "reason", "ringing"),
    [
        (TransferFailed("refused", status=603), "refused", 2),
        (TransferFailed("busy", status=486), "busy", 2),
        (TransferFailed("silent"), "unknown", 1),
        (TransferOutcome.UNKNOWN, "unknown", 1),
    ],
    ids=["refer_refused", "refer_failed_late", "refer_202_silent", "refer_202_bye"],
)
def test_blind_comes_to_nothing(outcome: TransferOutcome | TransferFailed, reason: str, ringing: int) -> None:
    """What is known to have failed may be tried with the next one; what is not is never tried again."""
    scene = Scene("anna", "boris", handover_form="blind")

    async def act(scene: Scene) -> None:
        scene.caller.transfer_result = outcome

    assert scene.play(act) is Disposition.CALLBACK
    assert len(scene.caller.transfers) == ringing
    scene.owed(reason)


def test_blind_accepted() -> None:
    scene = Scene("anna", handover_form="blind")
    assert scene.play() is Disposition.TRANSFERRED
    assert scene.caller.transfers == ["sip:anna@test.invalid"]
    assert scene.of(HandoverConnected)[0].agent_id == "anna"


@pytest.mark.parametrize(
    ("outcome", "disposition"),
    [
        (TransferOutcome.DONE, Disposition.TRANSFERRED),
        (TransferOutcome.UNKNOWN, Disposition.CALLBACK),
        (TransferFailed("refused", status=603), Disposition.TRANSFERRED),
        (TransferFailed("silent"), Disposition.TRANSFERRED),
    ],
    ids=["accepted", "refer_202_bye", "refer_refused", "refer_202_silent"],
)
def test_attended(outcome: TransferOutcome | TransferFailed, disposition: Disposition) -> None:
    """Both lines stay with us where it is refused, or nobody tells: then they are bridged."""
    scene = Scene("anna", handover_form="attended")

    async def act(scene: Scene) -> None:
        scene.caller.attended_result = outcome
        await scene.asked()
        scene.phones["anna"].press("1")
        if isinstance(outcome, TransferFailed):
            await scene.until(lambda: scene.of(HandoverConnected))
            await talk(scene, "anna")
            scene.caller.remote_hang_up()

    assert scene.play(act) is disposition
    assert scene.caller.attended == [scene.phones["anna"]]
    if disposition is Disposition.CALLBACK:
        scene.owed("unknown")
    else:
        assert bool(scene.of(HandoverEnded)) is isinstance(outcome, TransferFailed), "bridged where refused"


# Nobody -------------------------------------------------------------------------------------------------


def test_two_agents_claim_and_exactly_one_call_gets_him() -> None:
    """The last place of an agent is another call's: this one goes on to the next, or is owed a call."""
    scene = Scene("anna")
    scene.bench.desk.claims["anna"] = {"another"}

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverFailed))
        assert scene.bench.desk.claims == {"anna": {"another"}}, "not ours to give back"
        scene.bench.desk.claims.clear()

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.rang("anna") == 0
    scene.owed("at_limit")


@pytest.mark.parametrize("why", [PassedOver.OFF_SHIFT, PassedOver.AT_LIMIT])
def test_nobody_on_shift_and_all_at_limit(why: PassedOver) -> None:
    scene = Scene()
    scene.bench.desk.skipped = (Skipped(agent_id="anna", step=RouteStep.OWNER, why=why),)
    assert scene.play() is Disposition.CALLBACK
    scene.owed("nobody")
    assert scene.of(HandoverRouted)[0].route.skipped[0].why is why
    assert scene.said() == [ORDER.text, NOBODY], "he was told that he would be connected, to the end"


def test_an_unknown_target_rings_nobody() -> None:
    scene = Scene()
    scene.play()
    scene.owed("no_target")


def test_without_control_there_is_a_deadline_all_the_same() -> None:
    scene = Scene("anna")
    scene.bench.desk.down = True
    assert scene.play() is Disposition.CALLBACK
    (case,) = scene.of(CaseOpened)
    assert (case.reason, case.owner_id) == ("unavailable", "")
    assert case.due_at is not None
    assert case.due_at > case.at


@pytest.mark.parametrize("moment", ["ringing", "asked", "talking"])
def test_node_drained(moment: str) -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        if moment == "ringing":
            await scene.until(lambda: scene.of(HandoverRinging))
            await asyncio.sleep(0.5)
        else:
            await scene.asked()
        if moment == "talking":
            scene.phones["anna"].press("1")
            await scene.until(lambda: scene.of(HandoverConnected))
            await asyncio.sleep(3.0)
        scene.session.interrupt()

    disposition = scene.play(act)
    assert disposition is (Disposition.TRANSFERRED if moment == "talking" else Disposition.CALLBACK)
    assert scene.said()[-1] == SORRY
    scene.owed("node_stopped")
    if moment == "talking":
        assert scene.of(HandoverEnded)[0].by == "bot"


# In a talk ----------------------------------------------------------------------------------------------


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
