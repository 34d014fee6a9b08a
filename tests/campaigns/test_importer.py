"""A file into the database: refused rows are corrected and come again, a run broken off is gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.campaigns.importing.columns import Meaning
from bot.campaigns.importing.importer import (
    BATCH,
    Import,
    Options,
    Summary,
    columns_of,
    company_of,
    open_sheet,
    remember_columns,
)
from bot.campaigns.importing.refused import RefusedReport, default_report
from bot.core.clock import ManualClock
from bot.store import contacts, imports
from bot.store.database import Database
from tests.databases import database_at

CLOCK = ManualClock()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_at(tmp_path / "otklik.sqlite") as database:
        yield database


async def run(
    db: Database, file: Path, *, check: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Summary:
    sheet = open_sheet(file)
    found, _ = await columns_of(db, sheet, {})
    company = await company_of(db, "Europe/Moscow", CLOCK)
    with RefusedReport(default_report(file), sheet.columns) as report:
        return await Import(db, sheet, found, company, CLOCK).run(Options(check=check), report, progress)


def counts(summary: Summary) -> dict[str, int]:
    names = ("rows", "added", "updated", "unchanged", "repeated", "refused")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


async def everybody(db: Database) -> list[str]:
    return sorted([row.phone async for page in contacts.pages(db) for row in page])


async def test_refused_rows_are_corrected_and_imported_again(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"
    file.write_text(
        "Код;Телефон;Имя;Регион\nC1;8 916 123-45-67;Анна;Томская обл.\nC2;7,9161E+10;Борис;Якутия\n"
        "C1;8 916 123-45-67;Анна;Томская обл.\nC3;+79161234567;Карл;\nC1;8 916 123-45-69;Дора;\n"
        "C4;8 916 123-45-70;Эмма;Якутия\n",
        encoding="cp1251",
    )
    expected = {"rows": 6, "added": 2, "repeated": 1, "refused": 3}
    checked = await run(db, file, check=True)
    assert counts(checked) == expected
    assert (await everybody(db), await imports.imports(db)) == ([], [])
    first = await run(db, file)
    assert counts(first) == expected
    assert (first.no_zone, first.places) == (1, {"Якутия": 1})
    assert first.report == checked.report == tmp_path / "clients.refused.csv"
    lines = first.report.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "Код;Телефон;Имя;Регион;причина"
    assert lines[1].startswith("C2;7,9161E+10;Борис;Якутия;строка 3: таблица округлила номер")
    assert lines[2] == "C3;+79161234567;Карл;;строка 5: тот же телефон уже в строке 2"
    assert lines[3] == "C1;8 916 123-45-69;Дора;;строка 6: тот же номер клиента уже в строке 2"
    corrected = first.report.read_text(encoding="utf-8-sig")
    corrected = corrected.replace("7,9161E+10", "8 916 123-45-68").replace("+79161234567", "89161234571")
    first.report.write_text(corrected.replace("C1;", "C5;"), encoding="utf-8")
    assert counts(await run(db, first.report)) == {"rows": 3, "added": 3}
    assert await everybody(db) == [f"791612345{last}" for last in (67, 68, 69, 70, 71)]


async def test_what_is_said_of_columns_is_remembered_for_such_files(db: Database, tmp_path: Path) -> None:
    file, other = tmp_path / "a.csv", tmp_path / "b.csv"
    file.write_text("Абонент;Имя\n89161234567;Анна\n")
    other.write_text("имя,абонент,причина\nАнна,89161234567,было\n")
    sheet = open_sheet(file)
    said = {"Абонент": Meaning.PHONE}
    assert await columns_of(db, sheet, said) == ({"Абонент": Meaning.PHONE, "Имя": Meaning.FIRST_NAME}, False)
    await remember_columns(db, sheet, said, CLOCK)
    found, remembered = await columns_of(db, open_sheet(other), {})
    assert remembered
    assert list(found.values()) == [Meaning.FIRST_NAME, Meaning.PHONE, Meaning.NOTHING]


async def test_an_import_that_is_broken_off_is_gone_on_with(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"
    rows = [f"+7916{number:07};Анна" for number in range(BATCH * 2 + 10)]
    file.write_text("Телефон;Имя\n" + "\n".join(["12;Борис", *rows]) + "\n")
    begun = asyncio.Event()

    def progress(done: int) -> None:
        begun.set()

    running = asyncio.create_task(run(db, file, progress=progress))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    [broken] = await imports.imports(db)
    assert (broken.state, broken.added) == ("interrupted", BATCH - 1)
    assert len(await everybody(db)) == BATCH - 1
    assert not (tmp_path / "clients.refused.csv").exists()
    again = await run(db, file)
    assert counts(again) == {"rows": len(rows) + 1, "added": BATCH + 11, "unchanged": BATCH - 1, "refused": 1}
    assert len(await everybody(db)) == len(rows)
