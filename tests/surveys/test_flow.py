"""Talks as they go, turn by turn."""

from __future__ import annotations

import pytest

from bot.core.context import Person
from bot.core.directives import (
    Ask,
    Callback,
    End,
    Offer,
    Record,
    Say,
    ScaleExpected,
    Signal,
    Transfer,
    YesNoExpected,
)
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic
from bot.surveys import flow
from bot.surveys.flow import FlowState, Stage
from tests.surveys.said import (
    GOODBYE,
    LATER,
    NINE,
    NOISE,
    PERSON,
    PRAISE,
    RESOLVED,
    TWO,
    UNRESOLVED,
    WAITED,
    WHO,
    YES,
)
from tests.surveys.turns import CSAT, HANDOVER_FAILED, NPS, SILENCE, Talk, keys, say


def test_the_first_words_are_the_consent_which_is_heard_out() -> None:
    talk = Talk()
    consent, introduction, first = talk.directives
    assert isinstance(consent, Say)
    assert (consent.purpose, consent.protected) == ("consent", True)
    assert isinstance(introduction, Say)
    assert (introduction.purpose, introduction.protected) == ("introduction", False)
    assert isinstance(first, Ask)
    assert (first.question_id, first.attempt, first.expectation) == ("nps", 1, ScaleExpected(low=0, high=10))


def test_a_satisfied_customer_completes_the_survey() -> None:
    talk = Talk().turn(NINE, RESOLVED, PRAISE)
    assert talk.values == {"nps": 9, "resolved": "yes", "comment": "всё отлично спасибо большое"}
    assert [end.disposition for end in talk.of(End)] == [Disposition.COMPLETED]
    assert not talk.of(Offer)
    assert not talk.of(Signal)


def test_an_unhappy_customer_is_offered_a_human_and_handed_over() -> None:
    talk = Talk().turn(TWO, UNRESOLVED)
    assert talk.values == {"nps": 2, "resolved": "no"}
    assert [ask.question_id for ask in talk.now(Ask)] == ["reason"]
    talk.turn(WAITED)
    assert talk.kinds == ["record", "signal", "offer"]
    (offer,) = talk.now(Offer)
    assert (offer.offer, offer.topic) == ("human", Topic.WAITING)
    assert "ждать" in offer.text
    assert flow.expectation(talk.survey, talk.state) == YesNoExpected()
    talk.turn(YES)
    assert talk.kinds == ["offer_answered", "transfer"]
    (transfer,) = talk.of(Transfer)
    assert (transfer.target, transfer.reason) == ("responsible", "low_score")
    assert transfer.whisper == "Оценка два, клиент жалуется на долгое ожидание."
    assert not talk.of(End)
    assert {signal.name for signal in talk.of(Signal)} == {"low_score", "unresolved", "complaint"}


def test_keys_alone_complete_a_survey() -> None:
    talk = Talk(CSAT).turn(keys("4"), keys("1"))
    assert talk.values == {"csat": 4, "resolved": "yes"}
    assert [end.disposition for end in talk.of(End)] == [Disposition.COMPLETED]


def test_ten_by_keys_is_ten() -> None:
    assert Talk().turn(keys("10")).values == {"nps": 10}


def test_an_answer_is_recorded_before_anything_is_said() -> None:
    talk = Talk()
    for turn in (TWO, UNRESOLVED, WAITED):
        talk.turn(turn)
        assert isinstance(talk.last[0], Record)


def test_thanks_are_not_said_after_every_answer() -> None:
    talk = Talk().turn(NINE)
    assert [said.purpose for said in talk.now(Say)] == ["acknowledgement"]
    talk.turn(RESOLVED)
    assert talk.now(Say) == []


def test_a_low_score_is_not_praised() -> None:
    talk = Talk().turn(TWO)
    assert [said.text for said in talk.now(Say)] == [talk.survey.texts.acknowledgement_low[0]]


# Open questions -----------------------------------------------------------------------------


def test_any_speech_is_a_comment() -> None:
    for text, value in (("[unk] [unk]", ""), ("", ""), ("скорость ответа", "скорость ответа")):
        talk = Talk().turn(NINE, RESOLVED, say(text, Intent.OUT_OF_SCOPE))
        assert talk.values["comment"] == value
        assert talk.of(End)[0].disposition is Disposition.COMPLETED


