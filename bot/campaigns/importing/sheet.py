"""A table that is read row by row, whatever file it stands in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bot.core.errors import BadInput, Place

MAX_COLUMNS = 300


class Row(NamedTuple):
    """`line` is where it begins in the file, from 1. There may be more cells than columns, or fewer."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`columns` are the headings, each distinct. `rows` reads the file anew from its first row of data
    and raises BadInput where it cannot be read on. `told` says how it was read: its encoding and separator,
    or its sheet. `count` is how many rows there are."""

    file: Path
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    count: int
    told: str


def distinct_columns(head: list[str], file: Path, line: int) -> tuple[str, ...]:
    """The headings of a table: one without a name is called by its place, a repeated one gets a number.
    Raises BadInput for what cannot be headings."""
    while head and not head[-1].strip():
        head = head[:-1]
    if not head:
        raise BadInput(
            "нет строки с названиями столбцов",
            hint="первая строка: телефон, имя …",
            place=Place(str(file), line),
        )
    if len(head) > MAX_COLUMNS:
        raise BadInput(
            f"столбцов {len(head)}, а больше {MAX_COLUMNS} не бывает",
            hint="тот ли это файл?",
            place=Place(str(file), line),
        )
    names: list[str] = []
    for number, cell in enumerate(head, start=1):
        name = " ".join(cell.split()) or f"столбец {number}"
        fresh, again = name, 1
        while fresh.lower() in (each.lower() for each in names):
            again += 1
            fresh = f"{name} ({again})"
        names.append(fresh)
    return tuple(names)


def digest(file: Path) -> str:
    """SHA-256 of the file's bytes. Raises BadInput."""
    try:
        with file.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(file, error) from error


def unreadable(file: Path, error: OSError) -> BadInput:
    return BadInput(
        f"{file} не читается: {error.strerror}", hint="есть ли такой файл, и можно ли его читать?"
    )
