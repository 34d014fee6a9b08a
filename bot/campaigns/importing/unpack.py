"""A spreadsheet unpacked apart: `python -m bot.campaigns.importing.unpack FILE OUT MEMORY [SHEET]`.

It writes one JSON array `[line, [cell, …]]` a row into OUT and says on its standard output, as JSON, what it
read, or what is wrong. An archive of a few kilobytes may unpack into gigabytes, whatever its directory says:
whoever sends one kills only this process, which has so much memory and time and no more.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
from pathlib import Path
from typing import Any

from bot.campaigns.importing.sheet import Sheet
from bot.campaigns.importing.workbook import open_workbook
from bot.core.errors import BadInput

MEMORY = 2 * 2**30
"""Bytes of address space: 200,000 rows of 20 columns take half of it."""
CPU_S = 120
LARGEST_OUT = 2 * 2**30
DECLARED = 1 * 2**30
"""An archive that says itself that it is larger than this unpacked is not even opened."""

REFUSED = 2


def main(file: str, out: str, memory: str, sheet: str = "") -> int:
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUT, LARGEST_OUT))
    try:
        require_sensible(Path(file))
        found = open_workbook(Path(file), sheet)
        write_rows(found, Path(out))
    except BadInput as error:
        say({"error": error.message, "hint": error.hint})
        return REFUSED
    say({"columns": found.columns, "count": found.count, "told": found.told})
    return 0


def say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told))


def require_sensible(file: Path) -> None:
    """Raises BadInput for an archive that declares too much. Formats that are no archive pass."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > DECLARED:
        raise too_large()


def too_large() -> BadInput:
    return BadInput(
        "таблица слишком велика: распакованная, она не поместится в память",
        hint="сохраните её в CSV: он читается построчно",
    )


def write_rows(sheet: Sheet, out: Path) -> None:
    with out.open("x", encoding="utf-8") as sink:
        for row in sheet.rows():
            sink.write(json.dumps([row.line, row.cells], ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
