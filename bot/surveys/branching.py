"""Where a survey goes on after a question: its branches, and the next question that is due.

A branch is taken only while the survey moves on, and counted only when its question is put or the
survey ends by it: to look where the way leads costs nothing. Every way ends: a branch back has a
limit for the whole call, and all others lead forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from bot.surveys.conditions import Facts, holds
from bot.surveys.questions import Branch, Question
from bot.surveys.schema import Survey


@dataclass(frozen=True, slots=True)
class Way:
    """What comes next: a question, or the end where it is None, and the branch that leads there.

    `branch` names a branch with a limit (`question id/place`), or is empty. `back` says that the
    question stands at or before the one that has just been disposed of.
    """

    question: Question | None
    branch: str = ""
    back: bool = False


def way_on(survey: Survey, after: str | None, facts: Facts, taken: Mapping[str, int]) -> Way:
    """The way on from question `after`, from the start where it is None.

    A branch leads to its question, or behind that, where the question's own `when` does not hold,
    to the next one that is due.
    """
    if after is None:
        return Way(_first_due(survey, 0, facts))
    here = survey.position(after)
    for place, branch in enumerate(survey.questions[here].then):
        name = f"{after}/{place}" if branch.at_most is not None else ""
        if _is_used_up(branch, taken.get(name, 0)) or not holds(branch.when, facts):
            continue
        if branch.goto is None:
            return Way(None, name)
        question = _first_due(survey, survey.position(branch.goto), facts)
        back = question is not None and survey.position(question.id) <= here
        return Way(question, name, back)
    return Way(_first_due(survey, here + 1, facts))


def _is_used_up(branch: Branch, taken: int) -> bool:
    return branch.at_most is not None and taken >= branch.at_most


def _first_due(survey: Survey, start: int, facts: Facts) -> Question | None:
    for place in count(start):
        if place >= len(survey.questions):
            return None
        question = survey.questions[place]
        if holds(question.when, facts):
            return question
    return None
