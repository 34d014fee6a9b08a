"""From signals to offers, callbacks, cases and notes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.core.context import Person, UserTurn
from bot.core.directives import (
    Ask,
    Callback,
    ConfirmExpected,
    End,
    Note,
    Offer,
    OfferAnswered,
    OpenCase,
    Record,
    Say,
    Transfer,
    WithdrawMatter,
    WithdrawSignal,
)
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic
from bot.surveys import flow
from bot.surveys.flow import Stage
from bot.surveys.loader import from_json
from bot.surveys.paths import paths_of
from bot.surveys.prompts import prompts
from tests.surveys.matters import ANGER, CALL, CASE, LOST, MONDAY, PUBLISHED, REMARK, at, survey
from tests.surveys.turns import HANDOVER_FAILED, NPS, Talk, keys, say

# Actions ------------------------------------------------------------------------------------


def test_a_case_is_opened_at_once_with_its_sentence_before_the_next_question() -> None:
    talk = Talk(survey(CASE)).turn(say("двойка"))
    (case,) = talk.now(OpenCase)
    assert (case.reason, case.words, case.target) == ("matter", "двойка", "responsible")
    assert talk.kinds[-3:] == ["open_case", "say", "ask"]
    assert talk.now(Say)[-1].text == "Передам это руководителю."


def test_a_note_says_nothing() -> None:
    talk = Talk(survey(REMARK)).turn(say("семь звоню третий раз"))
    (note,) = talk.now(Note)
    assert (note.rule, note.words) == ("remark", "звоню третий раз")
    assert "offer" not in talk.kinds


def test_a_rule_acts_once_a_call() -> None:
    talk = Talk(survey(REMARK)).turn(say("звоню третий раз"), say("семь звоню третий раз"), say("да"))
    assert len(talk.of(Note)) == 1


def test_a_corrected_answer_takes_its_case_and_its_note_back() -> None:
    talk = Talk(survey(CASE, {"id": "low", "when": "answer.nps <= 6", "do": "note"})).turn(say("двойка"))
    again = say("ой нет девять").model_copy(update={"after_s": 0.6})
    talk.turn(again)
    assert [each.rule for each in talk.now(WithdrawMatter)] == ["matter", "low"]
    assert [each.name for each in talk.now(WithdrawSignal)] == ["matter", "low"]
    assert not talk.now(OpenCase)
    assert not talk.now(Note)
    assert talk.state.acted == ()


def test_a_case_that_stands_after_a_correction_is_not_opened_twice() -> None:
    talk = Talk(survey(CASE)).turn(say("двойка"), say("ой нет ноль").model_copy(update={"after_s": 0.6}))
    assert talk.values == {"nps": 0}
    assert not talk.now(WithdrawMatter)
    assert not talk.now(OpenCase)
    assert [say.text for say in talk.now(Say)].count("Передам это руководителю.") == 0


def test_who_leaves_in_anger_has_his_case_before_the_goodbye() -> None:
    rule = {"id": "angry_case", "when": '"angry" in signals', "do": "case"}
    talk = Talk(survey(rule)).turn(say("сколько можно до свидания", Intent.GOODBYE))
    assert [type(each) for each in talk.last][-2:] == [OpenCase, End]


def test_a_callback_is_offered_promised_and_the_survey_goes_on() -> None:
    talk = Talk(survey(CALL)).turn(*map(at, (say("пять"), say("нет", Intent.DENY))))
    (offer,) = talk.now(Offer)
    assert (offer.offer, offer.rule) == ("callback", "ring")
    assert "Перезвонить вам завтра" in offer.text
    assert isinstance(flow.expectation(talk.survey, talk.state), ConfirmExpected)
    talk.turn(at(say("да", Intent.AFFIRM)))
    (promise,) = talk.now(Callback)
    assert promise.due == datetime.fromisoformat("2026-11-24T20:00+03:00")
    assert (promise.by, promise.when, promise.reason, promise.target) == ("agent", "", "ring", "responsible")
    assert talk.now(Say)[0].text == "Хорошо, вам перезвонят завтра."
    assert talk.now(Ask)[0].question_id == "why"
    talk.turn(at(say("всё медленно")))
    assert talk.now(End)[0].disposition is Disposition.COMPLETED


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("давайте в пятницу в три часа дня", "2026-11-27T15:00+03:00"),
        ("да завтра утром", "2026-11-24T12:00+03:00"),
        ("нет лучше послезавтра в десять утра", "2026-11-25T10:00+03:00"),
    ],
)
def test_the_caller_may_name_a_time_of_his_own(words: str, due: str) -> None:
    talk = Talk(survey(CALL)).turn(*map(at, (say("пять"), say("нет", Intent.DENY), say(words))))
    (promise,) = talk.now(Callback)
    assert promise.when == words
    assert promise.due == datetime.fromisoformat(due)
    assert talk.now(Say)[0].text == "Хорошо, вам перезвонят в это время."


@pytest.mark.parametrize("turn", [say("нет", Intent.DENY), say("завтра не надо"), keys("2")])
def test_a_callback_may_be_declined(turn: UserTurn) -> None:
    talk = Talk(survey(CALL)).turn(*map(at, (say("пять"), say("да", Intent.AFFIRM), turn)))
    assert not talk.of(Callback)
    assert [answered.accepted for answered in talk.of(OfferAnswered)] in ([False], [])
    assert talk.state.stage in (Stage.QUESTION, Stage.OFFER)


def test_by_key_a_callback_is_taken() -> None:
    talk = Talk(survey(CALL)).turn(*map(at, (say("пять"), say("да", Intent.AFFIRM), keys("1"))))
    assert talk.of(Callback)


def test_today_is_not_promised_when_it_is_over() -> None:
    late = MONDAY + timedelta(hours=8)
    talk = Talk(survey({**CALL, "by": "today"})).turn(at(say("пять"), late), at(say("да"), late))
    assert "завтра" in talk.now(Offer)[0].text
    talk.turn(at(say("да", Intent.AFFIRM), late))
    assert talk.now(Callback)[0].due == datetime.fromisoformat("2026-11-24T20:00+03:00")


def test_who_wants_a_person_now_instead_of_a_callback_is_passed_on() -> None:
    wants = say("соедините с оператором", Intent.REQUEST_AGENT)
    talk = Talk(survey(CALL)).turn(*map(at, (say("пять"), say("да", Intent.AFFIRM), wants)))
    assert talk.now(OfferAnswered)[0].accepted is False
    assert talk.now(Transfer)[0].reason == "request_agent"


def test_nobody_is_offered_the_same_twice_but_a_callback_after_a_person() -> None:
    talk = Talk(survey(ANGER, CALL, {**ANGER, "id": "more", "when": "answer.nps <= 6"}))
    talk.turn(say("пять сколько можно"))
    assert [offer.rule for offer in talk.of(Offer)] == ["anger"]
    talk.turn(say("нет", Intent.DENY), say("пять"), say("да", Intent.AFFIRM))
    assert [offer.rule for offer in talk.of(Offer)] == ["anger", "ring"]
    talk.turn(say("нет", Intent.DENY), say("сколько можно"))
    assert len(talk.of(Offer)) == 2
    assert talk.state.stage is Stage.ENDED


def test_a_declined_offer_leaves_a_case_where_its_rule_wants_one() -> None:
    rule = {**ANGER, "declined": "case"}
    talk = Talk(survey(rule)).turn(say("пять сколько можно"), say("нет", Intent.DENY))
    (case,) = talk.now(OpenCase)
    assert (case.reason, case.words, case.target) == ("anger", "сколько можно", "department:Поддержка")
    accepted = Talk(survey(rule)).turn(say("пять сколько можно"), say("да", Intent.AFFIRM))
    assert not accepted.of(OpenCase)
    assert accepted.now(Transfer)[0].target == "department:Поддержка"


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("topic", list(Topic))
@pytest.mark.parametrize("offer", ["human", "callback"])
def test_every_topic_has_an_offer_in_its_own_words(language: str, topic: Topic, offer: str) -> None:
    texts = survey(language=language).texts
    by_topic = texts.offer_by_topic if offer == "human" else texts.offer_callback_by_topic
    assert len(set(by_topic.values())) == len(Topic)
    assert by_topic[topic].endswith("?")
    assert offer == "human" or "{by}" in by_topic[topic]


def test_an_offer_may_name_the_agent_and_the_department_or_do_without() -> None:
    text = "Вам поможет {agent.name|наш сотрудник}, {department|поддержка}. Соединить?"
    rule = {**ANGER, "text": text}
    angry = say("пять сколько можно")
    assert Talk(survey(rule)).turn(angry).now(Offer)[0].text == (
        "Вам поможет наш сотрудник, поддержка. Соединить?"
    )
    named = Talk(survey(rule), agent=Person(first_name="Мария")).turn(angry)
    assert named.now(Offer)[0].text.startswith("Вам поможет Мария")


# A handover that failed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "сегодня до конца дня"), (1, "завтра"), (2, "в ближайшее время"), (None, "в ближайшее время")],
)
def test_the_promise_after_a_handover_that_failed_says_by_when(days: int | None, said: str) -> None:
    wants = at(say("соедините с оператором", Intent.REQUEST_AGENT))
    due = None if days is None else MONDAY + timedelta(days=days, hours=3)
    failed = at(HANDOVER_FAILED.model_copy(update={"due": due, "text": "no_answer"}))
    talk = Talk(NPS).turn(wants, failed)
    (end,) = talk.now(End)
    assert said in end.text
    assert end.text in prompts(talk.survey, talk.context)
    assert talk.now(Callback)[0].due == due


def test_an_old_version_promises_what_it_promised() -> None:
    old = from_json(PUBLISHED[0].read_text("utf-8"))
    wants = at(say("соедините с оператором", Intent.REQUEST_AGENT))
    failed = at(HANDOVER_FAILED.model_copy(update={"due": MONDAY + timedelta(hours=3)}))
    assert Talk(old).turn(wants, failed).now(End)[0].text == old.closings.handover_failed


# Looking ahead ------------------------------------------------------------------------------


def test_all_that_is_said_had_been_prepared() -> None:
    rules = survey({**CALL, "by": "today"}, CASE, ANGER, LOST)
    known = set(prompts(rules, Talk(rules).context))
    for turns in (
        [say("двойка"), say("да"), say("да", Intent.AFFIRM)],
        [
            say("двойка сколько можно"),
            say("нет", Intent.DENY),
            say("да"),
            say("давайте завтра в десять утра"),
        ],
    ):
        talk = Talk(rules).turn(*map(at, turns))
        assert {each.text for each in (*talk.of(Say), *talk.of(Offer), *talk.of(Ask))} <= known


def test_paths_go_by_every_new_signal_and_offer() -> None:
    found = paths_of(survey(CALL, ANGER, LOST))
    assert found.complete
    assert found.offered() == {"ring", "anger", "lost"}


def test_a_callback_that_was_agreed_on_is_on_record_once() -> None:
    talk = Talk(survey(CALL)).turn(*map(at, (say("пять"), say("да"), say("да"), say("всё хорошо"))))
    assert len(talk.of(Callback)) == 1
    assert [record.question_id for record in talk.of(Record)] == ["nps", "resolved", "why"]
