"""The random surveys of the tests: they lint clean, and they are of all sorts."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings

from bot.surveys.canonical import from_json, to_json
from bot.surveys.lint import lint_survey
from bot.surveys.schema import Survey
from tests.surveys.strategies import surveys

KINDS = {"nps", "csat", "ces", "score", "yes_no", "choice", "multi_choice", "number", "date", "open"}
SORTS = {*KINDS, "condition", "branch", "branch back", "branch to the end", "rule"}


def sorts(survey: Survey) -> Iterator[str]:
    for question in survey.questions:
        yield question.kind
        if question.when is not None:
            yield "condition"
        for branch in question.then:
            yield "branch back" if branch.at_most else "branch to the end" if branch.skip_to_end else "branch"
    if survey.triage:
        yield "rule"


def test_random_surveys_lint_clean_and_can_be_published_and_are_of_all_sorts() -> None:
    seen: set[str] = set()

    @given(survey=surveys())
    @settings(max_examples=80, deadline=None, database=None, derandomize=True)
    def look_at(survey: Survey) -> None:
        assert lint_survey(survey) == ()
        assert from_json(to_json(survey)) == survey
        seen.update(sorts(survey))

    look_at()
    assert seen == SORTS
