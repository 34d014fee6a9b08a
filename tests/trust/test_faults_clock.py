"""A wall clock that is set while people talk: it is for records, and nothing of a call depends on it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from bot.call.session import CallSession
from bot.core.clock import ManualClock
from bot.core.endings import Disposition
from bot.core.events import AnswerRecorded, CallEnded, CallEvent, ListeningStarted, PromptStarted, call_event
from bot.core.ids import new_id
from bot.settings_rooms import store_settings
from bot.sim.messages import PeerSpec, Perform, Report
from bot.sim.peer_process import PeerProcess
from bot.sim.script import Step
from bot.store import campaigns as store
from bot.store import queries
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import Attempt, AttemptStatus
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import Bench
from tests.call.loop_clock import LoopClock
from tests.call.test_session import END, NINE, NPS, prompt_ended, silences
from tests.node.heard import stored
from tests.node.test_calls import DEAD_AIR_S
from tests.node.test_dispatch import Link, parts, queued, started, states, until_placed, write_spool
from tests.trust import customers
from tests.trust.clustered import Clustered
from tests.trust.customers import Fault, two
from tests.trust.faults import nothing, one, well, whole

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
YES = Step(keys="1")
QUESTIONS = 6
"""Of the patient survey."""
LONGEST_S = 60.0
NO_INPUT_S = 2.0
"""So long the patient survey waits for an answer before it asks again."""


class JumpingClock(LoopClock):
    """A day ahead, a day back, and so on, whenever it is read."""

    def __init__(self) -> None:
        self._jumps = cycle((DAY, -DAY, timedelta()))

    def now(self) -> datetime:
        return super().now() + next(self._jumps)


def test_the_clock_jumps_in_a_call() -> None:
    """He hears what he would hear, and his answer is written down in its place."""
    bench = Bench()

    async def talk() -> tuple[Disposition, float]:
        bench.dialogue.replies.extend([(NPS,), (NINE, END)])
        leg = ScriptedLeg()
        room = replace(bench.room(), clock=JumpingClock())
        session = asyncio.create_task(CallSession(bench.plan(), room).inbound(leg))
        await prompt_ended(bench, 1)
        leg.press("9")
        return await session, max(silences(leg))

    disposition, silence_s = run(talk())
    assert disposition is Disposition.COMPLETED
    assert silence_s < 2.0
    assert [event.answer.value for event in bench.sink.of(AnswerRecorded)] == [9]
    seqs = [event.seq for event in bench.sink.events]
    assert seqs == sorted(seqs)


async def test_the_clock_jumps_ahead_of_every_lease(tmp_path: Path) -> None:
    """A call that is up stays so: its lease is renewed before anybody asks whether it is over."""
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        await db.upgrade()
        clock, link = ManualClock(), Link(lines=1)
        dispatcher, writer = parts(db, clock, link, tmp_path)
        attempt = await queued(db, clock, 1)
        await until_placed(dispatcher, link, writer, 1)
        write_spool(tmp_path / "worker-0.1.000001.spool", call_event.dump_json(started(attempt, clock)))
        clock.advance(DAY.total_seconds())
        await dispatcher._vouch(writer)
        assert await states(db, [attempt]) == [AttemptStatus.DIALLING]


# On a running node --------------------------------------------------------------------------------


@dataclass
class Set:
    """A call with a node whose clock was set a day ahead as it spoke first, and back when its leases had been
    looked at."""

    gone: str = field(default_factory=lambda: new_id("attempt"))
    other: str = field(default_factory=lambda: new_id("attempt"))
    missing: list[str] = field(default_factory=list)
    """What the node missed as its clock was off."""
    others: str = ""
    """The status of the other node's attempt, like that of his own."""
    call_id: str = ""
    events: list[CallEvent] = field(default_factory=list)
    status: str = ""
    """Of his attempt, as soon as the leases had been looked at."""
    back: bool = False
    """Whether it was set back while he talked."""
    reports: list[Report] = field(default_factory=list)


async def of_others(db: Database, told: Set) -> None:
    """An attempt of a node that is gone, whose lease is over: given up as soon as leases are looked at. And
    one of a node that lives and has an hour left."""
    now = datetime.now(UTC)
    async with db.write() as session:
        for attempt, left in ((told.gone, -HOUR), (told.other, HOUR)):
            session.add(
                Attempt(
                    id=attempt, survey_id="nps", survey_hash="h", direction="outbound",
                    to_uri="sip:other@test.invalid", phone="", status=AttemptStatus.DIALLING,
                    worker="other/worker-0", created_at=now, lease_until=now + left,
                )
            )  # fmt: skip


