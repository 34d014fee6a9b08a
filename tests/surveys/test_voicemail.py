"""A survey's message for a mailbox: read, refused where wrong, prepared before the call, and in its plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.context import CallContext, Person
from bot.planning import plan_of
from bot.surveys.loader import find_problems, from_json, load_survey, survey_hash, to_json
from bot.surveys.prompts import prompts
from bot.surveys.schema import Survey

SHORT = Path(__file__).parent.parent / "data" / "surveys" / "short" / "nps.yaml"
CONTEXT = CallContext(call_id="c", survey_hash="h", direction="outbound", customer=Person(first_name="Анна"))


def survey_with(tmp_path: Path, lines: str) -> Path:
    path = tmp_path / "nps.yaml"
    path.write_text(SHORT.read_text(encoding="utf-8") + lines, encoding="utf-8")
    return path


def read(tmp_path: Path) -> Survey:
    message = "voicemail:\n  message: Здравствуйте, {customer.first_name|}! Звонила {company}.\n"
    return load_survey(survey_with(tmp_path, message))


def test_the_message_is_in_the_plan_and_prepared_before_the_call(tmp_path: Path) -> None:
    survey = read(tmp_path)
    plan = plan_of(survey, CONTEXT, "attempt-1")
    assert plan.message.startswith("Здравствуйте, Анна! Звонила ")
    assert plan.message in prompts(survey, CONTEXT)
    assert from_json(to_json(survey)) == survey


def test_a_survey_without_the_key_leaves_no_message_and_keeps_its_hash(tmp_path: Path) -> None:
    plain = load_survey(SHORT)
    assert plan_of(plain, CONTEXT, "attempt-1").message == ""
    assert "voicemail" not in to_json(plain)
    assert survey_hash(plain) != survey_hash(read(tmp_path))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("voicemail:\n  mesage: привет\n", "message"),
        ("voicemail:\n  message: ''\n", "текст пуст"),
        ("voicemail:\n  message: Привет, {customer.nick|}\n", "customer.nick"),
    ],
)
def test_a_wrong_message_is_told_with_its_line(tmp_path: Path, lines: str, told: str) -> None:
    path = survey_with(tmp_path, lines)
    found = " ".join(map(str, find_problems(path)))
    assert told in found
    last = len(path.read_text(encoding="utf-8").splitlines())
    assert f":{last}:" in found or f":{last - 1}:" in found
