"""`python -m tests.campaigns.node_process NAME DATABASE QUEUE`: campaigns of a node whose calls are played.

Everything of a node that decides, claims and reckons is the real one; in the place of lines, speech and
dialogue a call rings for RING_S, talks for TALK_S and is completed. It prints a line for each step of a call.
"""

from __future__ import annotations

import asyncio
import sys

from bot.campaigns.claiming import claim
from bot.campaigns.engine import Engine, Parts
from bot.campaigns.queue import CampaignQueue
from bot.core.clock import SystemClock
from bot.core.endings import Disposition, EndKind
from bot.core.events import Answered, CallEnded, CallEvent, CallStarted
from bot.core.ids import call_of, new_id
from bot.settings import PROJECT
from bot.store import campaigns as store
from bot.store.attempts import recover_expired, renew_leases
from bot.store.database import Database
from bot.store.projection import project
from bot.store.settings import StoreSettings
from bot.store.tables import Attempt
from bot.store.tables_campaigns import NodeRow
from bot.surveys.loader import load_survey
from bot.surveys.schema import Calling, Survey

LINES = 6
RING_S = 0.8
TALK_S = 1.2
LEASE_S = 3.0
"""In the place of two minutes."""


class PlayedNode:
    def __init__(self, name: str, db: Database, queue_url: str) -> None:
        self._name, self._db, self._clock = name, db, SystemClock()
        survey = load_survey(PROJECT / "survey_defs" / "nps.yaml")
        self._survey = survey.model_copy(update={"calling": Calling(max_attempts=9, hours_between=0.25)})
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._boot = new_id("boot")

        async def free_agents() -> int | None:
            return None

        parts = Parts(self._published, lambda phone: phone, free_agents, trunk_per_s=50, random=lambda: 0.0)
        engine = Engine(db, self._clock, parts)
        self._queue = CampaignQueue(queue_url, engine, self._dial, self._clock, name)

    def _published(self, name: str) -> tuple[str, Survey]:
        return "hash", self._survey

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run())
            group.create_task(self._keep())

    async def _keep(self) -> None:
        """What a dispatcher does every now and then."""
        while True:
            now = self._clock.now()
            row = NodeRow(name=self._name, boot=self._boot, seen_at=now, ready=True)
            row.free_lines, row.live = LINES - len(self._calls), len(self._calls)
            await store.node_says(self._db, row)
            await renew_leases(self._db, list(self._calls), now, LEASE_S)
            for lost in await recover_expired(self._db, now):
                tell(f"lost {lost.id}")
            await asyncio.sleep(0.5)

    async def _dial(self, attempt_id: str) -> None:
        if len(self._calls) >= LINES:
            return
        worker = f"{self._name}/worker-0"
        attempt = await claim(
            self._db,
            attempt_id,
            worker=worker,
            now=self._clock.now(),
            surveys=self._published,
            lease_s=LEASE_S,
        )
        if attempt is not None:
            self._calls[call_of(attempt.id)] = asyncio.create_task(self._call(attempt, worker))

    async def _call(self, attempt: Attempt, worker: str) -> None:
        call_id = call_of(attempt.id)
        tell(f"rings {attempt.contact_id}")
        begun = CallStarted(
            call_id=call_id, seq=0, at=self._clock.now(), direction="outbound", remote=attempt.to_uri,
            survey_id=attempt.survey_id, survey_hash=attempt.survey_hash, attempt_id=attempt.id,
            contact_id=attempt.contact_id or "",
        )  # fmt: skip
        await self._happens(worker, begun)
        await asyncio.sleep(RING_S)
        await self._happens(
            worker, Answered(call_id=call_id, seq=1, at=self._clock.now(), codec="PCMA", rate=8000)
        )
        tell(f"talks {attempt.contact_id}")
        await asyncio.sleep(TALK_S)
        ended = CallEnded(
            call_id=call_id, seq=2, at=self._clock.now(), cause=EndKind.LOCAL_HANGUP,
            disposition=Disposition.COMPLETED, duration_s=TALK_S,
        )  # fmt: skip
        await self._happens(worker, ended)
        self._calls.pop(call_id)
        tell(f"ends {attempt.contact_id}")

    async def _happens(self, worker: str, event: CallEvent) -> None:
        async with self._db.write() as session:
            connection = await session.connection()
            for change in project(event, self._db.dialect, worker):
                await connection.execute(change)


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main() -> None:
    name, url, queue_url = sys.argv[1:]
    async with Database.open(StoreSettings(url)) as db:
        await PlayedNode(name, db, queue_url).run()


if __name__ == "__main__":
    asyncio.run(main())
