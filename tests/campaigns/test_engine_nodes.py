"""Several nodes on one PostgreSQL and one Redis: claims race, a node is killed, one of the two goes away."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from bot.call.spool import SpoolReader
from bot.campaigns.claiming import claim
from bot.campaigns.facts import CampaignState
from bot.core.clock import ManualClock
from bot.core.endings import Disposition, RetryCause
from bot.core.events import AnswerRecorded, CallEnded, CallEvent, HandoverConnected, HandoverStarted
from bot.core.events.event import Event
from bot.core.ids import call_of
from bot.store import campaigns as store
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import AnswerRow, Attempt, AttemptStatus, Handover, HandoverOutcome
from bot.store.tables_cases import CaseRow
from bot.surveys.schema import Survey
from tests.campaigns.node_process import AGENT, WANTS_HUMAN, Play, SteppedClock
from tests.campaigns.processes import LONGEST_S, Process, Site, node
from tests.campaigns.stage import MONDAY_NOON, Stage, at_once, campaign
from tests.postgres import Postgres, running_postgres
from tests.redis_server import RedisServer, running_redis

ZONES = tuple(f"Etc/GMT{offset:+d}" for offset in range(-14, 13))
CONTACTS = 24
INTERVAL = timedelta(minutes=1)
"""After which the campaign rings again whom a node's death cut off."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def upgraded(postgres: Postgres) -> str:
    """The name of a database with all tables and nothing in them: a copy costs less than every migration."""

    async def make() -> str:
        url = await postgres.new_database()
        async with Database.open(StoreSettings(url)) as database:
            await database.upgrade()
        return url.rpartition("/")[2]

    return asyncio.run(make())


@pytest.fixture
async def url(postgres: Postgres, upgraded: str) -> str:
    return await postgres.new_database(upgraded)


@pytest.fixture
def site(url: str, redis: RedisServer, tmp_path: Path) -> Site:
    return Site(url, redis.url, tmp_path)


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    async with Database.open(StoreSettings(url)) as database:
        yield database


# Claims -----------------------------------------------------------------------------------------


async def test_of_many_nodes_that_claim_at_once_one_has_it(stage: Stage, url: str) -> None:
    await stage.contacts("anna", "boris")
    await stage.start(campaign("first"))
    await stage.start(campaign("second"))
    queued = [*(await stage.tick("first")).queued, *(await stage.tick("second")).queued]
    assert len(queued) == 4
    others = [Database.open(StoreSettings(url)) for _ in range(4)]
    try:
        claimed = await at_once(
            *(
                claim(db, attempt_id, worker=f"n{number}/worker-0", now=stage.now, surveys=stage.published)
                for number, db in enumerate(others)
                for attempt_id in queued
            )
        )
    finally:
        for db in others:
            await db.close()
    had = [attempt for attempt in claimed if attempt is not None]
    assert sorted(attempt.contact_id or "" for attempt in had) == ["anna", "boris"]
    stored = await stage.attempts()
    assert sum(attempt.status == AttemptStatus.DIALLING for attempt in stored) == 2


async def test_nodes_that_choose_at_once_choose_everybody_once(
    stage: Stage, survey: Survey, url: str
) -> None:
    await stage.contacts(*(f"c{number}" for number in range(20)))
    await stage.start(campaign())
    async with Database.open(StoreSettings(url)) as other:
        twin = Stage(other, ManualClock(MONDAY_NOON), survey)
        await at_once(stage.tick(), twin.tick(), stage.tick(), twin.tick())
    stored = await stage.attempts()
    assert Counter(attempt.contact_id for attempt in stored).most_common(1)[0][1] == 1
    assert len(stored) == 20


async def test_an_opt_out_and_a_claim_do_not_pass_each_other(stage: Stage, url: str) -> None:
    """Whichever is first: after an opt-out nobody is dialled, and neither of them waits for ever."""
    names = [f"c{number}" for number in range(10)]
    await stage.contacts(*names)
    await stage.start(campaign("first", pacing={"lines": 50, "per_second": 50, "agents": False}))
    talking = await stage.dial("first")
    for attempt in talking:
        await stage.happens(stage.answered(attempt))
    await stage.start(campaign("second"))
    for attempt in talking:
        await stage.ends(attempt, Disposition.BUSY, after_s=0)
    queued = (await stage.tick("second")).queued
    said_no = [stage.happens(stage.opt_out(attempt)) for attempt in talking]
    results = await at_once(*(stage.claim(attempt_id) for attempt_id in queued), *said_no)
    dialled = [each for each in results[: len(queued)] if each is not None]
    assert len(queued) == 10
    finals = [each for each in await stage.attempts() if each.campaign_id == "second"]
    cancelled = [each for each in finals if each.disposition == Disposition.CANCELLED]
    assert len(dialled) + len(cancelled) == len(queued)


