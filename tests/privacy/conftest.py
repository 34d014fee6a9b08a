from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.settings import StoreSettings
from tests.postgres import Postgres
from tests.privacy.marked import Place, fill
from tests.store.conftest import postgres

__all__ = ["postgres"]


def sqlite(var: Path) -> StoreSettings:
    return StoreSettings(f"sqlite+aiosqlite:///{var}/otklik.sqlite", busy_s=2)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `var` of a node with SQLite that `marked` filled: made once, copied by whoever needs it."""
    var = tmp_path_factory.mktemp("template") / "var"

    async def make() -> None:
        async with Database.open(sqlite(var)) as db:
            await db.upgrade()
            await fill(db, Place(var))

    with ThreadPoolExecutor(1) as thread:  # whoever asks first may have a loop that runs
        thread.submit(asyncio.run, make()).result()
    return var


@pytest.fixture
def var(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "var")
    return tmp_path / "var"


@pytest.fixture(params=["sqlite"])
async def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite's; a test that is of both kinds says so by `BOTH`."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/var/otklik.sqlite"
    cluster: Postgres = request.getfixturevalue("postgres")
    return await cluster.empty_database()


@pytest.fixture
async def db(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of each kind, filled, with its files in `var`."""
    var = tmp_path / "var"
    if store_url.startswith("sqlite"):
        request.getfixturevalue("var")
    async with Database.open(StoreSettings(store_url, busy_s=2)) as database:
        if not store_url.startswith("sqlite"):
            await database.upgrade()
            await fill(database, Place(var))
        yield database
