"""CSV: its encoding and separator found, its rows read one by one."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bot.campaigns.importing.encodings import Encoding, detect, named, undecodable
from bot.campaigns.importing.sheet import Row, Sheet, distinct_columns, unreadable
from bot.core.errors import BadInput, Place

SEPARATORS = {";": "точка с запятой", ",": "запятая", "\t": "табуляция"}
_BY_NAME = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ","}
_LOOKED_AT = 50
"""So many rows tell the separator."""
_LONGEST = 100
"""A row over more lines than this is one whose quotes were never closed."""
_LONGEST_LINE = 1 << 20
"""Characters: no line is read further. One of nothing but separators would become as many cells."""


def open_csv(file: Path, encoding: str = "", separator: str = "") -> Sheet:
    """`encoding` and `separator` as somebody told them, "" to find them. The whole file is read once, so that
    nothing is taken from one that turns out broken. Raises BadInput."""
    try:
        known = named(encoding) if encoding else detect(file)
    except OSError as error:
        raise unreadable(file, error) from error
    by = _separator(separator) if separator else _find_separator(file, known)
    rows = _rows(file, known, by)
    head = next(rows, None)
    if head is None:
        raise BadInput(f"{file} пуст", hint="первая строка — названия столбцов: телефон, имя …")
    columns = distinct_columns(head.cells, file, head.line)
    count = sum(1 for _ in rows)

    def again() -> Iterator[Row]:
        fresh = _rows(file, known, by)
        next(fresh)
        return fresh

    return Sheet(file, columns, again, count, f"{known.shown}, {SEPARATORS[by]}")


def _separator(told: str) -> str:
    by = _BY_NAME.get(told, told)
    if by not in SEPARATORS:
        raise BadInput(f"разделитель «{told}» не годится", hint="такие: «;», «,», tab")
    return by


@contextmanager
def _opened(file: Path, encoding: Encoding) -> Iterator[TextIO]:
    try:
        with file.open(encoding=encoding.name, newline="") as source:
            yield source
    except OSError as error:
        raise unreadable(file, error) from error


def _find_separator(file: Path, encoding: Encoding) -> str:
    """The one by which most of the first rows have as many cells as the heading, and more than one. A file
    of one column has none; then it does not matter."""
    lines: list[str] = []
    with _opened(file, encoding) as source:
        try:
            lines = [source.readline(_LONGEST_LINE) for _ in range(_LOOKED_AT)]
        except UnicodeError as error:
            raise undecodable(file, encoding, error) from error
    if lines and lines[0].lower().startswith("sep=") and lines[0][4:5] in SEPARATORS:
        return lines[0][4]
    best, most = ";", 0
    for by in SEPARATORS:
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=by) if cells]
        except csv.Error:  # a cell longer than any is: by this separator it is no table
            continue
        agreed = Counter(widths)[widths[0]] * (widths[0] - 1) if widths else 0
        if agreed > most:
            best, most = by, agreed
    return best


def _short_lines(source: TextIO) -> Iterator[str]:
    """Raises csv.Error for a line that is no row of any table."""
    while line := source.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise csv.Error(f"строка длиннее {_LONGEST_LINE} знаков")
        yield line


class _Lines:
    """Counts the lines of a file and keeps those of the row that is being read."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self.number = 0
        self.of_row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in _short_lines(self._source):
            self.number += 1
            self.of_row.append(line)
            if len(self.of_row) > _LONGEST:
                raise csv.Error("кавычки открыты и не закрыты")
            yield line


def _rows(file: Path, encoding: Encoding, by: str) -> Iterator[Row]:
    """Every row that is not blank. Raises BadInput."""
    with _opened(file, encoding) as source:
        lines = _Lines(source)
        reader = csv.reader(lines, delimiter=by)
        begins = 1
        try:
            for cells in reader:
                if len(lines.of_row) > 1 and sum(line.count('"') for line in lines.of_row) % 2:
                    raise csv.Error("кавычки открыты и не закрыты")
                is_mark = begins == 1 and len(cells) <= 2 and cells and cells[0].lower().startswith("sep=")
                if not is_mark and any(cell.strip() for cell in cells):
                    yield Row(begins, [cell.strip() for cell in cells])
                begins = lines.number + 1
                lines.of_row.clear()
        except csv.Error as error:
            raise BadInput(
                f"это не CSV: {error}",
                hint="кавычка внутри значения пишется дважды, а само значение берут в кавычки",
                place=Place(str(file), begins),
            ) from error
        except UnicodeError as error:
            raise undecodable(file, encoding, error) from error
