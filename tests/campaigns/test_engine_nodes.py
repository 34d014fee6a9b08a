"""Several nodes on one PostgreSQL and one Redis: claims race, a node is killed, Redis goes away."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.campaigns.claiming import claim
from bot.campaigns.facts import CampaignState
from bot.core.clock import ManualClock, SystemClock
from bot.core.endings import Disposition, RetryCause
from bot.settings import PROJECT
from bot.store import campaigns as store
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import Attempt, AttemptStatus
from bot.surveys.schema import Survey
from tests.campaigns.stage import MONDAY_NOON, Stage, at_once, campaign
from tests.postgres import Postgres, running_postgres
from tests.redis_server import RedisServer, running_redis

ZONES = tuple(f"Etc/GMT{offset:+d}" for offset in range(-14, 13))
LONGEST_S = 60.0
CONTACTS = 36


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.new_database()


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    async with Database.open(StoreSettings(url)) as database:
        await database.upgrade()
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


# Two processes ----------------------------------------------------------------------------------


class Process:
    """A node with played calls; `lines` is what it has told so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._told = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._told:
                self.lines.append(line.decode().strip())
                self._told.notify_all()

    async def told(self, word: str, count: int) -> None:
        """Until it has begun so many lines with this word."""
        async with asyncio.timeout(LONGEST_S), self._told:
            await self._told.wait_for(lambda: sum(line.startswith(word) for line in self.lines) >= count)

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self._reading


@asynccontextmanager
async def node(name: str, url: str, queue: str, folder: Path) -> AsyncIterator[Process]:
    with (folder / f"{name}.err").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.campaigns.node_process", name, url, queue),
            cwd=PROJECT,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    started = Process(process)
    try:
        yield started
    finally:
        await started.kill()


async def start_big(stage: Stage) -> None:
    """A campaign of CONTACTS who may all be rung at this hour, wherever that is."""
    zone = next(name for name in ZONES if stage.now.astimezone(ZoneInfo(name)).hour == 12)
    await stage.contacts(*(f"c{number:02}" for number in range(CONTACTS)), tz=zone)
    rules = {"jitter": 0, "interrupted": {"after": ["1m"], "limit": 1}}
    pacing = {"lines": 12, "per_second": 12, "agents": False}
    await stage.start(campaign(retries=rules, pacing=pacing, calling={"holidays": True}))


async def settled(stage: Stage) -> store.Tally:
    """Once nobody is rung any more, and nobody waits but for his interval."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            tally = await store.tally(stage.db, "after")
            waits = tally.next_at is not None and tally.next_at <= stage.now + timedelta(seconds=5)
            if not tally.open and not tally.members.get("in_hand") and not waits:
                return tally
            await asyncio.sleep(0.2)  # polled: what is waited for happens in other processes


def rung_twice_too_early(attempts: Sequence[Attempt]) -> list[str]:
    """Who was rung again less than a minute after his attempt was over, or while it was not."""
    early = []
    last: dict[str, Attempt] = {}
    for attempt in sorted(attempts, key=lambda each: each.created_at):
        if attempt.dialled_at is None or attempt.contact_id is None:
            continue
        before = last.get(attempt.contact_id)
        if before is not None:
            ended = before.ended_at
            if ended is None or attempt.dialled_at < ended + timedelta(minutes=1):
                early.append(attempt.contact_id)
        last[attempt.contact_id] = attempt
    return early


async def test_a_node_that_is_killed_loses_nobody_and_rings_nobody_too_early(
    db: Database, survey: Survey, url: str, redis: RedisServer, tmp_path: Path
) -> None:
    stage = Stage(db, SystemClock(), survey)  # type: ignore[arg-type]
    await start_big(stage)
    async with (
        node("west", url, redis.url, tmp_path) as west,
        node("east", url, redis.url, tmp_path) as east,
    ):
        await at_once(west.told("talks", 2), east.told("talks", 2))
        await east.told("rings", 6)
        await east.kill()
        gone = [each for each in await stage.attempts() if each.worker == "east/worker-0"]
        in_hand = [each for each in gone if each.status != AttemptStatus.FINAL]
        assert in_hand, "it died in the middle of calls"
        tally = await settled(stage)
    attempts = await stage.attempts()
    assert tally.sums_up
    assert sum(tally.members.values()) == CONTACTS, "nobody is lost"
    assert rung_twice_too_early(attempts) == []
    assert tally.dispositions == {
        Disposition.COMPLETED: CONTACTS - len(in_hand),
        Disposition.INTERRUPTED: len(in_hand),
    }
    assert {line for line in west.lines if line.startswith("lost")} == {f"lost {each.id}" for each in in_hand}
    for attempt in in_hand:
        member = await stage.member(attempt.contact_id or "")
        over = next(each for each in attempts if each.id == attempt.id)
        assert over.ended_at is not None
        assert (member.cause, member.next_at) == (
            RetryCause.INTERRUPTED,
            over.ended_at + timedelta(minutes=1),
        )


async def test_while_redis_is_away_nobody_new_is_rung_and_then_it_goes_on_by_itself(
    db: Database, survey: Survey, url: str, redis: RedisServer, tmp_path: Path
) -> None:
    stage = Stage(db, SystemClock(), survey)  # type: ignore[arg-type]
    await start_big(stage)
    async with node("west", url, redis.url, tmp_path) as west:
        await west.told("talks", 3)
        redis.stop()
        try:
            begun = sum(line.startswith("rings") for line in west.lines)
            await west.told("ends", begun)  # calls in progress end as if nothing had happened
            rung = sum(line.startswith("rings") for line in west.lines)
            assert rung <= begun + 6, "what was claimed already, and no more"
        finally:
            redis.start()  # empty, as after a loss
        tally = await settled(stage)
    assert tally.dispositions == {Disposition.COMPLETED: CONTACTS}
    assert (await stage.state())[0] in (CampaignState.RUNNING, CampaignState.DONE)
