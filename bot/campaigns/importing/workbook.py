"""Spreadsheets (XLSX, and what else calamine reads: XLS, ODS). Their reader holds the sheet in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, PasswordError, SheetVisibleEnum, load_workbook

from bot.campaigns.importing.sheet import Row, Sheet, distinct_columns, unreadable
from bot.core.errors import BadInput

SIGNS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How the files of spreadsheets begin: a zip archive (XLSX, ODS), a compound file (XLS)."""


def is_workbook(file: Path) -> bool:
    """By its first bytes, whatever it is called. Raises BadInput."""
    try:
        with file.open("rb") as source:
            return source.read(4) in SIGNS
    except OSError as error:
        raise unreadable(file, error) from error


def open_workbook(file: Path, sheet: str = "") -> Sheet:
    """The named sheet, else the first that is not hidden and not empty. Raises BadInput."""
    found = _sheet(file, sheet)
    rows = _rows(found)
    head = next(rows, None)
    if head is None:
        raise BadInput(
            f"{file}: лист «{found.name}» пуст", hint="первая строка — названия столбцов: телефон, имя …"
        )
    columns = distinct_columns(head.cells, file, head.line)
    count = sum(1 for _ in rows)

    def again() -> Iterator[Row]:
        fresh = _rows(found)
        next(fresh)
        return fresh

    return Sheet(file, columns, again, count, f"лист «{found.name}»")


def _sheet(file: Path, wanted: str) -> CalamineSheet:
    try:
        book = load_workbook(file)
        names = [each.name for each in book.sheets_metadata if each.visible == SheetVisibleEnum.Visible]
        if wanted:
            if wanted not in book.sheet_names:
                raise BadInput(
                    f"{file}: листа «{wanted}» нет",
                    hint=f"есть: {', '.join(book.sheet_names) or 'ни одного'}",
                )
            return book.get_sheet_by_name(wanted)
        sheets = [book.get_sheet_by_name(name) for name in names]
    except PasswordError as error:
        raise BadInput(f"{file} под паролем", hint="сохраните файл без пароля") from error
    except CalamineError as error:
        raise BadInput(
            f"{file}: таблица не читается: {error}", hint="откройте её и сохраните заново в XLSX, или в CSV"
        ) from error
    filled = [each for each in sheets if each.height]
    if not filled:
        raise BadInput(f"{file}: в таблице ни одного заполненного листа", hint="тот ли это файл?")
    return filled[0]


def _rows(sheet: CalamineSheet) -> Iterator[Row]:
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        written = [_text(cell) for cell in cells]
        if any(written):
            yield Row(line, written)


def _text(cell: Any) -> str:
    """A cell as people would write it: 79161234567.0 is a number without a fraction."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "да" if cell else "нет"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time | timedelta | int):
        return str(cell)
    return ""
