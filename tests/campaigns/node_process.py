"""`python -m tests.campaigns.node_process NAME DATABASE QUEUE SPOOL PLAY`: a node whose calls are played.

Everything of a node that decides, claims, spools, stores and reckons is the real one; in the place of lines,
speech and dialogue a call rings, talks, gives one answer, and is completed. Whose id ends with `h` wants a
human, who rings, talks and hangs up. It prints a line for each step of a call. PLAY is a `Play` as JSON.
Each line that it reads is by how many seconds its clock goes forward.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.call.spool import Spool, SpoolReader
from bot.campaigns.claiming import claim
from bot.campaigns.engine import Engine, Parts
from bot.campaigns.queue import CampaignQueue, Rhythm
from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.clock import Clock, SystemClock
from bot.core.endings import Disposition, EndKind
from bot.core.errors import DiskFull, Unavailable
from bot.core.events import (
    Answered,
    AnswerRecorded,
    CallEnded,
    CallStarted,
    HandoverConnected,
    HandoverEnded,
    HandoverRinging,
    HandoverRouted,
    HandoverStarted,
)
from bot.core.ids import call_of, new_id
from bot.core.routing import RouteOrder
from bot.settings import PROJECT
from bot.store import campaigns as store
from bot.store.attempts import recover_expired, renew_leases
from bot.store.database import Database
from bot.store.settings import StoreSettings, WriterSettings
from bot.store.tables import Attempt
from bot.store.tables_campaigns import NodeRow
from bot.store.writer import Writer
from bot.surveys.loader import load_survey
from bot.surveys.schema import Calling, Survey
from bot.triage.presence import LocalBoard, PresenceSettings
from bot.triage.router import LocalRouter

AGENT = "ivanova"
WANTS_HUMAN = "h"

LEASE_S = 4.0
"""In the place of two minutes."""
LOOK_S = 0.4
"""How often it does what a dispatcher and a caretaker do every now and then."""
RHYTHM = Rhythm(tick_s=0.3, reconcile_s=1.0, seed_s=0.5, again_s=0.5, gone_s=3.0)


@dataclass(frozen=True, slots=True)
class Play:
    """How many lines there are, and how long a call rings, talks, and rings at a human's. In seconds."""

    lines: int = 6
    ring_s: float = 0.8
    talk_s: float = 1.2
    seek_s: float = 1.2


