"""From the spools of workers into the tables: once, whatever happens in between."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.call.spool import Spool, Spooled, SpoolReader
from bot.core.clock import ManualClock
from bot.core.errors import StoreUnavailable
from bot.core.events import CallEvent
from bot.store import attempts, queries
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.settings import StoreSettings, WriterSettings
from bot.store.writer import Writer
from tests.postgres import Postgres
from tests.store.conftest import QUICK, Keep, files, one, spooled
from tests.store.talk import START, Talk


async def test_an_answer_is_there_while_the_call_goes_on(db: Database, writer: Writer, folder: Path) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    async with Spool.open(folder, "media-1") as spool:
        for event in (talk.started, talk.answered(), talk.answer("nps", 9)):
            await spool.commit(event)
        assert await writer.drain_once() == 3
        assert await writer.drain_once() == 0
        call = await one(db)
        assert call.attempt.status == "live"
        assert call.attempt.lease_until == START + timedelta(seconds=2 + 120)
        assert [a.value for a in call.answers] == ["9"]
        assert len(files(folder)) == 1


async def test_the_same_events_twice_are_stored_once(db: Database, folder: Path, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    events = (talk.started, talk.answered(), talk.answer("nps", 9), talk.ended())
    await keep(*events)
    before = await one(db)
    await spooled(folder, *events, worker="media-2")
    again = Writer(db, SpoolReader(folder), ManualClock(START))
    assert await again.drain_once() == 4
    assert await one(db) == before
    assert await queries.events(db, "call-1") == list(events)
    assert files(folder) == []


async def test_many_calls_at_once_in_small_batches(db: Database, writer: Writer, folder: Path) -> None:
    talks = [
        Talk(f"call-{n}", f"attempt-{n}", direction="inbound", remote=f"sip:+7900123456{n}@trunk")
        for n in range(5)
    ]

    async def play(talk: Talk, spool: Spool) -> None:
        for event in (talk.started, talk.answered(), talk.answer("nps", 9), talk.ended()):
            await spool.commit(event)

    async with Spool.open(folder, "media-1") as one_, Spool.open(folder, "media-2") as two:
        await asyncio.gather(*(play(talk, (one_, two)[n % 2]) for n, talk in enumerate(talks)))
        with capture_logs() as logs:
            assert await writer.drain_once() == 20
    assert logs == [], "whole batches were taken, none was stored one by one"
    found = await queries.calls(db)
    assert [len(call.answers) for call in found] == [1] * 5
    assert {call.attempt.worker for call in found} == {"media-1", "media-2"}


async def test_what_the_tables_cannot_take_is_kept_and_holds_up_nobody(
    db: Database, keep: Keep, writer: Writer
) -> None:
    """Two outbound calls at once to one contact cannot be; should a worker tell of such, it is kept."""
    queued = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash-1"), START)
    await attempts.claim_next(db, worker="media-1", now=START)
    impossible = Talk("call-x", "attempt-x", contact_id=queued.contact_id or "")
    good = Talk("call-1", queued.id, contact_id=queued.contact_id or "")
    await keep(good.started, good.answered(), impossible.started, good.answer("nps", 9))
    assert await queries.unprojected(db) == ["call-x-00000"]
    assert await queries.events(db, "call-x") == [impossible.started]
    assert [a.value for a in (await one(db)).answers] == ["9"]
    assert await writer.drain_once() == 0


@asynccontextmanager
async def running(writer: Writer) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    task = asyncio.create_task(writer.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def stored(db: Database, call_id: str, number: int) -> None:
    """Returns when so many events of the call are in the database."""
    while True:
        with suppress(StoreUnavailable):
            if len(await queries.events(db, call_id)) >= number:
                return
        await asyncio.sleep(0.01)


async def behind(writer: Writer, seconds: float) -> None:
    """Returns when the writer knows that it is so far behind."""
    while True:
        if writer.lag_s >= seconds:
            return
        await asyncio.sleep(0.01)


async def test_the_writer_goes_on_after_a_lost_database(
    db: Database, writer: Writer, folder: Path, clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    """PostgreSQL is killed in the middle; SQLite is held by somebody else. Nothing is lost or doubled."""
    talk = Talk("call-1", "attempt-1", direction="inbound")
    async with Spool.open(folder, "media-1") as spool, running(writer):
        await spool.commit(talk.started)
        await stored(db, "call-1", 1)
        async with away(db, request):
            await spool.commit(talk.answer("nps", 9))
            await spool.commit(talk.answer("resolved", "yes", "yes_no"))
            clock.advance(60)
            await behind(writer, 58)
        await stored(db, "call-1", 3)
        assert [a.value for a in (await one(db)).answers] == ["9", "yes"]
        await spool.commit(talk.ended())
        writer.wake()
        await stored(db, "call-1", 4)
    assert writer.lag_s == 0
    assert (await one(db)).attempt.disposition == "completed"
    await writer.drain_once()
    assert files(folder) == []


@asynccontextmanager
async def away(db: Database, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    if db.dialect == "postgresql":
        cluster: Postgres = request.getfixturevalue("postgres")
        await asyncio.to_thread(cluster.stop)
        try:
            yield
        finally:
            await asyncio.to_thread(cluster.start)
    else:
        assert db.url.database is not None
        other = sqlite3.connect(db.url.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.close()


async def test_a_writer_that_starts_without_its_database_knows_that_it_is_behind(
    folder: Path, clock: ManualClock
) -> None:
    async with Database.open(StoreSettings("postgresql+asyncpg://a:b@127.0.0.1:1/x")) as db:
        await spooled(folder, Talk("call-1", "attempt-1").started)
        writer = Writer(db, SpoolReader(folder), clock, QUICK)
        clock.advance(5)
        with pytest.raises(StoreUnavailable):
            await writer.drain_once()
        assert writer.lag_s == 5


async def test_what_is_stored_does_not_count_as_waiting_while_the_database_is_away(
    db: Database, writer: Writer, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its segment is still there, and where it ends cannot be asked for."""

    def away() -> None:
        raise StoreUnavailable("the database does not answer")

    talk = Talk("call-1", "attempt-1", direction="inbound")
    async with Spool.open(folder, "media-1") as spool:
        await spool.commit(talk.started)
        await writer.drain_once()
        waits = talk.answer("nps", 9)
        await spool.commit(waits)
        clock.advance(60)
        for do in ("read", "write"):
            monkeypatch.setattr(db, do, away)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await writer.drain_once()
            assert writer.lag_s == (clock.now() - waits.at).total_seconds()


