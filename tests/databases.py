"""Databases with today's tables: migrated once for a process, and copied for each test, which takes a fifth
of the time."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.store.database import Database
from bot.store.settings import StoreSettings
from tests.postgres import Postgres

_migrated: list[bytes] = []
"""The file of an SQLite database, once there is one."""


@asynccontextmanager
async def database_at(file: Path) -> AsyncIterator[Database]:
    """SQLite, with tables and without rows; a file that is there stays as it is."""
    if not _migrated:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "otklik.sqlite"
            await _migrate(_url(made))
            _migrated.append(made.read_bytes())
    _write(file, _migrated[0])
    async with Database.open(StoreSettings(_url(file), busy_s=2)) as db:
        yield db


@asynccontextmanager
async def database_in(cluster: Postgres) -> AsyncIterator[Database]:
    """PostgreSQL, as `database_at`; the tests of a cluster have one after another the same."""
    if not cluster.has_template:
        await _migrate(await cluster.new_template())
        cluster.has_template = True
    async with Database.open(StoreSettings(await cluster.filled_database())) as db:
        yield db


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_bytes(content)


async def _migrate(url: str) -> None:
    async with Database.open(StoreSettings(url)) as db:
        await db.upgrade()
