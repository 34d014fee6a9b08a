"""Talks as they go, turn by turn."""

from __future__ import annotations

import pytest

from bot.core.context import Person, UserTurn
from bot.core.directives import (
    Ask,
    Callback,
    End,
    Offer,
    OfferAnswered,
    OptOut,
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
from tests.surveys.turns import CSAT, HANDOVER_FAILED, NPS, SILENCE, Talk, heard, keys, say

NINE = say("девять", Intent.ANSWER_SCORE)
TWO = say("двойка", Intent.ANSWER_SCORE)
RESOLVED = say("да решили", Intent.AFFIRM)
UNRESOLVED = say("нет не решили", Intent.DENY)
PRAISE = say("всё отлично спасибо большое", Intent.PRAISE)
WAITED = say("очень долго ждал", Intent.COMPLAIN, topic=Topic.WAITING)
YES = say("да", Intent.AFFIRM)
NO = say("нет спасибо", Intent.DENY)
NOISE = say("[unk]")
REPEAT = say("повторите пожалуйста", Intent.ASK_REPEAT)
WHO = say("кто это", Intent.ASK_IDENTITY)
DONT_KNOW = say("не знаю", Intent.DONT_KNOW)
PERSON = say("соедините с оператором", Intent.REQUEST_AGENT)
LATER = say("перезвоните завтра", Intent.CALLBACK_LATER)
GOODBYE = say("до свидания", Intent.GOODBYE)
REFUSE_ALL = say("не хочу участвовать в опросе", Intent.REFUSE)
REFUSE_ONE = say("воздержусь", Intent.REFUSE)


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


# Offers -------------------------------------------------------------------------------------


def test_a_declined_offer_ends_well_when_nothing_is_left() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, NO)
    assert talk.kinds == ["offer_answered", "end"]
    assert [answered.accepted for answered in talk.of(OfferAnswered)] == [False]
    assert talk.of(End)[0].disposition is Disposition.COMPLETED


def test_whoever_declined_is_not_offered_again() -> None:
    talk = Talk().turn(say("двойка очень долго ждал", Intent.COMPLAIN, topic=Topic.WAITING), NO)
    talk.turn(UNRESOLVED, say("долго ждал", Intent.COMPLAIN, topic=Topic.WAITING))
    assert len(talk.of(Offer)) == 1
    assert talk.of(End)[0].disposition is Disposition.COMPLETED


@pytest.mark.parametrize(
    ("turn", "accepted"),
    [
        (say("давайте"), True),
        (keys("1"), True),
        (PERSON, True),
        (say("было бы славно", Intent.AFFIRM), True),
        (keys("2"), False),
        (say("спасибо не надо"), False),
        (REFUSE_ONE, False),
        (say("как-нибудь сам справлюсь", Intent.DENY), False),
    ],
)
def test_an_offer_is_answered_in_many_ways(turn: UserTurn, accepted: bool) -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, turn)
    assert [answered.accepted for answered in talk.of(OfferAnswered)] == [accepted]
    assert len(talk.of(Transfer)) == accepted


def test_a_weak_intent_does_not_decide_an_offer() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, say("бурбулятор", Intent.AFFIRM, sure=0.59))
    assert talk.kinds == ["say", "offer"]


def test_silence_after_an_offer_is_asked_once_more_and_then_taken_for_no() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, SILENCE)
    first, second = talk.of(Offer)
    assert second.attempt == 2
    assert first.text != second.text
    talk.turn(SILENCE, SILENCE)
    assert [answered.accepted for answered in talk.of(OfferAnswered)] == [False]
    assert talk.of(End)[0].disposition is Disposition.COMPLETED


def test_at_an_offer_no_more_calls_comes_first() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, say("больше не звоните"))
    assert talk.kinds == ["offer_answered", "opt_out", "end"]


def test_at_an_offer_later_means_that_an_agent_rings() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, LATER)
    assert talk.kinds == ["offer_answered", "callback", "end"]
    assert (talk.of(Callback)[0].by, talk.of(Callback)[0].when) == ("agent", "перезвоните завтра")


def test_a_failed_handover_is_told_and_becomes_a_callback() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, YES)
    talk.turn(say("алло"))
    assert talk.last == ()
    talk.turn(HANDOVER_FAILED)
    assert talk.kinds == ["say", "callback", "end"]
    assert talk.of(Callback)[0].by == "agent"
    assert talk.of(End)[0].disposition is Disposition.CALLBACK
    assert "перезвонят" in talk.of(End)[0].text


# Interruptions ------------------------------------------------------------------------------


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


# Asking again -------------------------------------------------------------------------------


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
