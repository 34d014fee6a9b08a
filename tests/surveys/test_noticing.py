"""What is said, and when, as signals: complaints, anger, not being understood."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.directives import (
    Offer,
    Signal,
)
from bot.core.intents import Intent, Topic
from bot.surveys.loader import from_json
from tests.surveys.matters import CASE, LOST, PUBLISHED, signals, survey
from tests.surveys.turns import SILENCE, Talk, heard, say


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
