"""A survey that goes on in another call, and the time at which a caller asks to be rung again."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import Ask, Callback, Record, Say
from bot.core.intents import Intent
from bot.settings import PROJECT
from bot.surveys.flow import next_step, start
from bot.surveys.loader import load_survey
from bot.surveys.prompts import prompts

SURVEY = load_survey(PROJECT / "tests" / "data" / "surveys" / "short" / "nps.yaml")
ZONE = ZoneInfo("Asia/Omsk")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=ZONE)


def given(value: int | str) -> Answer:
    return Answer(status=AnswerStatus.ANSWERED, value=value, source=AnswerSource.SPEECH)


def context(**answers: Answer) -> CallContext:
    return CallContext(
        call_id="call-1", survey_hash="h", direction="outbound", timezone="Asia/Omsk", resumed=answers
    )


def test_it_goes_on_at_the_first_question_without_an_answer_and_says_sorry() -> None:
    ctx = context(nps=given(3), resolved=given("yes"))
    step = start(SURVEY, ctx)
    said = [each.text for each in step.directives if isinstance(each, Say)]
    assert said[0] == SURVEY.consent, "whom he talks to, and that it is recorded, is told again"
    assert "прервался по нашей вине" in said[1]
    (asked,) = [each.question_id for each in step.directives if isinstance(each, Ask)]
    assert asked == "reason", "the branch of a low score, which was given before"
    assert step.state.answers.keys() == {"nps", "resolved"}
    assert not any(isinstance(each, Record) for each in step.directives), "they are stored already"
    texts = prompts(SURVEY, ctx)
    assert all(each.text in texts for each in step.directives if isinstance(each, Say | Ask))


def test_what_was_answered_before_counts_at_the_end() -> None:
    step = start(SURVEY, context(nps=given(9), resolved=given("yes")))
    turn = UserTurn(source=TurnSource.SPEECH, text="всё отлично", at=NOW)
    assert next_step(SURVEY, step.state, turn).state.answered == 3


def test_answers_to_questions_that_it_has_no_more_are_left_out() -> None:
    step = start(SURVEY, context(gone=given(1)))
    assert step == start(SURVEY, context()).__class__(step.state, start(SURVEY, context()).directives)


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("перезвоните завтра в три", NOW + timedelta(days=1, hours=3)),
        ("перезвоните завтра утром", NOW + timedelta(days=1, hours=-3)),
        ("перезвоните позже", None),
    ],
)
def test_the_time_that_a_caller_names_is_kept_with_the_promise(words: str, due: datetime | None) -> None:
    step = start(SURVEY, context())
    turn = UserTurn(
        source=TurnSource.SPEECH, text=words, intent=Intent.CALLBACK_LATER, intent_confidence=1.0, at=NOW
    )
    (promised,) = [
        each for each in next_step(SURVEY, step.state, turn).directives if isinstance(each, Callback)
    ]
    assert (promised.by, promised.when) == ("bot", words)
    assert promised.due == due
