"""A file that somebody sent, opened so that it can neither stop the process nor fill its memory."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.campaigns.importing.csv_file import open_csv
from bot.campaigns.importing.sheet import Row, Sheet
from bot.campaigns.importing.unpack import MEMORY, REFUSED, too_large
from bot.campaigns.importing.workbook import is_workbook
from bot.core.errors import BadInput

TAKES_S = 180.0


async def open_apart(
    file: Path, *, encoding: str = "", separator: str = "", sheet: str = "", memory: int = MEMORY
) -> Sheet:
    """As `importer.open_sheet`, but a CSV is read in a thread, and a spreadsheet in a process of its own,
    which leaves its rows beside the file. Raises BadInput."""
    if not is_workbook(file):
        return await asyncio.to_thread(open_csv, file, encoding, separator)
    out = file.with_name(file.name + ".rows")
    out.unlink(missing_ok=True)
    told = await _unpack(file, out, memory, sheet)

    def rows() -> Iterator[Row]:
        with out.open(encoding="utf-8") as source:
            for text in source:
                line, cells = json.loads(text)
                yield Row(line, cells)

    return Sheet(file, tuple(told["columns"]), rows, told["count"], told["told"])


async def _unpack(file: Path, out: Path, memory: int, sheet: str) -> dict[str, Any]:
    module = "bot.campaigns.importing.unpack"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(file), str(out), str(memory), sheet,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TAKES_S):
            said, _ = await child.communicate()
    except TimeoutError:
        raise too_large() from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == REFUSED and said:
        refused = json.loads(said)
        raise BadInput(refused["error"], hint=refused["hint"])
    if child.returncode != 0:  # out of memory or time
        raise too_large()
    found: dict[str, Any] = json.loads(said)
    return found