# Processes --------------------------------------------------------------------------------------


async def start_big(db: Database, survey: Survey, *, ends: str = "", contacts: int = CONTACTS) -> Stage:
    """A campaign of so many who may all be rung at this hour, wherever that is. Every third contact's id has
    this end."""
    stage = Stage(db, SteppedClock(), survey)  # type: ignore[arg-type]
    zone = next(name for name in ZONES if stage.now.astimezone(ZoneInfo(name)).hour == 12)
    await stage.contacts(*(f"{number:02}{'' if number % 3 else ends}" for number in range(contacts)), tz=zone)
    made: dict[str, Any] = {
        "retries": {"jitter": 0, "interrupted": {"after": [INTERVAL], "limit": 1}},
        "pacing": {"lines": 12, "per_second": 12, "agents": False},
        "breaker": {"failures": {"share": 1, "over": "1h", "sample": contacts}},
    }
    await stage.start(campaign(**made, calling={"holidays": True}))
    return stage


async def done(stage: Stage) -> store.Tally:
    """Once nobody is rung any more, and nobody waits for it."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            if (await stage.state())[0] == CampaignState.DONE:
                break
            await asyncio.sleep(0.2)  # polled: what is waited for happens in other processes
    tally = await store.tally(stage.db, "after")
    assert tally.sums_up
    return tally


def rung_again_too_early(attempts: Sequence[Attempt]) -> list[str]:
    """Who was rung again before the interval since his attempt was over, or while it was not."""
    early = []
    last: dict[str, Attempt] = {}
    for attempt in sorted(attempts, key=lambda each: each.created_at):
        if attempt.dialled_at is None or attempt.contact_id is None:
            continue
        before = last.get(attempt.contact_id)
        if before is not None:
            ended = before.ended_at
            if ended is None or attempt.dialled_at < ended + INTERVAL:
                early.append(attempt.contact_id)
        last[attempt.contact_id] = attempt
    return early


async def test_a_node_that_is_killed_loses_nobody_and_rings_nobody_too_early(
    db: Database, survey: Survey, site: Site
) -> None:
    stage = await start_big(db, survey, ends=WANTS_HUMAN)
    async with node("west", site) as west:
        seeks_for_long = Play(seek_s=LONGEST_S)  # so that somebody waits for a human when it is killed
        async with node("east", site, seeks_for_long) as east:
            await at_once(west.told("talks", 2), east.told("talks", 2))
            await east.until(lambda: {"rings", "talks", "seeks"} <= set(east.steps.values()))
            await east.kill()
        said = [spooled.event for spooled in SpoolReader(site.spool("east")).read({})]
        ended = calls_with(said, CallEnded)
        gone = {
            each.id
            for each in await stage.attempts()
            if each.worker == "east/worker-0" and each.end_cause is None
        }
        await west.told("lost", len(gone))
        assert {line for line in west.lines if line.startswith("lost")} == {f"lost {each}" for each in gone}
        cut_off = {each for each in gone if call_of(each) not in ended}
        async with node("east", site) as again:
            await again.told("begins", 1)  # what its calls had said is stored, the ends of some among it
            first = await rung_once_each(stage, cut_off)
            await a_minute_later(stage, first, west, again)
            tally = await done(stage)
    attempts = await stage.attempts()
    assert sum(tally.members.values()) == CONTACTS, "nobody is lost"
    assert rung_again_too_early(attempts) == []
    assert tally.dispositions == {
        Disposition.COMPLETED: CONTACTS - CONTACTS // 3,
        Disposition.TRANSFERRED: CONTACTS // 3,
        Disposition.INTERRUPTED: len(cut_off),
    }
    for attempt in first:
        rung = await stage.attempts(attempt.contact_id)
        assert [(each.number, each.cause) for each in rung] == [(1, ""), (2, RetryCause.INTERRUPTED)]
        assert rung[0] == attempt
    sought = calls_with(said, HandoverStarted) - calls_with(said, HandoverConnected)
    await whom_a_human_was_sought_for_is_somebodys_case(stage, first, sought)


def calls_with(said: Sequence[CallEvent], kind: type[Event]) -> set[str]:
    return {event.call_id for event in said if isinstance(event, kind)}


async def rung_once_each(stage: Stage, cut_off: set[str]) -> Sequence[Attempt]:
    """The attempts that were cut off, once everybody was rung and all others are done with: whom these rang
    waits for his interval."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            tally = await store.tally(stage.db, "after")
            if not tally.open and tally.attempts == CONTACTS and tally.members.get("waiting") == len(cut_off):
                break
            await asyncio.sleep(0.1)  # polled: what is waited for happens in other processes
    attempts = await stage.attempts()
    interrupted = [each for each in attempts if each.disposition == Disposition.INTERRUPTED]
    assert {each.id for each in interrupted} == cut_off
    for attempt in interrupted:
        member = await stage.member(attempt.contact_id or "")
        assert attempt.ended_at is not None
        assert (member.cause, member.next_at) == (RetryCause.INTERRUPTED, attempt.ended_at + INTERVAL)
    return interrupted


