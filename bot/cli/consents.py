"""`otklik consent`: who agreed to be rung, when, where, in which words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from bot.campaigns.contacts import find_contact, full_name, shown_phone
from bot.campaigns.importing.rows import moment
from bot.cli.contact_export import WhereTo, csv_out
from bot.cli.on_database import By, Json, on_database, who
from bot.cli.shell import entry
from bot.core.errors import BadInput
from bot.settings import Settings
from bot.store import consents
from bot.store.consents import GivenConsent, NewConsent
from bot.store.database import Database
from bot.store.tables_contacts import ConsentKind, ConsentRow
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

Contact = Annotated[
    str, typer.Argument(help=words("телефон или номер клиента", "the phone, or the customer's id"))
]
Kind = Annotated[
    ConsentKind,
    typer.Option(
        help=words(
            "calls: звонки с предложениями; data: персональные данные", "calls, or data: personal data"
        )
    ),
]

_KINDS = {
    ConsentKind.CALLS: words("звонки", "calls"),
    ConsentKind.DATA: words("персональные данные", "personal data"),
}


@app.callback()
def _consent() -> None:
    """Согласия клиентов."""


@app.command(help=words("Записать согласие", "Record a consent"))
def give(
    contact: Contact,
    source: Annotated[
        str, typer.Option(help=words("где дано: анкета, договор, звонок", "where it was given"))
    ],
    at: Annotated[
        str, typer.Option(help=words("когда: 01.07.2026 12:30; иначе сейчас", "when; else now"))
    ] = "",
    text: Annotated[str, typer.Option("--words", help=words("на какой текст", "to which text"))] = "",
    call: Annotated[str, typer.Option(help=words("в каком звонке: call-…", "in which call: call-…"))] = "",
    kind: Kind = ConsentKind.CALLS,
    by: By = "",
) -> None:
    async def work(db: Database, settings: Settings) -> ConsentRow:
        now = datetime.now(UTC)
        try:
            given = moment(at, ZoneInfo(settings.timezone)) if at else now
        except ValueError as error:
            raise BadInput(f"--at: {error}") from error
        row = await find_contact(db, contact)
        new = NewConsent(kind, given, source, text, call)
        line = entry(db, "consent", "contact", row.id, kind=kind, source=source, by=who(by))
        return await consents.give(db, row.id, new, by=who(by), now=now, audit=line)

    row = on_database(work)
    when = f"{row.given_at.astimezone():%d.%m.%Y %H:%M}"
    typer.echo(
        words(f"Записано: {_KINDS[kind]}, {when}, {row.source}.", f"Recorded: {kind}, {when}, {row.source}.")
    )


@app.command(help=words("Отозвать согласия клиента", "Withdraw a contact's consents"))
def withdraw(
    contact: Contact,
    text: Annotated[
        str, typer.Option("--words", help=words("как он это сказал или написал", "in his words"))
    ],
    kind: Kind = ConsentKind.CALLS,
    by: By = "",
) -> None:
    """Отзываются все его согласия этого вида, данные до сих пор; звонить с предложениями больше нельзя."""

    async def work(db: Database, settings: Settings) -> int:
        row = await find_contact(db, contact)
        line = entry(db, "withdraw consent", "contact", row.id, kind=kind, by=who(by))
        now = datetime.now(UTC)
        return await consents.withdraw(db, row.id, kind, words=text, by=who(by), now=now, audit=line)

    if not (done := on_database(work)):
        raise BadInput(
            words("согласия, которое действует, нет", "there is no consent that stands"),
            hint=words("какие есть: otklik consent list", "what there is: otklik consent list"),
        )
    typer.echo(words(f"Отозвано согласий: {done}.", f"Withdrawn: {done}."))


@app.command("list", help=words("Согласия, сначала новые", "Consents, the newest first"))
def list_consents(
    contact: Annotated[str, typer.Argument(help=words("только этого клиента", "this contact's only"))] = "",
    limit: Annotated[int, typer.Option(help=words("не больше стольких", "at most so many"))] = 50,
    as_json: Json = False,
) -> None:
    found = _read(contact, limit)
    if as_json:
        typer.echo(
            json.dumps([each.row.model_dump(mode="json") for each in found], ensure_ascii=False, indent=2)
        )
        return
    if not found:
        typer.echo(words("Согласий нет.", "There are no consents."))
        return
    table = Table(box=None)
    for head in words("телефон|имя|вид|дано|где|отозвано", "phone|name|kind|given|where|withdrawn").split(
        "|"
    ):
        table.add_column(head, overflow="fold")
    for each in found:
        row = each.row
        gone = f"{row.withdrawn_at.astimezone():%d.%m.%Y}" if row.withdrawn_at else ""
        name = full_name(each.contact) if each.contact else ""
        given = f"{row.given_at.astimezone():%d.%m.%Y %H:%M}"
        table.add_row(shown_phone(row.phone), name, _KINDS[ConsentKind(row.kind)], given, row.source, gone)
    Console(highlight=False).print(table)


@app.command(help=words("Доказательства согласий в CSV", "The proof of consents as CSV"))
def export(file: WhereTo = None) -> None:
    """Кто, когда, где, на какой текст, в каком звонке, где запись; и когда отозвано."""
    found = _read("", None)
    heads = (
        "Телефон", "Клиент", "Номер клиента", "Вид", "Дано", "Источник", "Текст", "Звонок", "Запись",
        "Внесено", "Кто внёс", "Отозвано", "Кто отозвал", "Слова отзыва",
    )  # fmt: skip
    with csv_out(file, list(heads)) as write:
        for each in found:
            row, contact = each.row, each.contact
            write(
                [
                    shown_phone(row.phone),
                    full_name(contact) if contact else "",
                    (contact.external_id if contact else "") or row.contact_id,
                    row.kind,
                    row.given_at.isoformat(timespec="seconds"),
                    row.source,
                    row.words,
                    row.call_id,
                    row.recording,
                    row.at.isoformat(timespec="seconds"),
                    row.by,
                    row.withdrawn_at.isoformat(timespec="seconds") if row.withdrawn_at else "",
                    row.withdrawn_by,
                    row.withdrawn_words,
                ]
            )
    if file is not None:
        typer.echo(words(f"{file}: согласий {len(found)}.", f"{file}: {len(found)} consents."))


def _read(contact: str, limit: int | None) -> Sequence[GivenConsent]:
    async def read(db: Database, settings: Settings) -> Sequence[GivenConsent]:
        contact_id = (await find_contact(db, contact)).id if contact else ""
        return await consents.listed(db, contact_id=contact_id, limit=limit)

    return on_database(read)
