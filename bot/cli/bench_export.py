"""`otklik bench export-during-calls`: the same calls without and with an export of a large database, in one
run: whether callers wait longer for it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.bench_node import Callers, bench_settings, hold, running, stopping, tell
from bot.cli.bench_options import AsJson, Audio, Seed, Turns, Write
from bot.cli.bench_reply_gap import AUDIO, SEED, about
from bot.cli.bench_sample import fill
from bot.cli.bench_tables import markdown_table, wide_console, write_section
from bot.core.errors import Unavailable
from bot.reports import sample
from bot.settings import Settings
from bot.settings_load import as_environment, load_settings
from bot.sim.bench.capacity import LATE_SHARE
from bot.sim.bench.load import Load
from bot.sim.bench.pieces import read_pieces
from bot.sim.bench.plan import TURNS
from bot.sim.bench.processes import look
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.words import words

TARGET_GROWTH = 0.10
"""Issue 9: so much more may p95 of the reply gap be."""

WORKED_S = 10.0
"""So long an export has to have had a processor, where none came to its end: its start alone takes a few
seconds, and one that was never let in has disturbed nobody."""

_PROBLEMS = {
    "reply_gap": ("пауза выросла", "the reply gap has grown"),
    "failed_calls": ("звонки не удались", "calls failed"),
    "late_audio": ("звук опоздал", "sound was late"),
    "no_export": ("выгрузка не работала", "the export did not work"),
}


@dataclass(slots=True)
class Exports:
    """What ran beside the calls; `first_s` is how long the first whole one took, None if it was not done.
    `unfinished_s` is the processor's time of the one that the end of the calls broke off."""

    whole: int = 0
    first_s: float | None = None
    mb: float = 0.0
    unfinished_s: float = 0.0


def export_during_calls(
    calls: Annotated[
        int, typer.Option(min=1, max=100, help=words("сколько звонков сразу", "calls at the same time"))
    ] = 20,
    rows: Annotated[
        int, typer.Option(min=1000, max=10_000_000, help=words("ответов в базе", "answers in the database"))
    ] = 1_000_000,
    turns: Turns = TURNS,
    as_json: AsJson = False,
    audio: Audio = AUDIO,
    seed: Seed = SEED,
    write: Write = None,
) -> None:
    """Одни и те же звонки без выгрузки и с ней: пауза до ответа. База делается один раз и лежит в папке var.

    Выход 1, если с выгрузкой p95 паузы больше на 10 % и дальше, звонок не удался, звук опоздал или выгрузка
    не работала."""
    settings = load_settings()
    database = settings.var_dir / f"bench-export-{rows}.sqlite"
    if not database.exists():
        asyncio.run(_sample(database, rows))
    found = asyncio.run(_paired(database, rows, Callers(read_pieces(audio), turns, seed), calls))
    told = found | about(settings) | {"seed": seed}
    if write is not None:
        write_section(write, "export-during-calls", section(told))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        wide_console().print(section(told))
    if told["problems"]:
        raise typer.Exit(1)


async def _paired(database: Path, rows: int, callers: Callers, calls: int) -> dict[str, Any]:
    """Raises Unavailable where it was stopped before both were measured: half a pair says nothing."""
    settings = bench_settings("export")
    shutil.copy(database, settings.var_dir / "otklik.sqlite")
    with stopping() as stop:
        async with running(settings) as node:
            without = await hold(node, callers, calls, stop)
            if not stop.is_set():
                async with _exporting(settings) as exports:
                    beside = await hold(node, callers, calls, stop)
        if stop.is_set():
            raise Unavailable(words("остановлено до конца", "stopped before its end"))
    return summary(without, beside, exports, rows)


async def _sample(file: Path, rows: int) -> None:
    """Whole or not at all."""
    tell(words(f"делаю базу из {rows} ответов", f"making a database of {rows} answers"))
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        fresh = Path(folder) / file.name
        async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{fresh}")) as db:
            await db.upgrade()
            await fill(db, rows, SEED)
        fresh.rename(file)


@asynccontextmanager
async def _exporting(settings: Settings) -> AsyncIterator[Exports]:
    """`otklik export` of everything, one after another, until the end."""
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
        exports = Exports()
        task = asyncio.create_task(_export(settings, Path(folder) / "calls.csv", exports))
        try:
            yield exports
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait((task,))


