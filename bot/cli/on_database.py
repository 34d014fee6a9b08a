"""Commands that work on the database themselves, with or without a node: what takes long then keeps no node
from its work, and what is committed is in force for it at once."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import typer

from bot.logs import configure_logs
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.settings_rooms import store_settings
from bot.store.database import Database
from bot.words import words

T = TypeVar("T")

By = Annotated[
    str,
    typer.Option(
        help=words(
            "кто это делает; иначе имя входа на эту машину", "who does it; else the login on this machine"
        )
    ),
]

Json = Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))]


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The node's database, brought up to this version. Raises StoreUnavailable."""
    async with Database.open(store_settings(settings)) as database:
        await database.upgrade()
        yield database


def on_database(work: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """Raises what `work` does, SettingsInvalid, StoreUnavailable."""
    settings = load_settings()
    configure_logs("warning")

    async def run() -> T:
        async with open_database(settings) as database:
            return await work(database, settings)

    return asyncio.run(run())


def who(by: str) -> str:
    return by or getpass.getuser()
