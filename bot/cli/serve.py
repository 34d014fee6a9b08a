"""`otklik serve`: start a node and keep it."""

from __future__ import annotations

import asyncio
import gc
import signal
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from bot.core.errors import Unavailable
from bot.core.files import disk_fault
from bot.logs import configure_logs
from bot.node import Node
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.supervisor import rotate
from bot.words import words

app = typer.Typer(add_completion=False)
console = Console(highlight=False)


@app.command()
def serve() -> None:
    """Запустить узел: линии, диалог, хранилище. Ctrl-C или SIGTERM: доиграть звонки и выйти."""
    settings = load_settings()
    configure_logs(settings.log_level, file=fresh_log(settings))
    try:
        asyncio.run(_serve(settings))
    except asyncio.CancelledError as error:
        raise typer.Exit(128 + signal.SIGTERM) from error


def fresh_log(settings: Settings) -> Path:
    """Control's own log; those of the starts before are kept beside it. Raises Unavailable for a folder
    that cannot be made."""
    file = settings.log_dir / "control.log"
    try:
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        rotate(file)
    except OSError as error:
        raise disk_fault(error) or Unavailable(
            words(
                f"папку {settings.log_dir} не сделать: {error.strerror}",
                f"{settings.log_dir} cannot be made: {error.strerror}",
            ),
            hint=words("задайте другую: OTKLIK_VAR=папка", "name another: OTKLIK_VAR=FOLDER"),
        ) from error
    return file


async def _serve(settings: Settings) -> None:
    stop_on_sigterm()
    async with Node(settings, on_step=show_step) as node:
        # What it has come up with stays as long as it does: looked through by the collector again and again,
        # it held up every fifth report of a year by 60 ms.
        gc.freeze()
        console.print(screen(node.about()))
        await until_stopped(node)
        console.print(words("Завершаю: новых звонков не беру…", "Stopping: no new calls…"), style="bold")
    console.print(words("Узел остановлен.", "The node has stopped."))


def stop_on_sigterm() -> None:
    """Also while the node is still coming up: what was started is stopped again."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def until_stopped(node: Node) -> None:
    """Until Ctrl-C, SIGTERM, or until the node itself cannot go on (raises what happened)."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    broken = asyncio.ensure_future(node.run())
    asked = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({broken, asked}, return_when=asyncio.FIRST_COMPLETED)
        if broken.done():
            broken.result()
    finally:
        for task in (broken, asked):
            task.cancel()
        await asyncio.wait({broken, asked})
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def show_step(step: str) -> None:
    console.print(f"[dim]·[/] {step}")


def screen(about: dict[str, str]) -> Table:
    """What the node listens on and works with, on one screen."""
    table = Table(title=words("Отклик работает", "Otklik is up"), show_header=False, title_justify="left")
    table.add_column(style="cyan")
    table.add_column()
    for name, value in about.items():
        table.add_row(name, value)
    return table
