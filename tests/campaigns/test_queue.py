"""The queue of a node that shares it with nobody: there is one while a campaign is at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import docket
import pytest

from bot.campaigns.engine import Ticked
from bot.campaigns.queue import CampaignQueue, Rhythm
from bot.core.clock import SystemClock
from bot.core.errors import StoreUnavailable

LONGEST_S = 20.0
RHYTHM = Rhythm(tick_s=0.05, reconcile_s=0.1, seed_s=0.1, again_s=0.05)


class Engine:
    """`at_work` is what SQL says; None while it is away."""

    def __init__(self) -> None:
        self.at_work: list[str] | None = []
        self.looks = asyncio.Semaphore(0)

    async def reconcile(self) -> list[str]:
        self.looks.release()
        if self.at_work is None:
            raise StoreUnavailable("away", hint="")
        return list(self.at_work)

    async def tick(self, campaign_id: str) -> Ticked:
        over = campaign_id not in (self.at_work or ())
        return Ticked((), over=True) if over else Ticked(("attempt-1",))


class Stage:
    """A queue that runs. `dockets` is how many there were; `dialled` is released by each dial."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine, self.dialled = Engine(), asyncio.Semaphore(0)
        self.dockets, self.left = 0, asyncio.Event()
        stage = self

        class Counted(docket.Docket):
            async def __aenter__(self) -> Any:
                stage.dockets += 1
                stage.left.clear()
                return await super().__aenter__()

            async def __aexit__(self, *error: Any) -> None:
                await super().__aexit__(*error)
                stage.left.set()

        async def dial(attempt_id: str) -> None:
            self.dialled.release()

        monkeypatch.setattr(docket, "Docket", Counted)
        engine: Any = self.engine
        self.queue = CampaignQueue("memory://", engine, dial, SystemClock(), "node", RHYTHM)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.queue.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()

    async def looks(self, number: int) -> None:
        async with asyncio.timeout(LONGEST_S):
            for _ in range(number):
                await self.engine.looks.acquire()

    async def dials(self) -> None:
        async with asyncio.timeout(LONGEST_S):
            await self.dialled.acquire()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


async def test_there_is_no_queue_while_nothing_is_at_work(stage: Stage) -> None:
    async with stage.running():
        await stage.looks(3)
        assert stage.queue.connected
        stage.engine.at_work = None
        await stage.looks(3)
    assert stage.dockets == 0


async def test_a_campaign_that_begins_waits_for_no_look(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.queue, "_rhythm", Rhythm(reconcile_s=3600, tick_s=0.05))
    async with stage.running():
        await stage.looks(1)
        stage.engine.at_work = ["campaign-1"]
        await stage.queue.begin("campaign-1")
        await stage.dials()


async def test_a_queue_that_is_needed_no_more_is_left_and_made_again(stage: Stage) -> None:
    stage.engine.at_work = ["campaign-1"]
    async with stage.running():
        for _ in range(3):
            await stage.dials()
            stage.engine.at_work = []
            async with asyncio.timeout(LONGEST_S):
                await stage.left.wait()
            stage.dialled = asyncio.Semaphore(0)
            stage.engine.at_work = ["campaign-1"]
            await stage.queue.begin("campaign-1")
        await stage.dials()
    assert stage.dockets == 4
