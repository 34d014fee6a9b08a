"""`otklik contact`: customers, as they were imported and as calls made them known."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.campaigns.contacts import find_contact, full_name, shown_phone
from bot.cli.contact_export import FromImport, NoZone, export_contacts
from bot.cli.contact_import import import_contacts
from bot.cli.contact_mappings import forget_mapping, list_imports, list_mappings
from bot.cli.contact_why import why
from bot.cli.on_database import Json, on_database
from bot.settings import Settings
from bot.store import consents, contacts
from bot.store.contact_facts import Standing, standing
from bot.store.database import Database
from bot.store.tables import Contact
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

Who = Annotated[
    str, typer.Argument(help=words("телефон или номер клиента", "the phone, or the customer's id"))
]


@app.callback()
def _contact() -> None:
    """Клиенты: загрузить, найти, выгрузить."""


app.command("why", help=words("Почему ему звонили или нет, и можно ли сейчас", "Why he was rung or not"))(why)
app.command("import", help=words("Загрузить клиентов из CSV или XLSX", "Import contacts from CSV or XLSX"))(
    import_contacts
)
app.command("export", help=words("Выгрузить клиентов в CSV", "Export contacts as CSV"))(export_contacts)
app.command("imports", help=words("Какие файлы загружали", "Which files were imported"))(list_imports)
app.command("mappings", help=words("Как названы столбцы файлов", "What columns were said to mean"))(
    list_mappings
)
app.command("forget", help=words("Забыть, как названы столбцы", "Forget what columns mean"))(forget_mapping)


@app.command("list", help=words("Кто есть", "Who there is"))
def list_contacts(
    search: Annotated[
        str,
        typer.Argument(help=words("часть фамилии, телефона или номера клиента", "part of a name, phone, id")),
    ] = "",
    no_zone: NoZone = False,
    import_id: FromImport = "",
    limit: Annotated[int, typer.Option(help=words("не больше стольких", "at most so many"))] = 50,
    as_json: Json = False,
) -> None:
    async def read(db: Database, settings: Settings) -> list[Contact]:
        found: list[Contact] = []
        part = "".join(filter(str.isdecimal, search)) if search[:1] in "+8(" and search else search
        async for page in contacts.pages(db, search=part, no_zone=no_zone, import_id=import_id):
            found += page
            if len(found) > limit:
                break
        return found

    found = on_database(read)
    if as_json:
        typer.echo(json.dumps([_json(row) for row in found[:limit]], ensure_ascii=False, indent=2))
        return
    if not found:
        typer.echo(words("Таких клиентов нет.", "There are no such contacts."))
        return
    table = Table(box=None)
    for head in words("номер|имя|телефон|пояс|менеджер|звонить", "id|name|phone|zone|manager|ring").split(
        "|"
    ):
        table.add_column(head, overflow="fold")
    for row in found[:limit]:
        blocked = words("нет", "no") if row.do_not_call_at else ""
        table.add_row(
            row.external_id or row.id[:13],
            full_name(row),
            shown_phone(row.phone),
            row.tz or "?",
            row.manager_id,
            blocked,
        )
    console = Console(highlight=False)
    console.print(table)
    if len(found) > limit:
        console.print(
            words(f"… и другие: --limit {limit * 10}", f"… and more: --limit {limit * 10}"), style="dim"
        )


@app.command(help=words("Всё, что известно о клиенте", "All that is known of a contact"))
def show(who: Who, as_json: Json = False) -> None:
    async def read(db: Database, settings: Settings) -> tuple[Contact, Standing, list[consents.GivenConsent]]:
        contact = await find_contact(db, who)
        async with db.read() as session:
            stands = await standing(session, contact.id)
        assert stands is not None
        return contact, stands, list(await consents.listed(db, contact_id=contact.id))

    contact, stands, given = on_database(read)
    if as_json:
        told = _json(contact) | {
            "do_not_call": stands.do_not_call,
            "do_not_call_source": stands.source,
            "consent": stands.consent,
            "consents": [each.row.model_dump(mode="json") for each in given],
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for name, value in _lines(contact, stands):
        if value:
            console.print(f"{name + ':':<16}{value}", markup=False)
    for each in given:
        row = each.row
        gone = (
            words(
                f", отозвано {row.withdrawn_at.astimezone():%d.%m.%Y}",
                f", withdrawn {row.withdrawn_at:%Y-%m-%d}",
            )
            if row.withdrawn_at
            else ""
        )
        name = words("согласие:", "consent:")
        console.print(
            f"{name:<16}{row.given_at.astimezone():%d.%m.%Y %H:%M} {row.source}{gone}", markup=False
        )


def _lines(contact: Contact, stands: Standing) -> list[tuple[str, str]]:
    known = words("неизвестен: кампании не звонят", "not known: campaigns do not ring him")
    lines = [
        (words("имя", "name"), full_name(contact)),
        (
            words("телефон", "phone"),
            shown_phone(contact.phone) + (f" #{contact.extension}" if contact.extension else ""),
        ),
        (
            words("ещё телефоны", "other phones"),
            ", ".join(map(shown_phone, filter(None, contact.other_phones.split(",")))),
        ),
        (words("номер клиента", "id"), contact.external_id or contact.id),
        (words("часовой пояс", "time zone"), contact.tz or known),
        (words("место", "place"), ", ".join(filter(None, (contact.region, contact.city)))),
        (words("язык", "language"), contact.language),
        (words("отдел", "department"), contact.department),
        (words("менеджер", "manager"), contact.manager_id),
        (words("не звонить", "do not call"), stands.source),
    ]
    return lines + list(json.loads(contact.own_fields or "{}").items())


def _json(contact: Contact) -> dict[str, Any]:
    return contact.model_dump(mode="json") | {"own_fields": json.loads(contact.own_fields or "{}")}
