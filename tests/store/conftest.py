from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.settings import StoreSettings
from tests.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
async def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/var/otklik.sqlite"
    cluster: Postgres = request.getfixturevalue("postgres")
    return await cluster.empty_database()


@pytest.fixture
async def db(store_url: str) -> AsyncIterator[Database]:
    async with Database.open(StoreSettings(store_url, busy_s=2)) as database:
        await database.upgrade()
        yield database
