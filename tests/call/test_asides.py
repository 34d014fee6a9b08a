"""Words and keys over prompts that ask nothing: none is lost, and none is taken for more than it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from bot.core.context import TurnSource
from bot.core.directives import Ask, End, OptOut, Say, ScaleExpected, Understood, YesNoExpected
from bot.core.endings import Disposition
from bot.core.events import (
    AnswerRecorded,
    ConsentHeard,
    OptedOut,
    PromptEnded,
    PromptPaused,
    PromptStarted,
    TurnHeard,
)
from bot.core.intents import Intent
from telephony.scripted import ScriptedLeg
from tests.call import test_foreseen as foreseen
from tests.call.fakes import FILLER, Bench, Dialogue
from tests.call.test_foreseen import Surveying, asked
from tests.call.test_session import NINE, NPS, call, prompt_ended, said, say
from tests.call.test_talking_over import PromptWords, at

END = End(disposition=Disposition.COMPLETED, text="спасибо")
CLOSING = End(
    disposition=Disposition.COMPLETED, text="спасибо ваши ответы помогут нам стать лучше всего доброго"
)
CONSENT = Say(
    text="здравствуйте это голосовой помощник разговор записывается", purpose="consent", protected=True
)
SORRY = Say(text="извините не удалось разобрать ваш ответ", purpose="no_match")
AGAIN = Ask(
    question_id="nps",
    text="назовите число от нуля до десяти",
    expectation=ScaleExpected(low=0, high=10),
    attempt=2,
)
YES_NO = Ask(question_id="solved", text="скажите да или нет", expectation=YesNoExpected(), attempt=2)


async def begun(bench: Bench, text: str) -> None:
    await bench.sink.until(lambda: any(event.text == text for event in bench.sink.of(PromptStarted)))


def heard(bench: Bench) -> list[tuple[str, str]]:
    return [(event.question_id, event.text or event.digits) for event in bench.sink.of(TurnHeard)]


@pytest.mark.parametrize("into_s", [0.1, 0.5, 1.2, 1.9])
def test_an_answer_over_the_apology_before_a_question_is_its_answer(into_s: float) -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "[unk]", 0.6)
        await begun(bench, SORRY.text)
        await asyncio.sleep(into_s)
        await say(bench, leg, "девять")

    assert call(bench, caller, (NPS,), (SORRY, AGAIN), (NINE, END)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["[unk]", "девять"]
    assert AGAIN.text not in said(bench)


@pytest.mark.parametrize(("ask", "words"), [(YES_NO, "да"), (YES_NO, "да да"), (AGAIN, "пять")])
def test_what_would_be_a_nod_elsewhere_answers_the_question_that_is_repeated(ask: Ask, words: str) -> None:
    bench = Bench(words=PromptWords())

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "[unk]", 0.6)
        await begun(bench, SORRY.text)
        await asyncio.sleep(0.5)
        await say(bench, leg, words)

    assert call(bench, caller, (NPS,), (SORRY, ask), (NINE, END)) is Disposition.COMPLETED
    assert bench.dialogue.turns[1].text == words


def test_a_remark_over_the_thanks_is_written_down_and_the_question_put() -> None:
    bench = Bench()
    thanks = Say(text="спасибо вам большое за вашу оценку нашей работы", purpose="acknowledgement")
    solved = replace_attempt(YES_NO)

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        await say(bench, leg, "восемь")
        await asyncio.sleep(1.8)
        await say(bench, leg, "сейчас чайник выключу", 0.4)
        await prompt_ended(bench, 3)
        await asyncio.sleep(0.3)
        await say(bench, leg, "да")

    assert call(bench, caller, (NPS,), (NINE, thanks, solved), (END,)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["восемь", "да"]
    assert heard(bench) == [("nps", "восемь"), ("", "сейчас чайник выключу"), ("solved", "да")]


def replace_attempt(ask: Ask) -> Ask:
    return ask.model_copy(update={"attempt": 1})


@dataclass
class Understanding(Dialogue):
    """Its NLU knows one wish."""

    async def parse(self, text: str) -> Understood | None:
        wants = text == "дайте кого нибудь живого"
        return Understood(intent=Intent.REQUEST_AGENT, confidence=0.9) if wants else None


def test_a_wish_in_words_of_its_own_is_told_at_once() -> None:
    bench = Bench(dialogue=Understanding())
    intro = Say(text="мы хотим узнать как вам у нас понравилось", purpose="introduction")

    async def caller(leg: ScriptedLeg) -> None:
        await at(leg, 0.5)
        await say(bench, leg, "дайте кого нибудь живого", 1.0)

    assert call(bench, caller, (intro, NPS), (END,)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["дайте кого нибудь живого"]
    assert NPS.text not in said(bench)


@pytest.mark.parametrize("begins_s", [0.2, 1.0, 2.0, 2.7])
def test_a_wish_over_the_protected_consent_is_heard_and_the_consent_too(begins_s: float) -> None:
    bench = Bench(words=PromptWords())

    async def caller(leg: ScriptedLeg) -> None:
        await begun(bench, CONSENT.text)
        await at(leg, begins_s)
        await say(bench, leg, "больше не звоните мне", 1.2)

    assert call(bench, caller, (CONSENT, NPS), (OptOut(), END)) is Disposition.COMPLETED
    assert bench.sink.of(PromptEnded)[0].completed
    assert not bench.sink.of(PromptPaused)
    assert bench.sink.of(ConsentHeard)
    assert [turn.text for turn in bench.dialogue.turns] == ["больше не звоните мне"]
    assert bench.sink.of(OptedOut)
    assert NPS.text not in said(bench)


def test_of_two_turns_over_the_consent_the_wish_counts_and_both_are_kept() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await begun(bench, CONSENT.text)
        await at(leg, 0.2)
        await say(bench, leg, "минуточку сейчас", 0.5)
        await asyncio.sleep(0.9)
        await say(bench, leg, "не звоните мне", 0.7)

    assert call(bench, caller, (CONSENT, NPS), (END,)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["не звоните мне"]
    assert ("", "минуточку сейчас") in heard(bench)


@pytest.mark.parametrize(("keyed", "wait_s"), [(True, 0.6), (False, 1.9), (False, 2.4)])
def test_no_more_calls_over_the_closing(keyed: bool, wait_s: float) -> None:
    """The closing is not held up, the survey stays as it ended, and the number is never rung again."""
    bench = Bench(words=PromptWords())
    gone = Say(text="больше не позвоним", purpose="closing")

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        if keyed:
            leg.press("9")
            await begun(bench, CLOSING.text)
        else:
            await say(bench, leg, "девять")
        await asyncio.sleep(wait_s)
        await say(bench, leg, "больше не звоните", 1.0)

    replies = ((NPS,), (NINE, CLOSING), (OptOut(words="больше не звоните"), gone))
    assert call(bench, caller, *replies) is Disposition.COMPLETED
    assert said(bench)[1:] == [CLOSING.text, gone.text]
    assert bench.sink.of(PromptEnded)[1].completed
    assert bench.sink.of(OptedOut)
    assert len(bench.sink.of(AnswerRecorded)) == 1


def test_small_talk_over_the_closing_is_written_down() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        leg.press("9")
        await begun(bench, CLOSING.text)
        await asyncio.sleep(0.5)
        await say(bench, leg, "погода сегодня хорошая", 1.0)

    assert call(bench, caller, (NPS,), (NINE, CLOSING)) is Disposition.COMPLETED
    assert len(bench.dialogue.turns) == 1
    assert heard(bench)[-1] == ("", "погода сегодня хорошая")


class Busy(Surveying):
    """A machine with many calls: what the NLU reads for a guess takes as long as a turn."""

    async def parse(self, text: str) -> Understood | None:
        await asyncio.sleep(self.slow_s)
        return await super().parse(text)


@pytest.mark.parametrize("slow_s", [0.3, 0.9, 1.2, 2.5])
@pytest.mark.parametrize("pause_s", [0.3, 0.5, 0.9, 1.2, 1.5])
def test_a_correction_counts_though_a_filler_sounds(slow_s: float, pause_s: float) -> None:
    bench = Bench(dialogue=Busy(slow_s=slow_s))

    async def caller(leg: ScriptedLeg) -> None:
        await asked(bench, "nps")
        await say(bench, leg, "восемь")
        await asyncio.sleep(pause_s)
        await say(bench, leg, "ой нет девять", 0.9)
        await asyncio.sleep(9)
        leg.remote_hang_up()

    foreseen.call(bench, caller)
    answers = [event.answer.value for event in bench.sink.of(AnswerRecorded) if event.question_id == "nps"]
    assert answers[-1] == 9
    assert (FILLER in said(bench)) or slow_s < 0.9 or pause_s < slow_s


# Keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("into_s", [0.1, 0.5, 1.8])
def test_a_key_over_the_sentence_before_a_question_is_its_answer(into_s: float) -> None:
    bench = Bench()
    wrong = Say(text="эта клавиша сейчас не подходит нужна другая", purpose="no_match")

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        leg.press("*")
        await begun(bench, wrong.text)
        await asyncio.sleep(into_s)
        leg.press("9")

    assert call(bench, caller, (NPS,), (wrong, AGAIN), (NINE, END)) is Disposition.COMPLETED
    assert [turn.digits for turn in bench.dialogue.turns] == ["*", "9"]
    assert bench.dialogue.turns[1].source is TurnSource.DTMF
    assert AGAIN.text not in said(bench)


def test_both_keys_of_a_ten_may_be_pressed_over_it() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        leg.press("*")
        await begun(bench, SORRY.text)
        await asyncio.sleep(0.4)
        leg.press("1")
        await asyncio.sleep(0.6)
        leg.press("0")

    assert call(bench, caller, (NPS,), (SORRY, AGAIN), (NINE, END)) is Disposition.COMPLETED
    assert [turn.digits for turn in bench.dialogue.turns] == ["*", "10"]


def test_a_key_over_the_consent_answers_nothing() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await begun(bench, CONSENT.text)
        await asyncio.sleep(0.5)
        leg.press("9")
        await prompt_ended(bench, 2)
        await say(bench, leg, "восемь")

    assert call(bench, caller, (CONSENT, NPS), (NINE, END)) is Disposition.COMPLETED
    assert [turn.text for turn in bench.dialogue.turns] == ["восемь"]
