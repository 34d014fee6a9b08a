"""The call's own logic, on virtual time: what is said, heard, written down, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from bot.call.journal import Journal
from bot.call.session import CallSession
from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.audio import Pcm
from bot.core.context import TurnSource
from bot.core.directives import (
    Ask,
    Directive,
    End,
    OpenExpected,
    Record,
    Say,
    ScaleExpected,
)
from bot.core.endings import Disposition, EndCause, EndKind
from bot.core.errors import DialogueUnavailable
from bot.core.events import (
    AnswerRecorded,
    CallEnded,
    CallEvent,
    PromptEnded,
    PromptStarted,
    ReplyMeasured,
    Ringing,
    TurnHeard,
)
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from telephony.virtual_time import run
from tests.call.fakes import FILLER, SORRY, Bench, Sink, Voices
from tests.call.loop_clock import LoopClock

NPS = Ask(question_id="nps", text="от нуля до десяти", expectation=ScaleExpected(low=0, high=10))
OPEN = Ask(question_id="why", text="почему", expectation=OpenExpected())
NINE = Record(
    question_id="nps",
    question_kind="nps",
    answer=Answer(status=AnswerStatus.ANSWERED, value=9, source=AnswerSource.SPEECH),
)
END = End(disposition=Disposition.COMPLETED, text="спасибо")

Caller = Callable[[ScriptedLeg], Awaitable[None]]


def call(bench: Bench, caller: Caller, *replies: tuple[Directive, ...] | Exception) -> Disposition:
    """Run an inbound call with this caller; the dialogue answers with `replies`, one a turn."""

    async def talk() -> Disposition:
        bench.dialogue.replies.extend(replies)
        leg = ScriptedLeg()
        session = asyncio.create_task(CallSession(bench.plan(), bench.room()).inbound(leg))
        await caller(leg)
        return await session

    return run(talk())


async def prompt_ended(bench: Bench, count: int) -> None:
    await bench.sink.until(lambda: len(bench.sink.of(PromptEnded)) >= count)


def said(bench: Bench) -> list[str]:
    return [event.text for event in bench.sink.of(PromptStarted)]


async def say(bench: Bench, leg: ScriptedLeg, words: str, seconds: float = 0.5) -> None:
    bench.words.coming.append(words)
    leg.say(tone(seconds, leg.rate))
    await leg.said()


def test_an_answer_is_durable_before_the_next_sentence() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")

    assert call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    assert bench.dialogue.turns[0].text == "девять"
    kinds = bench.sink.kinds()
    assert kinds[0] == "call_started"
    assert kinds[-1] == "call_ended"
    recorded = kinds.index("answer_recorded")
    assert recorded < kinds.index("prompt_started", recorded)
    assert bench.sink.of(CallEnded)[0].cause is EndKind.LOCAL_HANGUP
    assert [event.seq for event in bench.sink.events] == list(range(len(kinds)))


def test_the_reply_gap_is_measured_from_the_last_voiced_sound() -> None:
    bench = Bench()
    bench.dialogue.slow_s = 0.1

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")

    call(bench, caller, (NPS,), (NINE, END))
    (measured,) = bench.sink.of(ReplyMeasured)
    assert measured.endpointing_ms == pytest.approx(250, abs=25)
    assert measured.dialogue_ms == pytest.approx(100, abs=25)
    assert measured.gap_ms == pytest.approx(350, abs=60)


def test_pauses_within_a_question_are_for_the_synthesiser_alone() -> None:
    """Who reads of the call, and who tells our own words from the caller's, sees none."""
    bench = Bench()
    marked = NPS.model_copy(update={"text": 'от нуля <break time="400ms"/> до десяти'})

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")

    assert call(bench, caller, (marked,), (NINE, END)) is Disposition.COMPLETED
    assert said(bench)[0] == NPS.text
    (question, *_) = bench.sink.of(PromptStarted)
    assert question.duration_s == pytest.approx(0.05 * len(marked.text))  # so long is its sound here


def test_keys_stop_the_question_and_answer_it() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await asyncio.sleep(0.3)
        leg.press("9")

    assert call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    assert bench.dialogue.turns[0].source is TurnSource.DTMF
    assert bench.dialogue.turns[0].digits == "9"
    question = bench.sink.of(PromptEnded)[0]
    assert not question.completed
    assert question.heard_s == pytest.approx(0.3, abs=0.06)


def test_one_waits_for_the_zero_of_ten() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        leg.press("1")
        await asyncio.sleep(1.0)
        leg.press("0")

    call(bench, caller, (NPS,), (NINE, END))
    assert bench.dialogue.turns[0].digits == "10"


def test_a_protected_sentence_is_heard_to_its_end_whatever_is_pressed() -> None:
    bench = Bench()
    consent = Say(text="разговор могут записать", purpose="consent", protected=True)

    async def caller(leg: ScriptedLeg) -> None:
        await asyncio.sleep(0.2)
        leg.press("5")
        await prompt_ended(bench, 2)
        leg.press("9")

    call(bench, caller, (consent, NPS), (NINE, END))
    assert bench.sink.of(PromptEnded)[0].completed
    assert bench.dialogue.turns[0].digits == "9"
    assert "consent_heard" in bench.sink.kinds()