class SteppedClock(SystemClock):
    """The system's clock, put forward: what takes a minute need not be waited for."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


class PlayedNode:
    def __init__(self, name: str, db: Database, queue_url: str, folder: Path, play: Play) -> None:
        self._name, self._db, self._play, self._clock = name, db, play, SteppedClock()
        self._worker = f"{name}/worker-0"
        self._spool = Spool.open(folder, "worker-0")
        self._writer = Writer(
            db, SpoolReader(folder, name), self._clock, WriterSettings(lease_s=LEASE_S, poll_s=0.5)
        )
        board = LocalBoard(PresenceSettings(name), self._clock)
        self._router = LocalRouter(db, board, self._clock, {AGENT: f"sip:{AGENT}@pbx"})
        survey = load_survey(PROJECT / "survey_defs" / "nps.yaml")
        self._survey = survey.model_copy(update={"calling": Calling(max_attempts=9, hours_between=0.25)})
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._boot = new_id("boot")

        async def free_agents() -> int | None:
            return None

        async def on_time() -> bool:
            return True

        parts = Parts(
            self._published,
            lambda phone: phone,
            free_agents,
            trunk_per_s=50,
            random=lambda: 0.0,
            on_time=on_time,
        )
        engine = Engine(db, self._clock, parts)
        self._queue = CampaignQueue(queue_url, engine, self._dial, self._clock, name, RHYTHM)

    def _published(self, name: str) -> tuple[str, Survey]:
        return "hash", self._survey

    async def run(self) -> None:
        await self._writer.drain_once()
        await recover_expired(self._db, self._clock.now(), dead_workers=(self._worker,))
        tell("begins")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run())
            group.create_task(self._writer.run(asyncio.Event()))
            group.create_task(self._keep())
            group.create_task(self._obey())

    async def _keep(self) -> None:
        while True:
            try:
                await self._look()
            except (Unavailable, DiskFull) as error:
                tell(f"waits {error.code}")
            await asyncio.sleep(LOOK_S)

    async def _obey(self) -> None:
        orders = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(orders)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        async for order in orders:
            self._clock.advance(float(order))
            tell("later")

    async def _look(self) -> None:
        now = self._clock.now()
        row = NodeRow(name=self._name, boot=self._boot, seen_at=now, ready=True)
        row.free_lines, row.live = self._play.lines - len(self._calls), len(self._calls)
        await store.node_says(self._db, row)
        await self._writer.drain_once()
        await renew_leases(self._db, list(self._calls), self._clock.now(), LEASE_S)
        for lost in await recover_expired(self._db, self._clock.now()):
            tell(f"lost {lost.id}")
        await self._router.assign_ownerless()

    async def _dial(self, attempt_id: str) -> None:
        if len(self._calls) >= self._play.lines:
            return
        attempt = await claim(
            self._db,
            attempt_id,
            worker=self._worker,
            now=self._clock.now(),
            surveys=self._published,
            lease_s=LEASE_S,
        )
        if attempt is not None:
            call = PlayedCall(attempt, self._spool, self._router, self._clock, self._play)
            self._calls[call.call_id] = asyncio.create_task(self._play_out(call))

    async def _play_out(self, call: PlayedCall) -> None:
        await call.run()
        self._calls.pop(call.call_id)


class PlayedCall:
    def __init__(self, attempt: Attempt, spool: Spool, router: LocalRouter, clock: Clock, play: Play) -> None:
        self._attempt, self._spool, self._router = attempt, spool, router
        self._clock, self._play = clock, play
        self._contact = attempt.contact_id or ""
        self._seq = 0
        self.call_id = call_of(attempt.id)

    async def run(self) -> None:
        attempt, play = self._attempt, self._play
        tell(f"rings {self._contact}")
        await self._happens(
            CallStarted, direction="outbound", remote=attempt.to_uri, survey_id=attempt.survey_id,
            survey_hash=attempt.survey_hash, attempt_id=attempt.id, contact_id=self._contact,
        )  # fmt: skip
        await asyncio.sleep(play.ring_s)
        await self._happens(Answered, codec="PCMA", rate=8000)
        tell(f"talks {self._contact}")
        await asyncio.sleep(play.talk_s)
        human = self._contact.endswith(WANTS_HUMAN)
        answer = Answer(status=AnswerStatus.ANSWERED, value=2 if human else 9, source=AnswerSource.SPEECH)
        await self._happens(AnswerRecorded, question_id="nps", question_kind="nps", answer=answer)
        if human:
            await self._passed_on()
        disposition = Disposition.TRANSFERRED if human else Disposition.COMPLETED
        await self._happens(
            CallEnded, cause=EndKind.LOCAL_HANGUP, disposition=disposition, duration_s=play.talk_s
        )
        tell(f"ends {self._contact}")

    async def _passed_on(self) -> None:
        to: dict[str, Any] = {"target": AGENT, "reason": "low_score"}
        await self._happens(HandoverStarted, form="bridge", **to)
        route = await self._router.route(RouteOrder(call_id=self.call_id, contact_id=self._contact, **to))
        await self._happens(HandoverRouted, target=AGENT, route=route)
        await self._happens(HandoverRinging, target=AGENT, agent_id=AGENT)
        tell(f"seeks {self._contact}")
        await asyncio.sleep(self._play.seek_s)
        await self._happens(HandoverConnected, target=AGENT, agent_id=AGENT)
        await self._happens(HandoverEnded, target=AGENT, agent_id=AGENT, talk_s=0.0, by="agent")

    async def _happens(self, kind: Any, **fields: Any) -> None:
        seq, self._seq = self._seq, self._seq + 1
        await self._spool.commit(kind(call_id=self.call_id, seq=seq, at=self._clock.now(), **fields))


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main() -> None:
    name, url, queue_url, folder, play = sys.argv[1:]
    async with Database.open(StoreSettings(url)) as db:
        await PlayedNode(name, db, queue_url, Path(folder), Play(**json.loads(play))).run()


if __name__ == "__main__":
    asyncio.run(main())
