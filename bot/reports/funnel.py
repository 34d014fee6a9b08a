"""Where callers are lost: from the dialling to the end of the survey, and question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal_column
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.endings import Disposition
from bot.reports.definitions import Definitions
from bot.reports.measures import share
from bot.reports.scores import Key
from bot.reports.slices import By, Scope, calls, dialect_of, questions_put, select_rows
from bot.store.tables import Attempt, AttemptStatus, Handover
from bot.surveys.scoring import Score

LED_ELSEWHERE = (Disposition.TRANSFERRED, Disposition.CALLBACK)
"""Whoever leaves a question for an agent, or to be rung later, has not dropped off at it."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many calls came so far. `answered` are those that a human took, `began` those of them to whom a
    question was put. `completed` and `handed_over` are two ends of what began, not one after the other: a
    caller may complete and be handed over, or be handed over without a question.
    """

    dialled: int = 0
    answered: int = 0
    began: int = 0
    completed: int = 0
    handed_over: int = 0

    def steps(self) -> tuple[Step, ...]:
        return (
            Step("dialled", self.dialled, "dialled", self.dialled),
            Step("answered", self.answered, "dialled", self.dialled),
            Step("began", self.began, "answered", self.answered),
            Step("completed", self.completed, "began", self.began),
            Step("handed_over", self.handed_over, "answered", self.answered),
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the funnel with its denominator by name."""

    name: str
    count: int
    of: str
    of_count: int

    @property
    def share(self) -> Score:
        return share(self.count, self.of_count)


@dataclass(frozen=True, slots=True)
class QuestionFigures:
    """What became of one question. `put` is its denominator: the callers who were asked it. `reasked` were
    asked more than once (confirming counts), `dropped` left the call at it; the four outcomes, `dropped`
    and `elsewhere` (to an agent, to be rung later, or still on the line) make up `put`."""

    survey_id: str
    question_id: str
    put: int = 0
    answered: int = 0
    dont_know: int = 0
    refused: int = 0
    no_answer: int = 0
    dropped: int = 0
    reasked: int = 0

    @property
    def elsewhere(self) -> int:
        return self.put - self.answered - self.dont_know - self.refused - self.no_answer - self.dropped

    @property
    def drop_off(self) -> Score:
        return share(self.dropped, self.put)

    @property
    def reask_rate(self) -> Score:
        return share(self.reasked, self.put)


async def funnels(session: AsyncSession, scope: Scope, by: By | None = None) -> dict[Key, Funnel]:
    of = calls(scope, dialect_of(session), by).c
    completed = of.began & (of.disposition == Disposition.COMPLETED)
    parts = (of.rung, of.human, of.began, completed)
    counted: Any = select(of.slice, *(func.count().filter(part) for part in parts)).group_by(of.slice)
    handed: Any = (
        select(of.slice, func.count(of.call_id.distinct()))
        .join(Handover, col(Handover.call_id) == of.call_id)
        .where(of.human, col(Handover.connected_at).is_not(None))
        .group_by(of.slice)
    )
    rows = (await session.exec(counted)).all()
    over: dict[Key, int] = dict((await session.exec(handed)).all())
    return {
        key: Funnel(dialled, answered, began, completed, over.get(key, 0))
        for key, dialled, answered, began, completed in rows
    }


async def questions(session: AsyncSession, scope: Scope, known: Definitions) -> tuple[QuestionFigures, ...]:
    """In the order in which the newest version of each survey asks them; questions that it no longer has
    come last."""
    put = questions_put(scope).c
    key = (put.survey_id, put.question_id)
    # A group for each outcome, not a filtered count: the database looks at a row once, not seven times.
    each = (*key, put.status, put.times > 1)
    counted = select_rows(*each, func.count()).group_by(*each)
    left = (
        select_rows(*key, func.count())
        .join(Attempt, col(Attempt.call_id) == put.call_id)
        .where(
            put.status == literal_column("''"),  # as the index of these few has it
            col(Attempt.status) == AttemptStatus.FINAL,
            col(Attempt.disposition).not_in(LED_ELSEWHERE),
        )
        .group_by(*key)
    )
    of_question: dict[tuple[str, str], Counter[str]] = {}
    for survey_id, question_id, status, reasked, times in (await session.exec(counted)).all():
        counts = of_question.setdefault((survey_id, question_id), Counter())
        counts["put"] += times
        if status:  # else the caller left at it, or has yet to answer
            counts[status] += times
        if reasked:
            counts["reasked"] += times
    dropped = {tuple(each): times for *each, times in (await session.exec(left)).all()}
    found = [
        QuestionFigures(survey_id, question_id, **counts, dropped=dropped.get((survey_id, question_id), 0))
        for (survey_id, question_id), counts in of_question.items()
    ]
    return tuple(sorted(found, key=lambda each: _order(each, known)))


def _order(each: QuestionFigures, known: Definitions) -> tuple[str, int, str]:
    newest = known.newest(each.survey_id)
    asked = newest.questions.get(each.question_id) if newest else None
    return each.survey_id, asked.place if asked else 1000, each.question_id


async def outcomes(session: AsyncSession, scope: Scope) -> dict[Disposition, int]:
    """How the scope's calls ended, the most frequent first; calls that go on are not in it."""
    of = calls(scope, dialect_of(session)).c
    statement: Any = select(of.disposition, func.count()).where(of.disposition != "").group_by(of.disposition)
    rows: Iterable[tuple[str, int]] = (await session.exec(statement)).all()
    return {Disposition(name): times for name, times in Counter(dict(rows)).most_common()}