def test_silence_becomes_a_turn_and_is_never_dead() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await leg.ended
        gaps = silences(leg)
        assert max(gaps) < 2.0, gaps

    assert call(bench, caller, (NPS,), (END,)) is Disposition.COMPLETED
    assert bench.dialogue.turns[0].source is TurnSource.SILENCE


def silences(leg: ScriptedLeg) -> list[float]:
    """Seconds between the sounds that the caller heard."""
    spans = [(at, at + pcm.seconds) for at, pcm in leg.played]
    return [later[0] - earlier[1] for earlier, later in pairwise(spans)]


def test_a_slow_dialogue_is_bridged_by_fillers() -> None:
    bench = Bench()
    bench.dialogue.slow_s = 3.0

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 4)
        bench.dialogue.slow_s = 0.0
        leg.press("9")
        await leg.ended
        assert max(silences(leg)) < 2.0

    assert call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    assert FILLER in said(bench)


@pytest.mark.parametrize("answered", [0, 1])
def test_a_dead_dialogue_ends_with_an_apology_and_keeps_the_answers(answered: int) -> None:
    bench = Bench()
    dead = DialogueUnavailable("rasa is gone")

    async def caller(leg: ScriptedLeg) -> None:
        for _ in range(answered + 1):
            count = len(bench.sink.of(PromptEnded))
            await prompt_ended(bench, count + 1)
            leg.press("9#")

    replies = [(NPS,), *[(NINE, NPS)] * answered, dead]
    expected = Disposition.PARTIAL if answered else Disposition.INTERRUPTED
    assert call(bench, caller, *replies) is expected
    assert said(bench)[-1] == SORRY
    assert len(bench.sink.of(AnswerRecorded)) == answered


def test_a_full_disk_is_told_to_the_caller() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        bench.sink.full = True
        leg.press("9")
        await leg.ended
        apology, breath = (played for _, played in leg.played[-2:])
        assert apology.seconds == pytest.approx(0.05 * len(SORRY), abs=0.03)
        assert breath.seconds == pytest.approx(0.2, abs=0.03), "the far end still has the last word to play"
        assert not any(breath.data)

    with pytest.raises(Exception, match="no space left"):
        call(bench, caller, (NPS,), (NINE, END))


def test_words_spoken_just_before_the_hang_up_still_count() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")
        leg.remote_hang_up()

    assert call(bench, caller, (NPS,), (NINE, OPEN)) is Disposition.PARTIAL
    assert len(bench.sink.of(AnswerRecorded)) == 1
    assert bench.sink.of(CallEnded)[0].cause is EndKind.REMOTE_HANGUP


def test_a_caller_who_leaves_before_any_answer_hung_up() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await asyncio.sleep(0.3)
        leg.remote_hang_up()

    assert call(bench, caller, (NPS,)) is Disposition.HUNG_UP
    assert not bench.sink.of(TurnHeard)


def test_a_caller_who_leaves_during_the_farewell_has_completed() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await asyncio.sleep(0.05)
        leg.remote_hang_up()

    assert call(bench, caller, (END,)) is Disposition.COMPLETED


def test_busy_is_busy() -> None:
    bench = Bench()

    async def ring() -> Disposition:
        return await CallSession(bench.plan(), bench.room()).outbound("sip:busy@test.invalid")

    assert run(ring()) is Disposition.BUSY
    assert bench.sink.kinds() == ["call_started", "call_ended"]


def test_a_node_that_stops_tells_the_caller() -> None:
    bench = Bench()

    async def talk() -> Disposition:
        bench.dialogue.replies.append((NPS,))
        leg = ScriptedLeg()
        session = CallSession(bench.plan(), bench.room())
        task = asyncio.create_task(session.inbound(leg))
        await asyncio.sleep(0.5)
        session.interrupt()
        return await task

    assert run(talk()) is Disposition.INTERRUPTED
    assert said(bench)[-1] == SORRY


def test_a_broken_network_without_answers_is_the_networks_fault() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await asyncio.sleep(0.3)
        leg.fail(EndCause(EndKind.MEDIA_LOST))

    assert call(bench, caller, (NPS,)) is Disposition.FAILED


def test_a_cancelled_write_never_gives_its_number_to_another_event() -> None:
    class SlowSink(Sink):
        async def commit(self, event: CallEvent) -> None:
            await super().commit(event)
            await asyncio.sleep(1.0)

    async def write() -> list[int]:
        sink = SlowSink()
        journal = Journal("call-1", sink, LoopClock(), lambda event: None)
        first = asyncio.create_task(journal.write(Ringing))
        await asyncio.sleep(0.1)
        first.cancel()
        await journal.write(Ringing)
        return [event.seq for event in sink.events]

    assert run(write()) == [0, 1]


def test_a_prompt_that_cannot_be_made_in_time_is_no_dead_line() -> None:
    class Hung(Voices):
        async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
            if text == OPEN.text:
                await asyncio.sleep(30)
            return await super().get(text, voice=voice, language=language, rate=rate)

    bench = Bench(voices=Hung())

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        leg.press("9#")
        await leg.ended
        assert max(silences(leg)) < 2.0

    assert call(bench, caller, (NPS,), (NINE, OPEN)) is Disposition.PARTIAL
    assert said(bench) == [NPS.text, SORRY]
