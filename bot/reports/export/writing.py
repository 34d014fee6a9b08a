"""A table into a file, whole or not at all, or as a stream of bytes; however it ends."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from bot.core.files import fresh_file
from bot.reports.export.calls import Chosen, open_table
from bot.reports.export.columns import Cell, Column
from bot.reports.export.sinks import CsvSink, JsonlSink, Sink, XlsxSink
from bot.store.database import Database
from bot.words import words


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    SAV = "sav"
    JSONL = "jsonl"

    @property
    def flows(self) -> bool:
        """Whether it can be sent row by row; the others are whole files only."""
        return self in (Format.CSV, Format.JSONL)

    @property
    def media_type(self) -> str:
        return {
            Format.CSV: "text/csv",
            Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format.SAV: "application/x-spss-sav",
            Format.JSONL: "application/jsonl",
        }[self]


def spreadsheet_delimiter() -> str:
    """What the reader's Excel takes for the border of a cell: it goes by the decimal comma."""
    return words(";", ",")


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
            sheet = words("Звонки", "Calls")
            sink = _sink(wanted.format, fresh, table.columns, sheet, wanted.delimiter)
            calls = answers = 0
            try:
                async for piece in table.pieces():
                    for row in piece.rows:
                        sink.write(row)
                    calls += len(piece.rows)
                    answers += piece.answers
                    if told is not None:
                        told(calls, table.total)
                await _closed(sink)
            except BaseException:
                sink.abandon()
                raise
        return Exported(calls, answers, len(table.columns))


async def _closed(sink: Sink) -> None:
    """In a thread: packing a whole book takes a while, in which others are served. Whoever cancels waits
    until nothing writes any more."""
    closing = asyncio.ensure_future(asyncio.to_thread(sink.close))
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        await asyncio.wait({closing})
        raise


async def flow(
    db: Database, scope: Chosen, form: Format, *, personal: bool, delimiter: str = ","
) -> AsyncGenerator[bytes, None]:
    """The same table piece by piece, of a format that `flows`."""
    async with open_table(db, scope, personal=personal) as table:
        text = io.StringIO(newline="")
        sink = _flowing(form, text, table.columns, delimiter)
        async for piece in table.pieces():
            for row in piece.rows:
                sink.write(row)
            yield _drained(text)
        yield _drained(text)


def _drained(text: io.StringIO) -> bytes:
    found = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return found


def write_rows(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], form: Format, file: Path, sheet: str,
    delimiter: str = ",",
) -> None:  # fmt: skip
    """A small table that is there already. `sheet` names it in a workbook."""
    sink = _sink(form, file, columns, sheet, delimiter)
    try:
        for row in rows:
            sink.write(row)
        sink.close()
    except BaseException:
        sink.abandon()
        raise


def _sink(form: Format, file: Path, columns: Sequence[Column], sheet: str, delimiter: str) -> Sink:
    match form:
        case Format.CSV | Format.JSONL:
            return _flowing(form, file.open("w", encoding="utf-8", newline=""), columns, delimiter)
        case Format.XLSX:
            return XlsxSink(file, columns, sheet)
        case Format.SAV:
            # pandas is loaded by nobody else
            from bot.reports.export.sav import SavSink

            return SavSink(file, columns)


def _flowing(form: Format, text: TextIO, columns: Sequence[Column], delimiter: str) -> Sink:
    return CsvSink(text, columns, delimiter) if form is Format.CSV else JsonlSink(text, columns)
