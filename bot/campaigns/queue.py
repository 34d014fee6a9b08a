"""The tasks of campaigns, on docket: in this process, or on a Redis that nodes share.

    reconcile       every 30 s and at the start: whatever is at work in SQL has its tick
    tick_campaign   about every second for each campaign at work: `Engine.tick`, then a dial for each attempt
    dial_member     one attempt: whichever node takes it claims it in SQL, or leaves it

Nothing is in the queue that SQL does not have. While Redis is away nobody is dialled; when it is back, even
empty, the first reconciliation makes the queue anew.

A queue in this process is nobody else's: while nothing is at work in SQL there is none, only the look at SQL
that a reconciliation is. Docket asks its queue for work some twenty times a second.

What waits in the queue waits by the wall clock. Where that is set back, or a node is gone whose clock went
ahead, it would wait until then: it is found and put there anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from bot.campaigns.engine import Engine
from bot.core.clock import Clock
from bot.core.errors import DiskFull, Unavailable

if TYPE_CHECKING:
    from docket import Docket, Perpetual

log = structlog.get_logger(__name__)

AT_ONCE = 10
"""Tasks that a node works at side by side."""
LATE_S = 5.0
"""By so much the clocks of nodes may differ."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Times in seconds. `tick_s`, `reconcile_s`: how often these tasks run. `seed_s`: how often it is made
    sure that a reconciliation waits. `again_s`: how long after it was lost the queue is looked for again.
    `gone_s`: a task whose node says nothing for so long is another's."""

    tick_s: float = 1.0
    reconcile_s: float = 30.0
    seed_s: float = 3.0
    again_s: float = 2.0
    gone_s: float = 10.0


Dial = Callable[[str], Awaitable[None]]
"""Claim this attempt and place its call, if there is a line for it here. Raises Unavailable, DiskFull."""


