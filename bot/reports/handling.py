"""How long calls and handovers take, who comes back, what about, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, literal
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.reports.measures import share
from bot.reports.periods import Period
from bot.reports.scores import Key
from bot.reports.slices import (
    By,
    Scope,
    calls,
    dialect_of,
    epoch,
    local_seconds,
    seconds_between,
    select_rows,
)
from bot.store.tables import Attempt, Handover, UtcDateTime
from bot.store.tables_reports import SignalRow, stands
from bot.surveys.scoring import Score

REPEAT_DAYS = 7
"""Within so many days a customer who rings again counts as coming back, where nothing else is asked for."""

SOON_S = 20.0
"""«80 % within 20 seconds» is how contact centres usually set the time to an agent."""

_DAY_S = 86400
_THURSDAY = 3
"""1970-01-01 was one; Monday is 0."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Times in seconds, None where there was nothing to average.

    `call_s` is the mean from the answer to the end of calls that a human took (`calls` of them), `talk_s`
    that of agents with callers who were joined (`connected` of the `handovers` that were tried), `to_agent_s`
    the mean from the offer accepted to the join, `soon` of them within 20 s. `customers` are different
    telephones among the calls that a human took.
    """

    calls: int = 0
    call_s: float | None = None
    customers: int = 0
    handovers: int = 0
    connected: int = 0
    talk_s: float | None = None
    to_agent_s: float | None = None
    soon: int = 0

    @property
    def contacts_per_customer(self) -> float | None:
        return self.calls / self.customers if self.customers else None

    @property
    def connected_share(self) -> Score:
        return share(self.connected, self.handovers)

    @property
    def soon_share(self) -> Score:
        return share(self.soon, self.connected)


@dataclass(frozen=True, slots=True)
class Repeats:
    """Of `contacts` (calls that came in and whose `days` are over) so many were followed by another one."""

    days: int
    contacts: int = 0
    repeated: int = 0

    @property
    def share(self) -> Score:
        return share(self.repeated, self.contacts)


@dataclass(frozen=True, slots=True)
class Matters:
    """Calls by what was noticed in them: `topics` of complaints, `others` (topics that nobody complained
    about), `signals` by name, and what noticed it, `rules`: word lists, triage rules, and `intent:…`, the
    judgement of the NLU. `began` is the denominator."""

    began: int = 0
    topics: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Calls of one hour (0-23) of one weekday (0 is Monday), by the clock of the report's zone."""

    weekday: int
    hour: int
    dialled: int
    answered: int
    completed: int


async def handling(session: AsyncSession, scope: Scope, by: By | None = None) -> dict[Key, Handling]:
    of = calls(scope, dialect_of(session), by).c
    of_calls: Any = (
        select(of.slice, func.count(), func.avg(of.talk_s), func.count(of.phone.distinct()))
        .where(of.human)
        .group_by(of.slice)
    )
    joined = col(Handover.connected_at).is_not(None)
    waited = seconds_between(col(Handover.started_at), col(Handover.connected_at), dialect_of(session))
    of_handovers: Any = (
        select_rows(
            of.slice,
            func.count(),
            func.count().filter(joined),
            func.avg(col(Handover.talk_s)).filter(joined),
            func.avg(waited),
            func.count().filter(waited <= SOON_S),
        )
        .join(Handover, col(Handover.call_id) == of.call_id)
        .where(of.human)
        .group_by(of.slice)
    )
    rows = (await session.exec(of_calls)).all()
    over = {key: rest for key, *rest in (await session.exec(of_handovers)).all()}
    return {key: Handling(*counted, *over.get(key, ())) for key, *counted in rows}


