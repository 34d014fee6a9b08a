"""`otklik report`: what customers said and how calls went, in a period."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.cli import report_schedule
from bot.cli.bench_tables import wide_console
from bot.cli.on_database import open_database
from bot.cli.report_scope import (
    Campaign,
    Department,
    Employee,
    From,
    Of,
    OfTopic,
    Survey,
    To,
    period,
    scope,
)
from bot.cli.report_tables import show
from bot.reports.handling import REPEAT_DAYS
from bot.reports.report import Report, as_json
from bot.reports.report import report as make_report
from bot.reports.slices import By
from bot.settings_load import load_settings
from bot.words import words

app = typer.Typer(add_completion=False)
app.add_typer(report_schedule.app, name="schedule")


@app.callback(
    invoke_without_command=True,
    help=words("Результаты за период: оценки, воронка, вопросы", "Results of a period"),
)
def report(
    context: typer.Context,
    first: From = "",
    last: To = "",
    of: Of = None,
    by: Annotated[By | None, typer.Option(help=words("разрез", "slice by"))] = None,
    employee: Employee = None,
    department: Department = None,
    survey: Survey = None,
    campaign: Campaign = None,
    topic: OfTopic = None,
    repeat_days: Annotated[
        int, typer.Option(min=1, max=90, help=words("дней для повторных обращений", "days of a repeat"))
    ] = REPEAT_DAYS,
    as_json_: Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    settings, now = load_settings(), datetime.now(UTC)
    wanted = scope(
        period(first, last, of, settings.timezone, now), employee, department, survey, campaign, topic
    )

    async def read() -> Report:
        async with open_database(settings) as db:
            return await make_report(db, wanted, now, by=by, repeat_days=repeat_days)

    found = asyncio.run(read())
    if as_json_:
        typer.echo(json.dumps(as_json(found), ensure_ascii=False, indent=2))
    else:
        show(wide_console(), found)
