"""A survey that was interrupted by our fault and goes on in another call, where it stopped."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.answer import Answer
from bot.surveys import branching
from bot.surveys.branching import Way
from bot.surveys.schema import Survey
from bot.surveys.state import FlowState

_APOLOGY = {
    "ru": "Простите, наш прошлый разговор прервался по нашей вине. Продолжим с того же места.",
    "en": "I am sorry, our last talk was cut off by our fault. Let us go on where we stopped.",
}


def apology(language: str) -> str:
    """What is said first to somebody whose survey goes on."""
    return _APOLOGY.get(language, _APOLOGY["ru"])


def still_asked(survey: Survey, given: Mapping[str, Answer]) -> dict[str, Answer]:
    """Of the answers that were given, those to questions that this survey has."""
    return {question.id: given[question.id] for question in survey.questions if question.id in given}


def first_open(survey: Survey, state: FlowState) -> tuple[FlowState, Way]:
    """The way to the first question that has no answer yet, and the state behind all that have one."""
    way = branching.way_on(survey, None, state.facts, state.taken)
    for _ in survey.questions:
        if way.question is None or way.back or way.question.id not in state.answers:
            break
        state = state.model_copy(update={"question_id": way.question.id})
        way = branching.way_on(survey, state.question_id, state.facts, state.taken)
    return state, way
