"""Questions that are put again: other words, a ladder for each reason, and patience that ends."""

from __future__ import annotations

from bot.core.directives import (
    Ask,
    End,
    Say,
)
from bot.core.endings import Disposition
from bot.core.intents import Intent
from tests.surveys.said import DONT_KNOW, NINE, NOISE, REPEAT, RESOLVED
from tests.surveys.turns import CSAT, NPS, SILENCE, Talk, heard, keys, say


def test_repeats_come_in_other_words_and_cost_nothing_twice() -> None:
    talk = Talk().turn(REPEAT, REPEAT)
    texts = [ask.text for ask in talk.of(Ask)]
    assert texts[0] != texts[1] != texts[2]
    assert talk.state.failures == 0
    talk.turn(REPEAT)
    assert talk.state.failures == 1


def test_silence_is_asked_again_then_helped_with_keys_then_no_answer() -> None:
    talk = Talk().turn(SILENCE)
    assert talk.now(Ask)[0].attempt == 2
    talk.turn(SILENCE)
    assert "нажать цифру" in talk.now(Ask)[0].text
    talk.turn(SILENCE)
    assert talk.statuses == {"nps": "no_answer"}
    assert talk.state.answers["nps"].reason == "silence"
    assert talk.now(Ask)[0].question_id == "resolved"


def test_two_questions_of_silence_end_the_call() -> None:
    talk = Talk().turn(*[SILENCE] * 6)
    assert talk.of(End)[0].disposition is Disposition.NO_INPUT
    talk = Talk().turn(NINE, *[SILENCE] * 5)
    assert talk.of(End)[0].disposition is Disposition.PARTIAL


def test_words_in_between_show_that_somebody_is_there() -> None:
    talk = Talk().turn(SILENCE, SILENCE, NOISE, SILENCE, SILENCE)
    assert talk.state.silent_questions == 0
    assert talk.now(Ask)[0].question_id == "resolved"


def test_patience_ends_a_call_that_leads_nowhere() -> None:
    talk = Talk().turn(*[NOISE] * 6)
    assert talk.state.fruitless == talk.survey.patience
    assert talk.of(End)[0].disposition is Disposition.NO_INPUT


def test_no_answer_at_all_is_never_completed() -> None:
    talk = Talk(CSAT).turn(*[NOISE] * 6)
    assert talk.statuses == {"csat": "no_answer", "resolved": "no_answer"}
    assert talk.of(End)[0].disposition is Disposition.NO_INPUT
    talk = Talk(CSAT).turn(DONT_KNOW, DONT_KNOW)
    assert talk.of(End)[0].disposition is Disposition.PARTIAL


def test_a_number_off_the_scale_is_named_as_such() -> None:
    talk = Talk().turn(say("двенадцать", Intent.ANSWER_SCORE))
    assert talk.now(Say)[0].text == "Самое меньшее здесь — ноль, самое большее — десять."
    assert talk.now(Ask)[0].attempt == 2
    again = talk.turn(say("двадцать", Intent.ANSWER_SCORE))
    assert again.now(Say)[0].text in talk.survey.texts.out_of_range
    assert NPS.questions[0].help in again.now(Ask)[0].text


def test_each_reason_has_words_and_a_ladder_of_its_own() -> None:
    """Two of one kind bring the keys, three end the question; mixed ones end it with the fourth."""
    unclear, hardly = say("бурбулятор"), heard(("девяносто", 0.3), ("пять", 0.3))
    texts = NPS.texts
    talk = Talk().turn(unclear)
    assert talk.now(Say)[0].text in texts.no_match
    assert talk.turn(SILENCE).now(Say)[0].text in texts.no_input
    assert talk.turn(say("двадцать", Intent.ANSWER_SCORE)).state.question_id == "nps"
    assert talk.turn(hardly).statuses == {"nps": "no_answer"}
    silent = Talk().turn(SILENCE, SILENCE)
    assert texts.dtmf_scale.split()[-1] in silent.now(Ask)[0].text
    assert silent.turn(SILENCE).statuses == {"nps": "no_answer"}


def test_what_was_hardly_heard_is_said_to_be_so() -> None:
    never = NPS.questions[0].model_copy(update={"confirm": "never"})
    survey = NPS.model_copy(update={"questions": (never, *NPS.questions[1:])})
    talk = Talk(survey).turn(heard(("девять", 0.3)))
    assert talk.now(Say)[0].text in NPS.texts.low_confidence
    assert set(NPS.texts.low_confidence).isdisjoint(NPS.texts.ambiguous)
    old = NPS.texts.model_copy(update={"low_confidence": ()})
    talk = Talk(survey.model_copy(update={"texts": old})).turn(heard(("девять", 0.3)))
    assert talk.now(Say)[0].text in NPS.texts.ambiguous


def test_a_pool_that_is_used_up_leaves_the_question_alone() -> None:
    talk = Talk(CSAT)
    said: list[str] = []
    for turn in [NOISE, NOISE, say("три", Intent.ANSWER_SCORE), NOISE, NOISE, RESOLVED]:
        talk.turn(turn)
        assert talk.last
        said += [each.text for each in talk.now(Say) if each.purpose == "no_match"]
    assert len(said) == len(set(said)) == len(CSAT.texts.no_match)


def test_a_wrong_key_gets_the_hint_at_once() -> None:
    talk = Talk(CSAT).turn(keys("9"))
    assert talk.now(Say)[0].text in talk.survey.texts.wrong_key
    assert "нажать цифру" in talk.now(Ask)[0].text


def test_two_values_are_asked_back() -> None:
    talk = Talk().turn(say("между семью и восемью"))
    assert talk.now(Ask)[0].text == "Семь или восемь?"
    assert talk.values == {}
