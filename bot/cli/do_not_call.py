"""`otklik dnc`: numbers that are never rung, and the proof of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.campaigns.contacts import a_phone, shown_phone
from bot.campaigns.importing.columns import meanings, said_mapping
from bot.campaigns.importing.importer import open_sheet
from bot.campaigns.importing.numbers import NumbersTaken, take_numbers
from bot.campaigns.importing.refused import RefusedReport, default_report
from bot.campaigns.proofs import PROOF_HEADS, proof_cells
from bot.cli.contact_export import WhereTo, csv_out
from bot.cli.on_database import By, Json, on_database, who
from bot.cli.shell import entry, noted
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.settings import Settings
from bot.store import do_not_call
from bot.store.database import Database
from bot.store.do_not_call import LIST, Proof
from bot.store.sealed_numbers import sealed_number
from bot.store.tables import DoNotCall
from bot.store.tables_privacy import SealedNumberRow
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

Phone = Annotated[str, typer.Argument(help=words("номер, как угодно записанный", "the number, in any form"))]
Reason = Annotated[str, typer.Option(help=words("почему; остаётся в истории", "why; kept in the history"))]
History = Annotated[
    bool, typer.Option("--history", help=words("и снятые запреты", "what was taken off, too"))
]
Source = Annotated[
    str,
    typer.Option(
        help=words(
            "откуда: call, hand, list:ИМЯ, import:ФАЙЛ", "from where: call, hand, list:NAME, import:FILE"
        )
    ),
]


@app.callback()
def _dnc() -> None:
    """Кому больше не звонить."""


@app.command(help=words("Больше не звонить на этот номер", "Never ring this number again"))
def add(phone: Phone, reason: Reason, by: By = "") -> None:
    """Действует сразу, и для звонков в очереди."""
    key = a_phone(phone)

    async def work(db: Database, settings: Settings) -> int:
        line = entry(db, "add", "do-not-call", key, reason=reason, by=who(by))
        return await do_not_call.add(
            db, [key], source=do_not_call.BY_HAND, words=reason, by=who(by), now=datetime.now(UTC), audit=line
        )

    added = on_database(work)
    shown = shown_phone(key)
    typer.echo(
        words(f"{shown}: больше не звоним.", f"{shown}: never to be rung again.")
        if added
        else words(f"{shown}: и раньше не звонили.", f"{shown}: was there before.")
    )


@app.command(help=words("Снять запрет с номера или целый список", "Let a number, or a list, be rung again"))
def remove(
    reason: Reason,
    phone: Annotated[str, typer.Argument(help=words("номер", "the number"))] = "",
    name: Annotated[str, typer.Option("--list", help=words("весь список", "a whole list"))] = "",
    by: By = "",
) -> None:
    """Снятое с причиной остаётся в истории: otklik dnc list --history."""
    if bool(phone) == bool(name):
        raise BadInput(
            words("нужен номер или список, одно из двух", "name either a number or a list"),
            hint="otklik dnc remove +79161234567 --reason …",
        )
    key = a_phone(phone) if phone else ""

    async def work(db: Database, settings: Settings) -> int:
        now = datetime.now(UTC)
        if name:
            line = entry(db, "remove list", "do-not-call", name, reason=reason, by=who(by))
            return await do_not_call.remove_list(db, name, reason=reason, by=who(by), now=now, audit=line)
        line = entry(db, "remove", "do-not-call", key, reason=reason, by=who(by))
        return int(await do_not_call.remove(db, key, reason=reason, by=who(by), now=now, audit=line))

    if not (done := on_database(work)):
        raise BadInput(
            words("запрета нет", "nothing forbids it"),
            hint=words("какие есть: otklik dnc list", "what does: otklik dnc list"),
        )
    typer.echo(words(f"Снято запретов: {done}.", f"Taken off: {done}."))


@app.command("list", help=words("Кому не звоним и почему", "Who is not rung, and why"))
def list_numbers(
    phone: Annotated[str, typer.Argument(help=words("только этот номер", "this number only"))] = "",
    source: Source = "",
    history: History = False,
    limit: Annotated[int, typer.Option(help=words("не больше стольких", "at most so many"))] = 50,
    as_json: Json = False,
) -> None:
    key = a_phone(phone) if phone else ""
    found, sealed = _looked_up(source, key, history, limit)
    if as_json:
        rows = [_json(proof) for proof in found]
        if sealed is not None:
            refusal = DoNotCall(phone=key, at=sealed.at, source=sealed.source)
            rows.append(_json(Proof(refusal), sealed.erasure_id))
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if found:
        Console(highlight=False).print(_table(found))
    if sealed is not None:
        typer.echo(_of_sealed(key, sealed))
    if not found and sealed is None:
        typer.echo(words("Таких номеров нет.", "There are no such numbers."))


def _table(found: list[Proof]) -> Table:
    table = Table(box=None)
    for head in words("номер|с|откуда|слова|звонок|снято", "number|since|source|words|call|taken off").split(
        "|"
    ):
        table.add_column(head, overflow="fold")
    for proof in found:
        row, gone = proof.row, proof.removed
        off = f"{gone.removed_at.astimezone():%d.%m.%Y}: {gone.reason}" if gone else ""
        since = f"{row.at.astimezone():%d.%m.%Y %H:%M}"
        table.add_row(shown_phone(row.phone), since, row.source, row.words, row.call_id, off)
    return table


def _of_sealed(phone: str, sealed: SealedNumberRow) -> str:
    """All that is known of the refusal of who was erased: to whoever names the number it stays provable."""
    number, since = shown_phone(phone), f"{sealed.at.astimezone():%d.%m.%Y %H:%M}"
    return words(
        f"{number}: больше не звоним с {since}, откуда: {sealed.source}. Данные удалены "
        f"({sealed.erasure_id}), от номера остался хеш.",
        f"{number}: never to be rung since {since}, source: {sealed.source}. The data was erased "
        f"({sealed.erasure_id}), of the number a hash is left.",
    )


@app.command("import", help=words("Номера из файла CSV или XLSX", "Numbers from a CSV or XLSX file"))
def import_numbers(
    file: Annotated[Path, typer.Argument(help=words("файл со столбцом телефонов", "a file with numbers"))],
    name: Annotated[str, typer.Option("--list", help=words("имя списка; иначе имя файла", "its name"))] = "",
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help=words("столбец=phone", "column=phone"))
    ] = None,
    by: By = "",
) -> None:
    """Все номера каждой строки. Непонятые строки — в отчёт, который исправляют и загружают снова."""
    sheet = open_sheet(file)
    found = meanings(sheet.columns, said_mapping(mapping or []))
    source = LIST + (name or file.stem)

    async def work(db: Database, settings: Settings) -> NumbersTaken:
        await noted(db, "import", "numbers", file.name, rows=sheet.count, list=source.removeprefix(LIST))
        with RefusedReport(default_report(file), sheet.columns) as report:
            return await take_numbers(
                db, sheet, found, report, source=source, by=who(by), clock=SystemClock()
            )

    done = on_database(work)
    told = words(
        f"{source}: строк {done.rows}, новых номеров {done.added}", f"{source}: {done.added} new numbers"
    )
    refused = words(f", отказано {done.refused}: {done.report}", f", refused {done.refused}: {done.report}")
    typer.echo(told + (refused if done.report else "."))


@app.command(help=words("Доказательства отказов в CSV", "The proof of opt-outs as CSV"))
def export(file: WhereTo = None, source: Source = "", history: History = True) -> None:
    """Кто, когда, откуда, какими словами, в каком звонке, где запись; снятые запреты — с причиной."""
    found, _ = _looked_up(source, "", history, None)
    with csv_out(file, list(PROOF_HEADS)) as write:
        for proof in found:
            write(proof_cells(proof))
    if file is not None:
        typer.echo(words(f"{file}: номеров {len(found)}.", f"{file}: {len(found)} numbers."))


def _looked_up(
    source: str, phone: str, history: bool, limit: int | None
) -> tuple[list[Proof], SealedNumberRow | None]:
    """What is on the list, and of one number also what an erasure left of its refusal."""

    async def read(db: Database, settings: Settings) -> tuple[list[Proof], SealedNumberRow | None]:
        found = await do_not_call.listed(db, source=source, phone=phone, removed=history, limit=limit)
        async with db.read() as session:
            sealed = await sealed_number(session, phone) if phone else None
        return found, sealed if sealed is not None and sealed.source.startswith(source) else None

    return on_database(read)


def _json(proof: Proof, erasure_id: str = "") -> dict[str, Any]:
    """`erasure` is that of a number which stands under its hash alone."""
    return proof.row.model_dump(mode="json") | {
        "recording": proof.call.recording if proof.call else "",
        "removed": proof.removed.model_dump(mode="json") if proof.removed else None,
        "erasure": erasure_id,
    }
