"""A table into a file: whole or not at all, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.core.files import fresh_file
from bot.reports.export.calls import Chosen, open_table
from bot.reports.export.columns import Column
from bot.reports.export.sinks import CsvSink, JsonlSink, Sink, XlsxSink
from bot.store.database import Database


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    SAV = "sav"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Exported:
    """What is in the file."""

    calls: int
    answers: int
    columns: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written. `delimiter` is CSV's. Without `personal` nobody can be told from the file:
    no telephone, no name, no free words."""

    format: Format
    file: Path
    personal: bool = False
    delimiter: str = ","


Told = Callable[[int, int], None]
"""Hears how many of how many calls are written."""


async def export(db: Database, scope: Chosen, wanted: Wanted, told: Told | None = None) -> Exported:
    """Raises BadInput, OSError, StoreUnavailable; what was in the file before stays then, and also where
    the task is cancelled."""
    async with open_table(db, scope, personal=wanted.personal) as table:
        with fresh_file(wanted.file) as fresh:
            sink = _sink(wanted, fresh, table.columns, table.total)
            calls = answers = 0
            try:
                async for piece in table.pieces():
                    for row in piece.rows:
                        sink.write(row)
                    calls += len(piece.rows)
                    answers += piece.answers
                    if told is not None:
                        told(calls, table.total)
                sink.close()
            except BaseException:
                sink.abandon()
                raise
        return Exported(calls, answers, len(table.columns))


def _sink(wanted: Wanted, file: Path, columns: Sequence[Column], total: int) -> Sink:
    match wanted.format:
        case Format.CSV:
            return CsvSink(file, columns, wanted.delimiter)
        case Format.JSONL:
            return JsonlSink(file, columns)
        case Format.XLSX:
            return XlsxSink(file, columns)
        case Format.SAV:
            # pandas is loaded by nobody else
            from bot.reports.export.sav import SavSink

            return SavSink(file, columns, total)
