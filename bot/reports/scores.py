"""NPS, CSAT, CES and own scales of a scope: the database counts codes, `measures` makes scores of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.answer import AnswerStatus
from bot.reports.definitions import Definitions
from bot.reports.measures import SCORED, Change, Measure, Scale, change, measures
from bot.reports.slices import By, Scope, questions_put, select_rows

Key = Hashable
"""A slice as `slices.calls` names it."""


@dataclass(frozen=True, slots=True)
class QuestionMeasure:
    """One question's own score; two questions of one kind may ask of different things."""

    survey_id: str
    question_id: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Scores:
    """`unread` counts answers in codes whose scale is not known here, or that are not on it."""

    measures: tuple[Measure, ...] = ()
    questions: tuple[QuestionMeasure, ...] = ()
    unread: int = 0

    def of(self, scale: Scale) -> Measure:
        return next((each for each in self.measures if each.scale == scale), Measure(scale))


@dataclass(slots=True)
class _Found:
    codes: list[tuple[Scale, int, int]] = field(default_factory=list)
    of_question: dict[tuple[str, str], list[tuple[Scale, int, int]]] = field(default_factory=dict)
    unread: int = 0

    def scores(self) -> Scores:
        questions = tuple(
            QuestionMeasure(survey_id, question_id, measure)
            for (survey_id, question_id), codes in sorted(self.of_question.items())
            for measure in measures(codes)
        )
        return Scores(measures(self.codes), questions, self.unread)


async def scores(
    session: AsyncSession, scope: Scope, known: Definitions, by: By | None = None
) -> dict[Key, Scores]:
    """By slice; a slice without answers is not there."""
    found: dict[Key, _Found] = {}
    rows = (await session.exec(_statement(scope, by))).all()
    for key, survey_hash, question_id, number, survey_id, kind, times in rows:
        if kind not in SCORED:
            continue
        of_slice = found.setdefault(key, _Found())
        scale = known.scale(survey_hash, question_id, kind)
        if scale is None or not number.is_integer() or not scale.low <= number <= scale.high:
            of_slice.unread += times
            continue
        code = (scale, int(number), times)
        of_slice.codes.append(code)
        of_slice.of_question.setdefault((survey_id, question_id), []).append(code)
    return {key: each.scores() for key, each in found.items()}


def _statement(scope: Scope, by: By | None) -> Any:
    """Whatever was answered by a number; what kind of number it was is looked at once a group and not once a
    row, of which a year has a million. A version's question has one survey and one kind. They are no keys of
    their own: PostgreSQL would take them for so many more groups that it sorts what it could hash."""
    put = questions_put(scope, by).c
    columns = (put.slice, put.survey_hash, put.question_id, put.number)
    return (
        select_rows(*columns, func.min(put.survey_id), func.min(put.kind), func.count())
        .where(put.number.is_not(None), put.status == AnswerStatus.ANSWERED)
        .group_by(*columns)
    )


def changes(now: Scores, before: Scores) -> dict[Scale, Change]:
    """What became of each scale's score since the period before."""
    return {each.scale: change(each.score, before.of(each.scale).score) for each in now.measures}
