"""`otklik contact export`, and how commands write a CSV."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.campaigns.contacts import EXPORTED
from bot.cli.on_database import on_database
from bot.core.cells import harmless
from bot.settings import Settings
from bot.store import contacts
from bot.store.database import Database
from bot.store.tables import Contact
from bot.words import words

NoZone = Annotated[bool, typer.Option("--no-zone", help=words("только без часового пояса", "without a zone"))]
FromImport = Annotated[
    str, typer.Option("--import", help=words("из какого импорта: import-…", "of which import: import-…"))
]
WhereTo = Annotated[
    Path | None, typer.Argument(help=words("куда; иначе на экран", "where to, else standard output"))
]


def export_contacts(
    file: WhereTo = None,
    search: Annotated[
        str, typer.Option(help=words("часть фамилии, телефона, номера", "part of a name, phone, id"))
    ] = "",
    no_zone: NoZone = False,
    import_id: FromImport = "",
) -> None:
    """Столбцы названы так, что файл можно исправить и загрузить снова."""

    async def read(db: Database, settings: Settings) -> list[Contact]:
        pages = contacts.pages(db, search=search, no_zone=no_zone, import_id=import_id)
        return [row async for page in pages for row in page]

    found = on_database(read)
    fields = [json.loads(row.own_fields or "{}") for row in found]
    own = list(dict.fromkeys(name for each in fields for name in each))
    with csv_out(file, [*EXPORTED, *own]) as write:
        for row, its in zip(found, fields, strict=True):
            write([*(cell(row) for cell in EXPORTED.values()), *(its.get(name, "") for name in own)])
    if file is not None:
        typer.echo(words(f"{file}: клиентов {len(found)}.", f"{file}: {len(found)} contacts."))


@contextmanager
def csv_out(file: Path | None, head: list[str]) -> Iterator[Callable[[Iterable[Any]], None]]:
    """A CSV that appears whole, for its owner only, as spreadsheets open it; without a file on standard
    output, in plain UTF-8. Raises OSError."""
    part = None if file is None else file.with_name(f".{file.name}.part")
    descriptor = -1 if part is None else os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    sink = sys.stdout if part is None else os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
    try:
        table = csv.writer(sink, delimiter=";", lineterminator="\n" if part is None else "\r\n")
        table.writerow([harmless(name) for name in head])
        yield lambda cells: table.writerow([harmless(str(cell)) for cell in cells])
        if part is not None and file is not None:
            sink.close()
            part.replace(file)
    finally:
        if part is not None:
            sink.close()
            part.unlink(missing_ok=True)
