"""One person's data, erased from every table and from this node's files.

    sealed, queued calls taken back ─► calls by batches ─► contact, lists, wishes, log ─► scrubbed ─► done

Each step is one transaction, and what is sought stands in the erasure's own row until it is done: whoever
repeats the order after a crash goes on where it stopped. The figures stay, under an alias that is nobody's;
the number itself stays under a keyed hash only, so that it is never rung again.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.clock import Clock
from bot.core.errors import BadInput
from bot.core.ids import new_id
from bot.privacy.certificate import certificate
from bot.privacy.files import CallFiles
from bot.privacy.person import Person, calls_of, find_person
from bot.privacy.redaction import Counts, redact
from bot.privacy.remains import left_over
from bot.privacy.traces import forget_person
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.do_not_call import take_back_queued
from bot.store.sealed_numbers import ERASURE, seal, sealing_key
from bot.store.tables import Attempt, DoNotCall
from bot.store.tables_privacy import Erased, ErasureRow, ErasureState, SealedNumberRow
from bot.words import words

BATCH = 20
"""Calls of one transaction: calls that go on wait for it, and no longer."""

Progress = Callable[[int], None]
"""Told how many of his calls are done."""


class _Undo(Exception):
    """Ends a transaction that was only to count."""


class Eraser:
    """`files` are this node's. `audit` is the line of whoever gave the order on a page."""

    def __init__(self, db: Database, files: CallFiles, clock: Clock) -> None:
        self._db = db
        self._files = files
        self._clock = clock

    async def preview(self, phone: str) -> Counts:
        """What `erase` would erase, by kind; nothing changes. Raises BadInput while he is on the line."""
        counts: Counts = Counter()
        try:
            async with self._db.write() as session:
                person = await find_person(session, phone)
                attempts = await calls_of(session, person)
                names = [attempt.recording for attempt in attempts]
                counts["recordings"] = len(self._files.recorded(names))
                counts += await _redacted(session, attempts, "erased", self._clock)
                counts += await forget_person(session, person, "erased", await sealing_key(session))
                raise _Undo
        except _Undo:
            return +counts

    async def erase(
        self,
        phone: str,
        *,
        by: str,
        reason: str,
        audit: AuditRow | None = None,
        progress: Progress | None = None,
    ) -> ErasureRow:
        """The erasure, done; that of before where nothing of him is left. Raises BadInput where nobody knows
        the number, or while he is on the line; StoreUnavailable, DiskFull: then the same order goes on."""
        row = await self.begin(phone, by=by, reason=reason, audit=audit)
        return await self.finish(row, phone, progress=progress)

    async def before(self, phone: str) -> ErasureRow | None:
        """The last erasure of this number, done or not."""
        async with self._db.write() as session:  # the key is made by whoever asks for it first
            return await _last(session, seal(await sealing_key(session), phone))

    async def finish(self, row: ErasureRow, phone: str, *, progress: Progress | None = None) -> ErasureRow:
        """What `begin` gave, done. Raises as `erase`."""
        if row.state == ErasureState.DONE:
            return row
        person = Person.model_validate_json(row.todo) if row.todo else Person(phones=(phone,))
        done = 0
        while batch := await self._calls(person):
            done += await self._erase_calls(row, batch)
            if progress is not None:
                progress(done)
        async with self._db.write() as session:
            counts = await forget_person(session, person, row.alias, await sealing_key(session))
            await _add(session, row.id, counts)
            await _set(session, row.id, todo="")  # it names him: before the files are scrubbed
        await self._db.scrub()
        left = await left_over(self._db, person.phones)
        async with self._db.write() as session:
            counts_of = {**(await _row(session, row.id)).counts, "left": left}
            done_at = self._clock.now()
            row = await _set(session, row.id, state=ErasureState.DONE, done_at=done_at, counts=counts_of)
            return await _set(session, row.id, certificate=certificate(row, row.shown)["sha256"])

    async def begin(self, phone: str, *, by: str, reason: str, audit: AuditRow | None = None) -> ErasureRow:
        """The erasure's row, for `finish`; that of before where one goes on, or where nothing of him is left.
        Raises as `erase`."""
        async with self._db.write() as session:
            key = await sealing_key(session)
            before = await _last(session, seal(key, phone))
            if before is not None and not before.shown:  # of a version that did not keep it
                await _set(session, before.id, counts={**before.counts, "shown": shown(phone)})
            if before is not None and before.state == ErasureState.RUNNING:
                return before
        if not await self.preview(phone):
            if before is not None:
                return before
            raise BadInput(
                words("об этом номере ничего не хранится", "nothing is kept about this number"),
                hint=words("проверьте цифры", "check its digits"),
            )
        async with self._db.write() as session:
            person = await find_person(session, phone)
            await calls_of(session, person)  # nobody is on the line
            now = self._clock.now()
            row = ErasureRow(
                id=new_id("erasure"),
                sealed=seal(key, phone),
                alias=f"erased-{secrets.token_hex(8)}",
                todo=person.model_dump_json(),
                counts={"shown": shown(phone)},
                by=by,
                reason=reason,
                begun_at=now,
            )
            for number in person.phones:
                listed = await session.get(DoNotCall, number)
                sealed = SealedNumberRow(
                    sealed=seal(key, number),
                    at=listed.at if listed else now,
                    source=listed.source if listed else ERASURE,
                    erasure_id=row.id,
                )
                await session.merge(sealed)
            await take_back_queued(session, person.phones, now)
            session.add(row)
            if audit is not None:
                audit.subject_id = row.id
                session.add(audit)
        return row

    async def _calls(self, person: Person) -> list[Attempt]:
        async with self._db.read() as session:
            return list(await calls_of(session, person, limit=BATCH))

    async def _erase_calls(self, row: ErasureRow, batch: list[Attempt]) -> int:
        """Files first: as long as the table knows the calls, whoever repeats the order finds their files."""
        calls = [attempt.call_id for attempt in batch if attempt.call_id]
        gone = await self._files.erase(self._db, calls, [attempt.recording for attempt in batch])
        async with self._db.write() as session:
            ids = [attempt.id for attempt in batch]
            attempts = (await session.exec(select(Attempt).where(col(Attempt.id).in_(ids)))).all()
            counts = await _redacted(session, attempts, row.alias, self._clock)
            await _add(session, row.id, counts + gone)
        return len(batch)


def shown(phone: str) -> str:
    """The number as a certificate and the audit log have it."""
    return f"…{phone[-2:]}"


async def _last(session: AsyncSession, sealed: str) -> ErasureRow | None:
    known = select(ErasureRow).where(col(ErasureRow.sealed) == sealed)
    return (await session.exec(known.order_by(col(ErasureRow.begun_at).desc()).limit(1))).first()


async def _redacted(session: AsyncSession, attempts: Sequence[Attempt], alias: str, clock: Clock) -> Counts:
    of_all = {attempt.phone: alias for attempt in attempts}
    return await redact(session, attempts, Erased.PERSON, of_all, clock.now())


async def _add(session: AsyncSession, erasure_id: str, counts: Counts) -> None:
    row = await _row(session, erasure_id)
    erased = Counter(row.counts.get("erased", {})) + counts
    await _set(session, erasure_id, counts={**row.counts, "erased": dict(sorted(erased.items()))})


async def _set(session: AsyncSession, erasure_id: str, **values: Any) -> ErasureRow:
    row = await _row(session, erasure_id)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    return row


async def _row(session: AsyncSession, erasure_id: str) -> ErasureRow:
    row = await session.get(ErasureRow, erasure_id)
    assert row is not None, "rows of erasures are never deleted"
    return row
