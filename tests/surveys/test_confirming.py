"""The ladder of doubt: one confirming question, then keys, then «no answer» with its reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.answer import AnswerSource, AnswerStatus
from bot.core.directives import Ask, ConfirmExpected, Record, Say, ScaleExpected
from bot.core.intents import Intent
from bot.surveys import flow
from bot.surveys.loader import load_survey
from bot.surveys.prompts import prompts
from bot.surveys.schema import Survey
from bot.surveys.state import FlowState
from tests.surveys.turns import CSAT, NPS, SILENCE, SURVEYS, Talk, context, heard, keys, say

HARDLY_SEVEN = heard(("семь", 0.3))
SEVEN_OR_EIGHT = say("между семью и восемью", Intent.ANSWER_SCORE)
YES, NO = say("да", Intent.AFFIRM), say("нет", Intent.DENY)
NOISE = say("[unk]")


def test_what_was_hardly_heard_is_confirmed() -> None:
    talk = Talk().turn(HARDLY_SEVEN)
    (ask,) = talk.now(Ask)
    assert ask.text == "Вы сказали семь, верно?"
    assert ask.expectation == ConfirmExpected(of=ScaleExpected(low=0, high=10), candidates=(7,))
    assert flow.expectation(talk.survey, talk.state) == ask.expectation
    assert talk.now(Say) == []
    answer = talk.turn(say("верно", Intent.AFFIRM)).state.answers["nps"]
    assert (answer.value, answer.source, answer.alternatives) == (7, AnswerSource.SPEECH, ())
    assert answer.confidence == 1.0


@pytest.mark.parametrize(
    ("said", "value", "source", "alternatives"),
    [
        (YES, 7, AnswerSource.SPEECH, ()),
        (say("да семь"), 7, AnswerSource.SPEECH, ()),
        (say("нет восемь"), 8, AnswerSource.CORRECTED, (7,)),
        (say("не семь а шесть"), 6, AnswerSource.CORRECTED, (7,)),
        (keys("7"), 7, AnswerSource.DTMF, ()),
        (keys("9"), 9, AnswerSource.DTMF, (7,)),
    ],
)
def test_a_confirmation_is_yes_or_a_value(
    said: object, value: int, source: AnswerSource, alternatives: tuple[int, ...]
) -> None:
    answer = Talk().turn(HARDLY_SEVEN, said).state.answers["nps"]  # type: ignore[arg-type]
    assert (answer.value, answer.source, answer.alternatives) == (value, source, alternatives)


def test_two_candidates_are_put_as_a_choice() -> None:
    talk = Talk().turn(SEVEN_OR_EIGHT)
    (ask,) = talk.now(Ask)
    assert ask.text == "Семь или восемь?"
    answer = talk.turn(say("ну пусть восемь")).state.answers["nps"]
    assert (answer.value, answer.source, answer.alternatives) == (8, AnswerSource.SPEECH, (7,))


def test_what_was_hardly_heard_of_yes_and_no_is_a_choice_of_both() -> None:
    talk = Talk(CSAT).turn(keys("5"), say("и да и нет"))
    assert talk.now(Ask)[0].text == "Да или нет?"
    assert talk.turn(NO).values["resolved"] == "no"


def test_not_to_know_of_two_is_to_know_it_is_one_of_them() -> None:
    talk = Talk().turn(say("семь или восемь не знаю", Intent.DONT_KNOW))
    assert talk.now(Ask)[0].text == "Семь или восемь?"


@pytest.mark.parametrize("unhelpful", [NO, NOISE, SILENCE, SEVEN_OR_EIGHT, HARDLY_SEVEN, keys("*")])
def test_after_one_confirming_question_come_the_keys_and_then_no_answer(unhelpful: object) -> None:
    talk = Talk().turn(HARDLY_SEVEN, unhelpful)  # type: ignore[arg-type]
    (ask,) = talk.now(Ask)
    assert "нажать цифру" in ask.text
    assert ask.expectation == ScaleExpected(low=0, high=10)
    talk.turn(NOISE)
    answer = talk.now(Record)[0].answer
    assert (answer.status, answer.reason) == (AnswerStatus.NO_ANSWER, "no_match")
    assert (answer.alternatives, answer.heard) == ((7,), "семь")


def test_a_value_is_confirmed_once_a_question() -> None:
    talk = Talk().turn(HARDLY_SEVEN, SEVEN_OR_EIGHT, HARDLY_SEVEN)
    questions = [ask.text for ask in talk.of(Ask) if ask.question_id == "nps"]
    assert len(questions) == len(set(questions)) == 3
    assert talk.statuses["nps"] == "no_answer"


def test_doubt_late_in_the_ladder_is_still_asked_about() -> None:
    talk = Talk().turn(NOISE, NOISE, HARDLY_SEVEN)
    assert talk.now(Ask)[0].text == "Вы сказали семь, верно?"
    assert talk.turn(YES).values["nps"] == 7


def test_who_asks_to_repeat_hears_the_question_in_other_words() -> None:
    """The confirming question has one wording, and nobody hears the same sentence twice."""
    talk = Talk().turn(HARDLY_SEVEN, say("повторите", Intent.ASK_REPEAT))
    (ask,) = talk.now(Ask)
    assert ask.question_id == "nps"
    assert ask.text not in {each.text for each in talk.of(Ask)[:-1]}
    assert talk.turn(say("восемь", Intent.ANSWER_SCORE)).values["nps"] == 8


def test_the_next_question_has_a_confirmation_of_its_own() -> None:
    talk = Talk(CSAT).turn(heard(("пять", 0.3)), YES, heard(("да", 0.3)))
    assert talk.state.doubt is None  # yes or no hardly heard has one candidate, and is put again
    talk = Talk(CSAT).turn(heard(("пять", 0.3)), YES, say("и да и нет"))
    assert talk.state.doubt is not None
    assert talk.state.doubt.candidates == ("yes", "no")


def test_doubt_survives_as_json() -> None:
    state = Talk().turn(SEVEN_OR_EIGHT).state
    assert FlowState.model_validate_json(state.model_dump_json()) == state


@pytest.mark.parametrize("survey", [NPS, CSAT])
def test_confirming_questions_are_prepared(survey: Survey) -> None:
    ready = prompts(survey, context(survey))
    assert "Вы сказали три, верно?" in ready
    assert "Три или четыре?" in ready
    assert "Да или нет?" in ready


def test_a_survey_without_such_a_text_puts_the_question_again() -> None:
    texts = NPS.texts.model_copy(update={"confirm": "", "confirm_either": ""})
    talk = Talk(NPS.model_copy(update={"texts": texts})).turn(HARDLY_SEVEN)
    assert talk.now(Say)[0].text in texts.low_confidence
    assert talk.state.doubt is None


def test_always_confirms_what_was_clear_and_never_asks_of_nothing() -> None:
    first, *others = NPS.questions
    sure = NPS.model_copy(update={"questions": (first.model_copy(update={"confirm": "always"}), *others)})
    talk = Talk(sure).turn(say("девять"))
    assert talk.now(Ask)[0].text == "Вы сказали девять, верно?"
    assert talk.values == {}
    assert talk.turn(YES).values == {"nps": 9}
    assert talk.state.fruitless == 0
    never = NPS.model_copy(update={"questions": (first.model_copy(update={"confirm": "never"}), *others)})
    talk = Talk(never).turn(HARDLY_SEVEN)
    assert talk.now(Say)[0].text in NPS.texts.low_confidence


def test_a_date_is_read_back_in_the_customer_s_zone() -> None:
    callback = load_survey(SURVEYS / "callback.yaml")
    at = datetime(2026, 11, 25, 18, 10, tzinfo=UTC)
    talk = Talk(callback)
    talk.state = talk.state.model_copy(
        update={"context": talk.context.model_copy(update={"timezone": "Asia/Vladivostok"})}
    )
    tomorrow = say("завтра в три часа дня", Intent.CALLBACK_LATER).model_copy(update={"at": at})
    talk.turn(NO, tomorrow)
    assert "двадцать седьмого ноября, в пятнадцать часов" in talk.now(Ask)[0].text
    assert talk.turn(YES).values["time"] == "2026-11-27T15:00+10:00"
