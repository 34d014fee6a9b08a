"""Which calls a report or an export is about: the options that both have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from bot.core.errors import BadInput
from bot.core.intents import Topic
from bot.reports.periods import Grain, Period, day_of
from bot.reports.slices import Scope
from bot.words import words

T = TypeVar("T")

From = Annotated[
    str, typer.Option("--from", help=words("первый день: 2026-03-01 или 01.03.2026", "first day: 2026-03-01"))
]
To = Annotated[str, typer.Option("--to", help=words("последний день, включительно", "last day, included"))]
Of = Annotated[
    Grain | None,
    typer.Option(
        "--period",
        help=words(
            "день, неделя, месяц, квартал или год, в который входит --from (без него: сегодня)",
            "the day, week, month, quarter or year of --from (without it: of today)",
        ),
    ),
]
Employee = Annotated[
    list[str] | None, typer.Option(help=words("только этот сотрудник, можно несколько", "only this employee"))
]
Department = Annotated[
    list[str] | None, typer.Option(help=words("только этот отдел, можно несколько", "only this department"))
]
Survey = Annotated[
    list[str] | None, typer.Option(help=words("только этот опрос, можно несколько", "only this survey"))
]
Campaign = Annotated[
    list[str] | None, typer.Option(help=words("только эта кампания, можно несколько", "only this campaign"))
]
OfTopic = Annotated[
    list[Topic] | None, typer.Option("--topic", help=words("только с этой темой", "only with this topic"))
]


def period(first: str, last: str, grain: Grain | None, zone: str, now: datetime) -> Period:
    """The calendar's or the reader's own; this month where nothing is said. Raises BadInput."""
    today = now.astimezone(ZoneInfo(zone)).date()
    if last and not first:
        raise BadInput(words("есть --to, но нет --from", "--to without --from"))
    if last and grain is not None:
        raise BadInput(
            words("--period и --to вместе не нужны", "--period and --to together"),
            hint=words("уберите одно из двух", "leave one out"),
        )
    if first and grain is None:
        return Period(day_of(first), day_of(last) if last else today, zone)
    return Period.of(grain or Grain.MONTH, day_of(first) if first else today, zone)


def scope(
    of: Period,
    employees: list[str] | None,
    departments: list[str] | None,
    surveys: list[str] | None,
    campaigns: list[str] | None,
    topics: list[Topic] | None,
) -> Scope:
    return Scope(
        of,
        tuple(employees or ()),
        tuple(departments or ()),
        tuple(surveys or ()),
        tuple(campaigns or ()),
        tuple(topic.value for topic in topics or ()),
    )