async def repeats(
    session: AsyncSession, scope: Scope, now: datetime, days: int = REPEAT_DAYS, by: By | None = None
) -> dict[Key, Repeats]:
    """Contacts whose days are not over by `now` are left out: their customers may still ring."""
    of = calls(scope, dialect_of(session), by).c
    over = timedelta(days=days)
    until = literal(min(now - over, scope.period.end), UtcDateTime())
    contact = (col(Attempt.direction) == "inbound") & (col(Attempt.phone) != "")
    within = (col(Attempt.created_at) >= scope.period.start) & (
        col(Attempt.created_at) < scope.period.end + over
    )
    again = func.lead(col(Attempt.created_at)).over(
        partition_by=col(Attempt.phone), order_by=(col(Attempt.created_at), col(Attempt.id))
    )
    following = (
        select(col(Attempt.id), col(Attempt.created_at), again.label("again"))
        .where(contact, within)
        .subquery("following")
    ).c
    gap = epoch(following.again, dialect_of(session)) - epoch(following.created_at, dialect_of(session))
    statement: Any = (
        select(of.slice, func.count(), func.count().filter(gap <= days * _DAY_S))
        .join(following.id.table, following.id == of.id)
        .where(of.created_at < until)
        .group_by(of.slice)
    )
    rows = (await session.exec(statement)).all()
    return {key: Repeats(days, *counts) for key, *counts in rows}


async def matters(session: AsyncSession, scope: Scope) -> Matters:
    of = calls(scope, dialect_of(session)).c
    complaint, topic = col(SignalRow.name) == "complaint", col(SignalRow.topic)
    about = (
        select(of.call_id, topic, func.max(func.coalesce(complaint, False)).label("complained"))
        if dialect_of(session) == "sqlite"
        else select(of.call_id, topic, func.bool_or(complaint).label("complained"))
    )
    each = (
        about.join(SignalRow, col(SignalRow.call_id) == of.call_id)
        .where(stands(), topic != "")
        .group_by(of.call_id, topic)
        .subquery("each")
    ).c
    of_topics: Any = select(each.topic, each.complained, func.count()).group_by(each.topic, each.complained)
    standing = (
        select_rows(col(SignalRow.name), func.count(of.call_id.distinct()))
        .join(SignalRow, col(SignalRow.call_id) == of.call_id)
        .where(stands())
    )
    of_signals = standing.group_by(col(SignalRow.name))
    of_rules = standing.with_only_columns(col(SignalRow.rule), func.count(of.call_id.distinct())).group_by(
        col(SignalRow.rule)
    )
    began = select(func.count()).select_from(of.id.table).where(of.began)
    topics = (await session.exec(of_topics)).all()
    signals = (await session.exec(of_signals)).all()
    rules = (await session.exec(of_rules)).all()
    total = (await session.exec(began)).one()
    return Matters(
        total,
        _ranked({name: times for name, complained, times in topics if complained}),
        _ranked({name: times for name, complained, times in topics if not complained}),
        _ranked(dict(signals)),
        _ranked(dict(rules)),
    )


def _ranked(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


async def heat(session: AsyncSession, scope: Scope) -> tuple[HeatCell, ...]:
    """Hours in which nothing was dialled are left out."""
    of = calls(scope, dialect_of(session)).c
    each = _clocks(of, scope.period, dialect_of(session))
    completed = each.began & (each.disposition == "completed")
    statement: Any = (
        select_rows(
            each.weekday,
            each.hour,
            func.count().filter(each.rung),
            func.count().filter(each.human),
            func.count().filter(completed),
        )
        .where(each.rung)
        .group_by(each.weekday, each.hour)
        .order_by(each.weekday, each.hour)
    )
    return tuple(HeatCell(*map(int, row)) for row in (await session.exec(statement)).all())


def _clocks(of: Any, period: Period, dialect: str) -> Any:
    """The calls with the weekday and the hour of their own clock."""
    local = local_seconds(of.created_at, period, dialect)
    weekday = (local // _DAY_S + _THURSDAY) % 7
    hour = local % _DAY_S // 3600
    return (
        select_rows(
            weekday.label("weekday"),
            hour.label("hour"),
            of.rung,
            of.human,
            of.began,
            of.disposition,
        ).subquery("clocks")
    ).c
