"""`otklik announce`: say whose talk the next call of a number or of a caller is about."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bot.cli.handover_node import ask
from bot.inbound.announcements import DEFAULT_VALID_S
from bot.words import words

app = typer.Typer(add_completion=False)


@app.command(help=words("Объявить звонок, который АТС сейчас переведёт", "Announce a call before it comes"))
def announce(
    phone: Annotated[str, typer.Option(help=words("телефон клиента", "the customer's phone"))] = "",
    called: Annotated[str, typer.Option(help=words("номер, на который переведут", "the called number"))] = "",
    token: Annotated[
        str, typer.Option(help=words("слово из заголовка X-Announcement", "the word of X-Announcement"))
    ] = "",
    agent: Annotated[str, typer.Option(help=words("кто говорил с клиентом", "who had the talk"))] = "",
    department: Annotated[str, typer.Option(help=words("его отдел", "his department"))] = "",
    conversation: Annotated[
        str, typer.Option(help=words("номер разговора в вашей CRM", "the talk's id in your CRM"))
    ] = "",
    about: Annotated[str, typer.Option(help=words("о чём говорили", "what it was about"))] = "",
    survey: Annotated[
        str, typer.Option(help=words("опрос; пусто: по номеру", "the survey; empty: the number's"))
    ] = "",
    customer: Annotated[
        str, typer.Option(help=words("номер клиента в CRM", "the customer's id in your CRM"))
    ] = "",
    first_name: Annotated[str, typer.Option(help=words("имя клиента", "the customer's first name"))] = "",
    valid: Annotated[
        int, typer.Option(help=words("сколько секунд ждать звонка", "seconds to wait for it"))
    ] = DEFAULT_VALID_S,
    key: Annotated[
        str,
        typer.Option(help=words("ключ: повтор с ним считается один раз", "a repeated key counts once")),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))] = False,
) -> None:
    """Узел должен работать."""
    found = ask(
        "announce",
        phone=phone,
        called=called,
        token=token,
        agent=agent,
        department=department,
        conversation_id=conversation,
        about=about,
        survey=survey,
        customer={"id": customer, "first_name": first_name},
        valid_s=valid,
        key=key,
    )
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    told = words("Объявлен", "Announced") if found["new"] else words("Уже объявлен", "Announced before")
    typer.echo(f"{told}: {found['announcement']}, {words('ждём до', 'valid until')} {found['valid_until']}")
