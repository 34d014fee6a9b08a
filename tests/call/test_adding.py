"""Callers who go on after their answer was taken: nothing of it is lost, wherever the reply is by then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.audio import Frame
from bot.core.context import TurnSource
from bot.core.directives import Ask, End, Expectation, OptOut, Record, Say, ScaleExpected, YesNoExpected
from bot.core.endings import Disposition
from bot.core.events import (
    AnswerRecorded,
    ListeningStarted,
    PromptEnded,
    PromptPaused,
    PromptStarted,
    TurnHeard,
)
from bot.core.ports import Transcript
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from tests.call.fakes import Bench, Words, WordStream
from tests.call.test_session import NINE, call, prompt_ended, said, say

NPS = Ask(question_id="nps", text="от нуля до десяти", expectation=ScaleExpected(low=0, high=10))
LONG = NPS.model_copy(update={"text": "насколько вы готовы порекомендовать нас от нуля до десяти"})
SOLVED = Ask(question_id="resolved", text="удалось ли решить ваш вопрос", expectation=YesNoExpected())
THANKS = Say(text="спасибо большое вам", purpose="acknowledgement")
END = End(disposition=Disposition.COMPLETED, text="спасибо")


@pytest.mark.parametrize(
    ("slow_s", "finish_s"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.4)], ids=["quick", "slow", "slow to decode"]
)
@pytest.mark.parametrize("pause_s", [0.28, 0.3, 0.34, 0.5, 0.9, 1.3, 1.5])
def test_what_follows_an_answer_within_a_second_and_a_half_says_so(
    pause_s: float, slow_s: float, finish_s: float
) -> None:
    """While its last words are decoded, before the reply, over the thanks, and over the next question."""
    bench = Bench()
    bench.dialogue.slow_s, bench.words.finish_s = slow_s, finish_s

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "восемь")
        await asyncio.sleep(pause_s)
        await say(bench, leg, "ой нет девять", 0.9)
        await bench.sink.until(lambda: len(bench.dialogue.turns) == 2)

    replies = ((NPS,), (NINE, THANKS, SOLVED), (NINE, END))
    assert call(bench, caller, *replies) is Disposition.COMPLETED
    first, second = bench.dialogue.turns
    assert (first.text, first.after_s) == ("восемь", None)
    assert second.text == "ой нет девять"
    assert second.after_s == pytest.approx(pause_s, abs=0.045)
    assert len(bench.sink.of(AnswerRecorded)) == 2


def correcting_over_the_question(bench: Bench, pause_s: float) -> Callable[[ScriptedLeg], Awaitable[None]]:
    async def caller(leg: ScriptedLeg) -> None:
        await bench.sink.until(lambda: bench.sink.of(PromptStarted))
        await asyncio.sleep(0.2)
        await say(bench, leg, "восемь", 0.3)
        await asyncio.sleep(pause_s)
        await say(bench, leg, "ой нет девять", 0.9)
        await bench.sink.until(lambda: len(bench.dialogue.turns) == 2)

    return caller


@pytest.mark.parametrize("finish_s", [0.0, 0.4])
@pytest.mark.parametrize("pause_s", [0.3, 0.4, 0.5, 0.7])
def test_what_follows_an_answer_over_the_question_is_heard_from_its_beginning(
    pause_s: float, finish_s: float
) -> None:
    bench = Bench()
    bench.words.finish_s = finish_s

    caller = correcting_over_the_question(bench, pause_s)
    replies = ((LONG,), (NINE, THANKS, SOLVED), (NINE, END))
    assert call(bench, caller, *replies) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["восемь", "ой нет девять"]
    assert bench.dialogue.turns[1].after_s == pytest.approx(pause_s, abs=0.045)


class LateWords(Words):
    """Says what it has heard when it must."""

    def open(self, rate: int, expectation: Expectation | None) -> WordStream:
        return LateStream(self.coming, finish_s=self.finish_s)


class LateStream(WordStream):
    over = False

    async def settle(self) -> str:
        return await super().settle() if self.over else ""

    async def finish(self) -> Transcript:
        self.over = True
        return await super().finish()


@pytest.mark.parametrize(("finish_s", "pause_s"), [(0.4, 0.45), (0.4, 0.6), (0.4, 0.8), (3.0, 0.6)])
def test_who_goes_on_while_a_prompt_waits_for_his_words_is_heard_from_the_beginning(
    finish_s: float, pause_s: float
) -> None:
    bench = Bench(words=LateWords())
    bench.words.finish_s = finish_s

    caller = correcting_over_the_question(bench, pause_s)
    assert call(bench, caller, (LONG,), (NINE, SOLVED), (NINE, END)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["восемь", "ой нет девять"]
    assert bench.dialogue.turns[1].after_s == pytest.approx(pause_s, abs=0.045)


def test_an_answer_to_the_next_question_is_none_to_the_one_before() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "восемь")
        await bench.sink.until(lambda: len(bench.sink.of(ListeningStarted)) == 2)
        await asyncio.sleep(0.5)
        await say(bench, leg, "да")

    assert call(bench, caller, (NPS,), (NINE, THANKS, SOLVED), (END,)) is Disposition.COMPLETED
    after_s = bench.dialogue.turns[1].after_s
    assert after_s is not None
    assert after_s > 1.6
    assert all(prompt.completed for prompt in bench.sink.of(PromptEnded))


def test_other_words_over_the_thanks_do_not_wait_for_the_question() -> None:
    """Later than an addition may come they are no turn, as before."""
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "восемь")
        await asyncio.sleep(1.8)
        await say(bench, leg, "сейчас чайник выключу", 0.4)
        await prompt_ended(bench, 3)
        await asyncio.sleep(0.3)
        await say(bench, leg, "да")

    long = Say(text="спасибо вам большое за вашу оценку нашей работы", purpose="acknowledgement")
    assert call(bench, caller, (NPS,), (NINE, long, SOLVED), (END,)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["восемь", "да"]


@pytest.mark.parametrize("into_s", [0.1, 0.6, 1.1])
def test_a_key_in_the_middle_of_speech_is_the_answer(into_s: float) -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        speaking = asyncio.create_task(say(bench, leg, "ну как вам сказать", 1.5))
        await asyncio.sleep(into_s)
        leg.press("7")
        await speaking

    assert call(bench, caller, (NPS,), (NINE, END)) is Disposition.COMPLETED
    (turn,) = bench.dialogue.turns
    assert (turn.source, turn.digits) == (TurnSource.DTMF, "7")
    (heard,) = (event for event in bench.sink.of(TurnHeard) if event.question_id)
    assert heard.media_s is not None
    assert heard.ended_s is not None
    assert heard.media_s - heard.ended_s < 0.1


@pytest.mark.parametrize("keys", ["7", "10"])
@pytest.mark.parametrize("over", [False, True], ids=["after a turn", "after a cough over the prompt"])
def test_a_key_that_is_pressed_while_words_are_decoded_is_the_answer(over: bool, keys: str) -> None:
    bench = Bench()
    bench.words.finish_s = 1.0

    async def caller(leg: ScriptedLeg) -> None:
        if over:
            await bench.sink.until(lambda: bench.sink.of(PromptStarted))
            await asyncio.sleep(0.2)
            leg.say(tone(0.15, leg.rate))
            await bench.sink.until(lambda: bench.sink.of(PromptPaused))
        else:
            await prompt_ended(bench, 1)
            await say(bench, leg, "восемь")
        await asyncio.sleep(0.9)  # it is being decoded now
        for key in keys:
            leg.press(key)
            await asyncio.sleep(0.6)

    assert call(bench, caller, (LONG,), (NINE, END)) is Disposition.COMPLETED
    (turn,) = bench.dialogue.turns
    assert (turn.source, turn.digits) == (TurnSource.DTMF, keys)


def test_an_answer_to_a_short_question_that_was_heard_out_is_its_answer() -> None:
    bench = Bench()
    short = Ask(question_id="till", text="касса", expectation=ScaleExpected(low=0, high=10))

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "восемь")
        await prompt_ended(bench, 2)
        await asyncio.sleep(0.4)
        await say(bench, leg, "семь")

    assert call(bench, caller, (NPS,), (NINE, short), (END,)) is Disposition.COMPLETED
    assert bench.dialogue.turns[1].question_heard
    assert bench.dialogue.turns[1].after_s == pytest.approx(0.92, abs=0.06)


CLOSING = End(
    disposition=Disposition.COMPLETED, text="спасибо ваши ответы помогут нам стать лучше всего доброго"
)
TWO = Record(
    question_id="nps",
    question_kind="nps",
    answer=Answer(status=AnswerStatus.ANSWERED, value=2, source=AnswerSource.SPEECH),
)


@pytest.mark.parametrize("pause_s", [0.3, 0.9, 1.3, 1.5])
def test_the_last_answer_is_corrected_over_the_closing_which_is_said_anew(pause_s: float) -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "два")
        await asyncio.sleep(pause_s)
        await say(bench, leg, "ой нет девять", 0.9)

    assert call(bench, caller, (NPS,), (TWO, CLOSING), (NINE, CLOSING)) is Disposition.COMPLETED
    _, second = bench.dialogue.turns
    assert second.text == "ой нет девять"
    assert second.after_s == pytest.approx(pause_s, abs=0.045)
    assert not second.question_heard
    assert [event.answer.value for event in bench.sink.of(AnswerRecorded)] == [2, 9]
    assert [event.question_id for event in bench.sink.of(TurnHeard)] == ["nps", "nps"]
    _, first, anew = bench.sink.of(PromptEnded)
    assert not first.completed
    assert anew.completed


def test_a_correction_may_lead_on_from_the_closing() -> None:
    """Who leaves behind it has not completed the survey."""
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")
        await asyncio.sleep(0.8)
        await say(bench, leg, "ой нет два", 0.9)
        await prompt_ended(bench, 3)
        leg.remote_hang_up()

    assert call(bench, caller, (NPS,), (NINE, CLOSING), (TWO, SOLVED)) is Disposition.PARTIAL
    assert said(bench)[1:] == [CLOSING.text, SOLVED.text]


class SoonWords(Words):
    """Shows the words 0.3 s after a voice began, and keeps them."""

    def open(self, rate: int, expectation: Expectation | None) -> WordStream:
        return SoonStream(self.coming)


class SoonStream(WordStream):
    async def feed(self, frame: Frame, voice: float = 1.0) -> str:
        text = await super().feed(frame, voice)
        late = self._from is not None and frame.at - self._from > 0.3
        return await self.settle() if late else text


LATER = [("ой нет девять", 1.9), ("ой нет девять", 2.4), ("до свидания", 0.6), ("спасибо", 1.2)]


@pytest.mark.parametrize(("words", "wait_s"), LATER)
def test_other_words_over_the_closing_hold_nothing_up(words: str, wait_s: float) -> None:
    """What comes later than a correction may is not listened to; a farewell is none."""
    bench = Bench(words=SoonWords())

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")
        await asyncio.sleep(wait_s)
        await say(bench, leg, words, 0.5)

    assert call(bench, caller, (NPS,), (NINE, CLOSING)) is Disposition.COMPLETED
    assert len(bench.dialogue.turns) == 1
    assert said(bench) == [NPS.text, CLOSING.text]
    assert bench.sink.of(PromptEnded)[-1].completed
    assert bool(bench.sink.of(PromptPaused)) == (wait_s < 1.6)


def test_a_farewell_whose_words_come_late_is_none_all_the_same() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")
        await asyncio.sleep(0.6)
        await say(bench, leg, "до свидания", 0.7)

    assert call(bench, caller, (NPS,), (NINE, CLOSING)) is Disposition.COMPLETED
    assert len(bench.dialogue.turns) == 1
    assert bench.sink.of(PromptEnded)[-1].completed


def test_what_changes_nothing_lets_the_closing_be_said_once_more_and_no_more() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "девять")
        for _ in range(3):
            await asyncio.sleep(0.8)
            await say(bench, leg, "сейчас чайник выключу", 0.9)

    assert call(bench, caller, (NPS,), (NINE, CLOSING), ()) is Disposition.COMPLETED
    assert len(bench.dialogue.turns) == 2
    assert said(bench) == [NPS.text, CLOSING.text, CLOSING.text]
    assert bench.sink.of(PromptEnded)[-1].completed


def test_who_corrects_himself_and_leaves_is_heard() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "два")
        await asyncio.sleep(0.8)
        await say(bench, leg, "ой нет девять", 0.9)
        leg.remote_hang_up()

    assert call(bench, caller, (NPS,), (TWO, CLOSING), (NINE, CLOSING)) is Disposition.COMPLETED
    assert [event.answer.value for event in bench.sink.of(AnswerRecorded)] == [2, 9]


def test_a_refusal_is_not_argued_with() -> None:
    """Where no answer was taken the closing is said whatever is heard."""
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "больше не звоните")
        await asyncio.sleep(0.6)
        await say(bench, leg, "никогда", 0.5)

    sorry = End(disposition=Disposition.OPTED_OUT, text="больше не позвоним извините за беспокойство")
    assert call(bench, caller, (NPS,), (OptOut(words="больше не звоните"), sorry)) is Disposition.OPTED_OUT
    assert not bench.sink.of(PromptPaused)
