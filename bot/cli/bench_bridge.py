"""`otklik bench bridge`: how long sound takes through a bridge and back, between real parties on loopback."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.bench_options import AsJson, Capture, Write
from bot.cli.bench_tables import markdown_table, wide_console, write_section
from bot.core.errors import BadInput
from bot.sim.bench.bridge_run import KINDS, SIP_SIP, SIP_WEBRTC, Plan, run_bridges
from bot.sim.bench.clicks import FILE, BridgeFigures, BridgeRecord, figures_of, write_figures
from bot.words import words

SEED = 5
TARGET_MS = {SIP_SIP: 200.0, SIP_WEBRTC: 220.0}
TARGET_CONCEALED = 0.01

console = Console(stderr=True, highlight=False)


def bridge(
    as_json: AsJson = False,
    calls: Annotated[
        int, typer.Option(min=1, max=100, help=words("сколько звонков каждого вида", "calls of each kind"))
    ] = 4,
    clicks: Annotated[
        int, typer.Option(min=1, max=500, help=words("сколько щелчков в звонке", "clicks in a call"))
    ] = 25,
    jitter_ms: Annotated[
        float,
        typer.Option(
            min=0, max=200, help=words("на сколько опаздывает пакет, до", "how late a packet may be")
        ),
    ] = 30.0,
    kind: Annotated[
        list[str] | None,
        typer.Option(help=words(f"вид моста: {', '.join(KINDS)}", f"kind of bridge: {', '.join(KINDS)}")),
    ] = None,
    capture: Capture = None,
    seed: Annotated[int, typer.Option(help=words("какие опоздания", "which delays are drawn"))] = SEED,
    write: Write = None,
) -> None:
    """Задержка моста туда и обратно, и доля кадров, которые не пришли вовремя."""
    unknown = sorted(set(kind or ()) - set(KINDS))
    if unknown:
        raise BadInput(
            words(f"нет такого моста: {', '.join(unknown)}", f"no such bridge: {', '.join(unknown)}"),
            hint=words(f"бывает {', '.join(KINDS)}", f"there are {', '.join(KINDS)}"),
        )
    if capture is not None and (capture / FILE).exists():
        raise BadInput(
            words(f"в {capture} уже лежит замер", f"{capture} holds a capture already"),
            hint=words("дайте новую папку", "give a new folder"),
        )
    plan = Plan(calls, clicks, jitter_ms / 1000, seed, tuple(dict.fromkeys(kind or KINDS)))
    measured = asyncio.run(run_bridges(plan, capture, _tell))
    found = figures_of(measured, seed=seed, jitter_ms=jitter_ms)
    if capture is not None:
        write_figures(capture, found)
    about = {"cpus": os.cpu_count(), "load_1m": round(os.getloadavg()[0], 1)}
    if write is not None:
        write_section(write, "bridge", _section(found, about))
    if as_json:
        typer.echo(json.dumps({**found.model_dump(mode="json"), **about}, ensure_ascii=False))
    else:
        _show(found)


def _tell(record: BridgeRecord) -> None:
    console.print(
        words(
            f"[dim]·[/] {record.name}: кадров {record.frames}, без звука {record.concealed}",
            f"[dim]·[/] {record.name}: {record.frames} frames, {record.concealed} concealed",
        )
    )


def _heads() -> list[str]:
    return [
        words("мост", "bridge"),
        words("щелчков", "clicks"),
        words("потеряно", "lost"),
        "p50",
        "p95",
        words("цель p95", "target of p95"),
        words("без звука, %", "concealed, %"),
    ]


def _rows(found: BridgeFigures) -> Iterator[tuple[str, ...]]:
    for kind, row in found.kinds.items():
        yield (
            kind,
            str(row.clicks),
            str(row.lost),
            "-" if row.p50_ms is None else f"{row.p50_ms:.0f}",
            "-" if row.p95_ms is None else f"{row.p95_ms:.0f}",
            f"≤ {TARGET_MS[kind]:.0f}",
            f"{row.concealed_share * 100:.2f} (< {TARGET_CONCEALED * 100:g})",
        )


def _show(found: BridgeFigures) -> None:
    table = Table(
        title=words(
            f"Туда и обратно через мост, мс (пакеты опаздывают до {found.jitter_ms:g} мс)",
            f"There and back through the bridge, ms (packets up to {found.jitter_ms:g} ms late)",
        )
    )
    for name in _heads():
        table.add_column(name)
    for row in _rows(found):
        table.add_row(*row)
    wide_console().print(table)


def _section(found: BridgeFigures, about: Mapping[str, Any]) -> str:
    """The same as Markdown, with what it was taken on."""
    taken = words(
        f"Звонков: {found.calls}; каждый пакет обеих сторон опаздывает на 0–{found.jitter_ms:g} мс; "
        f"{about['cpus']} ядра, средняя загрузка {about['load_1m']}, seed {found.seed}. Миллисекунды.",
        f"Calls: {found.calls}; every packet of both sides is 0 to {found.jitter_ms:g} ms late; "
        f"{about['cpus']} cores, load average {about['load_1m']}, seed {found.seed}. Milliseconds.",
    )
    return f"{taken}\n\n{markdown_table(_heads(), _rows(found))}"
