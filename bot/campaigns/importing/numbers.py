"""A file of telephone numbers into the do-not-call list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.campaigns.importing.columns import Meaning
from bot.campaigns.importing.phones import NotAPhone, read_phones
from bot.campaigns.importing.refused import RefusedReport
from bot.campaigns.importing.sheet import Sheet
from bot.core.clock import Clock
from bot.store import do_not_call
from bot.store.database import Database

BATCH = 2000
"""Numbers in one transaction."""
_BREATH = 200
"""After so many rows whoever waits for the loop gets it."""


@dataclass(frozen=True, slots=True)
class NumbersTaken:
    """`added` were not on the list before; `report` has the rows that were refused, None where none was."""

    rows: int
    added: int
    refused: int
    report: Path | None


async def take_numbers(
    db: Database,
    sheet: Sheet,
    found: Mapping[str, Meaning],
    report: RefusedReport,
    *,
    source: str,
    by: str,
    clock: Clock,
    progress: Callable[[int], None] = lambda _: None,
) -> NumbersTaken:
    """All numbers of every row. A batch that is in stays in, whatever happens to the next one. Raises
    StoreUnavailable, DiskFull, OSError."""
    columns = [
        at for at, each in enumerate(sheet.columns) if found[each] in (Meaning.PHONE, Meaning.OTHER_PHONE)
    ]
    phones: dict[str, None] = {}
    rows = added = 0

    async def store() -> int:
        keys = list(phones)
        phones.clear()
        return await do_not_call.add(db, keys, source=source, words="", by=by, now=clock.now())

    for row in sheet.rows():
        rows += 1
        cells = [row.cells[at] for at in columns if at < len(row.cells) and row.cells[at]]
        try:
            if not cells:
                raise NotAPhone("телефона нет")
            phones |= dict.fromkeys(each.key for cell in cells for each in read_phones(cell))
        except NotAPhone as error:
            report.add(row, str(error))
        if len(phones) >= BATCH:
            added += await store()
        if rows % _BREATH == 0:
            progress(rows)
            await asyncio.sleep(0)
    added += await store()
    progress(rows)
    return NumbersTaken(rows, added, report.count, report.close())
