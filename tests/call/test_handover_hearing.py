"""A bridged talk on tape and in words: only where it may be, and the agent knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.audio import Frame, Pcm
from bot.core.directives import Say
from bot.core.endings import Disposition
from bot.core.events import HandoverConnected, PromptStarted, RecordingStopped, TalkHeard
from telephony.leg import TransferOutcome
from telephony.tones import tone
from tests.call.fakes import RECORDED
from tests.call.handover_scene import ORDER, Scene, accepts

CONSENT = Say(text="разговор могут записать", purpose="consent", protected=True)


class Reel:
    """A recording in memory: which seconds of either channel sound, by media time."""

    rate = 8000
    failure = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left: list[float] = []
        self.right: list[float] = []

    def write_caller(self, frame: Frame) -> None:
        if any(frame.data):
            self.left.append(frame.at)

    def write_bot(self, pcm: Pcm, at: float) -> None:
        if any(pcm.data):
            self.right.append(at)

    async def close(self) -> float:
        return 1.0


class Taped(Scene):
    """A scene whose survey asks for the consent, and records."""

    def __init__(self, *agents: str, record: bool = True, consent: bool = True) -> None:
        super().__init__(*agents)
        replies = self.bench.dialogue.replies
        first = replies.popleft()
        assert isinstance(first, tuple)
        replies.appendleft((CONSENT, *first) if consent else first)
        plan = self.bench.plan(record=record)
        self.bench.plan = lambda: plan  # type: ignore[method-assign,assignment]
        self.reels: list[Reel] = []

        async def open_recording(call_id: str, rate: int) -> Reel:
            self.reels.append(Reel(Path(f"{call_id}.wav")))
            return self.reels[-1]

        self.bench.open_recording = open_recording


async def both_speak(scene: Scene) -> None:
    await scene.asked()
    scene.phones["anna"].press("1")
    await scene.until(lambda: scene.of(HandoverConnected))
    await asyncio.sleep(0.2)
    await scene.speak(scene.caller, "почему так долго")
    await asyncio.sleep(1.5)
    await scene.speak(scene.phones["anna"], "сейчас [unk]")
    await asyncio.sleep(1.5)
    scene.caller.remote_hang_up()


def test_both_sides_are_taped_and_written_down_on_one_time() -> None:
    scene = Taped("anna")
    assert scene.play(both_speak) is Disposition.TRANSFERRED
    caller, agent = scene.of(TalkHeard)
    assert (caller.side, caller.text, caller.unknown_share) == ("caller", "почему так долго", 0.0)
    assert (agent.side, agent.text, agent.unknown_share) == ("agent", "сейчас [unk]", 0.5)
    assert agent.started_s - caller.ended_s == pytest.approx(1.5, abs=0.1)
    (stopped,) = scene.of(RecordingStopped)
    assert stopped.reason == "end"
    (reel,) = scene.reels
    assert reel.left[0] == pytest.approx(caller.started_s, abs=0.3), "his own place"
    in_talk = [at for at in reel.right if at > caller.ended_s]
    assert in_talk[0] == pytest.approx(agent.ended_s - 0.6, abs=0.05), "and the agent's beside it"


def test_the_agent_is_told_that_he_is_recorded() -> None:
    scene = Taped("anna")
    scene.play(accepts("anna"))
    said = scene.said()
    assert said.index(ORDER.whisper) < said.index(RECORDED)


def test_an_agent_who_accepts_before_he_heard_it_hears_it_before_he_is_joined() -> None:
    scene = Taped("anna")

    async def act(scene: Scene) -> None:
        await scene.until(lambda: ORDER.whisper in scene.said())
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        await asyncio.sleep(3.0)
        scene.caller.remote_hang_up()

    scene.play(act)
    kinds = scene.bench.sink.kinds()
    at = scene.bench.sink.events.index
    (told,) = [event for event in scene.of(PromptStarted) if event.text == RECORDED]
    assert kinds.index("handover_accepted") < at(told) < kinds.index("handover_connected")


@pytest.mark.parametrize(("record", "consent"), [(False, True), (True, False)])
def test_without_record_or_consent_there_is_neither_tape_nor_transcript(record: bool, consent: bool) -> None:
    scene = Taped("anna", record=record, consent=consent)
    scene.play(both_speak)
    assert not scene.of(TalkHeard)
    assert not scene.reels
    assert RECORDED not in scene.said()


def test_what_is_said_on_hold_is_in_no_transcript() -> None:
    scene = Taped("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        scene.session.hold()
        await asyncio.sleep(0.5)
        await scene.speak(scene.phones["anna"], "это не для клиента")
        await asyncio.sleep(2.0)
        scene.session.unhold()
        scene.bench.words.coming.clear()
        await asyncio.sleep(0.5)
        await scene.speak(scene.caller, "алло")
        await asyncio.sleep(2.0)
        scene.caller.remote_hang_up()

    scene.play(act)
    assert [heard.text for heard in scene.of(TalkHeard)] == ["алло"]


def test_nothing_is_recorded_after_a_refer() -> None:
    scene = Taped("anna")
    scene.bench.settings = replace(scene.bench.settings, handover_form="blind")

    async def act(scene: Scene) -> None:
        scene.caller.transfer_result = TransferOutcome.DONE

    assert scene.play(act) is Disposition.TRANSFERRED
    (stopped,) = scene.of(RecordingStopped)
    assert stopped.reason == "handover"


def test_a_recogniser_that_dies_takes_only_the_transcript_with_it() -> None:
    scene = Taped("anna")

    async def act(scene: Scene) -> None:
        await scene.asked()
        scene.phones["anna"].press("1")
        await scene.until(lambda: scene.of(HandoverConnected))
        scene.bench.words.dead = True
        await scene.speak(scene.caller, "почему")
        await asyncio.sleep(2.0)
        scene.phones["anna"].say(tone(1.0, 8000))
        await scene.phones["anna"].said()
        scene.caller.remote_hang_up()

    assert scene.play(act) is Disposition.TRANSFERRED
    assert not scene.of(TalkHeard)
    assert any(any(frame.data) for frame in scene.caller.relayed)
