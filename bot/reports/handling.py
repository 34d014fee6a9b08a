"""How long calls and handovers take, who comes back, what about, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, literal, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.reports.measures import share
from bot.reports.periods import Period
from bot.reports.scores import Key
from bot.reports.slices import (
    NOTICED,
    By,
    Scope,
    calls,
    dialect_of,
    epoch,
    local_seconds,
    noticed_in_calls,
    seconds_between,
    select_rows,
    sliced_by,
)
from bot.store.tables import Attempt, Handover, UtcDateTime
from bot.store.tables_reports import SignalRow, stands
from bot.surveys.scoring import Score

REPEAT_DAYS = 7
"""Within so many days a customer who rings again counts as coming back, where nothing else is asked for."""

SOON_S = 20.0
"""«80 % within 20 seconds» is how contact centres usually set the time to an agent."""

NEGATIVE = ("complaint", "angry")
"""Signals of discontent. There is no list of praise, so nothing is said of joy."""

_DAY_S = 86400
_THURSDAY = 3
"""1970-01-01 was one; Monday is 0."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Times in seconds, None where there was nothing to average.

    `call_s` is the mean from the answer to the end of calls that a human took (`calls` of them), `talk_s`
    that of agents with callers who were joined (`connected` of the `handovers` that were tried), `to_agent_s`
    the mean from the offer accepted to the join, `soon` of them within 20 s. `customers` are different
    telephones among the calls that a human took. `watched` are the talks whose holds are known, `held` those
    of them in which the caller was held, `held_s` the mean of how long each of these.
    """

    calls: int = 0
    call_s: float | None = None
    customers: int = 0
    handovers: int = 0
    connected: int = 0
    talk_s: float | None = None
    to_agent_s: float | None = None
    soon: int = 0
    watched: int = 0
    held: int = 0
    held_s: float | None = None

    @property
    def contacts_per_customer(self) -> float | None:
        return self.calls / self.customers if self.customers else None

    @property
    def connected_share(self) -> Score:
        return share(self.connected, self.handovers)

    @property
    def soon_share(self) -> Score:
        return share(self.soon, self.connected)

    @property
    def held_share(self) -> Score:
        return share(self.held, self.watched)


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
    judgement of the NLU. All are of `calls`, those that a human took. `negative` are the calls in which he
    complained or was angry by the rules: no voice is judged.
    """

    calls: int = 0
    negative: int = 0
    topics: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)

    @property
    def negative_share(self) -> Score:
        return share(self.negative, self.calls)

    def share(self, times: int) -> Score:
        return share(times, self.calls)


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
        select_rows(of.slice, func.count(), func.avg(of.talk_s)).where(of.human).group_by(of.slice)
    )
    # For themselves: beside other figures PostgreSQL would sort all calls to count distinct ones.
    each: Any = select_rows(of.slice, of.phone).where(of.human).distinct().subquery("each")
    of_customers: Any = select_rows(each.c.slice, func.count()).group_by(each.c.slice)
    joined = col(Handover.connected_at).is_not(None)
    waited = seconds_between(col(Handover.started_at), col(Handover.connected_at), dialect_of(session))
    held = col(Handover.holds) > 0
    of_handovers: Any = (
        select_rows(
            of.slice,
            func.count(),
            func.count().filter(joined),
            func.avg(col(Handover.talk_s)).filter(joined),
            func.avg(waited),
            func.count().filter(waited <= SOON_S),
            func.count(col(Handover.holds)),
            func.count().filter(held),
            func.avg(col(Handover.held_s)).filter(held),
        )
        .join(Handover, col(Handover.call_id) == of.call_id)
        .where(of.human)
        .group_by(of.slice)
    )
    rows = (await session.exec(of_calls)).all()
    customers: dict[Key, int] = dict((await session.exec(of_customers)).all())
    over = {key: rest for key, *rest in (await session.exec(of_handovers)).all()}
    return {key: Handling(count, mean, customers[key], *over.get(key, ())) for key, count, mean in rows}


async def repeats(
    session: AsyncSession, scope: Scope, now: datetime, days: int = REPEAT_DAYS, by: By | None = None
) -> dict[Key, Repeats]:
    """Contacts whose days are not over by `now` are left out: their customers may still ring."""
    over = timedelta(days=days)
    until = literal(min(now - over, scope.period.end), UtcDateTime())
    contact = (col(Attempt.direction) == "inbound") & (col(Attempt.phone) != "")
    within = (col(Attempt.created_at) >= scope.period.start) & (
        col(Attempt.created_at) < scope.period.end + over
    )
    again = func.lead(col(Attempt.created_at)).over(
        partition_by=col(Attempt.phone), order_by=(col(Attempt.created_at), col(Attempt.id))
    )
    # Whatever follows may be anybody's; what it follows is the scope's.
    following = (
        sliced_by(
            select_rows(
                col(Attempt.call_id),
                col(Attempt.created_at),
                again.label("again"),
                and_(*scope.conditions()).label("counts"),
            ),
            Attempt,
            scope.period,
            by if by not in NOTICED else None,
        )
        .where(contact, within)
        .subquery("following")
    ).c
    gap = epoch(following.again, dialect_of(session)) - epoch(following.created_at, dialect_of(session))
    figures = (func.count(), func.count().filter(gap <= days * _DAY_S))
    if by in NOTICED:
        about = noticed_in_calls(by).c
        statement: Any = (
            select_rows(about.what, *figures)
            .join(following.call_id.table, following.call_id == about.call_id)
            .group_by(about.what)
        )
    else:
        statement = select_rows(following.slice, *figures).group_by(following.slice)
    rows = (await session.exec(statement.where(following.counts, following.created_at < until))).all()
    return {key: Repeats(days, *counts) for key, *counts in rows}


async def matters(session: AsyncSession, scope: Scope) -> Matters:
    """In one statement, which looks up the signals of the scope's calls once."""
    of = calls(scope, dialect_of(session)).c
    noted = (
        select_rows(of.call_id, col(SignalRow.name), col(SignalRow.rule), col(SignalRow.topic).label("topic"))
        .join(SignalRow, col(SignalRow.call_id) == of.call_id)
        .where(of.human, stands())
        .cte("noted")
    )
    each = (
        select(
            noted.c.call_id,
            noted.c.topic,
            func.max(case((noted.c.name == "complaint", 1), else_=0)).label("complained"),
        )
        .where(noted.c.topic != "")
        .group_by(noted.c.call_id, noted.c.topic)
        .subquery("each")
    ).c
    distinct = func.count(noted.c.call_id.distinct())
    none = literal(0)
    statement: Any = union_all(
        select_rows(literal("topic"), each.topic, each.complained, func.count()).group_by(
            each.topic, each.complained
        ),
        select_rows(literal("signal"), noted.c.name, none, distinct).group_by(noted.c.name),
        select_rows(literal("rule"), noted.c.rule, none, distinct).group_by(noted.c.rule),
        select_rows(literal("negative"), literal(""), none, distinct).where(noted.c.name.in_(NEGATIVE)),
    )
    rows: Any = (await session.exec(statement)).all()
    human = select(func.count()).select_from(of.id.table).where(of.human)
    found: dict[tuple[str, int], dict[str, int]] = {}
    for kind, name, complained, times in rows:
        found.setdefault((kind, complained), {})[name] = times
    return Matters(
        (await session.exec(human)).one(),
        found["negative", 0][""],
        *(_ranked(found.get(kind, {})) for kind in (("topic", 1), ("topic", 0), ("signal", 0), ("rule", 0))),
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
