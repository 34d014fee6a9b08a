"""Whether a number stands anywhere yet: every column of text of every table is looked through."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import JSON, String, cast, func, or_
from sqlmodel import AutoString, select

from bot.store.database import Database
from bot.store.every_table import every_table

SHORTEST = 7
"""Characters of a number that is looked for: an extension of a PBX would be found in every date."""

_OURS = frozenset({"erasures"})


async def left_over(db: Database, phones: Collection[str]) -> dict[str, int]:
    """By `table.column`: how many rows hold one of these numbers. Empty where none does."""
    sought = [phone for phone in phones if len(phone) >= SHORTEST]
    found: dict[str, int] = {}
    if not sought:
        return found
    async with db.read() as session:
        for table in every_table():
            for column in table.columns:
                if table.name in _OURS or not isinstance(column.type, String | AutoString | JSON):
                    continue
                text = cast(column, String)
                holds = or_(*(text.contains(phone, autoescape=True) for phone in sought))
                count = (await session.exec(select(func.count()).select_from(table).where(holds))).one()
                if count:
                    found[f"{table.name}.{column.name}"] = int(count)
    return found
