"""One class for each format: takes rows one by one, and has written its file when it is closed.

CSV and JSON lines go straight to disk. XLSX does, too (xlsxwriter's `constant_memory`), a sheet for every
million rows, because a sheet ends at 1,048,576 of them. So does SPSS, by a way of its own: `sav.py`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TextIO

import xlsxwriter

from bot.core.cells import harmless
from bot.reports.export.columns import Cell, Column, Kind, missing_codes
from bot.words import words

_SHEET_ROWS = 1_000_000
_ILLEGAL = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])
"""Characters that XML 1.0 has no place for."""


class Sink(Protocol):
    def write(self, row: Sequence[Cell]) -> None: ...

    def close(self) -> None:
        """The file is whole afterwards."""

    def abandon(self) -> None:
        """Give up: whatever is beside the file is removed."""


class CsvSink:
    """RFC 4180 in UTF-8 with a mark by which Excel knows it; moments in ISO 8601 with their offset. The file
    is open for text, with `newline=""`."""

    def __init__(self, file: TextIO, columns: Sequence[Column], delimiter: str = ",") -> None:
        self._columns = columns
        self._file = file
        self._file.write("\ufeff")
        self._writer = csv.writer(self._file, delimiter=delimiter)
        self._writer.writerow([column.name for column in columns])

    def write(self, row: Sequence[Cell]) -> None:
        self._writer.writerow([_plain(column, cell) for column, cell in zip(self._columns, row, strict=True)])

    def close(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


def _plain(column: Column, cell: Cell) -> str | int | float | None:
    shown = column.shown(cell)
    if isinstance(shown, datetime):
        return shown.isoformat()
    return harmless(shown) if isinstance(shown, str) else shown


class JsonlSink:
    """One JSON object a line, by the columns' names; null for what is missing."""

    def __init__(self, file: TextIO, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._file = file

    def write(self, row: Sequence[Cell]) -> None:
        values = {}
        for column, cell in zip(self._columns, row, strict=True):
            shown = column.shown(cell)
            values[column.name] = shown.isoformat() if isinstance(shown, datetime) else shown
        self._file.write(json.dumps(values, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


TEXTS_AS_THEY_ARE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Options of every workbook."""


def write_line(
    sheet: Any, line: int, columns: Sequence[Column], row: Sequence[Cell], *, moment: Any, number: Any = None
) -> None:
    """One row of a worksheet. `moment` is the format of moments, `number` that of what is no whole number."""
    for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
        shown = column.shown(cell)
        if isinstance(shown, datetime):
            sheet.write_datetime(line, place, shown.replace(tzinfo=None), moment)
        elif isinstance(shown, str):
            if shown:
                sheet.write_string(line, place, shown.translate(_ILLEGAL))
        elif shown is not None:
            sheet.write_number(line, place, shown, number if isinstance(shown, float) else None)


class XlsxSink:
    """Numbers as numbers, moments as moments of the report's zone, texts never as formulas or links; a
    codebook sheet tells every column and code. `sheet` is the name of the rows' own sheet."""

    def __init__(self, file: Path, columns: Sequence[Column], sheet: str) -> None:
        self._columns = columns
        self._name = sheet
        self._folder = TemporaryDirectory(prefix=".", suffix=".part", dir=file.parent)
        self._book = xlsxwriter.Workbook(
            str(file),
            {
                "constant_memory": True,
                "tmpdir": self._folder.name,
                **TEXTS_AS_THEY_ARE,
            },
        )
        self._bold = self._book.add_format({"bold": True})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheets = 0
        self._add_sheet()

    def write(self, row: Sequence[Cell]) -> None:
        if self._next > _SHEET_ROWS:
            self._add_sheet()
        write_line(self._sheet, self._next, self._columns, row, moment=self._moment)
        self._next += 1

    def close(self) -> None:
        self._write_codebook()
        self._book.close()
        self._folder.cleanup()

    def abandon(self) -> None:
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()
        self._book.fileclosed = 1  # or its destructor would complain that it was not closed
        self._folder.cleanup()

    def _add_sheet(self) -> None:
        self._sheets += 1
        name = self._name + (f" {self._sheets}" if self._sheets > 1 else "")
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 1)
        for place, column in enumerate(self._columns):
            width = 20 if column.kind is Kind.MOMENT else max(12, min(len(column.name) + 2, 30))
            self._sheet.set_column(place, place, width)
            self._sheet.write_string(0, place, column.name, self._bold)
        self._next = 1

    def _write_codebook(self) -> None:
        sheet = self._book.add_worksheet(words("Кодовая книга", "Codebook"))
        heads = words(
            "столбец|что это|тип|код|значение|что значит", "column|what it is|type|code|value|what it means"
        )
        for place, head in enumerate(heads.split("|")):
            sheet.write_string(0, place, head, self._bold)
        sheet.set_column(0, 1, 40)
        for number, line in enumerate(codebook(self._columns), start=1):
            for place, cell in enumerate(line):
                if isinstance(cell, int):
                    sheet.write_number(number, place, cell)
                else:
                    sheet.write_string(number, place, cell.translate(_ILLEGAL))


def codebook(columns: Sequence[Column]) -> list[tuple[str | int, ...]]:
    """A line for each column, and one for each of its codes under it."""
    lines: list[tuple[str | int, ...]] = []
    for column in columns:
        lines.append((column.name, column.label, column.kind.value, "", "", ""))
        lines += [("", "", "", code.number, code.id, code.label) for code in column.codes]
        lines += [("", "", "", value, str(value), label) for value, label in column.labels]
        if column.may_miss:
            lines += [("", "", "", code.number, code.id, code.label) for code in missing_codes()]
    return lines
