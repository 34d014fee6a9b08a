"""For commands that work on the database itself, with or without a node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from bot.core.clock import Clock, SystemClock
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.settings_rooms import store_settings
from bot.store.database import Database

T = TypeVar("T")


def with_database(work: Callable[[Database, Clock], Awaitable[T]]) -> T:
    """What `work` makes of the node's database. Raises what it raises, and Unavailable."""
    settings = load_settings()
    configure_logs("warning")

    async def run() -> T:
        async with Database.open(store_settings(settings)) as database:
            await database.upgrade()
            return await work(database, SystemClock())

    return asyncio.run(run())


def local(moment: datetime | None) -> str:
    """In the zone of whoever looks; `-` where there is none."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else "-"


def utc(moment: datetime | None) -> str | None:
    """For JSON."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None