async def test_a_writer_that_dies_after_its_commit_doubles_nothing(
    db: Database, folder: Path, clock: ManualClock
) -> None:
    """It had no time to remove the segment; the next one removes it and stores nothing again."""

    class Dies(SpoolReader):
        def remove(self, segment: str) -> None:
            raise KeyboardInterrupt

    talk = Talk("call-1", "attempt-1", direction="inbound")
    await spooled(folder, talk.started, talk.answer("nps", 9))

    async def first() -> None:
        await Writer(db, Dies(folder), clock).drain_once()

    with pytest.raises(KeyboardInterrupt):
        await first()
    assert len(files(folder)) == 1
    before = await one(db)
    await Writer(db, SpoolReader(folder), clock).drain_once()
    assert await one(db) == before
    assert files(folder) == []


async def test_the_last_events_are_stored_when_the_writer_stops(db: Database, folder: Path) -> None:
    writer = Writer(db, SpoolReader(folder), ManualClock(START), WriterSettings(poll_s=3600))
    async with running(writer):
        await spooled(folder, Talk("call-1", "attempt-1", direction="inbound").started)
    assert len(await queries.events(db, "call-1")) == 1


async def test_a_turn_waits_for_the_next_look_and_what_others_act_on_does_not(
    db: Database, folder: Path, clock: ManualClock
) -> None:
    sizes: list[int] = []

    class Counts(SpoolReader):
        def read(self, offsets: Mapping[str, int], limit: int = 500) -> list[Spooled]:
            found = super().read(offsets, limit)
            sizes.extend([len(found)] if found else [])
            return found

    writer = Writer(db, Counts(folder), clock, WriterSettings(poll_s=3600, gather_s=0))
    talk = Talk("call-1", "attempt-1", direction="inbound")
    async with Spool.open(folder, "media-1") as spool, running(writer):

        async def happens(event: CallEvent) -> None:
            await spool.commit(event)
            writer.saw(event)

        await writer.drain_once()  # its first look, which also asks how old the oldest event is
        await happens(talk.started)
        await stored(db, "call-1", 1)
        await writer.drain_once()  # whatever the writer was at is done
        for question in ("nps", "resolved", "why", "comment"):
            await happens(talk.answer(question, 9))
        await happens(talk.ended())
        await stored(db, "call-1", 6)
    assert sizes == [1, 5]


async def test_what_comes_soon_after_another_is_one_transaction(
    db: Database, folder: Path, clock: ManualClock
) -> None:
    """However often the writer is woken; and to stop, it waits for nothing."""
    writer = Writer(db, SpoolReader(folder), clock, WriterSettings(poll_s=3600, gather_s=3600))
    talk = Talk("call-1", "attempt-1", direction="inbound")
    async with Spool.open(folder, "media-1") as spool, running(writer):
        await spool.commit(talk.started)
        await writer.drain_once()
        for event in (talk.answered(), talk.ended()):
            await spool.commit(event)
            writer.saw(event)
        for _ in range(20):  # more than the writer would need
            assert len(await queries.events(db, "call-1")) == 1
    assert len(await queries.events(db, "call-1")) == 3
