"""What callers say instead of an answer, or beside it."""

from __future__ import annotations

import pytest

from bot.core.directives import (
    Ask,
    Callback,
    End,
    Offer,
    OptOut,
    Say,
    Signal,
    Transfer,
)
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic
from tests.surveys.said import DONT_KNOW, GOODBYE, LATER, NINE, REFUSE_ALL, REFUSE_ONE, TWO, UNRESOLVED, WHO
from tests.surveys.turns import CSAT, Talk, heard, keys, say


def test_a_score_and_a_complaint_in_one_breath_are_both_kept() -> None:
    talk = Talk().turn(say("двойка очень долго ждал", Intent.COMPLAIN, topic=Topic.WAITING))
    assert talk.values == {"nps": 2}
    assert talk.kinds == ["record", "signal", "signal", "offer"]
    assert talk.now(Offer)[0].topic is Topic.WAITING


def test_a_complaint_without_a_score_is_met_with_sympathy_and_the_question() -> None:
    rude = say("оператор нахамил", Intent.COMPLAIN, topic=Topic.RUDENESS)
    talk = Talk().turn(rude)
    assert talk.kinds == ["signal", "say", "ask"]
    assert talk.now(Signal)[0].topic is Topic.RUDENESS
    assert talk.state.failures == 0
    talk.turn(say("ноль"))
    assert talk.now(Offer)[0].topic is Topic.RUDENESS


def test_a_complaint_below_the_threshold_does_not_escalate() -> None:
    talk = Talk().turn(say("бурбулятор квазар", Intent.COMPLAIN, sure=0.59, topic=Topic.OTHER))
    assert not talk.of(Signal)
    assert talk.kinds == ["say", "ask"]


def test_a_plain_no_is_an_answer_even_where_the_model_hears_a_complaint() -> None:
    plain = say("нет не решили", Intent.COMPLAIN, topic=Topic.UNRESOLVED)
    talk = Talk().turn(TWO, plain)
    assert talk.now(Ask)[0].question_id == "reason"
    assert "complaint" not in {signal.name for signal in talk.of(Signal)}
    assert talk.turn(say("просто так")).now(Offer)[0].topic is Topic.UNRESOLVED
    more = say("нет не решили оператор нахамил", Intent.COMPLAIN, topic=Topic.RUDENESS)
    assert Talk().turn(TWO, more).now(Offer)


def test_no_intent_is_read_from_noise() -> None:
    leaves = {"intent": Intent.GOODBYE, "intent_confidence": 0.99}
    for turn in (say("[unk] [unk]"), heard(("до", 0.3), ("свидания", 0.4))):
        talk = Talk().turn(turn.model_copy(update=leaves))
        assert not talk.of(End)
        assert talk.now(Ask)[0].attempt == 2
    assert Talk().turn(heard(("до", 0.6), ("свидания", 0.9)).model_copy(update=leaves)).of(End)


def test_a_wish_for_a_person_is_granted_at_once() -> None:
    talk = Talk().turn(say("девять но соедините с оператором", Intent.REQUEST_AGENT))
    assert talk.kinds == ["record", "signal", "transfer"]
    assert talk.values == {"nps": 9}
    assert talk.of(Transfer)[0].reason == "request_agent"
    assert talk.of(Transfer)[0].text
    assert talk.of(Transfer)[0].whisper == "Оценка девять, клиент просит соединить с сотрудником."


def test_no_more_calls_is_effective_at_once() -> None:
    talk = Talk().turn(say("больше не звоните", Intent.OPT_OUT))
    assert talk.kinds == ["opt_out", "end"]
    assert talk.of(OptOut)[0].words == "больше не звоните"
    assert talk.of(End)[0].disposition is Disposition.OPTED_OUT


