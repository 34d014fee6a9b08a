"""`otklik privacy`: one person's erasure with its certificate, and how long each kind of data is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.campaigns.contacts import a_phone
from bot.cli.on_database import By, Json, on_database, who
from bot.cli.shell import entry
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.core.files import write_whole
from bot.privacy.certificate import KINDS, as_markdown, certificate, kept
from bot.privacy.erasure import Eraser
from bot.privacy_keeper import call_files, retention
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.store.database import Database
from bot.store.tables_privacy import ErasureRow
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help=words("только посчитать, ничего не удалять", "count, and erase nothing")),
]

_AGED = {
    "recordings": ("записи разговоров", "recordings"),
    "words": ("слова разговоров", "words of calls"),
    "answers": ("звонки обезличить", "calls without their person"),
    "contacts": ("клиенты", "contacts"),
    "deliveries": ("вебхуки, письма, просьбы, ссылки", "webhooks, mails, requests, links"),
    "audit": ("журнал действий", "the audit log"),
    "files": ("испорченные журналы узла", "damaged spools"),
}


@app.callback()
def _privacy() -> None:
    """Персональные данные: удаление по просьбе и сроки хранения."""


@app.command(help=words("Удалить всё об одном человеке", "Erase all about one person"))
def erase(
    number: Annotated[str, typer.Argument(help=words("его номер, как угодно записанный", "his number"))],
    reason: Annotated[
        str, typer.Option(help=words("основание, например «заявление от 1 марта»", "why: his letter of …"))
    ] = "",
    to: Annotated[
        Path | None,
        typer.Option(
            "--certificate", help=words("куда справку: .json или .md", "the certificate: .json or .md")
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help=words("не переспрашивать", "do not ask"))] = False,
    dry_run: DryRun = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Оборванное удаление продолжится той же командой; готовое — выдаст ту же справку."""
    key = a_phone(number)
    if to is not None and to.suffix not in (".json", ".md"):
        raise BadInput(
            words(f"{to}: не .json и не .md", f"{to} is neither .json nor .md"),
            hint=words("справка.md или справка.json", "certificate.md or certificate.json"),
        )
    if dry_run or not (yes or as_json):
        counts = on_database(lambda db, settings: _eraser(db, settings).preview(key))
        if as_json:
            typer.echo(json.dumps(dict(counts), ensure_ascii=False, indent=2))
            return
        _show({words(*KINDS[kind]): count for kind, count in counts.items()})
        if dry_run:
            typer.echo(words("Проверка: ничего не удалено.", "A dry run: nothing was erased."))
            return
        if counts:
            typer.confirm(words("Удалить? Вернуть нельзя", "Erase? It cannot be undone"), abort=True)

    async def work(db: Database, settings: Settings) -> ErasureRow:
        def progress(done: int) -> None:
            typer.echo(words(f"звонков: {done}", f"calls: {done}"), err=True)

        audit = entry(db, "erase", "person", "", by=who(by), reason=reason)
        return await _eraser(db, settings).erase(
            key, by=who(by), reason=reason, audit=audit, progress=progress
        )

    row = on_database(work)
    told = certificate(row, row.shown)
    text = json.dumps(told, ensure_ascii=False, indent=2)
    if to is not None:
        write_whole(to, (text if to.suffix == ".json" else as_markdown(told)).encode())
    if as_json:
        typer.echo(text)
        return
    _told(told, to)


def _eraser(db: Database, settings: Settings) -> Eraser:
    return Eraser(db, call_files(settings), SystemClock())


def _told(told: Mapping[str, Any], to: Path | None) -> None:
    _show({words(*KINDS[kind]): count for kind, count in told["erased"].items()})
    typer.echo(words("Осталось:", "Kept:"))
    for line in kept():
        typer.echo(f"  {line}")
    for place, count in told["left"].items():
        typer.echo(words(f"Номер ещё встречается: {place}: {count}", f"Found yet: {place}: {count}"))
    where = f": {to}" if to else f", SHA-256 {told['sha256']}"
    typer.echo(words(f"Справка {told['certificate']}{where}", f"Certificate {told['certificate']}{where}"))


@app.command("retention", help=words("Удалить то, чему вышел срок", "Clear away what is past its time"))
def clear(dry_run: DryRun = False, as_json: Json = False) -> None:
    """То же, что узел делает сам раз в сутки. Сроки: privacy.keep в настройках."""

    async def work(db: Database, settings: Settings) -> dict[str, int]:
        return dict(await retention(settings, db, SystemClock()).run(dry=dry_run))

    counts = on_database(work)
    if as_json:
        typer.echo(json.dumps(counts, ensure_ascii=False, indent=2))
        return
    keep = load_settings().privacy.keep
    table = Table(box=None)
    for head in words("что|срок, дней|сколько", "what|days|how many").split("|"):
        table.add_column(head)
    for kind, count in counts.items():
        days = getattr(keep, kind)
        table.add_row(words(*_AGED[kind]), str(days) if days else words("всегда", "for ever"), str(count))
    Console(highlight=False).print(table)
    if dry_run:
        typer.echo(words("Проверка: ничего не удалено.", "A dry run: nothing was erased."))


def _show(counts: Mapping[str, int]) -> None:
    if not counts:
        typer.echo(words("Об этом номере ничего не хранится.", "Nothing is kept about this number."))
        return
    table = Table(box=None, show_header=False)
    for what, count in counts.items():
        table.add_row(what, str(count))
    Console(highlight=False).print(table)
