"""What becomes of the queue, and of the calls of a worker, at the edges of a worker's life."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.call.spool import SpoolReader
from bot.core.clock import ManualClock
from bot.core.control import ControlServer
from bot.core.endings import Disposition
from bot.core.errors import StoreUnavailable, Unavailable
from bot.core.events import Answered, CallEvent, CallStarted, HandoverStarted, call_event
from bot.core.ids import call_of
from bot.dispatch import VOUCH_S, Dispatcher, Placing
from bot.store import cases, queries
from bot.store.attempts import NewCall, lease, queue_call, recover_expired
from bot.store.database import Database
from bot.store.settings import LEASE_S
from bot.store.tables import Attempt, AttemptStatus
from bot.store.writer import Writer
from bot.worker_link import WorkerLink
from tests.databases import database_at


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_at(tmp_path / "otklik.sqlite") as database:
        yield database


class Link:
    """A worker with `lines` lines, as control sees it; `looked` is set when its state was asked for."""

    def __init__(self, lines: int) -> None:
        self.connected = asyncio.Event()
        self.connected.set()
        self.looked = asyncio.Event()
        self.draining = False
        self.lines = lines
        self.placed: list[str] = []
        self.over: set[str] = set()

    async def request(self, do: str, **params: Any) -> dict[str, Any]:
        if do == "place":
            self.placed.append(params["context"]["call_id"])
            return {}
        self.looked.set()
        free = self.lines - len(self.placed)
        live = [call_id for call_id in self.placed if call_id not in self.over]
        return {"draining": self.draining, "free_lines": free, "call_ids": live, "pid": 1}


async def queued(db: Database, clock: ManualClock, number: int) -> str:
    call = NewCall(to_uri=f"sip:+7495000000{number}@pbx", survey_id="nps", survey_hash="h")
    return (await queue_call(db, call, clock.now())).id


async def until_placed(dispatcher: Dispatcher, link: Link, writer: Writer, count: int) -> None:
    """The dispatcher at work until it has placed this many and looked for more."""
    work = asyncio.create_task(dispatcher.run(writer))
    async with asyncio.timeout(10):
        while len(link.placed) < count or not link.looked.is_set():
            link.looked.clear()
            await link.looked.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def parts(db: Database, clock: ManualClock, link: Link, tmp_path: Path) -> tuple[Dispatcher, Writer]:
    writer = Writer(db, SpoolReader(tmp_path), clock=clock)
    return Dispatcher(db, link, clock, "worker-0"), writer  # type: ignore[arg-type]


async def states(db: Database, attempts: list[str]) -> list[str]:
    calls = {call.attempt.id: call for call in await queries.calls(db, attempt_ids=tuple(attempts))}
    return [calls[attempt].attempt.status for attempt in attempts]


async def test_more_calls_than_lines_wait_for_one(db: Database, tmp_path: Path) -> None:
    clock, link = ManualClock(), Link(lines=2)
    dispatcher, writer = parts(db, clock, link, tmp_path)
    attempts = []
    for number in range(3):
        attempts.append(await queued(db, clock, number))
        clock.advance(1)
    await until_placed(dispatcher, link, writer, 2)
    assert link.placed == [call_of(attempt) for attempt in attempts[:2]]
    assert await states(db, attempts) == [AttemptStatus.DIALLING] * 2 + [AttemptStatus.QUEUED]


async def test_a_node_that_stops_leaves_the_queue_as_it_is(db: Database, tmp_path: Path) -> None:
    clock, link = ManualClock(), Link(lines=2)
    link.draining = True
    dispatcher, writer = parts(db, clock, link, tmp_path)
    attempt = await queued(db, clock, 1)
    await until_placed(dispatcher, link, writer, 0)
    assert link.placed == []
    assert await states(db, [attempt]) == [AttemptStatus.QUEUED]


async def test_nobody_is_rung_while_the_dialogue_is_away(db: Database, tmp_path: Path) -> None:
    clock, link = ManualClock(), Link(lines=2)
    _, writer = parts(db, clock, link, tmp_path)
    missing = ["rasa"]
    dispatcher = Dispatcher(db, link, clock, "worker-0", lambda: missing)  # type: ignore[arg-type]
    attempt = await queued(db, clock, 1)
    await until_placed(dispatcher, link, writer, 0)
    assert await states(db, [attempt]) == [AttemptStatus.QUEUED]
    missing.clear()
    dispatcher.look()
    await until_placed(dispatcher, link, writer, 1)
    assert link.placed == [call_of(attempt)]


async def test_a_worker_that_dies_as_it_is_asked_does_not_end_the_node(db: Database, tmp_path: Path) -> None:
    class Dying(Link):
        async def request(self, do: str, **params: Any) -> dict[str, Any]:
            if not self.looked.is_set():
                self.looked.set()
                raise Unavailable("the media worker is being started again")
            return await super().request(do, **params)

    clock, link = ManualClock(), Dying(lines=2)
    dispatcher, writer = parts(db, clock, link, tmp_path)
    work = asyncio.create_task(dispatcher.run(writer))
    await asyncio.wait({work}, timeout=0.5)
    assert not work.done()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_a_live_call_is_not_given_up_for_the_database_having_been_away(
    db: Database, tmp_path: Path
) -> None:
    """Its first event waits in the spool: SQL does not know yet which call the attempt's is."""
    clock, link = ManualClock(), Link(lines=2)
    dispatcher, writer = parts(db, clock, link, tmp_path)
    attempt = await queued(db, clock, 1)
    await until_placed(dispatcher, link, writer, 1)
    write_spool(tmp_path / "worker-0.1.000001.spool", call_event.dump_json(started(attempt, clock)))
    work = asyncio.create_task(dispatcher.run(writer))
    async with asyncio.timeout(10):
        link.looked.clear()
        await link.looked.wait()
        clock.advance(LEASE_S + VOUCH_S)
        dispatcher._grown.set()
        for _ in range(2):  # for the queue, and for the leases
            link.looked.clear()
            await link.looked.wait()
        dispatcher._grown.set()
        link.looked.clear()
        await link.looked.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    (call,) = await queries.calls(db, attempt_ids=(attempt,))
    assert call.attempt.disposition != Disposition.INTERRUPTED
    assert call.attempt.status == AttemptStatus.DIALLING


