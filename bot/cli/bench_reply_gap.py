"""`otklik bench reply-gap`: scripted callers measure at their sockets how long a node makes them wait."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.cli.bench_options import AsJson, Audio, Capture, Seed, Write
from bot.cli.bench_tables import latency_section, show_figures, wide_console, write_section
from bot.cli.demo import demo_settings
from bot.cli.serve import fresh_log, stop_on_sigterm
from bot.core.control import ControlClient
from bot.core.errors import BadInput
from bot.core.events import CallEvent
from bot.logs import configure_logs
from bot.node import Node
from bot.settings import PROJECT, Settings
from bot.settings_load import load_settings
from bot.sim.bench.composing import Answers
from bot.sim.bench.figures import Figures, figures
from bot.sim.bench.pieces import Piece, read_pieces
from bot.sim.bench.plan import TURNS, PlannedCall, plan_calls, rounds, scenario_of
from bot.sim.bench.recording import FILE, EventBook, record_of, write_records
from bot.sim.network import Network
from bot.sim.results import CallReport
from bot.sim.run import run_scenario
from bot.words import words

AUDIO = PROJECT / "tests" / "data" / "audio" / "turns"
SURVEYS = PROJECT / "benchmarks" / "surveys"
SEED = 4
RUN = 2.0
"""Packets of one loss, on average."""

console = Console(stderr=True, highlight=False)


def reply_gap(
    calls: Annotated[
        int, typer.Option(min=1, max=100, help=words("сколько звонков сразу", "calls at the same time"))
    ] = 1,
    as_json: AsJson = False,
    capture: Capture = None,
    audio: Audio = AUDIO,
    seed: Seed = SEED,
    turns: Annotated[
        int | None,
        typer.Option(min=1, help=words("сколько реплик хватит", "how many turns are enough")),
    ] = None,
    loss: Annotated[
        float,
        typer.Option(
            min=0, max=50, help=words("потеря пакетов в каждую сторону, %", "packets lost each way, %")
        ),
    ] = 0.0,
    jitter_ms: Annotated[
        float,
        typer.Option(min=0, max=1000, help=words("дрожание: опоздание до, мс", "jitter: late by up to, ms")),
    ] = 0.0,
    write: Write = None,
) -> None:
    """Паузы бота на сокете клиента: по видам вопросов, с долями каждой стадии."""
    if capture is not None and (capture / FILE).exists():
        raise BadInput(
            words(f"в {capture} уже лежит замер", f"{capture} holds a capture already"),
            hint=words("дайте новую папку", "give a new folder"),
        )
    network = Network(loss=loss / 100, run=RUN, jitter_s=jitter_ms / 1000, seed=seed)
    pieces = read_pieces(audio)
    per_line = rounds(calls) if turns is None else -(-turns // (TURNS * calls))
    of_a_call = TURNS if turns is None else -(-turns // (calls * per_line))
    planned = plan_calls(pieces, seed, calls * per_line, of_a_call, calls)
    # A folder for each run: two at once do not disturb each other, and one that fails leaves its logs.
    settings = demo_settings(load_settings(), f"bench-{os.getpid()}").model_copy(update={"surveys": SURVEYS})
    configure_logs(settings.log_level, file=fresh_log(settings))
    began = time.monotonic()
    try:
        found = asyncio.run(_measured(settings, planned, pieces, network, calls, capture))
    except asyncio.CancelledError as error:
        raise typer.Exit(128 + signal.SIGTERM) from error
    shutil.rmtree(settings.var_dir)
    run = {**found.as_json(), "closed_answers": closed_answers(planned), **about(settings)}
    if not network.perfect:
        run["network"] = network.model_dump(mode="json")
    run |= {"seconds": round(time.monotonic() - began, 1)}
    if write is not None:
        write_section(write, f"reply-gap-{calls}", latency_section(found, about(settings)))
    if as_json:
        typer.echo(json.dumps(run, ensure_ascii=False))
    else:
        show_figures(wide_console(), found)


def closed_answers(planned: Iterable[PlannedCall]) -> int:
    """How many answers with a value the callers mean to give: `wrong_answers` are of these."""
    return sum(turn.utterance.answers is not Answers.OPEN for call in planned for turn in call.turns)


def about(settings: Settings) -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "model": settings.speech_settings().recogniser.model,
        "cpus": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 1),
    }


async def _measured(
    settings: Settings,
    planned: tuple[PlannedCall, ...],
    pieces: tuple[Piece, ...],
    network: Network,
    at_once: int,
    capture: Path | None,
) -> Figures:
    """Start the node, run the calls, and take stock. Raises what the node or a phone lacks."""
    stop_on_sigterm()
    book, names = EventBook(), {call.name: call for call in planned}
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
        scenario = scenario_of(planned, pieces, Path(folder), at_once, network)
        async with (
            Node(settings, on_step=_tell_step),
            await ControlClient.connect(settings.control_socket) as control,
        ):
            address = f"{settings.sip.host}:{settings.sip.port}"
            progress = _Progress(len(planned))
            report = await run_scenario(
                scenario, control, address, capture, _both(book, progress), progress.ended
            )
    records = [record_of(names[call.name], call, book) for call in report.calls]
    found = figures(records, calls=at_once, rounds=len(planned) // at_once, seed=network.seed)
    if capture is not None:
        write_records(capture, found, records)
    return found


def _tell_step(step: str) -> None:
    console.print(f"[dim]·[/] {step}")


def _both(book: EventBook, progress: _Progress) -> Callable[[CallEvent], None]:
    def take(event: CallEvent) -> None:
        book.take(event)
        progress.take(event)

    return take


class _Progress:
    """How far the run is, on stderr."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._ended = 0
        self._replies = 0

    def take(self, event: CallEvent) -> None:
        self._replies += event.kind == "reply_measured"

    def ended(self, call: CallReport) -> None:
        self._ended += 1
        gaps = sorted(turn.gap_ms for turn in call.measured if turn.gap_ms is not None)
        middle = f"{gaps[len(gaps) // 2]} {words('мс', 'ms')}" if gaps else "-"
        console.print(
            words(
                f"[dim]·[/] звонок {self._ended} из {self._calls} ({call.name}, {call.disposition}): "
                f"пауз {len(gaps)}, в середине {middle}; всего ответов {self._replies}",
                f"[dim]·[/] call {self._ended} of {self._calls} ({call.name}, {call.disposition}): "
                f"{len(gaps)} gaps, median {middle}; {self._replies} replies in all",
            )
        )
        for failure in call.failures:
            console.print(f"✗ {call.name}: {failure}", style="bold red")
