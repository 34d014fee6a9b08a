from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.context import TurnSource
from bot.core.endings import Disposition, EndKind
from bot.core.errors import StoreUnavailable
from bot.core.events import (
    CallbackPromised,
    CallEvent,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverStarted,
    HoldEnded,
    HoldStarted,
    OptedOut,
    RecordingStarted,
    SignalRaised,
    SignalWithdrawn,
    TurnHeard,
)
from bot.core.intents import Topic
from bot.store import attempts, do_not_call, queries
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.settings import StoreSettings, WriterSettings
from bot.store.writer import Writer
from tests.postgres import Postgres
from tests.store.talk import START, Talk

QUICK = WriterSettings(batch=7, poll_s=0.01, backoff_s=0.02, backoff_max_s=0.05)

Keep = Callable[..., Awaitable[None]]


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


async def test_a_call_from_its_start_to_its_end(db: Database, keep: Keep, folder: Path) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    events = [
        talk.started,
        talk.answered(),
        talk.event(RecordingStarted, file="2026/call-1.wav"),
        talk.event(TurnHeard, question_id="nps", source=TurnSource.SPEECH, text="девять"),
        talk.answer("nps", 9),
        talk.answer("resolved", "yes", "yes_no"),
        talk.answer("why", ["price", "speed"], "choice"),
        talk.answer("comment", None, "open"),
        talk.ended(),
    ]
    await keep(*events)
    call = await one(db)
    attempt = call.attempt
    assert (attempt.id, attempt.direction, attempt.to_uri) == (
        "attempt-1", "inbound", "sip:+79001234567@trunk",
    )  # fmt: skip
    assert (attempt.phone, attempt.agent_id, attempt.department) == ("79001234567", "agent-7", "support")
    assert (attempt.status, attempt.disposition, attempt.end_cause) == ("final", "completed", "local_hangup")
    assert (attempt.worker, attempt.recording, attempt.duration_s) == ("media-1", "2026/call-1.wav", 42.5)
    assert (attempt.created_at, attempt.answered_at, attempt.ended_at, attempt.lease_until) == (
        START, START + timedelta(seconds=1), START + timedelta(seconds=8), None,
    )  # fmt: skip
    assert [(a.question_id, a.status, a.value, a.number) for a in call.answers] == [
        ("nps", "answered", "9", 9.0),
        ("resolved", "answered", "yes", None),
        ("why", "answered", "price,speed", None),
        ("comment", "refused", None, None),
    ]
    first = call.answers[0]
    assert (first.event_id, first.attempt_id, first.survey_hash) == ("call-1-00004", "attempt-1", "hash-1")
    assert (first.heard, first.confidence, first.source) == ("девять", 0.9, "speech")
    assert await queries.events(db, "call-1") == events
    assert files(folder) == [], "a drained segment that nobody writes is removed"


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


async def test_a_dialled_call_moves_its_attempt(db: Database, keep: Keep) -> None:
    queued = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash-1"), START)
    await attempts.claim_next(db, worker="media-1", now=START)
    talk = Talk("call-1", queued.id, contact_id=queued.contact_id or "")
    await keep(talk.started)
    assert (await one(db)).attempt.status == "dialling"
    await keep(talk.answered())
    assert (await one(db)).attempt.status == "live"
    await keep(talk.ended(Disposition.HUNG_UP, EndKind.REMOTE_HANGUP))
    call = await one(db)
    assert (call.attempt.id, call.attempt.disposition) == (queued.id, "hung_up")
    assert call.contact is not None
    assert call.contact.phone == "79001234567"
    assert (await queries.outcomes(db)).total == 1


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


