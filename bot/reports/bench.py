"""How long each figure of a report takes: the same queries as a page asks, over changing periods."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TypeVar

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.reports.choices import choices, choices_of
from bot.reports.definitions import Definitions, definitions
from bot.reports.funnel import funnels, outcomes, questions
from bot.reports.handling import handling, heat, matters, repeats
from bot.reports.periods import Grain, Period
from bot.reports.report import report, sliced
from bot.reports.sample import DAYS, START
from bot.reports.scores import scores
from bot.reports.slices import By, Scope
from bot.store.database import Database

ZONE = "Europe/Berlin"
"""Its clocks change, so that no shortcut for zones without summer time is measured."""

NOW = datetime(2026, 2, 1, tzinfo=UTC)
GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)


_Asked = TypeVar("_Asked")
Figure = Callable[[AsyncSession, Scope], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of one figure over periods of one length."""

    figure: str
    period: str
    runs: int
    p50_ms: float
    p95_ms: float
    max_ms: float


async def measure(db: Database, runs: int, seed: int = 1) -> AsyncIterator[Took]:
    """Each figure over `runs` periods of each length, drawn from the sample's year."""
    chance = Random(seed)
    async with db.read() as session:
        known = await definitions(session)
    for grain in GRAINS:
        scopes = [Scope(_period(grain, chance)) for _ in range(runs)]
        for name, figure in _figures(known, grain).items():

            async def once(scope: Scope, figure: Figure = figure) -> None:
                async with db.read() as session:
                    await figure(session, scope)

            yield await timed(name, grain.value, scopes, once)


async def measure_pages(db: Database, runs: int, seed: int = 1) -> AsyncIterator[Took]:
    """As `measure`, all that a page asks for one after another, as it does."""
    chance = Random(seed)
    for grain in GRAINS:
        scopes = [Scope(_period(grain, chance)) for _ in range(runs)]
        by = _over_time(grain) if grain is not Grain.DAY else None

        async def overview(scope: Scope, by: By | None = by) -> None:
            await report(db, scope, NOW, by=by, brief=True)
            await choices(db, scope)

        async def employees(scope: Scope) -> None:
            await sliced(db, scope, By.EMPLOYEE, NOW)
            await choices(db, scope)

        yield await timed("overview", grain.value, scopes, overview)
        yield await timed("employees", grain.value, scopes, employees)


async def timed(
    figure: str, period: str, asked: Sequence[_Asked], once: Callable[[_Asked], Awaitable[object]]
) -> Took:
    """What `once` takes for each of what is asked."""
    took = []
    for each in asked:
        began = time.perf_counter()
        await once(each)
        took.append((time.perf_counter() - began) * 1000)
    p50, p95 = (round(float(np.percentile(took, at)), 1) for at in (50, 95))
    return Took(figure, period, len(asked), p50, p95, round(max(took), 1))


def _over_time(grain: Grain) -> By:
    return By.DAY if grain in (Grain.DAY, Grain.WEEK, Grain.MONTH) else By.WEEK


def _period(grain: Grain, chance: Random) -> Period:
    if grain is Grain.YEAR:
        return Period.of(grain, date(START.year, 7, 1), ZONE)
    return Period.of(grain, START.date() + timedelta(days=chance.randrange(DAYS)), ZONE)


def _figures(known: Definitions, grain: Grain) -> dict[str, Figure]:
    over_time = _over_time(grain)
    return {
        "scores": lambda session, scope: scores(session, scope, known),
        "scores by employee": lambda session, scope: scores(session, scope, known, By.EMPLOYEE),
        "scores over time": lambda session, scope: scores(session, scope, known, over_time),
        "scores by topic": lambda session, scope: scores(session, scope, known, By.TOPIC),
        "funnel": lambda session, scope: funnels(session, scope),
        "funnel by employee": lambda session, scope: funnels(session, scope, By.EMPLOYEE),
        "questions": lambda session, scope: questions(session, scope, known),
        "outcomes": lambda session, scope: outcomes(session, scope),
        "handling": lambda session, scope: handling(session, scope),
        "handling by employee": lambda session, scope: handling(session, scope, By.EMPLOYEE),
        "choices of filters": lambda session, scope: choices_of(session, scope),
        "repeats by employee": lambda session, scope: repeats(session, scope, NOW, by=By.EMPLOYEE),
        "repeats": lambda session, scope: repeats(session, scope, NOW),
        "matters": lambda session, scope: matters(session, scope),
        "heat": lambda session, scope: heat(session, scope),
    }
