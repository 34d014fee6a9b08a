"""`otklik report schedule`: who is sent which report, and when; on the database. A running node sends."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from bot.cli.moments import local, utc
from bot.cli.on_database import on_database, who
from bot.cli.report_scope import Campaign, Department, Employee, Survey
from bot.cli.shell import entry
from bot.core.clock import SystemClock
from bot.core.errors import BadInput
from bot.delivery.endpoints import Endpoints
from bot.delivery.mail import checked_address
from bot.reports import schedules
from bot.reports.schedules import Content, Definition, Schedule
from bot.reports.slices import By
from bot.settings import Settings
from bot.store import notices
from bot.store.database import Database
from bot.store.tables_notices import About
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help=words("название отчёта", "the report's name"))]
Json = Annotated[bool, typer.Option("--json", help=words("по строке JSON", "a line of JSON each"))]


@app.callback(help=words("Кому и когда рассылать отчёты", "Who is sent which report, and when"))
def _schedule() -> None:
    """Отчёты, которые узел отправляет сам."""


@app.command(help=words("Добавить", "Add"))
def add(
    name: Name,
    to: Annotated[
        list[str] | None,
        typer.Option(help=words("адрес почты, можно несколько", "a mail address, or several")),
    ] = None,
    webhook: Annotated[
        list[str] | None,
        typer.Option(help=words("получатель из otklik webhooks", "an endpoint of otklik webhooks")),
    ] = None,
    every: Annotated[
        str, typer.Option(help=words("day, week, month или quarter", "day, week, month or quarter"))
    ] = "week",
    at: Annotated[str, typer.Option(help=words("во сколько, как 09:00", "at what time, as 09:00"))] = "09:00",
    weekday: Annotated[
        int, typer.Option(min=1, max=7, help=words("день недели, 1 — понедельник", "weekday, 1 is Monday"))
    ] = 1,
    day: Annotated[int, typer.Option(min=1, max=28, help=words("число месяца", "day of the month"))] = 1,
    zone: Annotated[
        str, typer.Option(help=words("часовой пояс; пусто: компании", "time zone; the company's without it"))
    ] = "",
    content: Annotated[
        Content,
        typer.Option(help=words("figures: цифры, calls: звонки построчно", "figures, or calls by rows")),
    ] = Content.FIGURES,
    by: Annotated[By | None, typer.Option(help=words("разрез", "slice by"))] = By.EMPLOYEE,
    employee: Employee = None,
    department: Department = None,
    survey: Survey = None,
    campaign: Campaign = None,
) -> None:
    """Отправляется отчёт за прошлый день, неделю, месяц или квартал."""

    async def work(db: Database, settings: Settings) -> Schedule:
        if to and not settings.mail.host:
            raise BadInput(
                words("почта не настроена", "mail is not set up"),
                hint=words("задайте mail.host и mail.sender", "set mail.host and mail.sender"),
            )
        for endpoint in webhook or ():
            await Endpoints(db, SystemClock()).named(endpoint)
        given = {
            "content": content,
            "every": every,
            "weekday": weekday,
            "day": day,
            "at": at,
            "zone": zone or settings.timezone,
            "by": by,
            "employees": tuple(employee or ()),
            "departments": tuple(department or ()),
            "surveys": tuple(survey or ()),
            "campaigns": tuple(campaign or ()),
            "mail_to": tuple(map(checked_address, to or ())),
            "webhooks": tuple(webhook or ()),
        }
        try:
            definition = Definition.model_validate(given)
        except ValidationError as error:
            raise schedules.unfit(error) from error
        row = entry(db, "add", "report", name, **definition.model_dump(mode="json", exclude_defaults=True))
        return await schedules.add(db, name, definition, who(""), SystemClock().now(), audit=row)

    added = on_database(work)
    typer.echo(
        words(f"{name}: первый раз {local(added.next_at)}", f"{name}: first at {local(added.next_at)}")
    )


@app.command("list", help=words("Какие есть", "Which there are"))
def list_(as_json: Json = False) -> None:
    found = on_database(lambda db, _: schedules.schedules(db))
    if as_json:
        for each in found:
            definition = each.definition.model_dump(mode="json")
            line = {"name": each.name, "next_at": utc(each.next_at), **definition}
            typer.echo(json.dumps(line, ensure_ascii=False))
        return
    if not found:
        typer.echo(words("Ни одного: otklik report schedule add", "None: otklik report schedule add"))
        return
    table = Table(box=None)
    for title in words("название|как часто|во сколько|кому|следующий", "name|every|at|to|next").split("|"):
        table.add_column(title, overflow="fold")
    for each in found:
        of = each.definition
        targets = ", ".join((*of.mail_to, *of.webhooks))
        next_at = local(each.next_at) if each.next_at else words("отключён", "off")
        table.add_row(each.name, of.every, f"{of.at} {of.zone}", targets, next_at)
    Console(highlight=False).print(table)


@app.command(help=words("Удалить", "Remove"))
def remove(name: Name) -> None:
    on_database(lambda db, _: schedules.remove(db, name, audit=entry(db, "remove", "report", name)))
    typer.echo(words(f"{name}: удалён", f"{name}: removed"))


@app.command(help=words("Отключить", "Switch off"))
def off(name: Name) -> None:
    _switch(name, on=False)


@app.command(help=words("Включить", "Switch on"))
def on(name: Name) -> None:
    _switch(name, on=True)


@app.command(help=words("Отправить сейчас", "Send now"))
def send(name: Name) -> None:
    """Помимо расписания; отправит работающий узел."""

    async def work(db: Database, _: Settings) -> int:
        row = entry(db, "send", "report", name)
        return await schedules.send_now(db, name, SystemClock().now(), audit=row)

    count = on_database(work)
    typer.echo(words(f"{name}: отправляется, получателей {count}", f"{name}: being sent to {count}"))


@app.command(help=words("Что отправлено", "What was sent"))
def log(
    name: Annotated[str, typer.Argument(help=words("только этот отчёт", "this report only"))] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help=words("сколько строк", "how many rows"))] = 50,
    as_json: Json = False,
) -> None:
    """Новое стоит первым."""

    async def work(db: Database, _: Settings) -> None:
        about_id = (await schedules.named(db, name)).id if name else ""
        names = {each.id: each.name for each in await schedules.schedules(db)}
        rows = await notices.log(db, about=About.REPORT, about_id=about_id, limit=limit)
        for row in rows:
            if as_json:
                line = {
                    "report": names.get(row.about_id, ""),
                    "due_at": utc(row.due_at),
                    "target": row.target,
                    "status": row.status,
                    "tries": row.tries,
                    "error": row.error,
                }
                typer.echo(json.dumps(line, ensure_ascii=False))
                continue
            told = f"{local(row.due_at)}  {names.get(row.about_id, '-')} → {row.target}: {row.status}"
            tries = words(f", попыток {row.tries}", f", {row.tries} tries")
            typer.echo(told + tries + (f": {row.error}" if row.error else ""))
        if not rows and not as_json:
            typer.echo(words("Пока ничего.", "Nothing yet."))

    on_database(work)


def _switch(name: str, *, on: bool) -> None:
    async def work(db: Database, _: Settings) -> None:
        row = entry(db, "switch", "report", name, on=on)
        await schedules.switch(db, name, SystemClock().now(), on=on, audit=row)

    on_database(work)
    typer.echo(words(f"{name}: {'включён' if on else 'отключён'}", f"{name}: {'on' if on else 'off'}"))
