"""What is said right after an answer was taken: it is taken back, repeated, explained or wished upon."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.answer import AnswerSource, AnswerStatus
from bot.core.context import UserTurn
from bot.core.directives import (
    Ask,
    Callback,
    End,
    Offer,
    OptOut,
    Record,
    Signal,
    Transfer,
    WithdrawSignal,
)
from bot.core.intents import Intent, Topic
from bot.settings import PROJECT
from bot.surveys.flow import FlowState, Stage
from bot.surveys.loader import load_survey
from bot.surveys.schema import Survey
from tests.surveys.turns import NPS, Talk, heard, keys, say

EIGHT = say("восемь", Intent.ANSWER_SCORE)
TWO = say("два", Intent.ANSWER_SCORE)


def soon(turn: UserTurn, after_s: float = 0.6) -> UserTurn:
    return turn.model_copy(update={"after_s": after_s})


@pytest.mark.parametrize(
    "words",
    ["ой нет девять", "нет девять", "то есть девять", "извините девять", "ой девять баллов", "девять"],
)
@pytest.mark.parametrize("first", [EIGHT, keys("8")], ids=["said", "keyed"])
def test_a_correction_replaces_the_answer_and_the_talk_goes_on_from_there(
    first: UserTurn, words: str
) -> None:
    talk = Talk().turn(first)
    assert talk.values == {"nps": 8}
    talk.turn(soon(say(words, Intent.DENY)))
    assert talk.values == {"nps": 9}
    assert [record.answer.value for record in talk.now(Record)] == [9]
    plain = Talk().turn(say("девять", Intent.ANSWER_SCORE))
    assert talk.now(Ask) == plain.now(Ask)  # as a first ask
    assert talk.state.failures == 0


def test_the_way_through_the_survey_is_that_of_the_corrected_answer() -> None:
    corrected = Talk().turn(TWO, soon(say("ой нет десять")))
    straight = Talk().turn(say("десять"))
    assert corrected.now(Ask) == straight.now(Ask)
    assert corrected.state.signals == straight.state.signals


def test_a_correction_may_be_corrected() -> None:
    talk = Talk().turn(EIGHT, soon(say("ой девять")), soon(say("нет лучше десять")))
    assert talk.values == {"nps": 10}


def test_no_instead_of_yes() -> None:
    talk = Talk().turn(EIGHT, say("да", Intent.AFFIRM))
    assert talk.values["resolved"] == "yes"
    talk.turn(soon(say("ой нет", Intent.DENY)))
    assert talk.values["resolved"] == "no"


@pytest.mark.parametrize(
    "words", ["восемь", "баллов", "[unk]", "потому что в целом неплохо", "повторите пожалуйста"]
)
def test_what_only_goes_on_leaves_the_answer_and_puts_the_question_again(words: str) -> None:
    talk = Talk().turn(EIGHT)
    first = talk.now(Ask)
    talk.turn(soon(say(words)))
    assert talk.values == {"nps": 8}
    assert talk.now(Ask) == first
    assert talk.state.failures == 0


def test_a_wish_behind_an_answer_is_granted() -> None:
    agent = Talk().turn(EIGHT, soon(say("соедините с оператором", Intent.REQUEST_AGENT)))
    assert agent.values == {"nps": 8}
    assert agent.now(Transfer)
    assert Talk().turn(EIGHT, soon(say("больше не звоните"))).now(OptOut)


def test_a_comment_goes_on() -> None:
    waited = say("долго ждал", Intent.COMPLAIN, topic=Topic.WAITING)
    talk = Talk().turn(EIGHT, say("да", Intent.AFFIRM), waited)
    talk.turn(soon(say("и ничего не решили"), 1.4))
    assert talk.values["improve"] == "долго ждал и ничего не решили"


@pytest.mark.parametrize("after_s", [None, 1.7, 20.0])
def test_later_words_belong_to_the_next_question(after_s: float | None) -> None:
    talk = Talk().turn(EIGHT, say("нет не решили").model_copy(update={"after_s": after_s}))
    assert talk.values == {"nps": 8, "resolved": "no"}


def test_a_caller_who_knows_the_next_question_answers_it_at_once() -> None:
    talk = Talk().turn(EIGHT, soon(say("да решили")))
    assert talk.values == {"nps": 8, "resolved": "yes"}


def test_the_last_answer_is_corrected_after_the_closing_began() -> None:
    talk = Talk().turn(say("девять"), say("да"), say("всё хорошо"))
    assert talk.state.stage is Stage.ENDED
    talk.turn(soon(say("и спасибо оператору")))
    assert talk.values["comment"] == "всё хорошо и спасибо оператору"
    assert talk.now(End)


def test_only_one_turn_is_remembered() -> None:
    talk = Talk().turn(EIGHT, soon(say("ой девять")), say("да"), say("всё хорошо"))
    assert talk.state.last is not None
    assert talk.state.last.state.last is None
    assert FlowState.model_validate_json(talk.state.model_dump_json()) == talk.state


@given(st.text(max_size=30), st.floats(0, 3))
def test_any_words_are_borne(words: str, after_s: float) -> None:
    talk = Talk().turn(EIGHT, soon(say(words), after_s))
    assert talk.state.stage in Stage
    assert "nps" in talk.values


def heard_out(turn: UserTurn) -> UserTurn:
    return turn.model_copy(update={"after_s": 1.3, "question_heard": True})


@pytest.mark.parametrize("words", ["нет девять", "ой нет девять", "то есть девять", "простите девять"])
def test_who_has_heard_a_short_question_may_still_go_back(words: str) -> None:
    assert Talk().turn(EIGHT, heard_out(say(words))).values == {"nps": 9}


@pytest.mark.parametrize("words", ["нет", "да", "не решили", "нет не решили", "да решили"])
def test_who_has_heard_a_short_question_answers_it(words: str) -> None:
    values = Talk().turn(EIGHT, heard_out(say(words))).values
    assert values["nps"] == 8
    assert values["resolved"] == ("yes" if words.startswith("да") else "no")


@pytest.mark.parametrize(
    ("first", "added", "value"),
    [
        ("да", "нет не решили", "no"),
        ("конечно", "нет не решили", "no"),
        ("угу", "нет", "no"),  # a «ну…» sounds like «угу»
        ("да", "нет", "yes"),  # may be a refusal of what is asked now
        ("да", "нет семь", "yes"),
        ("нет", "да решили", "no"),
    ],
)
def test_what_does_not_answer_a_scale_that_was_heard_may_be_about_the_question_before(
    first: str, added: str, value: str
) -> None:
    turns = load_survey(PROJECT / "benchmarks" / "surveys" / "turns.yaml")  # behind «да, нет» comes a scale
    assert Talk(turns).turn(EIGHT, say(first), heard_out(say(added))).values["y1"] == value


def test_a_comment_on_a_question_that_was_heard_is_its_answer() -> None:
    talk = Talk().turn(EIGHT, say("да"), heard_out(say("не три раза звонил а пять")))
    assert talk.values == {"nps": 8, "resolved": "yes", "improve": "не три раза звонил а пять"}


def test_who_meant_nine_is_not_unhappy() -> None:
    """The low score is a signal at once, and an offer behind the reason: neither is left."""
    talk = Talk().turn(TWO)
    assert [signal.rule for signal in talk.now(Signal)] == ["low_score"]
    talk.turn(soon(say("ой девять", Intent.DENY)))
    assert [withdrawn.rule for withdrawn in talk.now(WithdrawSignal)] == ["low_score"]
    assert talk.state.signals == ()
    talk.turn(say("да", Intent.AFFIRM), say("всё хорошо", Intent.PRAISE))
    assert not talk.of(Offer)
    assert talk.state.stage is Stage.ENDED


def test_a_signal_that_stands_is_raised_once() -> None:
    talk = Talk().turn(TWO, soon(say("ой нет три", Intent.DENY)))
    assert [signal.rule for signal in talk.of(Signal)] == ["low_score"]
    assert not talk.of(WithdrawSignal)
    assert [signal.rule for signal in talk.state.signals] == ["low_score"]


@pytest.mark.parametrize(("words", "left"), [("два", []), ("ну два", []), ("два долго ждал", ["complaint"])])
def test_a_complaint_that_was_only_a_score_goes_with_it(words: str, left: list[str]) -> None:
    talk = Talk().turn(say(words, Intent.COMPLAIN, topic=Topic.WAITING))
    assert {signal.name for signal in talk.state.signals} == {"complaint", "low_score"}
    talk.turn(soon(say("ой нет девять", Intent.DENY)))
    assert [signal.name for signal in talk.state.signals] == left


def test_what_was_promised_with_an_answer_is_not_promised_again() -> None:
    talk = Talk().turn(say("восемь перезвоните завтра", Intent.CALLBACK_LATER))
    assert talk.now(Callback)
    talk.turn(soon(say("ой нет девять")))
    assert talk.last == ()


MISHEARD = ["не девять", "ни девять", "он не девять", "ой не девять", "он нет девять", "не девять баллов"]


@pytest.mark.parametrize("words", MISHEARD)
@pytest.mark.parametrize("question_heard", [False, True], ids=["soon", "question heard"])
def test_a_denial_of_what_nobody_said_is_a_correction(words: str, question_heard: bool) -> None:
    after = {"after_s": 0.9, "question_heard": question_heard}
    talk = Talk().turn(EIGHT, say(words, Intent.DENY).model_copy(update=after))
    assert talk.values == {"nps": 9}
    assert talk.state.answers["nps"].source is AnswerSource.CORRECTED
    assert talk.state.answers["nps"].alternatives == (8,)


def test_the_words_of_a_misheard_correction_keep_their_confidence() -> None:
    eight = heard(("восемь", 0.9))
    talk = Talk().turn(eight, soon(heard(("не", 0.4), ("девять", 0.8))))
    assert talk.values == {"nps": 9}
    assert talk.state.answers["nps"].confidence == 0.8
    assert Talk().turn(eight, soon(heard(("не", 0.9), ("девять", 0.2)))).values["nps"] == 8


@pytest.mark.parametrize(
    "words", ["не двенадцать", "не три раза звонил а пять", "не знаю", "не девять и не десять", "но девять"]
)
def test_other_denials_are_none(words: str) -> None:
    talk = Talk().turn(EIGHT, say("да", Intent.AFFIRM))
    assert Talk().turn(EIGHT, heard_out(say(words))).values["nps"] == 8
    assert talk.turn(soon(say(words))).values["nps"] == 8


@pytest.mark.parametrize("words", ["не восемь", "ой не восемь", "нет не восемь", "не восемь баллов"])
@pytest.mark.parametrize("question_heard", [False, True], ids=["soon", "question heard"])
def test_an_answer_that_is_withdrawn_is_asked_for_again(words: str, question_heard: bool) -> None:
    after = {"after_s": 0.9, "question_heard": question_heard}
    talk = Talk().turn(EIGHT, say(words, Intent.DENY).model_copy(update=after))
    assert talk.values == {}
    assert [ask.question_id for ask in talk.now(Ask)] == ["nps"]
    (none,) = talk.now(Record)  # the eight must not be left in the record
    assert (none.answer.status, none.answer.value) == (AnswerStatus.NO_ANSWER, None)
    talk.turn(say("девять", Intent.ANSWER_SCORE))
    assert talk.values == {"nps": 9}


def test_a_withdrawn_score_is_no_signal() -> None:
    talk = Talk().turn(TWO, soon(say("не два", Intent.COMPLAIN, topic=Topic.OTHER)))
    assert talk.state.signals == ()
    assert [withdrawn.rule for withdrawn in talk.now(WithdrawSignal)] == ["low_score"]


def test_a_number_is_corrected_as_a_point_of_a_scale_is() -> None:
    survey = Survey.model_validate(
        {
            **NPS.model_dump(mode="json"),
            "questions": [
                {"id": "calls", "kind": "number", "high": 50, "ask": "Сколько раз?", "reask": ["Сколько?"]},
                {"id": "good", "kind": "yes_no", "ask": "Удобно?", "reask": ["Да или нет?"]},
            ],
            "triage": [],
        }
    )
    talk = Talk(survey).turn(say("два раза"), soon(say("не три раза")))
    assert talk.values == {"calls": 3}
    assert Talk(survey).turn(say("два раза"), soon(say("не два"))).values == {}


def test_a_contrast_of_choices_is_no_correction() -> None:
    survey = load_survey(Path(__file__).parent / "everything.yaml")
    talk = Talk(survey).turn(say("пять"), say("на сайте"), soon(say("не в магазине")))
    assert talk.values["place"] == "site"
