"""SQLite's connection goes to its thread once for a statement, and what it gives is what aiosqlite gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from bot.store.database import Database
from bot.store.sqlite_trips import AT_ONCE, FewTrips
from bot.store.tables_transcripts import Transcript
from tests.databases import database_at

MANY = 2 * AT_ONCE + 1


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    execute: Callable[..., Any] = FewTrips._execute

    async def counting(self: FewTrips, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        counted["trips"] += 1
        return await execute(self, work, *given, **named)

    monkeypatch.setattr(FewTrips, "_execute", counting)
    return counted


async def test_a_read_takes_a_trip_for_its_beginning_its_statement_and_its_end(
    tmp_path: Path, trips: Counter[str]
) -> None:
    async with database_at(tmp_path / "o.sqlite") as db:
        await _rows(db, 3)
        trips.clear()
        async with db.read() as session:
            assert len((await session.exec(select(Transcript))).all()) == 3
        assert trips["trips"] == 3


async def test_many_rows_are_written_in_one_trip(tmp_path: Path, trips: Counter[str]) -> None:
    async with database_at(tmp_path / "o.sqlite") as db:
        await _rows(db, 1)
        trips.clear()
        await _rows(db, 100, "other")
        assert trips["trips"] == 3


async def test_a_long_result_is_read_whole(tmp_path: Path) -> None:
    async with database_at(tmp_path / "o.sqlite") as db:
        for count in (AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, MANY):
            await _rows(db, count, f"{count}-")
            ids = select(Transcript.call_id).where(col(Transcript.call_id).startswith(f"{count}-"))
            async with db.read() as session:
                assert len(set((await session.exec(ids)).all())) == count


async def test_a_stream_is_read_in_pieces_of_any_size_and_may_be_left(tmp_path: Path) -> None:
    async with database_at(tmp_path / "o.sqlite") as db:
        await _rows(db, MANY)
        everything = [f"call-{n:05d}" for n in range(MANY)]
        ids = select(Transcript.call_id).order_by(Transcript.call_id)
        async with db.read() as session:
            for size in (7, AT_ONCE, AT_ONCE + 9, MANY, 3 * MANY):
                result = await session.stream_scalars(ids)
                assert [one async for part in result.partitions(size) for one in part] == everything
            result = await session.stream_scalars(ids)
            assert await result.first() == everything[0]
            result = await session.stream_scalars(ids)
            assert [one async for one in result] == everything
        async with db.write() as session:  # nothing that was left half-read holds the file
            await session.exec(delete(Transcript))
        async with db.read() as session:
            assert (await session.exec(ids)).all() == []


async def _rows(db: Database, count: int, before: str = "call-") -> None:
    async with db.write() as session:
        rows = [{"call_id": f"{before}{n:05d}", "text": "да"} for n in range(count)]
        connection = await session.connection()
        await connection.execute(Transcript.__table__.insert(), rows)  # type: ignore[attr-defined]
