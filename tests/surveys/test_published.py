"""Versions that 0.2 published: they read, mean what they meant, and keep their content hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.answer import Answer, AnswerStatus
from bot.core.context import CallContext
from bot.surveys import flow
from bot.surveys.conditions import Facts, holds
from bot.surveys.loader import from_json, survey_hash, to_json

PUBLISHED = sorted((Path(__file__).parents[1] / "data" / "surveys" / "published").glob("*.json"))

STATE_OF_0_2 = (
    '{"context":{"call_id":"c","survey_hash":"h","direction":"outbound","customer":{"id":"","first_name":"",'
    '"middle_name":"","last_name":""},"agent":{"id":"","first_name":"","middle_name":"","last_name":""},'
    '"department":""},"stage":"question","question_id":"resolved","attempt":1,"failures":0,"variant":0,'
    '"repeats":0,"soothed":0,"silent":true,"silent_questions":0,"refusals":0,"fruitless":0,"identified":0,'
    '"answers":{"nps":{"status":"answered","value":3,"confidence":1.0,"source":"speech","heard":"три",'
    '"alternatives":[],"reason":""}},"signals":[{"name":"low_score","rule":"low_score","topic":null}],'
    '"topic":null,"offer":null,"offered":[],"used":{"acknowledgement_low":1}}'
)
"""What lay in Rasa's slot of a call when a node was upgraded."""


def test_there_are_published_surveys() -> None:
    assert len(PUBLISHED) >= 3


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem.split("-")[0])
def test_a_published_survey_keeps_its_hash(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    survey = from_json(text)
    assert to_json(survey) == text
    assert survey_hash(survey) == file.stem.rpartition("-")[2]


def test_tables_of_one_comparison_mean_what_they_meant() -> None:
    (file,) = (file for file in PUBLISHED if file.stem.startswith("nps-"))
    survey = from_json(file.read_text(encoding="utf-8"))
    low = Facts(answers={"nps": Answer(status=AnswerStatus.ANSWERED, value=6)})
    high = Facts(answers={"nps": Answer(status=AnswerStatus.ANSWERED, value=7)})
    refused = Facts(answers={"nps": Answer(status=AnswerStatus.REFUSED)})
    rule = survey.rule("low_score").when
    assert holds(rule, low)
    assert not holds(rule, high)
    assert not holds(rule, refused)
    assert not holds(rule, Facts())


def test_a_state_without_the_new_fields_is_read_and_goes_on() -> None:
    state = flow.FlowState.model_validate_json(STATE_OF_0_2)
    assert state.intents == state.topics == ()
    assert state.taken == {}
    assert state.context == CallContext(call_id="c", survey_hash="h", direction="outbound")
    assert flow.current_question(state) == "resolved"
