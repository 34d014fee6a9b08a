"""Drains the spools into SQL: every event exactly once, whatever dies in between.

A batch of events, what they change in the other tables, and how far the spool has been drained are
one transaction. When the database is away, the events stay in the spool and the writer tries again;
when the writer dies between its commit and the removal of a segment, the events come again and are
known by their ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, delete, func, or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from bot.core.clock import Clock
from bot.core.errors import DiskFull, StoreUnavailable
from bot.core.events import (
    AnswerRecorded,
    CallEvent,
    ListeningStarted,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    PromptStarted,
    ReplyMeasured,
    TalkHeard,
    TurnHeard,
    TurnUnderstood,
    call_event,
)
from bot.store.changes import Change, Changes, Executed, gathered, given, made, named
from bot.store.database import Database
from bot.store.outbox import messages
from bot.store.projection import insert_into, project
from bot.store.settings import WriterSettings
from bot.store.tables import Attempt, AttemptStatus, CallEventRow, SpoolOffset

log = structlog.get_logger(__name__)

UNHURRIED = (
    PromptStarted,
    PromptPaused,
    PromptResumed,
    PromptEnded,
    ListeningStarted,
    TurnHeard,
    TurnUnderstood,
    ReplyMeasured,
    AnswerRecorded,
    TalkHeard,
)
"""Kinds by which nobody decides anything while the call goes on: most of what happens in one. Durable they
are at once, in the spool; in the tables with the next look."""


class SpooledEvent(Protocol):
    """One durable event, the worker it comes from, and the place just after it."""

    @property
    def segment(self) -> str: ...
    @property
    def worker(self) -> str: ...
    @property
    def end(self) -> int: ...
    @property
    def event(self) -> CallEvent: ...


class EventSource(Protocol):
    """The spools of a node; `bot.call.spool.SpoolReader` is one. Its methods block."""

    def read(self, offsets: Mapping[str, int], limit: int) -> Sequence[SpooledEvent]: ...

    def drained(self, offsets: Mapping[str, int]) -> list[str]: ...

    def remove(self, segment: str) -> None: ...


class Writer:
    """The one that writes call events. One for each node: it drains the spools of all its workers."""

    def __init__(
        self, db: Database, source: EventSource, clock: Clock, settings: WriterSettings | None = None
    ) -> None:
        self._db = db
        self._source = source
        self._clock = clock
        self._settings = settings or WriterSettings()
        self._offsets: dict[str, int] | None = None
        self._known: dict[str, int] = {}
        self._oldest: datetime | None = None
        self._draining = asyncio.Lock()
        self._wake = asyncio.Event()

    @property
    def lag_s(self) -> float:
        """Age in seconds of the oldest event that is known and not in the database; 0 when there is none."""
        return max(0.0, (self._clock.now() - self._oldest).total_seconds()) if self._oldest else 0.0

    def wake(self) -> None:
        """There is something to drain: do not wait for the next look."""
        self._wake.set()

    def saw(self, event: CallEvent) -> None:
        """A call's event, which is in a spool by now: others act on what it changes in the tables."""
        if not isinstance(event, UNHURRIED):
            self.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Drain until `stop`, and then once more."""
        settings = self._settings
        failures = 0
        while not stop.is_set():
            self._wake.clear()
            try:
                await self.drain_once()
                failures = 0
                await self._pause(stop, min(settings.gather_s, settings.poll_s), wakes=False)
                await self._pause(stop, max(0.0, settings.poll_s - settings.gather_s), wakes=True)
            except (StoreUnavailable, DiskFull) as error:
                pause = min(settings.backoff_max_s, settings.backoff_s * 2**failures)
                failures = min(failures + 1, 30)
                log.warning("store away, events wait", reason=error.message, lag_s=self.lag_s, retry_s=pause)
                await self._pause(stop, pause, wakes=False)
        try:
            await self.drain_once()
        except (StoreUnavailable, DiskFull) as error:
            log.warning("events left in the spool", reason=error.message, lag_s=self.lag_s)

    async def drain_once(self) -> int:
        """Store everything that is durable now; how many events were read.

        Raises StoreUnavailable, DiskFull; nothing is lost by either, and calling it again goes on.
        """
        async with self._draining:
            drained = 0
            while True:
                if self._offsets is None:
                    await self._note_oldest(self._known)
                    self._offsets = await self._stored_offsets()
                batch = await asyncio.to_thread(self._source.read, self._offsets, self._settings.batch)
                self._oldest = batch[0].event.at if batch else None
                if not batch:
                    await self._remove_drained(self._offsets)
                    return drained
                await self._store(batch)
                drained += len(batch)

    async def _pause(self, stop: asyncio.Event, seconds: float, *, wakes: bool) -> None:
        waits = [asyncio.ensure_future(stop.wait())]
        if wakes:
            waits.append(asyncio.ensure_future(self._wake.wait()))
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _note_oldest(self, offsets: Mapping[str, int]) -> None:
        first = await asyncio.to_thread(self._source.read, offsets, 1)
        self._oldest = first[0].event.at if first else None

    async def _stored_offsets(self) -> dict[str, int]:
        async with self._db.read() as session:
            return {row.segment: row.end for row in (await session.exec(select(SpoolOffset))).all()}

    async def _store(self, batch: Sequence[SpooledEvent]) -> None:
        ends = {spooled.segment: spooled.end for spooled in batch}
        try:
            async with self._db.write() as session:
                connection = await session.connection()
                await connection.run_sync(self._store_all, batch, ends)
        except (StoreUnavailable, DiskFull):
            assert self._offsets is not None
            # Another writer may have gone on meanwhile; what is stored stays so.
            self._known, self._offsets = self._offsets, None
            raise
        except SQLAlchemyError as error:
            log.error("a batch of events was refused, storing one by one", error=type(error).__name__)
            await self._store_singly(batch)
        assert self._offsets is not None
        self._offsets.update(ends)

    def _store_all(
        self, connection: Connection, batch: Sequence[SpooledEvent], ends: Mapping[str, int]
    ) -> None:
        fresh = self._keep(connection, batch)
        _execute(connection, gathered(self._changes(fresh)))
        self._renew_leases(connection, fresh)
        self._note_ends(connection, ends)

    async def _store_singly(self, batch: Sequence[SpooledEvent]) -> None:
        """One event that the tables cannot take must not hold up the others, nor be lost itself."""
        for spooled in batch:
            async with self._db.write() as session:
                connection = await session.connection()
                await connection.run_sync(self._store_single, spooled)

    def _store_single(self, connection: Connection, spooled: SpooledEvent) -> None:
        if self._keep(connection, [spooled]):
            _execute(connection, self._messages(spooled.event))
            try:
                with connection.begin_nested():
                    _execute(connection, self._projected(spooled))
            except SQLAlchemyError as error:
                # Its parameters are personal data: the log gets the event's id alone.
                reason = str(getattr(error, "orig", error)).partition("\n")[0]
                log.error("event kept, but not projected", event_id=spooled.event.id, reason=reason)
                connection.execute(
                    update(CallEventRow)
                    .where(col(CallEventRow.event_id) == spooled.event.id)
                    .values(projected=False)
                )
        self._note_ends(connection, {spooled.segment: spooled.end})

    def _keep(self, connection: Connection, batch: Sequence[SpooledEvent]) -> list[SpooledEvent]:
        """Store the events themselves; those that were not stored before."""
        events = {spooled.event.id: spooled for spooled in reversed(batch)}
        rows = [
            {
                "event_id": event_id,
                "call_id": spooled.event.call_id,
                "seq": spooled.event.seq,
                "at": spooled.event.at,
                "kind": spooled.event.kind,
                "json": call_event.dump_json(spooled.event).decode(),
            }
            for event_id, spooled in events.items()
        ]
        new = set(connection.execute(_keeping(self._db.dialect), rows).scalars())
        return [spooled for event_id, spooled in reversed(events.items()) if event_id in new]

    def _messages(self, event: CallEvent) -> Changes:
        """Whoever is to be told of this will be, even where the tables cannot take it."""
        return made(*messages(event, insert_into(self._db.dialect)))

    def _projected(self, spooled: SpooledEvent) -> Changes:
        return project(spooled.event, self._db.dialect, spooled.worker)

    def _changes(self, fresh: Sequence[SpooledEvent]) -> Iterator[tuple[str, Change]]:
        """By call; of each event first its messages."""
        for spooled in fresh:
            for change in (*self._messages(spooled.event), *self._projected(spooled)):
                yield spooled.event.call_id, change

    def _renew_leases(self, connection: Connection, fresh: Sequence[SpooledEvent]) -> None:
        """Who is heard of lives. Counted from the event, so that a dead call's backlog wakes nobody."""
        lease = timedelta(seconds=self._settings.lease_s)
        heard = {spooled.event.call_id: spooled.event.at for spooled in fresh}
        if heard:
            values = [named(call_id=call_id, at=at, until=at + lease) for call_id, at in heard.items()]
            connection.execute(_RENEWING, values)

    def _note_ends(self, connection: Connection, ends: Mapping[str, int]) -> None:
        values = [{"segment": segment, "drained_to": end} for segment, end in ends.items()]
        connection.execute(_noting(self._db.dialect), values)

    async def _remove_drained(self, offsets: dict[str, int]) -> None:
        """First the note, then the file: dying between the two only means to drain it again."""
        drained = await asyncio.to_thread(self._source.drained, offsets)
        if not drained:
            return
        async with self._db.write() as session:
            await session.exec(delete(SpoolOffset).where(col(SpoolOffset.segment).in_(drained)))
        for segment in drained:
            offsets.pop(segment, None)
            with suppress(FileNotFoundError):
                await asyncio.to_thread(self._source.remove, segment)


def _execute(connection: Connection, changes: Iterable[Change | Executed]) -> None:
    for change in changes:
        connection.execute(*change)


# What every batch executes, made once (see `changes`) ---------------------------------------------


@cache
def _keeping(dialect: str) -> Any:
    return insert_into(dialect)(CallEventRow).on_conflict_do_nothing().returning(col(CallEventRow.event_id))


@cache
def _noting(dialect: str) -> Any:
    statement = insert_into(dialect)(SpoolOffset)
    return statement.on_conflict_do_update(
        index_elements=["segment"], set_={"drained_to": statement.excluded.drained_to}
    )


_RENEWING = (
    update(Attempt)
    .where(
        col(Attempt.call_id) == given("call_id"),
        # Not IN: its list is spelled out anew for each row, which a statement for many rows cannot be.
        or_(col(Attempt.status) == AttemptStatus.DIALLING, col(Attempt.status) == AttemptStatus.LIVE),
        func.coalesce(col(Attempt.lease_until), given("at", Attempt.lease_until)) < given("until"),
    )
    .values(lease_until=given("until"))
)