class CampaignQueue:
    """`run` for as long as the node lives. `name` is this node's among those that share the queue."""

    def __init__(
        self, url: str, engine: Engine, dial: Dial, clock: Clock, name: str, rhythm: Rhythm = Rhythm()
    ) -> None:
        self._url = url
        self._engine = engine
        self._dial = dial
        self._clock = clock
        self._name = name
        self._rhythm = rhythm
        self._alone = url.startswith("memory:")
        self._resting = False
        self._begun = asyncio.Event()
        self._needless = asyncio.Event()
        self._docket: Docket | None = None
        logging.getLogger("docket").setLevel(logging.WARNING)  # it tells of every single task

    @property
    def connected(self) -> bool:
        return self._resting or self._docket is not None

    async def run(self) -> None:
        while True:
            try:
                await self._work(await self._rest() if self._alone else [])
            except (RedisError, OSError) as error:
                log.warning("campaign queue away, dialling waits", reason=type(error).__name__)
            task = asyncio.current_task()
            if (
                task is not None and task.cancelling()
            ):  # docket ends what runs and returns, as if all was well
                raise asyncio.CancelledError
            if not self._needless.is_set():
                await asyncio.sleep(self._rhythm.again_s)  # there is nothing to wait on before it is back

    async def _rest(self) -> list[str]:
        """What is at work, as soon as something is."""
        self._resting = True
        try:
            while True:
                self._begun.clear()
                if at_work := await self._reconciled():
                    return at_work
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._rhythm.reconcile_s):
                        await self._begun.wait()
        finally:
            self._resting = False

    async def _reconciled(self) -> list[str] | None:
        """What is at work; None where SQL cannot be asked now."""
        try:
            return await self._engine.reconcile()
        except (Unavailable, DiskFull) as error:
            log.warning("campaigns not reconciled", reason=error.message)
            return None

    async def _work(self, at_work: Sequence[str]) -> None:
        """Until it is lost, or, where it is ours alone, nothing is at work any more."""
        self._needless.clear()
        # Here, not at the top: it is a sixth of a node's start, and most run no campaign.
        await asyncio.to_thread(import_module, "docket")
        from docket import Docket, Worker

        async with Docket(name="otklik-campaigns", url=self._url) as docket:
            tick_campaign, reconcile, dial_member = self._tasks(docket)
            for task in (tick_campaign, reconcile, dial_member):
                docket.register(task)
            worker = Worker(
                docket,
                name=self._name,
                concurrency=AT_ONCE,
                redelivery_timeout=timedelta(seconds=self._rhythm.gone_s),
                reconnection_delay=timedelta(seconds=self._rhythm.again_s),
            )
            async with worker:
                self._docket = docket
                working = asyncio.create_task(worker.run_forever())
                others = [
                    asyncio.create_task(self._seed(docket)),
                    needless := asyncio.create_task(self._needless.wait()),
                ]
                try:
                    for campaign_id in at_work:
                        await docket.add(tick_campaign, key=f"tick-{campaign_id}")(campaign_id)
                    await asyncio.wait({working, needless}, return_when=asyncio.FIRST_COMPLETED)
                    if working.done():
                        await working
                except BaseException:
                    others.append(working)
                    raise
                finally:
                    self._docket = None
                    for each in others:
                        each.cancel()
                    await asyncio.gather(*others, return_exceptions=True)
            await working  # leaving the worker let it finish what it was at

    async def _seed(self, docket: Docket) -> None:
        """A Redis that came back empty has no reconciliation waiting: it is put there again. Where one waits,
        that changes nothing."""
        while True:
            try:
                await _put(docket, "reconcile", "reconcile", self._rhythm.reconcile_s)
            except (RedisError, OSError) as error:
                log.info("campaign queue not seeded", reason=type(error).__name__)
            await asyncio.sleep(self._rhythm.seed_s)

    async def begin(self, campaign_id: str) -> None:
        """A campaign was started: it need not wait for the next reconciliation. Without a queue it does."""
        self._begun.set()
        if self._docket is None:
            return
        try:
            await self._docket.add("tick_campaign", key=f"tick-{campaign_id}")(campaign_id)
        except (RedisError, OSError) as error:
            log.warning("campaign begins later", campaign=campaign_id, reason=type(error).__name__)

    def _tasks(
        self, docket: Docket
    ) -> tuple[
        Callable[..., Awaitable[None]], Callable[..., Awaitable[None]], Callable[..., Awaitable[None]]
    ]:
        """The tasks by the names under which they wait in the queue."""
        from docket import Perpetual

        tick = timedelta(seconds=self._rhythm.tick_s)
        every_tick = Perpetual(every=tick)
        always = Perpetual(every=timedelta(seconds=self._rhythm.reconcile_s), automatic=True)

        async def dial_member(attempt_id: str) -> None:
            try:
                await self._dial(attempt_id)
            except (Unavailable, DiskFull) as error:
                log.warning("not dialled now", attempt_id=attempt_id, reason=error.message)

        async def tick_campaign(campaign_id: str, perpetual: Perpetual = every_tick) -> None:
            try:
                ticked = await self._engine.tick(campaign_id)
            except (Unavailable, DiskFull) as error:
                log.warning("campaign waits", campaign=campaign_id, reason=error.message)
                return
            for attempt_id in ticked.queued:
                await docket.add(dial_member, key=f"dial-{attempt_id}")(attempt_id)
            if ticked.over:
                perpetual.cancel()
            elif ticked.pace is not None and ticked.pace.again_at is not None:
                perpetual.after(min(ticked.pace.again_at - self._clock.now(), tick))

        async def reconcile(perpetual: Perpetual = always) -> None:
            at_work = await self._reconciled()
            if at_work is None:
                return
            for campaign_id in at_work:
                await _put(docket, "tick_campaign", f"tick-{campaign_id}", self._rhythm.tick_s, campaign_id)
            if self._alone and not at_work:
                self._needless.set()

        return tick_campaign, reconcile, dial_member


async def _put(docket: Docket, task: str, key: str, rhythm_s: float, *arguments: str) -> None:
    """A task that comes again in this rhythm. Where it waits already, that changes nothing, unless it waits
    for longer. Raises RedisError, OSError."""
    now = datetime.now(UTC)  # docket reads no other clock
    waits = await docket.get_execution(key)
    if waits is not None and waits.when > now + timedelta(seconds=rhythm_s + LATE_S):
        log.warning("the clock was set back, a task of campaigns waits no longer", task=key)
        await docket.replace(task, when=now, key=key)(*arguments)
    else:
        await docket.add(task, key=key)(*arguments)