async def set_back(node: Clustered, told: Set) -> None:
    """As soon as leases were looked at with a clock that is off. Polled: it happens in another process."""
    async with Database.open(store_settings(node.node.settings)) as db:
        while not told.missing:
            told.missing = (await node.node.ask("status"))["missing"]
            await asyncio.sleep(0.1)
        await of_others(db, told)
        while True:
            gone = await queries.attempt(db, told.gone)
            if gone is not None and gone.status == AttemptStatus.FINAL:
                break
            await asyncio.sleep(0.1)
        other = await queries.attempt(db, told.other)
        told.others = "" if other is None else other.status
        his = await queries.call(db, told.call_id)
        told.status = "" if his is None else his.attempt.status
    node.set_clock(timedelta())


async def talk(node: Clustered, peer: PeerProcess, told: Set) -> None:
    """He answers each question at its second time, so that he talks for longer than it takes to look at the
    leases; at once when the clock is set back. None of it uses up the survey's patience."""
    asked, work = Counter[str](), list[asyncio.Task[None]]()
    async with asyncio.timeout(LONGEST_S), await node.node.connect() as control:
        await control.watch()
        told.call_id = (await control.request("place_call", to=peer.uri, survey="patient"))["call_id"]
        async for event in control.events():
            told.events.append(event)
            if isinstance(event, PromptStarted) and not work:
                node.set_clock(DAY)
                work.append(asyncio.create_task(set_back(node, told)))
            if isinstance(event, ListeningStarted):
                asked[event.question_id] += 1
                if asked[event.question_id] > 1 or work[0].done():
                    peer.tell(Perform(steps=(YES,)))
            if isinstance(event, CallEnded):
                break
        told.back = work[0].done()
        await work[0]


def test_the_clock_of_a_running_node_jumps_by_a_day_in_a_call(clustered_node: Clustered) -> None:
    """Ahead of every lease, and back: the caller notices nothing and is not rung again, what he said is
    stored as the clock stamped it, and the calls of other nodes are left to them."""
    node, told = clustered_node.node, Set()

    async def play() -> None:
        peer = await PeerProcess.start(PeerSpec(name="clocked", user="clocked"))
        try:
            await talk(clustered_node, peer, told)
            await peer.report(0, DEAD_AIR_S)
            whole(await asyncio.to_thread(one, node, "later", nothing))
        finally:
            clustered_node.set_clock(timedelta())
            await peer.close()
        told.reports = peer.reports

    asyncio.run(play())
    now = datetime.now(UTC)
    ahead = [event.at - now > DAY - HOUR for event in told.events]
    assert (ahead[0], any(ahead), ahead[-1]) == (False, True, False), "it jumped there and back in the call"
    assert (told.missing, told.back) == (["clock"], True)
    assert (told.status, told.others) == (AttemptStatus.LIVE, AttemptStatus.DIALLING), "their leases held"
    (report,) = told.reports
    assert report.longest_bot_silence_s < NO_INPUT_S + DEAD_AIR_S, "he lets it ask twice"
    found = stored(node, told.call_id)
    assert (found.attempt.status, found.attempt.disposition) == ("final", "completed")
    assert [answer.value for answer in found.answers] == ["yes"] * QUESTIONS
    kept = asyncio.run(node.ask("events", call_id=told.call_id))["events"]
    assert [call_event.validate_python(event).at for event in kept] == [event.at for event in told.events]
    well(node)


def test_the_clock_of_a_running_node_is_set_back_while_a_campaign_rings(clustered_node: Clustered) -> None:
    """Nobody is rung by tomorrow's clock, and what waits in the queue by it does not wait until tomorrow."""
    node = clustered_node.node

    async def breaks() -> None:
        clustered_node.set_clock(DAY)
        await until_said(clustered_node, lambda at: at > datetime.now(UTC) + HOUR)

    async def kept() -> None:
        while (await node.ask("status"))["missing"] != ["clock"]:  # noqa: ASYNC110  another process's
            await asyncio.sleep(0.1)

    async def mends() -> None:
        clustered_node.set_clock(timedelta())
        await until_said(clustered_node, lambda at: at < datetime.now(UTC) + HOUR)

    try:
        rung = two(node, "tomorrow", Fault(breaks, kept, mends))
    finally:
        clustered_node.set_clock(timedelta())
    customers.whole(rung)
    well(node)


async def until_said(node: Clustered, when: Callable[[datetime], bool]) -> None:
    """Until the node has told the others at such a time that it is there."""
    async with Database.open(store_settings(node.node.settings)) as db:
        while not any(when(row.seen_at) for row in await store.nodes(db, START)):  # noqa: ASYNC110  another's
            await asyncio.sleep(0.1)
