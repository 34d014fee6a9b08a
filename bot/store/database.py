"""One database behind one URL: SQLite embedded, PostgreSQL at scale, the same code for both.

SQLite runs in WAL mode with `synchronous=FULL`: what is committed survives a loss of power. A
transaction that writes begins with BEGIN IMMEDIATE, so that it waits for its turn at its start and
never fails in the middle; within a process writers queue on a lock instead of polling the file.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import event, func, make_url, select
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import SettingsInvalid, StoreUnavailable
from bot.store.failures import explained, shown
from bot.store.migrations import migrate
from bot.store.settings import StoreSettings
from bot.store.sqlite_trips import connect

_SCRUB = ("INSERT INTO fts_transcripts(fts_transcripts) VALUES ('optimize')", "VACUUM")
_HINT = "sqlite+aiosqlite:///var/otklik.sqlite or postgresql+asyncpg://USER:PASSWORD@HOST:5432/NAME"


class Database:
    """Open connections to the store. Make it with `Database.open`, give it up with `close`."""

    def __init__(self, engine: AsyncEngine, url: URL) -> None:
        self.url = url
        self._engine = engine
        self._sqlite = url.get_backend_name() == "sqlite"
        if self._sqlite:
            self._reading = engine
            self._writing = engine.execution_options(otklik_writes=True)
        else:
            self._reading = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._writing = engine
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if self._sqlite else nullcontext()

    @classmethod
    def open(cls, settings: StoreSettings) -> Database:
        """Nothing is connected before it is used. Raises SettingsInvalid."""
        url = _checked(settings.url)
        if url.get_backend_name() == "sqlite":
            engine = create_async_engine(
                url, connect_args={"timeout": settings.busy_s, "async_creator_fn": connect}
            )
            _tame_sqlite(engine, settings.busy_s)
        else:
            engine = create_async_engine(
                url,
                pool_pre_ping=True,
                connect_args={
                    "timeout": settings.connect_s,
                    "server_settings": {
                        "application_name": "otklik",
                        "timezone": "UTC",
                        # For reports: compiling their statements takes longer than running them, and within
                        # PostgreSQL's own 4 MB a year's calls would be sorted on disk rather than hashed.
                        "jit": "off",
                        "work_mem": "32MB",
                        # A report of a day and one of a year are one statement: from its sixth time on
                        # PostgreSQL would plan it once for both.
                        "plan_cache_mode": "force_custom_plan",
                        # It takes a year's scores for 30 times as many groups as there are, and handing them
                        # over for so dear that it would count them in one process.
                        "parallel_tuple_cost": "0.01",
                    },
                },
            )
        return cls(engine, url)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that writes: committed at the end of the block, rolled back by an error.

        Raises StoreUnavailable, DiskFull.
        """
        async with self._turn:
            with _explaining(self.url):
                async with AsyncSession(self._writing, expire_on_commit=False) as session, session.begin():
                    yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A transaction that sees one state of everything, however many statements it makes.

        Raises StoreUnavailable.
        """
        with _explaining(self.url):
            async with AsyncSession(self._reading, expire_on_commit=False) as session, session.begin():
                yield session

    async def ahead(self, now: datetime) -> timedelta:
        """By how much `now` is ahead of the database's own clock, which all who share it can go by. Nothing
        with SQLite, which one machine has to itself. Raises StoreUnavailable."""
        if self._sqlite:
            return timedelta()
        async with self.read() as session:
            connection = await session.connection()
            shared: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        return now - shared

    async def upgrade(self) -> None:
        """Bring the tables to this program's version, in one transaction; another process waits.

        Raises StoreUnavailable: unreachable, refused, read-only, or made by a newer version.
        """
        self.make_folder()
        async with self.write() as session:
            connection = await session.connection()
            await connection.run_sync(migrate, where=shown(self.url))

    async def vacuum(self) -> None:
        """What PostgreSQL does by itself some time after much was written: statistics for its planner, and
        which pages everybody sees all of. SQLite does without."""
        if not self._sqlite:
            with _explaining(self.url):
                async with self._engine.connect() as connection:
                    alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await alone.exec_driver_sql("VACUUM (ANALYZE)")

    async def scrub(self) -> None:
        """What was deleted is gone from the files as well: from free pages, from the write-ahead log, and
        from the full-text index, which keeps deleted words until it is merged. PostgreSQL is vacuumed: what
        its files still hold is overwritten by what comes. Raises StoreUnavailable."""
        if not self._sqlite:
            await self.vacuum()
            return
        with _explaining(self.url):
            async with self._turn, self._engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                for statement in _SCRUB:
                    await driver.execute(statement)
                async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                    busy = (await cursor.fetchone())[0]
        if busy:
            raise StoreUnavailable(
                f"the write-ahead log of {shown(self.url)} is being read and cannot be emptied",
                hint="repeat it in a moment",
            )

    async def close(self) -> None:
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def make_folder(self) -> None:
        """That of SQLite's file. Raises StoreUnavailable."""
        file = Path(self.url.database or "")
        if self._sqlite and self.url.query.get("uri") is None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise StoreUnavailable(
                    f"the folder of the database {file} cannot be made: {error.strerror}",
                    hint="name another file in the store's URL",
                ) from error


@contextmanager
def _explaining(url: URL) -> Iterator[None]:
    """Turns a database's own errors into ours; mistakes of the program pass as they are."""
    try:
        yield
    except (DBAPIError, ConnectionError, TimeoutError, socket.gaierror) as error:
        if ours := explained(error, url):
            raise ours from error
        raise


def _checked(written: str) -> URL:
    try:
        url = make_url(written)
    except ArgumentError as error:
        raise SettingsInvalid("the store's URL cannot be read", hint=f"such as {_HINT}") from error
    if url.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise SettingsInvalid(f"the store's URL names {url.drivername}", hint=f"such as {_HINT}")
    if not url.database or url.database == ":memory:":
        raise SettingsInvalid("the store's URL names no lasting database", hint=f"such as {_HINT}")
    return url


def _tame_sqlite(engine: AsyncEngine, busy_s: float) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so, not where the driver does
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={round(busy_s * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("otklik_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
