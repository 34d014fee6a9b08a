"""A file of contacts into the database: row by row out of the file, batch by batch into the tables.

Each batch is committed by itself. An import that is broken off keeps the batches that are in; the same
command goes on from there, because what is in already is found unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.campaigns.importing.columns import Meaning, headings_key, meanings
from bot.campaigns.importing.csv_file import open_csv
from bot.campaigns.importing.refused import RefusedReport
from bot.campaigns.importing.rows import Company, Reader, RowRefused
from bot.campaigns.importing.sheet import Row, Sheet, digest
from bot.campaigns.importing.workbook import is_workbook, open_workbook
from bot.core.clock import Clock
from bot.store import agents, imports
from bot.store.contact_writing import Outcome, Stamp, ToldContact, check_batch, write_batch
from bot.store.database import Database
from bot.store.tables_contacts import ImportState

BATCH = 500
"""Rows in one transaction: short enough that others who write wait for a fraction of a second
(benchmarks/contact_import.py tells how long)."""


@dataclass(frozen=True, slots=True)
class Options:
    """`check` writes nothing. With `keep` contacts who are known stay as they are. `by` is who imports."""

    check: bool = False
    keep: bool = False
    by: str = ""


@dataclass(slots=True)
class Summary:
    """What became of a file's rows: rows = added + updated + unchanged + repeated + refused. `no_zone`
    counts contacts whose time zone is not known, `places` the regions that told none, with how often."""

    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    refused: int = 0
    no_zone: int = 0
    places: dict[str, int] = field(default_factory=dict)
    import_id: str = ""
    report: Path | None = None


def open_sheet(file: Path, *, encoding: str = "", separator: str = "", sheet: str = "") -> Sheet:
    """A table by its content, whatever its name. Raises BadInput."""
    return open_workbook(file, sheet) if is_workbook(file) else open_csv(file, encoding, separator)


async def columns_of(
    db: Database, sheet: Sheet, said: Mapping[str, Meaning]
) -> tuple[dict[str, Meaning], bool]:
    """What its columns mean, and whether an earlier word about such a file counted. Raises BadInput."""
    remembered = await imports.mapping(db, headings_key(sheet.columns))
    there = {heading: Meaning(field) for heading, field in remembered.items()}
    return meanings(sheet.columns, there | dict(said)), bool(there)


async def remember_columns(db: Database, sheet: Sheet, said: Mapping[str, Meaning], clock: Clock) -> None:
    """What was said now, over what was said before, for every file with these headings."""
    if said:
        key = headings_key(sheet.columns)
        columns = await imports.mapping(db, key) | {name: str(meaning) for name, meaning in said.items()}
        await imports.remember(db, key, columns, example=sheet.file.name, now=clock.now())


async def company_of(db: Database, zone: str, clock: Clock) -> Company:
    """Whom the rows may name."""
    staff = await agents.staff(db)
    return Company(
        _ways_to([(row.id, row.name) for row in staff.agents]),
        _ways_to([(row.id, row.name) for row in staff.departments]),
        ZoneInfo(zone),
        clock.now(),
    )


def _ways_to(known: list[tuple[str, str]]) -> dict[str, str]:
    ways: dict[str, str] = {}
    for each, name in known:
        plain = " ".join(name.lower().split())
        if plain:
            ways[plain] = "" if plain in ways else each
    return ways | {each.lower(): each for each, _ in known}


class _Seen:
    """What the rows before this one had: two rows of one number are one person twice, or two people."""

    def __init__(self) -> None:
        self._phones: dict[str, tuple[int, int]] = {}
        self._names: dict[str, int] = {}

    def repeats(self, row: Row, told: ToldContact) -> bool:
        """Whether the very same row was there before. Raises RowRefused for the same number, or the same
        external id, in another row."""
        mark = hash(tuple(row.cells))
        line, before = self._phones.setdefault(told.phone, (row.line, mark))
        if line != row.line:
            if before == mark:
                return True
            raise RowRefused([f"тот же телефон уже в строке {line}"])
        if told.external_id and self._names.setdefault(told.external_id, row.line) != row.line:
            raise RowRefused([f"тот же номер клиента уже в строке {self._names[told.external_id]}"])
        return False


class Import:
    """One run over one file. `progress` is told how many rows are done."""

    def __init__(
        self, db: Database, sheet: Sheet, found: Mapping[str, Meaning], company: Company, clock: Clock
    ) -> None:
        self._db = db
        self._sheet = sheet
        self._reader = Reader(sheet.columns, found, company)
        self._clock = clock
        self._seen = _Seen()
        self._summary = Summary()

    async def run(
        self, options: Options, report: RefusedReport, progress: Callable[[int], None] = lambda _: None
    ) -> Summary:
        """Raises StoreUnavailable, DiskFull, OSError; then, and when it is cancelled, what is in stays in."""
        now = self._clock.now()
        if not options.check:
            row = await imports.begin(
                self._db, file=self._sheet.file.name, sha256=digest(self._sheet.file), by=options.by, now=now
            )
            self._summary.import_id = row.id
        stamp = Stamp(self._summary.import_id, self._sheet.file.name, options.by, now, options.keep)
        state = ImportState.INTERRUPTED
        try:
            for batch in self._batches():
                await self._take(batch, stamp, options.check, report)
                progress(self._summary.rows)
            self._summary.report = report.close()
            state = ImportState.DONE
        finally:
            if not options.check:
                # Also where the task was cancelled: once, so this may still wait.
                await imports.end(self._db, stamp.import_id, state, self._clock.now())
        return self._summary

    def _batches(self) -> Iterator[list[Row]]:
        batch: list[Row] = []
        for row in self._sheet.rows():
            batch.append(row)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _take(self, rows: list[Row], stamp: Stamp, check: bool, report: RefusedReport) -> None:
        good: list[tuple[Row, ToldContact]] = []
        refused: dict[int, tuple[Row, str]] = {}
        repeated = 0
        for row in rows:
            try:
                told = self._reader.read(row.cells)
                if self._seen.repeats(row, told):
                    repeated += 1
                else:
                    good.append((row, told))
            except RowRefused as error:
                refused[row.line] = (row, str(error))
        await asyncio.sleep(0)  # reading takes as long as writing: whoever waits for the loop gets it here
        counts = {"rows": len(rows), "repeated": repeated, "refused": len(refused)}
        contacts = [told for _, told in good]
        if check:
            done = await check_batch(self._db, contacts, stamp)
        else:
            done = await write_batch(self._db, contacts, stamp, counts)
        refused |= {good[at][0].line: (good[at][0], why) for at, why in done.refused.items()}
        self._count(counts, done, [told for at, told in enumerate(contacts) if at not in done.refused])
        for _, (row, why) in sorted(refused.items()):
            report.add(row, why)

    def _count(self, counts: Mapping[str, int], done: Outcome, taken: list[ToldContact]) -> None:
        summary = self._summary
        summary.rows += counts["rows"]
        summary.repeated += counts["repeated"]
        summary.refused += counts["refused"] + len(done.refused)
        summary.added += done.added
        summary.updated += done.updated
        summary.unchanged += done.unchanged
        for told in taken:
            if not told.tz:
                summary.no_zone += 1
                if place := told.region or told.city:
                    summary.places[place] = summary.places.get(place, 0) + 1
