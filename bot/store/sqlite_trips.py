"""SQLite's connection as SQLAlchemy drives it, with fewer trips to its thread.

aiosqlite does everything in the connection's own thread: making a cursor, executing, fetching and closing
are a trip each, and two threads that wake each other cost more than most of our statements. Here a statement
and its first rows are one trip; whatever follows takes another only where there is something to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import aiosqlite

AT_ONCE = 256
"""Rows that come along with the statement: a long result is fetched as it is read."""


class FewTrips(aiosqlite.Connection):
    """Made by `connect`, awaited by SQLAlchemy's adapter (`async_creator_fn`)."""

    def cursor(self) -> Any:
        return _Cursor(self)

    async def rollback(self) -> None:
        """Every connection is rolled back as it goes to its pool; after a commit there is nothing to do."""
        if self.in_transaction:
            await super().rollback()

    async def run(self, work: Callable[..., Any], *given: Any) -> Any:
        """In the connection's thread."""
        return await self._execute(work, *given)  # type: ignore[no-untyped-call]


def connect(file: str, **options: Any) -> FewTrips:
    def connector() -> sqlite3.Connection:
        made: sqlite3.Connection = sqlite3.connect(file, **options)
        return made

    connection = FewTrips(connector, iter_chunk_size=AT_ONCE)
    connection._thread.daemon = True  # as the adapter has it: a lost connection keeps no process alive
    return connection


class _Cursor:
    """What SQLAlchemy's adapter uses of a cursor, for statements and for streams."""

    def __init__(self, connection: FewTrips) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: list[Any] = []
        self._whole = True
        self.arraysize = 1

    async def __aenter__(self) -> _Cursor:
        return self

    @property
    def description(self) -> Any:
        return None if self._cursor is None else self._cursor.description

    @property
    def rowcount(self) -> int:
        return -1 if self._cursor is None else self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return None if self._cursor is None else self._cursor.lastrowid

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        await self._connection.run(self._begin, statement, values)

    async def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._cursor, self._rows, self._whole = None, [], True
        self._cursor = await self._connection.run(self._connection._conn.executemany, statement, rows)

    def _begin(self, statement: str, values: Sequence[Any]) -> None:
        self._cursor, self._rows, self._whole = None, [], True
        self._cursor = cursor = self._connection._conn.execute(statement, values)
        if cursor.description is not None:
            self._rows = cursor.fetchmany(AT_ONCE)
            self._whole = len(self._rows) < AT_ONCE

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = self.arraysize if size is None else size
        if len(self._rows) < wanted and not self._whole:
            missing = max(AT_ONCE, wanted - len(self._rows))
            more = await self._fetch(lambda cursor: cursor.fetchmany(missing))
            self._whole = len(more) < missing
            self._rows += more
        taken, self._rows = self._rows[:wanted], self._rows[wanted:]
        return taken

    async def fetchall(self) -> list[Any]:
        if not self._whole:
            self._rows += await self._fetch(lambda cursor: cursor.fetchall())
            self._whole = True
        taken, self._rows = self._rows, []
        return taken

    async def _fetch(self, how: Callable[[sqlite3.Cursor], list[Any]]) -> list[Any]:
        assert self._cursor is not None
        rows: list[Any] = await self._connection.run(how, self._cursor)
        return rows

    def __aiter__(self) -> _Cursor:
        return self

    async def __anext__(self) -> Any:
        rows = await self.fetchmany(1)
        if not rows:
            raise StopAsyncIteration
        return rows[0]

    async def close(self) -> None:
        """A result that was read to its end holds nothing any more."""
        if self._cursor is not None and not self._whole:
            self._whole = True
            await self._connection.run(self._cursor.close)
