"""`otklik bench reports`: how long the figures of a report take in a database of a year's calls."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from bot.cli.bench_sample import counted, fill
from bot.cli.bench_tables import wide_console
from bot.reports import bench, bench_journal
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.words import words

TARGET_MS = 400
"""Issue 7: p95 with 1,000,000 answers in PostgreSQL, or 100,000 in SQLite."""

JOURNAL_TARGET_MS = 300
"""Issue 7: of a search in the journal, with 200,000 calls, or 100,000 answers in SQLite."""


def reports(
    answers: Annotated[
        int, typer.Option(min=100, max=10_000_000, help=words("сколько ответов создать", "answers to make"))
    ] = 100_000,
    runs: Annotated[int, typer.Option(min=1, max=1000, help=words("замеров на число", "runs a figure"))] = 20,
    database: Annotated[
        str,
        typer.Option(
            help=words(
                "пустая база: postgresql+asyncpg://…; без неё временная SQLite",
                "an empty database: postgresql+asyncpg://…; without one a temporary SQLite",
            )
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help=words("зерно случайности", "seed of chance"))] = 1,
    as_json: Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))] = False,
) -> None:
    """Время чисел отчёта: p50 и p95 по периодам от дня до года."""
    found = asyncio.run(_measured(database, answers, runs, seed))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show(found)


async def _measured(database: str, answers: int, runs: int, seed: int) -> dict[str, Any]:
    async with _empty(database) as db:
        await db.upgrade()
        began = time.perf_counter()
        calls = await fill(db, answers, seed)
        filled = time.perf_counter()
        gc.freeze()  # as a node does when it has come up
        with counted(words("замерено", "measured")) as bar:
            task = bar.add_task("", total=None)

            async def taken(measured: AsyncIterator[bench.Took]) -> list[bench.Took]:
                found = []
                async for took in measured:
                    found.append(took)
                    bar.update(task, advance=1, description=f"{took.figure}, {took.period}")
                return found

            figures = await taken(bench.measure(db, runs, seed))
            pages = await taken(bench.measure_pages(db, runs, seed))
            searches = await taken(bench_journal.measure(db, runs, seed))
        return {
            "database": db.dialect,
            "answers": answers,
            "calls": calls,
            "seed": seed,
            "cpus": os.cpu_count(),
            "load_1m": round(os.getloadavg()[0], 2),
            "filled_s": round(filled - began, 1),
            "target_p95_ms": TARGET_MS,
            "worst_p95_ms": max(each.p95_ms for each in figures),
            "figures": [asdict(each) for each in figures],
            "pages": [asdict(each) for each in pages],
            "journal_target_p95_ms": JOURNAL_TARGET_MS,
            "journal_worst_p95_ms": max(each.p95_ms for each in searches),
            "journal": [asdict(each) for each in searches],
        }


@asynccontextmanager
async def _empty(url: str) -> AsyncIterator[Database]:
    if url:
        async with Database.open(StoreSettings(url)) as db:
            yield db
        return
    with TemporaryDirectory(prefix="otklik-bench-") as folder:
        async with Database.open(
            StoreSettings(f"sqlite+aiosqlite:///{Path(folder) / 'sample.sqlite'}")
        ) as db:
            yield db


def _show(found: dict[str, Any]) -> None:
    table = Table(box=box.SIMPLE)
    heads = words("число|период|p50, мс|p95, мс|худшее, мс", "figure|period|p50, ms|p95, ms|worst, ms")
    for place, head in enumerate(heads.split("|")):
        table.add_column(head, justify="right" if place > 1 else "left")
    for each in (*found["figures"], *found["pages"], *found["journal"]):
        times = [f"{each[name]:.1f}" for name in ("p50_ms", "p95_ms", "max_ms")]
        table.add_row(each["figure"], each["period"], *times)
    console = wide_console()
    console.print(table)
    about = (found[name] for name in ("answers", "calls", "cpus", "load_1m", "worst_p95_ms"))
    told = words(
        "ответов {}, звонков {}, ядер {}, загрузка {}; худшее p95 {} мс (цель {})",
        "{} answers, {} calls, {} cores, load {}; worst p95 {} ms (target {})",
    )
    console.print(f"{found['database']}: {told.format(*about, TARGET_MS)}.")
    worst = found["journal_worst_p95_ms"]
    console.print(
        words(
            f"Поиск в журнале: худшее p95 {worst} мс (цель {JOURNAL_TARGET_MS}).",
            f"Search in the journal: worst p95 {worst} ms (target {JOURNAL_TARGET_MS}).",
        )
    )
