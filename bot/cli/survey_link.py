"""`otklik survey link`: a link by which one customer takes a survey in the browser."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from bot.cli.handover_node import ask
from bot.core.errors import BadInput
from bot.words import words

app = typer.Typer(add_completion=False)

UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


@app.command("link")
def link(
    survey: Annotated[
        str, typer.Argument(help=words("опубликованный опрос: nps", "a published survey: nps"))
    ],
    name: Annotated[str, typer.Option(help=words("имя клиента", "the customer's first name"))] = "",
    phone: Annotated[
        str, typer.Option(help=words("его номер: куда перезвонить", "his number, to be called back at"))
    ] = "",
    agent: Annotated[
        str, typer.Option(help=words("кто с ним говорил: номер сотрудника", "the agent who had the talk"))
    ] = "",
    department: Annotated[str, typer.Option(help=words("отдел", "the department"))] = "",
    valid: Annotated[
        str, typer.Option(help=words("сколько действует: 30m, 24h, 7d", "how long it lasts: 30m, 24h, 7d"))
    ] = "24h",
    as_json: Annotated[
        bool, typer.Option("--json", help=words("одна строка JSON", "a line of JSON"))
    ] = False,
) -> None:
    """Ссылка на опрос в браузере, для одного клиента; узел должен работать."""
    order = {"survey": survey, "name": name, "phone": phone, "agent": agent, "department": department}
    made = ask("survey_link", **order, valid_s=seconds_of(valid))
    typer.echo(json.dumps(made, ensure_ascii=False) if as_json else made["url"])


def seconds_of(written: str) -> float:
    """`24h` -> 86400.0. Raises BadInput.

    >>> seconds_of("30m")
    1800.0
    """
    found = re.fullmatch(r"(\d{1,4})([mhd])", written.strip())
    if found is None:
        raise BadInput(
            words(f"срок «{written}» не разобрать", f"«{written}» is no length of time"),
            hint=words("число и m, h или d: 30m, 24h, 7d", "a number and m, h or d: 30m, 24h, 7d"),
        )
    return int(found[1]) * UNITS[found[2]]
