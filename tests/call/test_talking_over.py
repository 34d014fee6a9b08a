"""Callers who talk over prompts: a whole call on virtual time, with words that the test puts there."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.audio import Frame, Pcm
from bot.core.context import TurnSource
from bot.core.directives import Ask, ConfirmExpected, Directive, End, Expectation, Offer, Say, ScaleExpected
from bot.core.endings import Disposition
from bot.core.events import (
    ConsentHeard,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    PromptStarted,
    RecordingStopped,
    TurnHeard,
)
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from tests.call.fakes import Bench, Words, WordStream
from tests.call.test_session import NINE, call, prompt_ended, said, say

NPS = Ask(
    question_id="nps",
    text="насколько вы готовы порекомендовать нас от нуля до десяти",  # 2.85 s of tone
    expectation=ScaleExpected(low=0, high=10),
)
LENGTH_S = 0.05 * len(NPS.text)
END = End(disposition=Disposition.COMPLETED, text="спасибо")
INTRO = Say(text="мы хотим узнать как вам у нас понравилось", purpose="introduction")


class PromptWords(Words):
    """Shows the words as a partial result a while after the voice began, as Vosk does."""

    def open(self, rate: int, expectation: Expectation | None) -> WordStream:
        return PromptStream(self.coming)


class PromptStream(WordStream):
    async def feed(self, frame: Frame, voice: float = 1.0) -> str:
        await super().feed(frame, voice)
        late = self._from is not None and frame.at - self._from > 0.4
        return self._coming[0] if late and self._coming else ""


def talking(leg: ScriptedLeg, pcm: Pcm) -> bool:
    """Is there sound in the last 20 ms that the far end heard?"""
    return any(leg.heard[-320:])


async def at(leg: ScriptedLeg, media_s: float) -> None:
    await asyncio.sleep(media_s - leg.media_s)


def run_call(bench: Bench, caller: object, *replies: tuple[Directive, ...]) -> Disposition:
    return call(bench, caller, *replies)  # type: ignore[arg-type]


@pytest.mark.parametrize("when_s", [0.0, 0.3, 1.0, 1.9, 2.5, 2.79, 2.85, 2.9])
@pytest.mark.parametrize("partials", [False, True])
def test_an_answer_at_every_point_of_a_question_is_the_answer(when_s: float, partials: bool) -> None:
    bench = Bench(words=PromptWords() if partials else Words())

    async def caller(leg: ScriptedLeg) -> None:
        await bench.sink.until(lambda: bench.sink.of(PromptStarted))
        await at(leg, when_s)
        await say(bench, leg, "девять")

    assert run_call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    (turn,) = bench.dialogue.turns
    assert turn.text == "девять"
    question = bench.sink.of(PromptEnded)[0]
    if when_s < LENGTH_S - 0.05:
        (paused,) = bench.sink.of(PromptPaused)
        assert paused.voice_s == pytest.approx(when_s, abs=0.041)
        assert paused.heard_s == pytest.approx(when_s + 0.05, abs=0.06)
        assert question.heard_s == paused.heard_s
        assert not question.completed
        assert question.media_s is not None
        assert paused.media_s is not None
        assert question.media_s - paused.media_s < 0.7
        assert bench.sink.of(TurnHeard)[0].started_s == pytest.approx(when_s, abs=0.041)
    else:
        assert question.completed


@pytest.mark.parametrize("words", ["", "угу", "[unk]"])
@pytest.mark.parametrize("when_s", [0.1, 1.5, 2.4])
def test_a_cough_or_a_nod_costs_a_short_pause_and_no_word_of_the_prompt(words: str, when_s: float) -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await bench.sink.until(lambda: bench.sink.of(PromptStarted))
        await at(leg, when_s)
        await say(bench, leg, words, 0.2)
        await prompt_ended(bench, 1)
        heard = leg.played[0][1]
        assert heard.seconds == pytest.approx(LENGTH_S + 0.14, abs=0.03), "some is repeated, none is lost"
        await say(bench, leg, "девять")

    assert run_call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    (turn,) = bench.dialogue.turns
    assert turn.text == "девять"
    (paused,), (resumed,) = bench.sink.of(PromptPaused), bench.sink.of(PromptResumed)
    assert paused.media_s is not None
    assert resumed.media_s is not None
    assert resumed.media_s - paused.media_s < 0.7
    assert resumed.because == ("nod" if words == "угу" else "noise")
    question = bench.sink.of(PromptEnded)[0]
    assert question.completed
    assert question.heard_s == pytest.approx(LENGTH_S, abs=0.03)


def test_the_line_is_silent_while_the_prompt_is_paused() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 1.0)
        bench.words.coming.append("")
        leg.say(tone(0.2, leg.rate))
        await bench.sink.until(lambda: bench.sink.of(PromptPaused))
        began = leg.media_s
        assert began < 1.1
        await asyncio.sleep(0.1)
        quiet = bytes(leg.heard[round((began + 0.02) * 16000) :])
        assert quiet
        assert not any(quiet)
        leg.remote_hang_up()

    run_call(bench, caller, (NPS,))


def test_a_line_that_ends_in_a_pause_ends_the_prompt_and_keeps_the_words() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 1.0)
        bench.words.coming.append("девять")
        leg.say(tone(0.3, leg.rate))
        await bench.sink.until(lambda: bench.sink.of(PromptPaused))
        await asyncio.sleep(0.15)
        leg.remote_hang_up()

    assert run_call(bench, caller, (NPS,), (NINE, NPS)) is Disposition.PARTIAL
    assert bench.dialogue.turns[0].text == "девять"
    assert not bench.sink.of(PromptEnded)[0].completed


def test_keys_in_the_middle_of_speech_over_a_prompt_are_the_answer() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 1.0)
        bench.words.coming.append("ой сейчас")
        leg.say(tone(1.5, leg.rate))
        await bench.sink.until(lambda: bench.sink.of(PromptPaused))
        await asyncio.sleep(0.1)
        leg.press("9")

    assert run_call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    assert bench.dialogue.turns[0].source is TurnSource.DTMF
    assert bench.dialogue.turns[0].digits == "9"


def test_keys_after_a_cough_still_count() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 0.5)
        await say(bench, leg, "", 0.2)
        await bench.sink.until(lambda: bench.sink.of(PromptResumed))
        await asyncio.sleep(0.2)
        leg.press("9")

    assert run_call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    assert bench.dialogue.turns[0].digits == "9"
    assert not bench.sink.of(PromptEnded)[0].completed


def test_a_protected_prompt_is_heard_out_and_what_was_said_over_it_is_no_answer() -> None:
    bench = Bench()
    consent = Say(text="разговор записывается по закону", purpose="consent", protected=True)

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 0.3)
        leg.say(tone(0.6, leg.rate))
        await prompt_ended(bench, 2)
        await say(bench, leg, "девять")

    assert run_call(bench, caller, (consent, NPS), (NINE, END)) is Disposition.COMPLETED
    assert bench.sink.of(PromptEnded)[0].completed
    assert bench.sink.of(ConsentHeard)
    assert not bench.sink.of(PromptPaused)
    assert [turn.text for turn in bench.dialogue.turns] == ["девять"]


def test_words_over_an_introduction_stop_it_and_the_question_is_put() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 0.5)
        await say(bench, leg, "быстрее пожалуйста")
        await prompt_ended(bench, 2)
        await say(bench, leg, "девять")

    assert run_call(bench, caller, (INTRO, NPS), (NINE, END)) is Disposition.COMPLETED
    intro, question = bench.sink.of(PromptEnded)[:2]
    assert not intro.completed
    assert question.completed
    assert [turn.text for turn in bench.dialogue.turns] == ["девять"]


def test_what_does_not_bear_to_wait_is_told_to_the_dialogue_at_once() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 0.5)
        await say(bench, leg, "больше не звоните мне")

    assert run_call(bench, caller, (INTRO, NPS), (END,)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["больше не звоните мне"]
    assert NPS.text not in said(bench)


def test_an_offer_can_be_answered_before_it_is_put_whole() -> None:
    bench = Bench(words=PromptWords())
    offer = Offer(offer="human", text="соединить вас с руководителем прямо сейчас")

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 0.8)
        await say(bench, leg, "да")

    assert run_call(bench, caller, (offer,), (END,)) is Disposition.COMPLETED
    assert bench.dialogue.turns[0].text == "да"
    assert not bench.sink.of(PromptEnded)[0].completed


@pytest.mark.parametrize("words", ["да", "да да", "ага", "да верно"])
def test_a_confirming_question_is_answered_before_its_end(words: str) -> None:
    bench = Bench(words=PromptWords())
    confirm = Ask(
        question_id="nps",
        text="вы сказали семь как оценку верно ли это",
        expectation=ConfirmExpected(of=ScaleExpected(low=0, high=10), candidates=(7,)),
        attempt=2,
    )

    async def caller(leg: ScriptedLeg) -> None:
        await bench.sink.until(lambda: bench.sink.of(PromptStarted))
        await at(leg, 1.2)
        await say(bench, leg, words, 0.4)

    assert run_call(bench, caller, (confirm,), (NINE, END)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == [words]
    assert not bench.sink.of(PromptResumed)


def test_the_closing_is_not_stopped_by_a_goodbye() -> None:
    bench = Bench()
    long = End(disposition=Disposition.COMPLETED, text="спасибо за ваши ответы и до свидания")

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 0.5)
        leg.say(tone(0.5, leg.rate))

    assert run_call(bench, caller, (long,)) is Disposition.COMPLETED
    assert bench.sink.of(PromptEnded)[-1].completed
    assert not bench.sink.of(RecordingStopped)