def test_a_long_comment_is_not_mistaken_for_a_wish() -> None:
    long = say("хотелось бы чтобы не приходилось перезванивать позже", Intent.CALLBACK_LATER)
    talk = Talk().turn(NINE, RESOLVED, long)
    assert talk.values["comment"] == long.text


def test_a_clear_wish_interrupts_a_comment() -> None:
    assert Talk().turn(NINE, RESOLVED, PERSON).of(Transfer)
    assert Talk().turn(NINE, RESOLVED, LATER).of(Callback)
    unsure = say("соедините с оператором", Intent.REQUEST_AGENT, sure=0.7)
    assert not Talk().turn(NINE, RESOLVED, unsure).of(Transfer)


def test_a_wish_in_many_words_is_also_the_comment() -> None:
    both = say("всё было ужасно соедините меня с руководителем", Intent.REQUEST_AGENT)
    talk = Talk().turn(NINE, RESOLVED, both)
    assert talk.values["comment"] == both.text
    assert talk.of(Transfer)


def test_a_happy_score_with_an_open_matter_is_offered_help() -> None:
    talk = Talk().turn(NINE, UNRESOLVED, PRAISE)
    assert talk.of(Offer)
    assert talk.turn(YES).of(Transfer)[0].reason == "unresolved"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("не хочу участвовать в опросе", False),
        ("я не буду участвовать в вашем опросе спасибо", False),
        ("мне всё не понравилось и участвовать в вашем опросе больше не хочу", True),
    ],
)
def test_a_refusal_of_the_survey_is_heard_at_length(text: str, kept: bool) -> None:
    """However many words it has; what else was said in it is the comment."""
    talk = Talk(NPS).turn(NINE, RESOLVED, say(text, Intent.REFUSE))
    assert talk.now(End)
    assert [record.question_id for record in talk.now(Record) if record.answer.value] == ["comment"] * kept


def test_a_comment_about_a_refusal_is_a_comment() -> None:
    text = "ваш сотрудник отказывался со мной говорить и бросал трубку"
    talk = Talk(NPS).turn(NINE, RESOLVED, say(text, Intent.REFUSE))
    assert [record.answer.value for record in talk.now(Record)] == [text]


# State --------------------------------------------------------------------------------------


def test_the_state_survives_json_at_every_turn() -> None:
    talk = Talk(customer=Person(first_name="Анна"))
    for turn in (SILENCE, TWO, WHO, UNRESOLVED, WAITED, YES, HANDOVER_FAILED):
        talk.turn(turn)
        assert FlowState.model_validate_json(talk.state.model_dump_json()) == talk.state


def test_the_same_state_and_turn_give_the_same_step() -> None:
    talk = Talk().turn(TWO, UNRESOLVED)
    before = talk.state.model_dump_json()
    first, second = (flow.next_step(talk.survey, talk.state, WAITED) for _ in range(2))
    assert first == second
    assert talk.state.model_dump_json() == before


def test_what_is_expected_follows_the_stage() -> None:
    talk = Talk()
    assert flow.current_question(talk.state) == "nps"
    assert flow.expectation(talk.survey, talk.state) == ScaleExpected(low=0, high=10)
    talk.turn(TWO, UNRESOLVED, WAITED)
    assert (talk.state.stage, flow.current_question(talk.state)) == (Stage.OFFER, None)
    talk.turn(YES)
    assert talk.state.stage is Stage.HANDOVER
    assert flow.expectation(talk.survey, talk.state) is None
    talk.turn(HANDOVER_FAILED)
    assert (talk.state.stage, flow.expectation(talk.survey, talk.state)) == (Stage.ENDED, None)


def test_nothing_follows_the_end() -> None:
    talk = Talk().turn(GOODBYE)
    for turn in (NINE, SILENCE, HANDOVER_FAILED, LATER, NOISE):
        assert talk.turn(turn).last == ()


def test_a_person_and_no_more_calls_are_granted_over_the_farewell_too() -> None:
    done = (NINE, RESOLVED, PRAISE)
    opted_out = Talk().turn(*done, say("больше не звоните", Intent.OPT_OUT)).last
    assert [each.kind for each in opted_out] == ["opt_out", "say"]
    asked = Talk().turn(*done, PERSON)
    assert [each.kind for each in asked.last] == ["signal", "transfer"]
    assert asked.state.stage is Stage.HANDOVER
