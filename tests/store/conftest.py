from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.events import CallEvent
from bot.store import queries
from bot.store.database import Database
from bot.store.settings import WriterSettings
from bot.store.writer import Writer
from tests.databases import database_at, database_in
from tests.postgres import Postgres, running_postgres
from tests.store.talk import START

QUICK = WriterSettings(batch=7, poll_s=0.01, backoff_s=0.02, backoff_max_s=0.05)

Keep = Callable[..., Awaitable[None]]


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
async def db(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """At `store_url`."""
    if store_url.startswith("sqlite"):
        made = database_at(tmp_path / "var" / "otklik.sqlite")
    else:
        made = database_in(request.getfixturevalue("postgres"))
    async with made as database:
        yield database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def writer(db: Database, folder: Path, clock: ManualClock) -> Writer:
    return Writer(db, SpoolReader(folder), clock, QUICK)


async def spooled(folder: Path, *events: CallEvent, worker: str = "media-1") -> None:
    async with Spool.open(folder, worker) as spool:
        for event in events:
            await spool.commit(event)


@pytest.fixture
def keep(folder: Path, writer: Writer) -> Keep:
    async def through_the_spool(*events: CallEvent) -> None:
        await spooled(folder, *events)
        await writer.drain_once()

    return through_the_spool


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def one(db: Database, call_id: str = "call-1") -> queries.Call:
    call = await queries.call(db, call_id)
    assert call is not None
    return call
