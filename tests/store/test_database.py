from __future__ import annotations

import asyncio
import pkgutil
import sqlite3
import sys
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import select

import bot.store
from bot.core.errors import SettingsInvalid, StoreUnavailable
from bot.store.database import Database
from bot.store.migrations import head
from bot.store.settings import StoreSettings
from bot.store.tables import DoNotCall, Table
from tests.postgres import Postgres

MOSCOW = timezone(timedelta(hours=3))


async def test_the_steps_together_make_the_tables_of_today(db: Database) -> None:
    for module in pkgutil.iter_modules(bot.store.__path__, "bot.store."):
        import_module(module.name)  # so that every table is known

    def ours(name: str | None, kind: str, parents: object) -> bool:
        """Each database has a full-text index of its own kind, which the models do not name."""
        return not (name or "").startswith("fts_")

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        return list(compare_metadata(context, Table.metadata))

    async with db.read() as session:
        assert await (await session.connection()).run_sync(differences) == []
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == head()


async def test_a_moment_comes_back_in_utc(db: Database) -> None:
    noon = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=MOSCOW)
    async with db.write() as session:
        session.add(DoNotCall(phone="1", at=noon))
    async with db.read() as session:
        at = (await session.exec(select(DoNotCall.at))).one()
        earlier = (await session.exec(select(DoNotCall).where(DoNotCall.at < noon.astimezone(UTC)))).all()
    assert at == noon
    assert at.tzinfo is UTC
    assert earlier == []


async def test_a_clock_is_compared_with_that_which_machines_share(db: Database) -> None:
    """Each database is one of the two: an embedded one is of this machine alone."""
    ahead = await db.ahead(datetime.now(UTC) + timedelta(days=1))
    behind = await db.ahead(datetime.now(UTC) - timedelta(days=1))
    if db.dialect == "sqlite":
        assert (ahead, behind) == (timedelta(), timedelta())
    else:
        assert abs(ahead - timedelta(days=1)) < timedelta(minutes=1)
        assert abs(behind + timedelta(days=1)) < timedelta(minutes=1)


async def test_a_moment_without_a_zone_is_a_mistake(db: Database) -> None:
    with pytest.raises(Exception, match="without a time zone"):
        async with db.write() as session:
            session.add(DoNotCall(phone="1", at=datetime(2026, 3, 1)))  # noqa: DTZ001


async def test_an_error_rolls_the_whole_transaction_back(db: Database) -> None:
    async def half() -> None:
        async with db.write() as session:
            session.add(DoNotCall(phone="1", at=datetime.now(UTC)))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half()
    async with db.read() as session:
        assert (await session.exec(select(DoNotCall))).all() == []


async def test_concurrent_writers_wait_for_each_other(store_url: str) -> None:
    async with (
        Database.open(StoreSettings(store_url)) as one,
        Database.open(StoreSettings(store_url)) as two,
    ):
        await one.upgrade()

        async def write(database: Database, number: int) -> None:
            async with database.write() as session:
                before = len((await session.exec(select(DoNotCall))).all())
                session.add(DoNotCall(phone=str(number), at=datetime.now(UTC), words=str(before)))

        await asyncio.gather(*(write((one, two)[number % 2], number) for number in range(20)))
        async with one.read() as session:
            assert len((await session.exec(select(DoNotCall))).all()) == 20


async def test_sqlite_survives_a_loss_of_power(tmp_path: Path) -> None:
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/a.sqlite")) as db:
        await db.upgrade()
        async with db.read() as session:
            assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
            assert await session.scalar(text("PRAGMA synchronous")) == 2


UPGRADE = """
import asyncio, sys
from bot.store.database import Database
from bot.store.settings import StoreSettings

async def main():
    async with Database.open(StoreSettings(sys.argv[1])) as db:
        print("ready", flush=True)
        sys.stdin.readline()
        await db.upgrade()

asyncio.run(main())
"""


async def test_two_processes_may_upgrade_at_once(store_url: str) -> None:
    both = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", UPGRADE, store_url,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    told = await asyncio.gather(*(process.communicate(b"go\n") for process in both))
    assert [process.returncode for process in both] == [0, 0], told


async def test_an_upgrade_twice_changes_nothing(db: Database) -> None:
    await db.upgrade()


async def test_a_newer_database_is_refused_whole(db: Database) -> None:
    async with db.write() as session:
        await (await session.connection()).execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match=r"newer Otklik \(its version is 9999") as refused:
        await db.upgrade()
    assert "install the newer" in refused.value.hint
    async with db.read() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://localhost/x", "names mysql"),
        ("sqlite:///x.sqlite", "names sqlite"),
        ("sqlite+aiosqlite://", "no lasting database"),
        ("sqlite+aiosqlite:///:memory:", "no lasting database"),
    ],
)
def test_a_wrong_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(SettingsInvalid, match=message) as refused:
        Database.open(StoreSettings(url))
    assert "postgresql+asyncpg://" in refused.value.hint


async def refused(url: str, **settings: float) -> StoreUnavailable:
    async with Database.open(StoreSettings(url, **settings)) as db:
        with pytest.raises(StoreUnavailable) as failure:
            await db.upgrade()
    assert failure.value.hint
    return failure.value


async def test_postgres_unreachable() -> None:
    error = await refused("postgresql+asyncpg://otklik:secret@127.0.0.1:1/otklik")
    assert error.message == "the database otklik at 127.0.0.1:1 does not answer"
    assert "secret" not in str(error)


async def test_postgres_unknown_host() -> None:
    assert "does not answer" in (await refused("postgresql+asyncpg://a:b@nowhere.invalid/x")).message


async def test_postgres_wrong_password(postgres: Postgres) -> None:
    error = await refused(postgres.url("postgres", password="wrong"))
    assert "refuses the password" in error.message


async def test_postgres_no_such_database(postgres: Postgres) -> None:
    error = await refused(postgres.url("missing"))
    assert error.message.startswith("there is no database missing")
    assert "createdb" in error.hint


async def test_postgres_read_only(postgres: Postgres) -> None:
    url = await postgres.new_database()
    name = url.rpartition("/")[2]
    await postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "read-only" in (await refused(url)).message


async def test_sqlite_read_only(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{file}")) as db:
        await db.upgrade()
    assert "read-only" in (await refused(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true")).message


async def test_sqlite_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_text("not a database, whatever it is called" * 100)
    assert "not an SQLite database" in (await refused(f"sqlite+aiosqlite:///{tmp_path}/a.sqlite")).message


async def test_sqlite_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = await refused(f"sqlite+aiosqlite:///{tmp_path}/file/a.sqlite")
    assert "cannot be made" in error.message


async def test_sqlite_held_by_another_process(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    try:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        error = await refused(f"sqlite+aiosqlite:///{tmp_path}/a.sqlite", busy_s=0.05)
    finally:
        other.close()
    assert "held by another process" in error.message