async def test_the_later_answer_to_a_question_counts(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    first, second = talk.answer("nps", 9), talk.answer("nps", 8)
    await keep(talk.started, second, first)
    assert [(a.value, a.event_id) for a in (await one(db)).answers] == [("8", second.id)]


async def test_the_signals_of_a_corrected_answer_are_history(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1")
    low: dict[str, Any] = {"name": "low_score", "rule": "low_score"}
    await keep(talk.started, talk.answered(), talk.answer("nps", 2), talk.event(SignalRaised, **low))
    assert [signal.name for signal in (await one(db)).signals] == ["low_score"]
    waited: dict[str, Any] = {"name": "complaint", "rule": "intent:complain", "topic": Topic.WAITING}
    await keep(talk.event(SignalWithdrawn, **low), talk.answer("nps", 9), talk.event(SignalRaised, **waited))
    call = await one(db)
    assert [answer.number for answer in call.answers] == [9]
    assert [(signal.name, signal.topic) for signal in call.signals] == [("complaint", Topic.WAITING)]
    assert len([event for event in await queries.events(db, "call-1") if event.kind == "signal_raised"]) == 2


async def test_a_handover_that_is_talked(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(
        talk.started,
        talk.event(HandoverStarted, target="support", form="bridge", reason="complaint", whisper="два"),
        talk.event(HandoverRinging, target="support"),
        talk.event(HandoverFailed, target="support", reason="busy"),
        talk.event(HandoverStarted, target="support", form="bridge", reason="complaint"),
        talk.event(HandoverRinging, target="support"),
        talk.event(HandoverConnected, target="support"),
        talk.event(HoldStarted),
        talk.event(HoldEnded, held_s=4.0),
        talk.event(HoldStarted),
        talk.event(HoldEnded, held_s=2.5),
        talk.event(HandoverEnded, target="support", talk_s=31.5, by="caller"),
        talk.ended(Disposition.TRANSFERRED),
    )
    failed, talked = (await one(db)).handovers
    assert (failed.outcome, failed.failure, failed.talk_s) == ("failed", "busy", None)
    assert (failed.holds, talked.holds, talked.held_s) == (None, 2, 6.5)
    assert (talked.outcome, talked.talk_s, talked.ended_by) == ("ended", 31.5, "caller")
    assert talked.connected_at == START + timedelta(seconds=6)
    assert (talked.form, talked.reason) == ("bridge", "complaint")


@pytest.mark.parametrize(("connected", "outcome"), [(True, "ended"), (False, "failed")])
async def test_a_handover_ends_with_its_call(db: Database, keep: Keep, connected: bool, outcome: str) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    events = [talk.started, talk.event(HandoverStarted, target="a", form="blind", reason="r")]
    if connected:
        events.append(talk.event(HandoverConnected, target="a"))
    await keep(*events, talk.ended(Disposition.TRANSFERRED, EndKind.TRANSFERRED))
    [handover] = (await one(db)).handovers
    assert handover.outcome == outcome
    assert handover.ended_at is not None


async def test_a_promised_callback_is_open(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(
        talk.started, talk.event(CallbackPromised, when="завтра утром", by="agent", reason="complaint")
    )
    [callback] = await queries.open_callbacks(db)
    assert (callback.call_id, callback.attempt_id, callback.phone) == ("call-1", "attempt-1", "79001234567")
    assert (callback.promised_by, callback.when_said, callback.reason) == (
        "agent", "завтра утром", "complaint",
    )  # fmt: skip


async def test_an_opt_out_is_effective_at_once(db: Database, keep: Keep) -> None:
    queued = await attempts.queue_call(db, NewCall("sip:89001234567@trunk", "nps", "hash-1"), START)
    other = await attempts.queue_call(db, NewCall("sip:+79007654321@trunk", "nps", "hash-1"), START)
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.event(OptedOut, words="не звоните мне"), talk.ended(Disposition.OPTED_OUT))
    assert await queries.blocked(db, "tel:+7-900-123-45-67")
    assert not await queries.blocked(db, "sip:+79007654321@trunk")
    taken_back = await queries.attempt(db, queued.id)
    assert taken_back is not None
    assert (taken_back.status, taken_back.disposition) == ("final", "cancelled")
    left = await attempts.claim_next(db, worker="media-1", now=START)
    assert left is not None
    assert left.id == other.id
    told = [c.attempt.id for c in await queries.calls(db) if c.contact and c.contact.do_not_call_at]
    assert sorted(told) == sorted([queued.id, "attempt-1"])


async def test_his_own_word_outlives_the_list_on_which_he_stood(db: Database, keep: Keep) -> None:
    listed = ["79001234567", "79007654321"]
    await do_not_call.add(db, listed, source="list:old", words="", by="ops", now=START)
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.event(OptedOut, words="не звоните мне"), talk.ended(Disposition.OPTED_OUT))
    assert await do_not_call.remove_list(db, "old", reason="не тот файл", by="ops", now=START) == 1
    [proof] = await do_not_call.listed(db)
    assert (proof.row.phone, proof.row.source, proof.row.words) == ("79001234567", "call", "не звоните мне")
    assert proof.call is not None
    assert proof.call.id == "attempt-1"


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
        assert await writer.drain_once() == 20
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
