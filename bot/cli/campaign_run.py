"""`otklik campaign create|start|pause|resume|stop`: campaigns are made and steered on a running node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.campaigns.loader import load_campaign
from bot.cli.campaign_screen import screen
from bot.cli.handover_node import ask
from bot.core.errors import BadInput, Place
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help=words("кампания: её id", "the campaign: its id"))]
Json = Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))]


@app.command(help=words("Создать из файла YAML", "Make one from a YAML file"))
def create(
    file: Annotated[Path, typer.Argument(help=words("файл кампании", "the campaign's file"))],
    everybody: Annotated[
        bool, typer.Option("--all", help=words("звонить всем контактам", "ring all contacts"))
    ] = False,
    phones: Annotated[
        Path | None,
        typer.Option(help=words("звонить этим: файл, номер в строке", "ring these: a file, a phone a line")),
    ] = None,
    manager: Annotated[
        str, typer.Option(help=words("звонить клиентам этого сотрудника", "ring this agent's customers"))
    ] = "",
    import_id: Annotated[
        str, typer.Option("--import", help=words("загруженным этим файлом: его id", "those of this import"))
    ] = "",
    department: Annotated[str, typer.Option(help=words("клиентам отдела", "a department's customers"))] = "",
    standing: Annotated[
        bool,
        typer.Option(
            help=words("постоянная: клиенты приходят по одному", "standing: customers come one by one")
        ),
    ] = False,
    start: Annotated[bool, typer.Option(help=words("и сразу запустить", "and start it at once"))] = False,
    as_json: Json = False,
) -> None:
    definition = load_campaign(file)
    chosen: dict[str, Any] = {
        "everybody": everybody,
        "manager_id": manager,
        "import_id": import_id,
        "department": department,
    }
    if phones is not None:
        chosen["phones"] = _lines(phones)
    given = phones is not None or any(chosen.values())
    told = ask(
        "campaign_create",
        definition=definition.model_dump(mode="json"),
        standing=standing,
        **({"chosen": chosen} if given else {}),
    )
    if start:
        told = {**told, **ask("campaign_start", campaign=definition.id)}
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    members = told["members"] if isinstance(told["members"], int) else sum(told["members"].values())
    typer.echo(
        words(
            f"Кампания {definition.id} создана: контактов {members}.",
            f"Campaign {definition.id} is made: {members} contacts.",
        )
    )
    if not start:
        typer.echo(words("Запустить: ", "Start it: ") + f"otklik campaign start {definition.id}")


@app.command(help=words("Запустить", "Start it"))
def start(name: Name, as_json: Json = False) -> None:
    _tell(ask("campaign_start", campaign=name), as_json)


@app.command(help=words("Снять с паузы", "Go on after a pause"))
def resume(name: Name, as_json: Json = False) -> None:
    _tell(ask("campaign_start", campaign=name), as_json)


@app.command(
    help=words("Пауза: никому новому не звонить, разговоры идут", "Pause: ring nobody new, talks go on")
)
def pause(
    name: Name,
    reason: Annotated[str, typer.Option(help=words("почему", "why"))] = "",
    as_json: Json = False,
) -> None:
    _tell(ask("campaign_pause", campaign=name, reason=reason), as_json)


@app.command(help=words("Остановить совсем, дав разговорам кончиться", "Stop for good, talks may end"))
def stop(name: Name, as_json: Json = False) -> None:
    _tell(ask("campaign_stop", campaign=name), as_json)


def _tell(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        Console(highlight=False).print(screen(told))


def _lines(file: Path) -> list[str]:
    """Raises BadInput."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"не читается: {error}", place=Place(str(file))) from error
    return [line.strip() for line in lines if line.strip()]
