"""Where `otklik agents` and `otklik cases` get their answers: from the running node, or, for what only
reads, from its database while no node runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.cli.on_database import open_database
from bot.core.control import ControlClient
from bot.core.errors import NodeUnavailable
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.store.database import Database

Read = Callable[[Database, Settings], Awaitable[dict[str, Any]]]


def ask(do: str, **params: Any) -> dict[str, Any]:
    """Raises NodeUnavailable, and what the node reports."""

    async def asked() -> dict[str, Any]:
        async with await ControlClient.connect(load_settings().control_socket) as node:
            return await node.request(do, **params)

    return asyncio.run(asked())


def ask_or_read(do: str, read: Read, **params: Any) -> dict[str, Any]:
    """The node's answer; where none runs, what `read` makes of the database."""
    try:
        return ask(do, **params)
    except NodeUnavailable:
        return asyncio.run(_read(load_settings(), read))


async def _read(settings: Settings, read: Read) -> dict[str, Any]:
    async with open_database(settings) as db:
        return await read(db, settings)
