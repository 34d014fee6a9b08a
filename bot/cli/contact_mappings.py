"""`otklik contact imports|mappings|forget`: what was imported, and what columns were said to mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.campaigns.importing.columns import Meaning
from bot.campaigns.importing.wording import STATES, meaning_word
from bot.cli.on_database import Json, on_database
from bot.core.errors import BadInput
from bot.settings import Settings
from bot.store import imports
from bot.store.database import Database
from bot.store.tables_contacts import ContactImport, ImportMapping, ImportState
from bot.words import words

SHORT = 10
"""So much of a mapping's key is shown, and is enough to name it by."""


def list_imports(as_json: Json = False) -> None:
    """Последние загруженные файлы, сначала новые."""

    async def read(db: Database, settings: Settings) -> Sequence[ContactImport]:
        return await imports.imports(db)

    found = on_database(read)
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in found], ensure_ascii=False, indent=2))
        return
    if not found:
        typer.echo(words("Ничего не загружали.", "Nothing was imported."))
        return
    table = Table(box=None)
    heads = words(
        "импорт|файл|когда|строк|новых|новее|те же|отказ|итог",
        "import|file|when|rows|new|changed|same|refused|state",
    )
    for head in heads.split("|"):
        table.add_column(head, overflow="fold")
    for row in found:
        counts = (row.rows, row.added, row.updated, row.unchanged + row.repeated, row.refused)
        started = f"{row.started_at.astimezone():%d.%m.%Y %H:%M}"
        state = words(*STATES[ImportState(row.state)])
        table.add_row(row.id[:12], row.file, started, *map(str, counts), state)
    Console(highlight=False).print(table)


def list_mappings(as_json: Json = False) -> None:
    """Что сказано о столбцах файлов через --map; файлы узнаются по их названиям столбцов."""

    async def read(db: Database, settings: Settings) -> Sequence[ImportMapping]:
        return await imports.mappings(db)

    found = on_database(read)
    if as_json:
        told = [row.model_dump(mode="json") | {"columns": json.loads(row.columns)} for row in found]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif not found:
        typer.echo(words("О столбцах ничего не сказано.", "Nothing was said of columns."))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for row in found:
            when = f"{row.used_at.astimezone():%d.%m.%Y}"
            console.print(f"{row.headings[:SHORT]}  {when}  {row.example}", style="bold", markup=False)
            for column, meaning in json.loads(row.columns).items():
                console.print(f"  {column}: {meaning_word(Meaning(meaning))}", markup=False)


def forget_mapping(
    key: Annotated[str, typer.Argument(help=words("начало ключа из mappings", "the start of its key"))],
) -> None:
    """Столбцы таких файлов снова узнаются по названиям."""

    async def work(db: Database, settings: Settings) -> int:
        return await imports.forget(db, key) if len(key) >= SHORT else 0

    if not on_database(work):
        raise BadInput(
            words(f"такого ключа «{key}» нет", f"there is no such key «{key}»"),
            hint=words("ключи: otklik contact mappings", "the keys: otklik contact mappings"),
        )
    typer.echo(words("Забыто.", "Forgotten."))
