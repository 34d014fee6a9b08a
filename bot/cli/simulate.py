"""`otklik simulate`: scripted phones ring a running node, and what they heard is measured."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.cli.live import LiveView
from bot.core.control import ControlClient
from bot.core.errors import BadInput
from bot.core.events import CallEvent
from bot.settings_load import load_settings
from bot.sim.bench.recording import FILE, measure_again
from bot.sim.capture import recompute
from bot.sim.results import SimReport
from bot.sim.run import run_scenario
from bot.sim.scenario import Scenario, load_scenario
from bot.words import words

app = typer.Typer(add_completion=False)
console = Console(stderr=True, highlight=False)


@app.command()
def simulate(
    file: Annotated[Path | None, typer.Argument(help="сценарий YAML")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="записать итог ещё и в файл")] = None,
    capture: Annotated[Path | None, typer.Option(help="папка: звук каждого звонка с сокета клиента")] = None,
    node: Annotated[Path | None, typer.Option(help="управляющий сокет узла")] = None,
    again: Annotated[
        Path | None, typer.Option("--recompute", help="папка от --capture: измерить заново")
    ] = None,
) -> None:
    """Провести звонки по сценарию. Итог: JSON; выход 0, только если всё вышло как задумано."""
    if (file is None) == (again is None):
        raise BadInput(
            words("нужен сценарий или --recompute ПАПКА", "give a scenario, or --recompute DIR"),
            hint="otklik simulate bot/sim/scenarios/demo.yaml",
        )
    if again is not None:
        _recompute(again)
    elif file is not None:
        scenario = load_scenario(file)
        report = asyncio.run(_run(scenario, node or load_settings().control_socket, capture))
        text = json.dumps(report.as_json(), ensure_ascii=False, indent=2)
        typer.echo(text)
        if json_file is not None:
            json_file.write_text(text + "\n")
        _say_what_failed(report)
        raise typer.Exit(0 if report.ok else 1)


async def _run(scenario: Scenario, socket: Path, capture: Path | None) -> SimReport:
    view = LiveView()

    def show(event: CallEvent) -> None:
        line = view.line(event)
        if line is not None:
            console.print(line)

    async with await ControlClient.connect(socket) as control:
        status = await control.request("status")
        return await run_scenario(scenario, control, status["sip"], capture, show)


def _say_what_failed(report: SimReport) -> None:
    for call in report.calls:
        for failure in call.failures:
            console.print(f"✗ {call.name}: {failure}", style="bold red")


def _recompute(folder: Path) -> None:
    """Each call's gaps; for a capture of `otklik bench reply-gap` its figures as well."""
    measured = recompute(folder)
    calls = [call.model_dump(mode="json") for call in measured]
    agrees = all(call.agrees for call in measured)
    found: list[dict[str, Any]] | dict[str, Any] = calls
    if (folder / FILE).exists():
        printed, again = measure_again(folder)
        agrees = agrees and printed == again
        found = {"agrees": agrees, "figures": again.as_json(), "printed": printed.as_json(), "calls": calls}
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    raise typer.Exit(0 if agrees else 1)
