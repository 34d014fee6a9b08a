"""`otklik campaign list|show|status|watch`: how campaigns stand."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from bot.campaigns.facts import CampaignState
from bot.cli.campaign_run import Json, Name
from bot.cli.campaign_screen import screen
from bot.cli.handover_node import ask_or_read
from bot.cli.on_database import open_database
from bot.core.control import ControlClient
from bot.orders_campaigns import campaign_json, campaigns_json, definition_json, state_word
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.store.database import Database
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

OVER = (CampaignState.STOPPED, CampaignState.DONE)


@app.command("list", help=words("Все кампании", "All campaigns"))
def list_campaigns(as_json: Json = False) -> None:
    async def read(db: Database, settings: Settings) -> dict[str, Any]:
        return await campaigns_json(db, datetime.now(UTC))

    found = ask_or_read("campaigns", read)["campaigns"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    if not found:
        typer.echo(words("Кампаний нет.", "There are no campaigns."))
        return
    table = Table()
    for name in (
        words("кампания", "campaign"),
        words("опрос", "survey"),
        words("состояние", "state"),
        words("контактов", "contacts"),
        words("ждут", "waiting"),
        words("попыток", "attempts"),
    ):
        table.add_column(name)
    for each in found:
        state = state_word(each["state"]) + (f" ({each['reason']})" if each["reason"] else "")
        counts = (sum(each["members"].values()), each["members"].get("waiting", 0), each["attempts"])
        table.add_row(each["campaign"], each["survey"], state, *map(str, counts))
    Console(highlight=False).print(table)


@app.command(help=words("Как она описана: файл, каким он принят", "As it was described"))
def show(name: Name) -> None:
    async def read() -> dict[str, Any]:
        async with open_database(load_settings()) as db:
            return await definition_json(db, name)

    told = asyncio.run(read())
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


@app.command(help=words("В числах, сейчас", "In numbers, now"))
def status(name: Name, as_json: Json = False) -> None:
    async def read(db: Database, settings: Settings) -> dict[str, Any]:
        return await campaign_json(db, name, datetime.now(UTC))

    told = ask_or_read("campaign", read, campaign=name)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        Console(highlight=False).print(screen(told))


@app.command(help=words("Следить, пока она идёт; Ctrl-C — выйти", "Watch it while it goes; Ctrl-C leaves"))
def watch(
    name: Name,
    every_s: Annotated[
        float,
        typer.Option("--every", min=0.2, help=words("сколько секунд между взглядами", "seconds between")),
    ] = 1.0,
    as_json: Annotated[
        bool, typer.Option("--json", help=words("строка JSON на каждый взгляд", "a line of JSON each time"))
    ] = False,
) -> None:
    asyncio.run(_watch(load_settings(), name, every_s, as_json))


async def _watch(settings: Settings, name: str, every_s: float, as_json: bool) -> None:
    """Until it is over, or Ctrl-C. Raises NodeUnavailable."""
    loop, left = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, left.set)
    try:
        async with await ControlClient.connect(settings.control_socket) as node:
            told = await node.request("campaign", campaign=name)
            if as_json:
                await _stream(node, name, told, every_s, left)
                return
            with Live(screen(told), console=Console(highlight=False), auto_refresh=False) as live:
                while not await _looked_enough(told, every_s, left):
                    told = await node.request("campaign", campaign=name)
                    live.update(screen(told), refresh=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _stream(
    node: ControlClient, name: str, told: dict[str, Any], every_s: float, left: asyncio.Event
) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False))
    while not await _looked_enough(told, every_s, left):
        told = await node.request("campaign", campaign=name)
        typer.echo(json.dumps(told, ensure_ascii=False))


async def _looked_enough(told: dict[str, Any], every_s: float, left: asyncio.Event) -> bool:
    """Whether that was the last look: it is over, or nobody looks any more. Waits for the next one."""
    if told["state"] in OVER:
        return True
    try:
        async with asyncio.timeout(every_s):
            await left.wait()
    except TimeoutError:
        return False
    return True
