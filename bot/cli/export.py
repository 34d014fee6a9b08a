"""`otklik export`: the rows behind a report, for other programs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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
from bot.core.errors import BadInput
from bot.reports.export.writing import Exported, Format, Wanted, export
from bot.settings_load import load_settings
from bot.words import words

app = typer.Typer(add_completion=False)

NICENESS = 19
AUTOGROUP = Path("/proc/self/autogroup")


@contextmanager
def giving_way() -> Iterator[None]:
    """An export is never in such a hurry as the calls of a node on the same machine: this process works while
    nobody else wants to (sched(7), SCHED_IDLE), where the system knows that, else at the lowest priority.
    Where the kernel groups sessions, neither counts outside of our own one (sched(7), autogroups), which
    therefore steps back as a whole until the export is over."""
    os.nice(NICENESS)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    standing = (
        int(AUTOGROUP.read_text().split()[-1]) if AUTOGROUP.exists() else None
    )  # «/autogroup-25 nice 0»
    if standing is None:
        yield
        return
    _step(NICENESS)
    try:
        yield
    finally:
        _step(standing)


def _step(niceness: int) -> None:
    """The kernel takes such a wish ten times a second, from all users together, and says so (EAGAIN)."""
    while True:
        try:
            AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return


@app.command("export", help=words("Выгрузить звонки и ответы в файл", "Write calls and answers to a file"))
def export_calls(
    file: Annotated[Path, typer.Option("-o", "--output", help=words("куда записать", "where to"))],
    form: Annotated[Format, typer.Option("--format", help=words("вид файла", "kind of file"))] = Format.CSV,
    first: From = "",
    last: To = "",
    of: Of = None,
    employee: Employee = None,
    department: Department = None,
    survey: Survey = None,
    campaign: Campaign = None,
    topic: OfTopic = None,
    personal: Annotated[
        bool,
        typer.Option(
            "--personal",
            help=words(
                "и личное: телефоны, имена, свободные ответы", "personal data, too: phones, names, free words"
            ),
        ),
    ] = False,
    delimiter: Annotated[
        str, typer.Option(help=words("разделитель CSV, например ;", "delimiter of CSV, such as ;"))
    ] = ",",
) -> None:
    settings = load_settings()
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise BadInput(
            words("--delimiter: нужен один знак", "--delimiter: one character"), hint=', ; | TAB ($"\\t")'
        )
    if not file.absolute().parent.is_dir():
        raise BadInput(
            words(f"папки {file.absolute().parent} нет", f"there is no folder {file.absolute().parent}")
        )
    wanted = scope(
        period(first, last, of, settings.timezone, datetime.now(UTC)),
        employee,
        department,
        survey,
        campaign,
        topic,
    )
    to = Wanted(form, file, personal, delimiter)
    with (
        giving_way(),
        Progress(
            TextColumn(words("звонков", "calls")),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as progress,
    ):
        bar = progress.add_task("", total=None)

        async def write() -> Exported:
            async with open_database(settings) as db:
                return await export(
                    db, wanted, to, lambda done, total: progress.update(bar, completed=done, total=total)
                )

        done = asyncio.run(write())
    typer.echo(
        words(
            f"{file}: звонков {done.calls}, ответов {done.answers}, столбцов {done.columns}",
            f"{file}: {done.calls} calls, {done.answers} answers, {done.columns} columns",
        )
    )