async def _export(settings: Settings, file: Path, exports: Exports) -> None:
    """Raises Unavailable for a command that failed."""
    first, last = sample.START.date().isoformat(), "2025-12-31"
    while True:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("otklik"),
            *("export", "--output", str(file), "--from", first, "--to", last),
            env={**os.environ, **as_environment(settings)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # as from a terminal of its own: its session steps back (`giving_way`)
        )
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                unfinished = look(process.pid)
                exports.unfinished_s = unfinished.cpu_s if unfinished is not None else 0.0
                process.kill()
                await process.wait()
        if process.returncode:
            raise Unavailable(f"otklik export: {said.decode(errors='replace').strip()}")
        exports.whole += 1
        exports.first_s = exports.first_s or round(time.monotonic() - began, 1)
        exports.mb = round((await asyncio.to_thread(file.stat)).st_size / 2**20, 1)


def summary(without: Load, beside: Load, exports: Exports, rows: int) -> dict[str, Any]:
    """Both measurements; `ratio` is the one with the export to the one without."""
    before, during = without.figures.closed, beside.figures.closed
    ratio = during.p95_ms / before.p95_ms if before.p95_ms and during.p95_ms else None
    told = {
        "calls": without.lines,
        "rows": rows,
        "ratio": round(ratio, 3) if ratio is not None else None,
        "without": before.model_dump(),
        "during": during.model_dump(),
        "failed": [sum(without.failed.values()), sum(beside.failed.values())],
        "late_share": [each.late_share for each in (without, beside)],
        "torn_share": [each.torn_share for each in (without, beside)],
        "exports": exports.whole,
        "first_export_s": exports.first_s,
        "export_mb": exports.mb,
        "unfinished_export_s": round(exports.unfinished_s, 1),
        "busy": [round(each.taken.busy, 3) for each in (without, beside)],
    }
    return told | {"problems": list(problems(told))}


def problems(told: Mapping[str, Any]) -> Iterator[str]:
    """Why the measurement does not show that an export disturbs nobody. The calls without one are held to the
    same: else there is nothing to compare with."""
    if told["ratio"] is None or told["ratio"] >= 1 + TARGET_GROWTH:
        yield "reply_gap"
    if any(told["failed"]):
        yield "failed_calls"
    if max(told["late_share"] + told["torn_share"]) > LATE_SHARE:
        yield "late_audio"
    if not told["exports"] and told["unfinished_export_s"] < WORKED_S:
        yield "no_export"


def section(found: Mapping[str, Any]) -> str:
    heads = words(
        "закрытые вопросы, мс|реплик|p50|p90|p95|p99|опоздало пакетов|занято",
        "closed questions, ms|turns|p50|p90|p95|p99|packets late|busy",
    ).split("|")
    names = (words("без выгрузки", "without"), words("с выгрузкой", "beside an export"))
    rows = (
        (
            name,
            *(str(found[part][field]) for field in ("turns", "p50_ms", "p90_ms", "p95_ms", "p99_ms")),
            f"{late:.3%}",
            f"{busy:.0%}",
        )
        for name, part, late, busy in zip(
            names, ("without", "during"), found["late_share"], found["busy"], strict=True
        )
    )
    exports, first_s, mb = found["exports"], found["first_export_s"], found["export_mb"]
    done = words(
        f"целых выгрузок за это время {exports}, первая за {first_s} с (CSV, {mb} МБ)"
        if exports
        else "выгрузка за это время не закончилась",
        f"whole exports meanwhile {exports}, the first in {first_s} s (CSV, {mb} MB)"
        if exports
        else "no export came to its end meanwhile",
    )
    worked_s, ratio = found["unfinished_export_s"], found["ratio"]
    where = f"`{found['model']}`, seed {found['seed']}"
    taken = words(
        f"Звонков сразу: {found['calls']}; ответов в базе {found['rows']}; {done}, последняя проработала "
        f"{worked_s} с процессорного времени; {found['cpus']} ядра, модель {where}. "
        f"p95 с выгрузкой к p95 без неё: {ratio} (цель < 1.1).",
        f"Calls at once: {found['calls']}; {found['rows']} answers in the database; {done}, the last one "
        f"worked for {worked_s} s of the processor; {found['cpus']} cores, model {where}. "
        f"p95 beside an export to p95 without: {ratio} (target < 1.1).",
    )
    missed = ", ".join(words(*_PROBLEMS[name]) for name in found["problems"])
    verdict = (
        words(f"Цель не выдержана: {missed}.", f"The target is missed: {missed}.")
        if missed
        else words("Цель выдержана.", "The target is met.")
    )
    return f"{taken} {verdict}\n\n{markdown_table(heads, iter(rows))}"
