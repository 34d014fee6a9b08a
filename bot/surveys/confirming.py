"""The one confirming question of a question: «Вы сказали семь, верно?», «Семь или восемь?»."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from bot.core.answer import Answer, AnswerValue
from bot.core.directives import Ask, ConfirmExpected, Expectation, OpenExpected, ScaleExpected, YesNoExpected
from bot.surveys.draft import Draft
from bot.surveys.reading import Unclear, UnclearReason
from bot.surveys.schema import OpenQuestion, Question, Survey, expectation_of
from bot.surveys.spoken import sayings, spoken
from bot.surveys.state import Doubt, FlowState

_DOUBTFUL = (UnclearReason.LOW_CONFIDENCE, UnclearReason.AMBIGUOUS)
_MOST_PREPARED = 11
"""Answers of a question up to which its confirming questions are made before the call; those of longer
scales are made when they are needed."""

_NEAR = 2
"""Two points of a scale that lie so near are what callers waver between; such pairs are prepared."""


def expected(survey: Survey, state: FlowState) -> Expectation:
    """What the question that waits for its answer expects now: its answer, or a confirmation of it."""
    assert state.question_id is not None  # a question waits
    of = expectation_of(survey.question(state.question_id))
    return (
        ConfirmExpected(of=of, candidates=state.doubt.candidates) if state.confirming and state.doubt else of
    )


def is_due(draft: Draft, question: Question, reading: Unclear) -> bool:
    """Whether this reading is to be confirmed: one or two candidates, and not asked so before."""
    candidates = reading.candidates
    if question.confirm == "never":
        return False
    if reading.reason not in _DOUBTFUL or draft.state.doubt is not None or not 1 <= len(candidates) <= 2:
        return False
    if isinstance(question, OpenQuestion) or _sentence(draft.survey, question, candidates) is None:
        return False
    # «Вы сказали да, верно?» cannot be answered with «нет»: yes and no are put as a choice of two.
    return len(candidates) == 2 or not isinstance(expectation_of(question), YesNoExpected)


def is_wanted(draft: Draft, question: Question, answer: Answer) -> bool:
    """Whether the survey has every answer to this question confirmed, however clear it was."""
    return (
        question.confirm == "always"
        and draft.state.doubt is None
        and not isinstance(expectation_of(question), YesNoExpected | OpenExpected)
        and _sentence(draft.survey, question, (answer.value,)) is not None
    )


def ask(draft: Draft, question: Question, candidates: Sequence[AnswerValue], heard: str) -> None:
    """Put the confirming question about what was heard."""
    doubt = Doubt(candidates=tuple(candidates), heard=heard, failures=draft.state.failures, pending=True)
    attempt = draft.state.attempt + 1
    draft.update(doubt=doubt, attempt=attempt)
    text = _sentence(draft.survey, question, candidates)
    assert text is not None  # `is_due` says so
    draft.add(
        Ask(
            question_id=question.id,
            text=draft.render(text),
            expectation=expected(draft.survey, draft.state),
            attempt=attempt,
            no_input_s=question.no_input_s,
        )
    )


def sentences(survey: Survey, question: Question) -> Iterator[str]:
    """The confirming questions that a question is likely to need, unrendered."""
    said = sayings(survey, question) or ()
    if isinstance(question, OpenQuestion) or len(said) > _MOST_PREPARED:
        return
    of = expectation_of(question)
    if not isinstance(of, YesNoExpected):
        yield from (text for word in said if (text := _filled(survey.texts.confirm, word)))
    for (first, one), (second, other) in combinations(enumerate(said), 2):
        near = not isinstance(of, ScaleExpected) or second - first <= _NEAR
        if near and (text := _filled(survey.texts.confirm_either, one, other)):
            yield text


def _sentence(survey: Survey, question: Question, candidates: Sequence[AnswerValue]) -> str | None:
    """None where a candidate cannot be said back, or a survey of old has no such sentence."""
    words = [spoken(survey, question, value) for value in candidates]
    if not all(words):
        return None
    template = survey.texts.confirm if len(words) == 1 else survey.texts.confirm_either
    return _filled(template, *words)


def _filled(template: str, value: str, other: str = "") -> str | None:
    text = template.replace("{value}", value).replace("{other}", other)
    return text[:1].upper() + text[1:] or None
