"""Putting a question, and putting it again in other words: the ladder from silence to «no answer»."""

from __future__ import annotations

from bot.core.answer import Answer, AnswerStatus
from bot.core.directives import Ask, DateExpected, NumberExpected, ScaleExpected, YesNoExpected
from bot.surveys import branching
from bot.surveys.branching import Way
from bot.surveys.draft import Draft
from bot.surveys.schema import OpenQuestion, Question, Survey, expectation_of
from bot.surveys.spoken import spoken
from bot.surveys.state import FlowState, Stage

CLOSED_FAILURES = 3
"""Ask, re-ask, help with keys; the third turn without a value is «no answer»."""

OPEN_FAILURES = 2
"""An open question is put twice: nobody has to comment."""


def wordings(survey: Survey, question: Question) -> tuple[str, ...]:
    """Every wording of a question, unrendered: first ask, re-asks, help with the hint to use keys."""
    if isinstance(question, OpenQuestion):
        return tuple(question.wordings())
    hint = question.dtmf_hint
    if not hint:
        expected = expectation_of(question)
        if isinstance(expected, ScaleExpected):
            hint = survey.texts.dtmf_scale
        elif isinstance(expected, YesNoExpected):
            hint = survey.texts.dtmf_yes_no
        elif isinstance(expected, NumberExpected):
            hint = survey.texts.dtmf_number
        elif isinstance(expected, DateExpected):
            hint = survey.texts.dtmf_date
    last = f"{question.help} {hint}".strip()
    return (question.ask, *question.reask, *([last] if last else []))


def bounds(survey: Survey, question: Question) -> str:
    """The least and the most that an answer may be, in a sentence; "" where it is no number."""
    expected = expectation_of(question)
    if not isinstance(expected, ScaleExpected | NumberExpected):
        return ""
    least, most = (spoken(survey, question, end) for end in (expected.low, expected.high))
    return survey.texts.bounds.replace("{low}", least).replace("{high}", most)


def way_on(survey: Survey, state: FlowState) -> Way:
    """Where the survey goes on behind the present question."""
    return branching.way_on(survey, state.question_id, state.facts, state.taken)


def put(draft: Draft, way: Way) -> None:
    """Put the question that a way leads to, for the first time or, where it leads back, anew.

    Going back takes back what was answered from there on: those questions are asked again.
    """
    question, state = way.question, draft.state
    assert question is not None  # the end of a survey is not put
    variant = 0
    if way.back:
        place = draft.survey.position(question.id)
        kept = {asked.id for asked in draft.survey.questions[:place]}
        if question.id in state.answers:  # it was heard before: say it in other words
            variant = 0 if state.question_id == question.id and state.variant == 1 else 1
        draft.update(answers={name: answer for name, answer in state.answers.items() if name in kept})
    if way.branch:
        draft.update(taken={**state.taken, way.branch: state.taken.get(way.branch, 0) + 1})
    draft.update(
        stage=Stage.QUESTION,
        question_id=question.id,
        attempt=0,
        failures=0,
        stumbles={},
        repeats=0,
        soothed=0,
        silent=True,
        offer=None,
        doubt=None,
    )
    _ask(draft, question, variant)


def put_again(draft: Draft, question: Question, *, with_keys: bool = False) -> None:
    """Put it in words that differ from the last ones; with help and keys when others have failed."""
    count = len(wordings(draft.survey, question))
    last = draft.state.variant
    if with_keys or draft.state.failures >= 2:
        variant = count - 1
    else:
        variant = 1 if draft.state.attempt == 1 else (last + 1) % count
    if variant == last:
        variant = (variant + 1) % count
    doubt = draft.state.doubt
    draft.update(
        stage=Stage.QUESTION,
        offer=None,
        doubt=None if doubt is None else doubt.model_copy(update={"pending": False}),
    )
    _ask(draft, question, variant)


def _ask(draft: Draft, question: Question, variant: int) -> None:
    attempt = draft.state.attempt + 1
    draft.add(
        Ask(
            question_id=question.id,
            text=draft.render(wordings(draft.survey, question)[variant]),
            expectation=expectation_of(question),
            attempt=attempt,
            no_input_s=question.no_input_s,
        )
    )
    draft.update(attempt=attempt, variant=variant)


def is_spent(question: Question, state: FlowState, reason: str) -> bool:
    """Whether so many turns have led nowhere that the question is let go. Each reason has a ladder of its
    own, and together they may take one step more. After a confirming question the keys are offered in any
    case."""
    if isinstance(question, OpenQuestion):
        return state.failures >= OPEN_FAILURES
    if state.doubt is None:
        return state.stumbles.get(reason, 0) >= CLOSED_FAILURES or state.failures > CLOSED_FAILURES
    keys_offered = state.doubt.failures >= CLOSED_FAILURES
    return state.failures >= max(CLOSED_FAILURES, state.doubt.failures + (1 if keys_offered else 2))


def no_answer(reason: str, state: FlowState) -> Answer:
    """«No answer», stored as such with its reason and what it might have been."""
    return Answer(
        status=AnswerStatus.NO_ANSWER,
        confidence=0.0,
        heard="" if state.doubt is None else state.doubt.heard,
        alternatives=() if state.doubt is None else state.doubt.candidates,
        reason=reason,
    )
