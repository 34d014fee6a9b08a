"""`otklik alerts`: low scores and waves of opt-outs, and who saw to them. Works on the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.moments import local, utc
from bot.cli.on_database import By, on_database, who
from bot.cli.shell import entry
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.delivery.alert_mail import headline
from bot.settings import Settings
from bot.settings_rooms import alert_rules
from bot.store import alerts
from bot.store.alerts import Alert
from bot.store.database import Database
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _alerts() -> None:
    """Тревоги: низкие оценки и волны отказов."""


@app.command("list", help=words("Открытые, или все с --all", "Open ones, or all of them with --all"))
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help=words("и закрытые", "those that were seen to, too"))
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=words("сколько", "how many"))] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help=words("по строке JSON", "a line of JSON each"))
    ] = False,
) -> None:
    """Новые стоят первыми."""

    async def work(db: Database, settings: Settings) -> Sequence[Alert]:
        return await alerts.alerts(db, alert_rules(settings).kinds, opened=not everything, limit=limit)

    found = on_database(work)
    if as_json:
        for each in found:
            typer.echo(json.dumps(_as_json(each), ensure_ascii=False))
        return
    if not found:
        typer.echo(words("Тревог нет.", "There are no alerts."))
        return
    table = Table(box=None)
    for title in words("номер|когда|что случилось|кто занялся", "id|when|what happened|who saw to it").split(
        "|"
    ):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(
            each.row.id, local(each.row.at), words(*headline(each)), each.row.acknowledged_by or "-"
        )
    Console(highlight=False).print(table)


@app.command(help=words("Отметить, что ею занялись", "Say that somebody sees to it"))
def acknowledge(
    alert_id: Annotated[str, typer.Argument(help=words("номер тревоги", "the alert's id"))], by: By = ""
) -> None:
    """Записывается, кто и когда."""

    async def work(db: Database, _: Settings) -> bool:
        if not await alerts.by_ids(db, [alert_id]):
            raise BadInput(
                words(f"тревоги {alert_id} нет", f"there is no alert {alert_id}"), hint="otklik alerts list"
            )
        row = entry(db, "acknowledge", "alert", alert_id)
        return await alerts.acknowledge(db, alert_id, who(by), SystemClock().now(), audit=row)

    done = on_database(work)
    typer.echo(words("Записано.", "Noted.") if done else words("Ею уже занялись.", "Somebody did already."))


def _as_json(each: Alert) -> dict[str, Any]:
    return {
        "id": each.row.id,
        "kind": each.row.kind,
        "at": utc(each.row.at),
        "call_id": each.row.call_id,
        "survey": each.survey_id,
        "agent_id": each.agent_id,
        "department": each.department,
        "scores": dict(each.scores),
        "details": each.row.details,
        "withdrawn_at": utc(each.row.withdrawn_at),
        "acknowledged_at": utc(each.row.acknowledged_at),
        "acknowledged_by": each.row.acknowledged_by,
    }
