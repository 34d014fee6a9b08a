"""SPSS `.sav` by pyreadstat: value labels, variable labels, and user-missing values for every question.

pyreadstat writes a whole data frame and cannot be fed row by row, so a long table is written as many short
files, and their rows are put together under one header. That is sound because a file's rows follow its
dictionary one by one, each compressed by itself; only the last one carries a mark of the end, which need not
be there (PSPP's documentation, "System File Format", "Data Record"). Each part ends with the same widest
row, which is cut off again: it makes all dictionaries alike, in which a text is as wide as the longest one.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyreadstat

from bot.reports.export.columns import Cell, Column, Kind, Missing, missing_codes

PART_ROWS = 5000
"""Some 30 MB while they are written."""

MAX_TEXT = 32767
"""Bytes of one text in a .sav file."""

_SYSTEM_MISSING = float("nan")
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_DICTIONARY_END = struct.pack("<ii", 999, 0)
_CASES_AT = 80
_CASES_64 = struct.pack("<iiiiq", 7, 16, 8, 2, 1)
"""What stands before the second count of rows: an extension record of subtype 16."""

_DTYPES = {Kind.TEXT: object, Kind.MOMENT: "datetime64[us]", Kind.NUMBER: float, Kind.CODE: float}

_Row = tuple[float | str | datetime | None, ...]


class SavSink:
    def __init__(self, file: Path, columns: Sequence[Column]) -> None:
        self._file = file
        self._columns = columns
        self._codes = {Missing(code.id): float(code.number) for code in missing_codes()}
        self._widths = [1] * len(columns)
        self._rows: list[_Row] = []
        # Nobody else's to read.
        self._folder = TemporaryDirectory(prefix=".", suffix=".part", dir=file.parent)
        self._waiting = (Path(self._folder.name) / "rows").open("w+b")

    def write(self, row: Sequence[Cell]) -> None:
        stored = tuple(self._stored(column, cell) for column, cell in zip(self._columns, row, strict=True))
        for place, cell in enumerate(stored):
            if isinstance(cell, str):
                self._widths[place] = max(self._widths[place], len(cell.encode()))
        self._rows.append(stored)
        if len(self._rows) == PART_ROWS:
            pickle.dump(self._rows, self._waiting, pickle.HIGHEST_PROTOCOL)
            self._rows = []

    def close(self) -> None:
        """Texts' widths are known only now. Raises OSError."""
        part = Path(self._folder.name) / "part.sav"
        widest = tuple(map(_widest, self._columns, self._widths))
        try:
            alone = self._written([widest], part)
            length = alone.rindex(_DICTIONARY_END) + len(_DICTIONARY_END)  # that row holds no such bytes
            header, last = alone[:length], alone[length:]
            cases = 0
            with self._file.open("wb") as file:
                file.write(header)
                for rows in self._parts():
                    written = self._written([*rows, widest], part)
                    if not (written[:length].endswith(_DICTIONARY_END) and written.endswith(last)):
                        raise RuntimeError("two parts of one .sav differ in their dictionaries")
                    file.write(memoryview(written)[length : -len(last)])
                    cases += len(rows)
                file.seek(_CASES_AT)
                file.write(struct.pack("<i", cases))
                file.seek(header.index(_CASES_64) + len(_CASES_64))
                file.write(struct.pack("<q", cases))
        finally:
            self.abandon()

    def abandon(self) -> None:
        self._rows = []
        self._waiting.close()
        self._folder.cleanup()

    def _parts(self) -> Iterator[list[_Row]]:
        end = self._waiting.tell()
        self._waiting.seek(0)
        while self._waiting.tell() < end:
            yield pickle.load(self._waiting)  # noqa: S301 - our own, in a folder of our own
        if self._rows:
            yield self._rows

    def _written(self, rows: Sequence[_Row], file: Path) -> bytes:
        """A whole .sav of these rows alone; through a file, as pyreadstat has no other way."""
        cells = zip(self._columns, zip(*rows, strict=True), strict=True)
        frame = pd.DataFrame(
            {column.name: pd.Series(each, dtype=_DTYPES[column.kind]) for column, each in cells}, copy=False
        )
        asked = [column for column in self._columns if column.may_miss and column.kind is not Kind.TEXT]
        low, high = min(self._codes.values()), max(self._codes.values())
        pyreadstat.write_sav(
            frame,
            file,
            file_label="Otklik",
            column_labels={column.name: column.label[:255] for column in self._columns},
            variable_value_labels={
                column.name: labels for column in self._columns if (labels := self._labels(column))
            },
            missing_ranges={column.name: [{"lo": low, "hi": high}] for column in asked},
            variable_measure={column.name: _measure(column) for column in self._columns},
            row_compress=True,
        )
        return file.read_bytes()

    def _stored(self, column: Column, cell: Cell) -> float | str | datetime | None:
        if column.kind is Kind.TEXT:
            return _cut(cell) if isinstance(cell, str) and not isinstance(cell, Missing) else ""
        if column.kind is Kind.MOMENT:
            return cell.replace(tzinfo=None) if isinstance(cell, datetime) else None
        if isinstance(cell, Missing):
            return self._codes[cell]
        return float(cell) if isinstance(cell, int | float) else _SYSTEM_MISSING

    def _labels(self, column: Column) -> dict[int | float, str]:
        labels: dict[int | float, str] = {code.number: code.label[:120] for code in column.codes}
        labels |= dict(column.labels)
        if column.may_miss and column.kind is not Kind.TEXT:
            labels |= {code.number: code.label for code in missing_codes()}
        return labels


def _widest(column: Column, width: int) -> float | str | datetime:
    match column.kind:
        case Kind.TEXT:
            return "x" * width
        case Kind.MOMENT:
            return _ANY_MOMENT
        case Kind.NUMBER | Kind.CODE:
            return 0.0


def _cut(text: str) -> str:
    return text.encode()[:MAX_TEXT].decode(errors="ignore")


def _measure(column: Column) -> str:
    return "scale" if column.kind in (Kind.NUMBER, Kind.MOMENT) else "nominal"
