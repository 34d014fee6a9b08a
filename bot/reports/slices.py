"""Which calls a figure is about, and by what they are told apart: SQL for SQLite and PostgreSQL.

A call belongs to the day on which it was made or came in (`attempts.created_at`), in the report's time
zone. It is the employee's and the department's whose talk with the customer it is about. By topic or by
rule (a word list, a triage rule, or the NLU's intent), a call counts for each that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Float, Subquery, case, cast, extract, func, literal, literal_column
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.endings import Disposition
from bot.reports.periods import Grain, Period
from bot.store.tables import Attempt, UtcDateTime
from bot.store.tables_reports import QuestionPut, SignalRow, stands

MACHINES = (
    Disposition.VOICEMAIL,
    Disposition.SECRETARY,
    Disposition.IVR,
    Disposition.FAX,
    Disposition.UNAVAILABLE,
)
"""Dispositions of calls that were taken, but by no human."""


select_rows: Any = select
"""`select` without the types of its columns, which sqlmodel knows for four at most."""


class By(StrEnum):
    EMPLOYEE = "employee"
    DEPARTMENT = "department"
    SURVEY = "survey"
    CAMPAIGN = "campaign"
    TOPIC = "topic"
    RULE = "rule"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def grain(self) -> Grain | None:
        """Of a slice over time."""
        return Grain(self.value) if self.value in set(Grain) else None


COLUMNS = {
    By.EMPLOYEE: "agent_id",
    By.DEPARTMENT: "department",
    By.SURVEY: "survey_id",
    By.CAMPAIGN: "campaign_id",
}
"""Slices that are a column of `Attempt` and `QuestionPut`: one more is a line here, and one in `By`."""

Counted = type[Attempt] | type[QuestionPut]
"""What is counted: calls, or the questions put in them."""


NOTICED: dict[By, Any] = {By.TOPIC: col(SignalRow.topic), By.RULE: col(SignalRow.rule)}
"""Slices by what was noticed in a call; what the caller corrected is left out."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The calls of a period; each list that is not empty narrows them to its members."""

    period: Period
    employees: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    surveys: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()

    def before(self) -> Scope:
        return replace(self, period=self.period.before())

    @property
    def zone(self) -> str:
        return self.period.zone

    def of_calls(self, dialect: str) -> list[Any]:
        """As an export asks (`bot.reports.export.calls.Chosen`)."""
        return self.conditions()

    def conditions(self, of: Counted = Attempt) -> list[Any]:
        at = col(of.created_at)
        found: list[Any] = [at >= self.period.start, at < self.period.end]
        narrowed = {
            By.EMPLOYEE: self.employees,
            By.DEPARTMENT: self.departments,
            By.SURVEY: self.surveys,
            By.CAMPAIGN: self.campaigns,
        }
        found += [col(getattr(of, COLUMNS[by])).in_(members) for by, members in narrowed.items() if members]
        if self.topics:
            about = select(col(SignalRow.call_id)).where(stands(), col(SignalRow.topic).in_(self.topics))
            found.append(col(of.call_id).in_(about))
        return found


def dialect_of(session: AsyncSession) -> str:
    """`sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


def calls(scope: Scope, dialect: str, by: By | None = None) -> Any:
    """The scope's calls, a row each, with what figures are counted from and the key of their `slice`: a
    column's text, the place of a part of the period, or "" where they are not told apart."""
    human = col(Attempt.answered_at).is_not(None) & func.coalesce(col(Attempt.disposition), "").not_in(
        MACHINES
    )
    rung = col(Attempt.dialled_at).is_not(None) | (col(Attempt.direction) == "inbound")
    statement = select_rows(
        col(Attempt.id),
        col(Attempt.call_id),
        col(Attempt.created_at),
        col(Attempt.phone),
        col(Attempt.direction),
        col(Attempt.status),
        func.coalesce(col(Attempt.disposition), "").label("disposition"),
        col(Attempt.survey_id),
        col(Attempt.survey_hash),
        (rung | human).label("rung"),
        human.label("human"),
        (human & col(Attempt.asked_at).is_not(None)).label("began"),
        seconds_between(col(Attempt.answered_at), col(Attempt.ended_at), dialect).label("talk_s"),
    )
    return _sliced(statement, Attempt, scope, by).subquery("calls")


def questions_put(scope: Scope, by: By | None = None) -> Any:
    """As `calls`, the questions put in them, a row each with its outcome."""
    statement = select_rows(
        col(QuestionPut.call_id),
        col(QuestionPut.survey_id),
        col(QuestionPut.survey_hash),
        col(QuestionPut.question_id),
        col(QuestionPut.times),
        col(QuestionPut.kind),
        col(QuestionPut.status),
        col(QuestionPut.number),
    )
    return _sliced(statement, QuestionPut, scope, by).subquery("put")


def _sliced(statement: Any, of: Counted, scope: Scope, by: By | None) -> Any:
    return sliced_by(statement.where(*scope.conditions(of)), of, scope.period, by)


def sliced_by(statement: Any, of: Counted, period: Period, by: By | None) -> Any:
    """The statement with the key of each row's `slice`."""
    if by is None:
        return statement.add_columns(literal_column("''").label("slice"))
    if by in NOTICED:
        about = noticed_in_calls(by)
        joined = statement.join(about, about.c.call_id == col(of.call_id))
        return joined.add_columns(about.c.what.label("slice"))
    if by.grain is not None:
        starts = [part.start for part in period.parts(by.grain)]
        return statement.add_columns(place_among(col(of.created_at), starts).label("slice"))
    # A call of no campaign is the slice "", as is one about no employee.
    return statement.add_columns(func.coalesce(col(getattr(of, COLUMNS[by])), "").label("slice"))


def noticed_in_calls(by: By) -> Subquery:
    """(call, topic or rule), each pair once."""
    what = NOTICED[by]
    standing = select(col(SignalRow.call_id), what.label("what")).where(stands(), what != "")
    return standing.distinct().subquery("about")


def place_among(column: Any, starts: Sequence[datetime]) -> Any:
    """The place (from 0) of the last of these moments that is not after the column's, as one tree of
    CASEs: the database compares log2(n) times a row."""

    def tree(low: int, high: int) -> Any:
        if low == high:
            return literal_column(str(low))
        middle = (low + high + 1) // 2
        return case(
            (column < literal(starts[middle], UtcDateTime()), tree(low, middle - 1)), else_=tree(middle, high)
        )

    return tree(0, len(starts) - 1)


def epoch(column: Any, dialect: str) -> Any:
    """A moment as whole seconds since 1970 in UTC."""
    if dialect == "sqlite":
        return cast(func.strftime("%s", column), BigInteger)
    return cast(func.floor(extract("epoch", column)), BigInteger)


def seconds_between(earlier: Any, later: Any, dialect: str) -> Any:
    """NULL where either is; SQLite knows milliseconds, and a difference of its days not even those."""
    if dialect == "sqlite":
        return func.round((func.julianday(later) - func.julianday(earlier)) * 86400.0, 3)
    return cast(extract("epoch", later - earlier), Float)


def local_seconds(column: Any, period: Period, dialect: str) -> Any:
    """As `epoch`, but by the clock on the wall of the period's zone."""
    (_, first), *changes = period.shifts()
    if not changes:
        return epoch(column, dialect) + first
    shift = case(
        *((column >= literal(since, UtcDateTime()), seconds) for since, seconds in reversed(changes)),
        else_=first,
    )
    return epoch(column, dialect) + shift