async def test_a_call_that_ended_without_a_word_is_final_long_before_its_lease(
    db: Database, tmp_path: Path
) -> None:
    """Its worker's disk was full: no event told its end, and none its beginning."""
    clock, link = ManualClock(), Link(lines=2)
    dispatcher, writer = parts(db, clock, link, tmp_path)
    gone, talking = await queued(db, clock, 1), await queued(db, clock, 2)
    await until_placed(dispatcher, link, writer, 2)
    link.over.add(call_of(gone))
    clock.advance(VOUCH_S)
    await dispatcher._vouch(writer)
    assert await states(db, [gone, talking]) == [AttemptStatus.FINAL, AttemptStatus.DIALLING]
    (call,) = await queries.calls(db, attempt_ids=(gone,))
    assert call.attempt.disposition == Disposition.INTERRUPTED


async def test_what_a_worker_said_counts_though_it_died_while_the_database_was_away(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node gives its calls up as soon as the database is back, and does not see its spool."""
    clock, link = ManualClock(), Link(lines=2)
    dispatcher, writer = parts(db, clock, link, tmp_path)
    gone, talking = await queued(db, clock, 1), await queued(db, clock, 2)
    await until_placed(dispatcher, link, writer, 2)

    async def away() -> int:
        raise StoreUnavailable("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "drain_once", away)
        await dispatcher.recover(writer)
    clock.advance(LEASE_S)
    assert len(await recover_expired(db, clock.now())) == 2
    link.over.add(call_of(gone))  # the other one is of the worker that is there now
    said = [event for attempt in (gone, talking) for event in sought(attempt, clock)]
    write_spool(tmp_path / "worker-0.1.000001.spool", *map(call_event.dump_json, said))
    for _ in range(2):
        await dispatcher._vouch(writer)
        calls = {call.attempt.id: call for call in await queries.calls(db, attempt_ids=(gone, talking))}
        assert [each.outcome for each in calls[gone].handovers] == ["failed"]
        assert [owed.reason for owed in calls[gone].callbacks] == ["interrupted"]
        assert [case.row.call_id for case in await cases.cases(db)] == [call_of(gone)]
        assert [each.outcome for each in calls[talking].handovers] == ["started"]
        assert calls[talking].callbacks == ()


def sought(attempt: str, clock: ManualClock) -> list[CallEvent]:
    """A call up to the moment when a person is being sought."""
    begun = started(attempt, clock)
    head = {"call_id": begun.call_id, "at": begun.at}
    answered = Answered(**head, seq=1, codec="PCMA", rate=8000)
    return [begun, answered, HandoverStarted(**head, seq=2, target="support", form="bridge", reason="asked")]


def started(attempt: str, clock: ManualClock) -> CallStarted:
    return CallStarted(
        call_id=call_of(attempt),
        seq=0,
        at=clock.now(),
        direction="outbound",
        remote="sip:+74950000001@pbx",
        survey_id="nps",
        survey_hash="h",
        attempt_id=attempt,
    )


def write_spool(path: Path, *bodies: bytes) -> None:
    path.write_bytes(b"".join(b"%08x %s\n" % (zlib.crc32(body), body) for body in bodies))


async def test_a_connection_that_breaks_is_no_dead_worker(tmp_path: Path) -> None:
    socket, pid = tmp_path / "w.sock", 7
    lost, asked = asyncio.Event(), asyncio.Queue[None]()

    async def status(params: dict[str, Any]) -> dict[str, Any]:
        asked.put_nowait(None)
        return {"pid": pid}

    async def on_lost() -> None:
        lost.set()

    server = ControlServer(socket)
    server.register("status", status)
    await server.start()
    link = WorkerLink(socket, on_event=lambda event: None, on_lost=on_lost)
    work = asyncio.create_task(link.run())
    async with asyncio.timeout(20):
        await asked.get()
        for connection in tuple(server._connections):
            connection.transport.abort()  # as a watcher is cut off that does not read
        await asked.get()  # whether it lives
        await asked.get()  # and anew
        assert not lost.is_set()
        await server.close()
        await lost.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_a_call_that_is_being_placed_is_not_taken_for_one_that_is_over(
    db: Database, tmp_path: Path
) -> None:
    """Campaigns are dialled beside the queue: the leases may be looked at in the middle of it."""

    class Slow(Link):
        placing, go_on = asyncio.Event(), asyncio.Event()

        async def request(self, do: str, **params: Any) -> dict[str, Any]:
            if do == "place":
                self.placing.set()
                await self.go_on.wait()
            return await super().request(do, **params)

    clock, link = ManualClock(), Slow(lines=2)
    dispatcher, writer = parts(db, clock, link, tmp_path)
    attempt_id = await queued(db, clock, 1)

    async def claim(which: str, worker: str) -> tuple[Attempt, Placing] | None:
        attempt = await lease(db, which, worker=worker, now=clock.now())
        return None if attempt is None else (attempt, Placing(caller={"number": "+74951234567"}))

    dialling = asyncio.create_task(dispatcher.dial(attempt_id, claim))
    await link.placing.wait()
    looking = asyncio.create_task(dispatcher._vouch(writer))
    await asyncio.sleep(0)
    link.go_on.set()
    assert await dialling
    await looking
    assert await states(db, [attempt_id]) == [AttemptStatus.DIALLING]
    assert not await dispatcher.dial(attempt_id, claim), "it is dialled already"
