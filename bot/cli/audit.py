"""`otklik audit`: who did what, and who looked at whose data; on the database, with or without a node."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from bot.accounts.audit_log import Wanted, every, page
from bot.cli.moments import local, utc
from bot.cli.on_database import on_database
from bot.reports.periods import after, first_moment
from bot.settings_load import load_settings
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.words import words

app = typer.Typer(add_completion=False)


@app.command(help=words("Журнал действий", "The audit log"))
def audit(
    who: Annotated[str, typer.Option(help=words("имя для входа", "the login"))] = "",
    action: Annotated[
        str, typer.Option(help=words("действие: view, publish…", "an action: view, publish…"))
    ] = "",
    subject: Annotated[
        str, typer.Option(help=words("с чем: call, account…", "to what: call, account…"))
    ] = "",
    subject_id: Annotated[str, typer.Option("--id", help=words("номер", "its id"))] = "",
    first: Annotated[str, typer.Option("--from", help=words("первый день", "the first day"))] = "",
    last: Annotated[
        str, typer.Option("--to", help=words("последний день, включительно", "the last day"))
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help=words("сколько строк", "how many rows"))] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help=words("всё, по строке JSON", "all of it, a line of JSON each"))
    ] = False,
) -> None:
    """Новые записи стоят первыми; --json выводит все подходящие, сколько бы их ни было."""
    zone = ZoneInfo(load_settings().timezone)
    wanted = Wanted(
        login=who.casefold(),
        action=action,
        subject=subject,
        subject_id=subject_id,
        since=first_moment(first, zone),
        until=after(last, zone),
    )
    if as_json:
        on_database(lambda db, _: _write(db, wanted))
        return
    found = on_database(lambda db, _: page(db, wanted, limit))
    if not found.rows:
        typer.echo(words("Таких записей нет.", "There are no such rows."))
        return
    _show(found.rows)
    if found.older is not None:
        typer.echo(
            words("Есть и более старые: --limit, --to, --json", "There are older ones: --limit, --to, --json")
        )


async def _write(db: Database, wanted: Wanted) -> None:
    async for rows in every(db, wanted):
        for row in rows:
            typer.echo(json.dumps(_as_json(row), ensure_ascii=False))


def _show(rows: Sequence[AuditRow]) -> None:
    table = Table(box=None)
    for title in words("когда|кто|откуда|что|с чем|подробно", "when|who|from|what|to what|details").split(
        "|"
    ):
        table.add_column(title)
    for row in rows:
        details = json.dumps(row.details, ensure_ascii=False) if row.details else ""
        of = f"{row.subject} {row.subject_id}".strip()
        table.add_row(local(row.at), row.login, row.address or "-", row.action, of, details)
    Console(highlight=False).print(table)


def _as_json(row: AuditRow) -> dict[str, object]:
    at: datetime = row.at
    return {
        "at": utc(at),
        "login": row.login,
        "role": row.role,
        "address": row.address,
        "action": row.action,
        "subject": row.subject,
        "subject_id": row.subject_id,
        "details": row.details,
    }
