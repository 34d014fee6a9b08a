"""From what is said to signals, and from signals to offers, callbacks, cases and notes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
    Signal,
    Transfer,
    WithdrawMatter,
    WithdrawSignal,
)
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic
from bot.surveys import flow
from bot.surveys.dictionary_files import shipped
from bot.surveys.flow import Stage
from bot.surveys.loader import from_json
from bot.surveys.paths import paths_of
from bot.surveys.prompts import prompts
from bot.surveys.schema import Survey
from tests.surveys.turns import HANDOVER_FAILED, NPS, SILENCE, Talk, keys, say

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""One in the afternoon in Moscow."""

PUBLISHED = sorted((Path(__file__).parents[1] / "data" / "surveys" / "published").glob("nps-*.json"))


def survey(*rules: dict[str, Any], language: str = "ru", **more: Any) -> Survey:
    """Two closed questions and an open one, with these rules and the dictionaries that ship."""
    stock = [each.model_dump() for each in shipped().values() if each.language == language]
    return Survey.model_validate(
        {
            "id": "matter",
            "version": 1,
            "language": language,
            "title": "Разбор",
            "company": "Ромашка",
            "consent": "Здравствуйте!",
            "introduction": "Три вопроса.",
            "questions": [
                {"id": "nps", "kind": "nps", "ask": "От нуля до десяти?", "reask": ["Назовите число."]},
                {"id": "resolved", "kind": "yes_no", "ask": "Решили вопрос?", "reask": ["Да или нет?"]},
                {"id": "why", "kind": "open", "ask": "Почему так?", "reask": ["Расскажите."]},
            ],
            "triage": list(rules),
            "dictionaries": stock,
            **more,
        }
    )


CASE = {"id": "matter", "when": "answer.nps <= 2", "do": "case", "text": "Передам это руководителю."}
REMARK = {"id": "remark", "when": '"repeated_contact" in signals', "do": "note"}
CALL = {"id": "ring", "when": "answer.nps <= 6", "after": "resolved", "offer": "callback", "by": "tomorrow"}
ANGER = {"id": "anger", "when": '"angry" in signals', "offer": "human", "target": "department:Поддержка"}
LOST = {"id": "lost", "when": '"misunderstood" in signals', "offer": "human", "target": "responsible"}


def at(turn: UserTurn, moment: datetime = MONDAY) -> UserTurn:
    return turn.model_copy(update={"at": moment})


def signals(talk: Talk) -> list[tuple[str, str, str]]:
    return [(each.name, each.rule, each.words) for each in talk.of(Signal)]


# Signals ------------------------------------------------------------------------------------


def test_a_low_score_rests_on_the_words_of_the_answer() -> None:
    talk = Talk(survey(CASE)).turn(say("двойка"))
    assert signals(talk) == [("matter", "matter", "двойка")]


def test_a_complaint_that_the_model_did_not_see_is_seen_by_its_words() -> None:
    talk = Talk(survey()).turn(say("меня обхамили", Intent.INFORM, sure=0.4))
    assert signals(talk) == [("complaint", "complaints.rudeness", "обхамили")]
    assert talk.state.topics == (Topic.RUDENESS,)
    assert talk.kinds == ["signal", "say", "ask"]  # sympathy, and the question again
    assert talk.state.failures == 0


@pytest.mark.parametrize(
    ("topic", "sure", "told"),
    [
        (Topic.OTHER, 0.9, Topic.RUDENESS),
        (Topic.BILLING, 0.65, Topic.RUDENESS),
        (Topic.BILLING, 0.9, Topic.BILLING),
        (None, 0.9, Topic.RUDENESS),
    ],
)
def test_words_decide_what_a_complaint_is_about_where_the_model_is_unsure(
    topic: Topic | None, sure: float, told: Topic
) -> None:
    talk = Talk(survey()).turn(say("меня обхамили", Intent.COMPLAIN, sure=sure, topic=topic))
    first = talk.of(Signal)[0]
    assert (first.name, first.rule, first.topic) == ("complaint", "intent:complain", told)


def test_a_complaint_about_two_things_has_both_topics() -> None:
    talk = Talk(survey()).turn(say("долго ждал и нахамили", Intent.COMPLAIN, topic=Topic.WAITING))
    assert [each.topic for each in talk.of(Signal)] == [Topic.WAITING, Topic.RUDENESS]
    assert set(talk.state.topics) == {Topic.WAITING, Topic.RUDENESS}


