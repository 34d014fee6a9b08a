"""How long an import of contacts takes, how much memory, and how long others wait for their turn to write.

    python -m benchmarks.contact_import --rows 200000 --json result.json

A file like those of a CRM is made (windows-1251, semicolons, four spellings of numbers, one row in a hundred
wrong) and imported into an empty SQLite database, and once more into the full one. Beside it another process
writes a row every 20 ms, as the writer of call events does; what it waits for its transaction is what
a call's events would wait.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import multiprocessing
import random
import resource
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from bot.campaigns.importing.importer import Import, Options, columns_of, company_of, open_sheet
from bot.campaigns.importing.refused import RefusedReport
from bot.core.clock import SystemClock
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import DoNotCall

REGIONS = (
    "Московская обл.",
    "г. Москва",
    "Томская область",
    "Респ. Татарстан",
    "Свердловская",
    "ХМАО-Югра",
    "",
)
NAMES = ("Иванов Иван Иванович", "Петрова Анна Сергеевна", "Ким Олег")
EVERY_S = 0.02


def make_file(file: Path, rows: int) -> None:
    chance = random.Random(1)
    with file.open("w", encoding="cp1251", newline="") as sink:
        table = csv.writer(sink, delimiter=";")
        table.writerow(
            ("Номер клиента", "ФИО", "Телефон", "Регион", "Тариф", "Согласие", "Источник согласия")
        )
        for number in range(rows):
            digits = f"916{number:07}"
            spellings = (
                f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}",
                f"+7{digits}",
                f"7{digits}",
                digits,
            )
            phone = chance.choice(spellings)
            table.writerow(
                (
                    f"C{number}",
                    chance.choice(NAMES),
                    phone[:-1] if number % 100 == 0 else phone,
                    chance.choice(REGIONS),
                    f"Тариф {number % 9}",
                    "01.02.2026",
                    "анкета на сайте",
                )
            )


async def run_import(url: str, file: Path) -> dict[str, Any]:
    clock = SystemClock()
    started = time.monotonic()
    async with Database.open(StoreSettings(url)) as db:
        sheet = open_sheet(file)
        found, _ = await columns_of(db, sheet, {})
        with RefusedReport(file.with_name("refused.csv"), sheet.columns) as report:
            company = await company_of(db, "Europe/Moscow", clock)
            done = await Import(db, sheet, found, company, clock).run(Options(), report)
    return {
        "seconds": round(time.monotonic() - started, 1),
        "rows_per_second": round(done.rows / (time.monotonic() - started)),
        **{name: getattr(done, name) for name in ("rows", "added", "updated", "unchanged", "refused")},
    }


def another_writer(url: str, ready: Event, stop: Event, waits: Any) -> None:
    """Writes until it is told to stop, and tells how long each transaction took, in seconds."""
    waits.put(asyncio.run(_write_on(url, ready, stop)))


async def _write_on(url: str, ready: Event, stop: Event) -> list[float]:
    waited: list[float] = []
    async with Database.open(StoreSettings(url)) as db:
        while not stop.is_set():
            started = time.monotonic()
            async with db.write() as session:
                session.add(DoNotCall(phone=f"bench-{len(waited)}", at=datetime.now(UTC)))
            waited.append(time.monotonic() - started)
            ready.set()
            await asyncio.sleep(EVERY_S)
    return waited


async def _prepare(url: str) -> None:
    async with Database.open(StoreSettings(url)) as db:
        await db.upgrade()


def measure(rows: int, *, again: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clients.csv"
        url = f"sqlite+aiosqlite:///{folder}/otklik.sqlite"
        make_file(file, rows)
        asyncio.run(_prepare(url))
        processes = multiprocessing.get_context("spawn")
        ready, stop, waits = processes.Event(), processes.Event(), processes.Queue()
        other = processes.Process(target=another_writer, args=(url, ready, stop, waits))
        other.start()
        if not ready.wait(60):
            raise RuntimeError("the other writer has not written within a minute")
        try:
            first = asyncio.run(run_import(url, file))
            second = asyncio.run(run_import(url, file)) if again else None
        finally:
            stop.set()
        waited = sorted(waits.get(timeout=60))
        other.join()
        return {
            "first": first,
            "again": second,
            "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "database_mib": Path(folder, "otklik.sqlite").stat().st_size >> 20,
            "another_writer": {
                "transactions": len(waited),
                **{
                    f"p{share}_ms": round(waited[min(len(waited) - 1, len(waited) * share // 100)] * 1000, 1)
                    for share in (50, 95, 99)
                },
                "longest_ms": round(waited[-1] * 1000, 1),
            },
        }


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--json", type=Path)
    options.add_argument("--once", action="store_true", help="do not import the same file once more")
    chosen = options.parse_args()
    told = json.dumps(measure(chosen.rows, again=not chosen.once), ensure_ascii=False, indent=2)
    print(told)  # noqa: T201
    if chosen.json:
        chosen.json.write_text(told + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
