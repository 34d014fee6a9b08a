"""SPSS `.sav` by pyreadstat: value labels, variable labels, and user-missing values for every question.

pyreadstat writes a whole data frame and cannot be fed row by row. What an export gathers is therefore one
array of 8-byte numbers for each numeric variable, and a bound on how many cells there may be: beyond it
the export is refused before it begins, with what to do instead. Texts are kept once however often they
occur, as most are the same few words.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

from bot.core.errors import BadInput
from bot.reports.export.columns import Cell, Column, Kind, Missing, missing_codes
from bot.words import words

MAX_CELLS = 20_000_000
"""160 MB of numbers, and about three times that while pyreadstat writes: 200,000 calls of 100 variables."""

MAX_TEXT = 32767
"""Bytes of one text in a .sav file."""

_SYSTEM_MISSING = float("nan")


class SavSink:
    """Raises BadInput where the table is too large."""

    def __init__(self, file: Path, columns: Sequence[Column], total: int) -> None:
        if total * len(columns) > MAX_CELLS:
            raise BadInput(
                words(
                    f"{total} звонков по {len(columns)} переменных: для .sav это слишком много",
                    f"{total} calls of {len(columns)} variables are too many for one .sav",
                ),
                hint=words(
                    "возьмите период короче, один опрос (--survey) или --format csv",
                    "take a shorter period, one survey (--survey) or --format csv",
                ),
            )
        self._file = file
        self._columns = columns
        self._codes = {Missing(code.id): float(code.number) for code in missing_codes()}
        self._numbers = {
            column.name: array("d") for column in columns if column.kind in (Kind.NUMBER, Kind.CODE)
        }
        self._others: dict[str, list[str | datetime]] = {
            column.name: [] for column in columns if column.kind in (Kind.TEXT, Kind.MOMENT)
        }

    def write(self, row: Sequence[Cell]) -> None:
        for column, cell in zip(self._columns, row, strict=True):
            if column.name in self._numbers:
                self._numbers[column.name].append(self._number(cell))
            elif isinstance(cell, datetime):
                self._others[column.name].append(cell.replace(tzinfo=None))
            else:
                text = cell if isinstance(cell, str) and not isinstance(cell, Missing) else ""
                self._others[column.name].append(sys.intern(_cut(text)))

    def close(self) -> None:
        frame = pd.DataFrame({column.name: self._series(column) for column in self._columns}, copy=False)
        asked = [column for column in self._columns if column.may_miss and column.kind is not Kind.TEXT]
        low, high = min(self._codes.values()), max(self._codes.values())
        pyreadstat.write_sav(
            frame,
            self._file,
            file_label="Otklik",
            column_labels={column.name: column.label[:255] for column in self._columns},
            variable_value_labels={
                column.name: labels for column in self._columns if (labels := self._labels(column))
            },
            missing_ranges={column.name: [{"lo": low, "hi": high}] for column in asked},
            variable_measure={column.name: _measure(column) for column in self._columns},
            row_compress=True,
        )

    def abandon(self) -> None:
        self._numbers.clear()
        self._others.clear()

    def _number(self, cell: Cell) -> float:
        if isinstance(cell, Missing):
            return self._codes[cell]
        return float(cell) if isinstance(cell, int | float) else _SYSTEM_MISSING

    def _series(self, column: Column) -> pd.Series:
        if column.name in self._numbers:
            return pd.Series(np.frombuffer(self._numbers[column.name], dtype=np.float64))
        kind = "datetime64[us]" if column.kind is Kind.MOMENT else object
        return pd.Series(self._others[column.name], dtype=kind)

    def _labels(self, column: Column) -> dict[int | float, str]:
        labels: dict[int | float, str] = {code.number: code.label[:120] for code in column.codes}
        labels |= dict(column.labels)
        if column.may_miss and column.kind is not Kind.TEXT:
            labels |= {code.number: code.label for code in missing_codes()}
        return labels


def _cut(text: str) -> str:
    return text.encode()[:MAX_TEXT].decode(errors="ignore")


def _measure(column: Column) -> str:
    return "scale" if column.kind in (Kind.NUMBER, Kind.MOMENT) else "nominal"