@pytest.mark.parametrize(
    "words", ["не хамили", "грубости не было", "я не жалуюсь", "долго ждать не пришлось"]
)
def test_what_is_denied_raises_nothing(words: str) -> None:
    assert signals(Talk(survey()).turn(say(words, Intent.INFORM))) == []


def test_praise_that_the_model_is_sure_of_is_no_complaint() -> None:
    talk = Talk(survey()).turn(say("долго ждал но помогли отлично", Intent.PRAISE))
    assert signals(talk) == []


def test_the_answer_itself_is_no_complaint() -> None:
    talk = Talk(survey()).turn(say("семь"), say("нет не решили", Intent.DENY))
    assert talk.values == {"nps": 7, "resolved": "no"}
    assert signals(talk) == []


def test_noise_that_was_taken_for_words_raises_nothing() -> None:
    from tests.surveys.turns import heard

    assert signals(Talk(survey()).turn(heard(("обхамили", 0.2), ("меня", 0.2)))) == []


def test_anger_and_a_repeated_contact_are_signals_of_their_own() -> None:
    talk = Talk(survey()).turn(say("двойка вы меня бесите опять звоню"))
    assert signals(talk) == [
        ("angry", "anger.anger", "бесите"),
        ("repeated_contact", "contact.repeated", "опять звоню"),
    ]
    assert talk.values == {"nps": 2}


def test_the_same_complaint_twice_unasked_is_anger() -> None:
    waited = say("очень долго ждал", Intent.COMPLAIN, topic=Topic.WAITING)
    talk = Talk(survey()).turn(waited)
    assert "angry" not in [each.name for each in talk.of(Signal)]
    talk.turn(waited)
    assert ("angry", "angry:again", "очень долго ждал") in signals(talk)


def test_a_complaint_again_where_one_is_asked_for_is_no_anger() -> None:
    waited = say("очень долго ждал", Intent.COMPLAIN, topic=Topic.WAITING)
    talk = Talk(survey()).turn(waited, say("семь"), say("да", Intent.AFFIRM), waited)
    assert talk.values["why"] == "очень долго ждал"
    assert "angry" not in [each.name for each in talk.of(Signal)]


def test_breaking_in_again_and_again_without_an_answer_is_anger() -> None:
    early = say("алло послушайте меня").model_copy(update={"after_s": 2.5})
    talk = Talk(survey(signals={"interruptions": 2})).turn(early)
    assert signals(talk) == []
    talk.turn(early)
    assert ("angry", "angry:interruptions", "алло послушайте меня") in signals(talk)


@pytest.mark.parametrize(
    "change", [{"question_heard": True, "after_s": 2.5}, {"after_s": None}, {"after_s": 2.5, "text": "[unk]"}]
)
def test_who_waits_for_the_question_or_says_nothing_breaks_in_on_nobody(change: dict[str, Any]) -> None:
    turn = say("алло послушайте меня").model_copy(update=change)
    talk = Talk(survey(signals={"interruptions": 2, "misunderstood_after": 9})).turn(turn, turn)
    assert signals(talk) == []


def test_an_answer_before_the_end_of_the_question_is_no_interruption() -> None:
    quick = [say(text).model_copy(update={"after_s": 2.5}) for text in ("семь", "да", "всё хорошо")]
    talk = Talk(survey(signals={"interruptions": 2})).turn(*quick)
    assert talk.state.interruptions == 0
    assert talk.values == {"nps": 7, "resolved": "yes", "why": "всё хорошо"}


def test_not_understood_again_and_again_is_a_signal_and_silence_is_none() -> None:
    talk = Talk(survey(LOST, signals={"misunderstood_after": 2})).turn(SILENCE, say("абракадабра"))
    assert not talk.of(Signal)
    talk.turn(say("ерунда"))
    assert signals(talk) == [("misunderstood", "misunderstood:turns", "ерунда")]
    assert [offer.rule for offer in talk.of(Offer)] == ["lost"]


def test_a_question_that_ends_without_being_understood_is_a_signal() -> None:
    noise = [say(text) for text in ("абракадабра", "ерунда", "мимо")]
    talk = Talk(survey(signals={"misunderstood_after": 9})).turn(*noise)
    assert ("misunderstood", "misunderstood:question", "мимо") in signals(talk)
    assert talk.statuses == {"nps": "no_answer"}


def test_a_version_from_before_has_none_of_these_signals() -> None:
    old = from_json(PUBLISHED[0].read_text("utf-8"))
    assert old.dictionaries == ()
    assert old.signals is None
    early = say("меня обхамили сколько можно").model_copy(update={"after_s": 2.5})
    talk = Talk(old).turn(*[early] * 3)
    assert not talk.of(Signal)


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