async def a_minute_later(stage: Stage, first: Sequence[Attempt], *nodes: Process) -> None:
    """A moment before the first of them may be rung again: a node that rings too early has time to do so."""
    due = min(each.ended_at for each in first if each.ended_at is not None) + INTERVAL
    ahead_s = (due - stage.now).total_seconds() - 1.5
    assert ahead_s > 0
    stage.clock.advance(ahead_s)
    await at_once(*(each.later(ahead_s) for each in nodes))


async def whom_a_human_was_sought_for_is_somebodys_case(
    stage: Stage, cut_off: Sequence[Attempt], sought: set[str]
) -> None:
    calls = {call_of(each.id): each.contact_id for each in cut_off if call_of(each.id) in sought}
    assert calls
    async with stage.db.read() as session:
        cases = (await session.exec(select(CaseRow))).all()
        lost = select(Handover).where(col(Handover.call_id).in_(calls))
        handovers = (await session.exec(lost)).all()
    assert {case.call_id: case.contact_id for case in cases} == calls, "his own, and nobody else's"
    assert len(cases) == len(calls), "once"
    for case in cases:
        assert (case.owner_id, case.reason, case.callback) == (AGENT, "interrupted", True)
        assert case.due_at is not None
    assert len(handovers) == len(calls)
    assert {(each.outcome, each.failure) for each in handovers} == {(HandoverOutcome.FAILED, "interrupted")}


async def test_while_redis_is_away_nobody_new_is_rung_and_then_it_goes_on_by_itself(
    db: Database, survey: Survey, site: Site, redis: RedisServer
) -> None:
    stage = await start_big(db, survey)
    async with node("west", site, Play(lines=12)) as west:
        await west.told("talks", 3)
        redis.stop()
        try:
            begun = west.count("rings")
            await west.told("ends", begun)  # calls in progress end as if nothing had happened
            assert west.count("rings") <= begun + 6, "what was claimed already, and no more"
        finally:
            redis.start()  # empty, as after a loss
        tally = await done(stage)
    assert tally.dispositions == {Disposition.COMPLETED: CONTACTS}


@pytest.mark.parametrize("database", ["away", "read-only"])
async def test_while_the_database_takes_nothing_answers_wait_in_the_spool_and_nobody_new_is_rung(
    db: Database, survey: Survey, site: Site, postgres: Postgres, database: str
) -> None:
    """Read-only is a standby that clients have come to, or a cluster that its administrator closed."""

    async def take_it() -> None:
        if database == "away":
            await asyncio.to_thread(postgres.stop)
        else:
            await postgres.set_read_only(True)

    async def give_it_back() -> None:
        if database == "away":
            await asyncio.to_thread(postgres.start)
        else:
            await postgres.set_read_only(False)

    play = Play(ring_s=0.4, talk_s=4.0)  # so long that no line is free again before all are taken
    contacts = 2 * play.lines
    stage = await start_big(db, survey, contacts=contacts)
    async with node("west", site, play) as west:
        await west.told("talks", play.lines)
        await take_it()
        try:
            begun = west.count("rings")
            assert begun == play.lines, "every line is taken: no claim was under way"
            await west.told("ends", begun)  # calls in progress end as if nothing had happened
            away = west.count("waits store")
            await west.told("waits store", away + 3)
            assert west.count("rings") == begun, "there are lines, and nobody is rung"
        finally:
            await give_it_back()
        events = [spooled.event for spooled in SpoolReader(site.spool("west")).read({})]
        answers = [event for event in events if isinstance(event, AnswerRecorded)]
        assert len(answers) == begun
        tally = await done(stage)
    assert tally.dispositions == {Disposition.COMPLETED: contacts}
    assert tally.attempts == contacts, "nobody was rung twice, or taken for lost"
    async with stage.db.read() as session:
        stored = (await session.exec(select(AnswerRow))).all()
    assert {event.id for event in answers} <= {row.event_id for row in stored}
    assert Counter(row.attempt_id for row in stored) == dict.fromkeys(
        (each.id for each in await stage.attempts()), 1
    )
