"""How much of what a report counts was put right by hand: said beside the figures that it changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.reports.slices import Scope
from bot.store.tables import Attempt
from bot.store.tables_reports import BY_HAND, QuestionPut, SignalRow


@dataclass(frozen=True, slots=True)
class Corrected:
    """`answers` of the scope, and calls whose `topics` are not those that were recorded."""

    answers: int = 0
    topics: int = 0


async def corrected(session: AsyncSession, scope: Scope) -> Corrected:
    answers = select(func.count()).where(*scope.conditions(QuestionPut), col(QuestionPut.corrected).is_(True))
    by_hand = (col(SignalRow.rule) == BY_HAND) | col(SignalRow.denied).is_(True)
    topics = (
        select(func.count(col(SignalRow.call_id).distinct()))
        .join(Attempt, col(Attempt.call_id) == col(SignalRow.call_id))
        .where(by_hand, *scope.conditions())
    )
    return Corrected((await session.exec(answers)).one(), (await session.exec(topics)).one())