@pytest.mark.parametrize(
    "text",
    [
        "не звоните мне",
        "больше не звоните",
        "удалите мой номер",
        "уберите меня из базы",
        "вычеркните мой номер",
        "прошу больше мне не звонить",
        "хватит мне звонить",
        "ноль и больше не звоните сюда никогда",
        "нет, не звоните",
        "stop calling me",
    ],
)
def test_no_more_calls_needs_no_model(text: str) -> None:
    for talk in (Talk(), Talk().turn(NINE), Talk().turn(TWO, UNRESOLVED)):
        talk.turn(say(text, Intent.INFORM, sure=0.99))
        assert talk.of(End)[0].disposition is Disposition.OPTED_OUT, text


@pytest.mark.parametrize(
    "text",
    [
        "почему вы не звоните",
        "обещали перезвонить и не звоните",
        "не звоните сейчас",
        "я вам звонил",
        "не звонили",
        "номер телефона",
        "чтобы больше не звонить",
    ],
)
def test_what_only_sounds_like_it_is_not_an_opt_out(text: str) -> None:
    assert not Talk().turn(say(text)).of(OptOut)


def test_a_no_that_belongs_to_the_wish_is_not_an_answer() -> None:
    assert "resolved" not in Talk().turn(NINE, say("нет не звоните", Intent.OPT_OUT)).values
    assert "resolved" not in Talk().turn(NINE, say("неудобно", Intent.CALLBACK_LATER)).values
    assert Talk().turn(NINE, say("решили не звоните больше", Intent.OPT_OUT)).values["resolved"] == "yes"
    assert (
        Talk().turn(NINE, say("нет соедините с оператором", Intent.REQUEST_AGENT)).values["resolved"] == "no"
    )


def test_later_is_a_callback_by_the_bot_with_the_callers_words() -> None:
    talk = Talk().turn(LATER)
    assert talk.kinds == ["callback", "end"]
    assert (talk.of(Callback)[0].when, talk.of(Callback)[0].by) == ("перезвоните завтра", "bot")
    assert talk.of(End)[0].disposition is Disposition.CALLBACK


def test_the_wrong_person_answers_nothing() -> None:
    talk = Talk().turn(say("вы ошиблись номером девять", Intent.WRONG_PERSON))
    assert talk.values == {}
    assert talk.of(End)[0].disposition is Disposition.WRONG_PERSON


def test_a_survey_is_refused_as_a_whole_or_by_the_question() -> None:
    assert Talk().turn(REFUSE_ALL).of(End)[0].disposition is Disposition.REFUSED
    talk = Talk().turn(REFUSE_ONE)
    assert talk.statuses == {"nps": "refused"}
    assert talk.now(Ask)[0].question_id == "resolved"
    talk.turn(REFUSE_ONE)
    assert talk.of(End)[0].disposition is Disposition.REFUSED


def test_not_knowing_is_stored_and_passed_over() -> None:
    talk = Talk().turn(DONT_KNOW)
    assert talk.statuses == {"nps": "dont_know"}
    assert talk.kinds == ["record", "say", "ask"]


def test_a_value_beside_not_knowing_is_the_answer() -> None:
    assert Talk().turn(say("не знаю ну пусть семь", Intent.DONT_KNOW)).values == {"nps": 7}


def test_who_is_calling_is_told_and_the_question_put_again() -> None:
    talk = Talk().turn(WHO)
    assert talk.kinds == ["say", "ask"]
    assert talk.now(Say)[0].purpose == "identity"
    assert talk.survey.company in talk.now(Say)[0].text
    assert talk.state.failures == 0


def test_goodbye_is_partial_with_an_answer_and_hung_up_without() -> None:
    assert Talk().turn(GOODBYE).of(End)[0].disposition is Disposition.HUNG_UP
    assert Talk().turn(NINE, GOODBYE).of(End)[0].disposition is Disposition.PARTIAL
    assert Talk().turn(say("девять до свидания", Intent.GOODBYE)).values == {"nps": 9}
    last = Talk(CSAT).turn(keys("4"), say("решили до свидания", Intent.GOODBYE))
    assert last.of(End)[0].disposition is Disposition.COMPLETED
