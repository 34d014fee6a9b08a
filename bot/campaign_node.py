"""Campaigns as one node runs them: its queue of tasks, its lines, and what it tells the other nodes."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from bot.campaigns.claiming import claim
from bot.campaigns.engine import Engine, Parts
from bot.campaigns.queue import CampaignQueue
from bot.campaigns.reading import definition_of
from bot.core.answer import Answer
from bot.core.clock import Clock
from bot.core.errors import BadInput, DiskFull, Unavailable
from bot.core.events import AnswerRecorded, CallEvent, ReplyMeasured
from bot.core.ids import new_id
from bot.dispatch import Dispatcher, Placing
from bot.planning import callable_uri
from bot.published import Published
from bot.settings import Settings
from bot.store import campaigns as store
from bot.store import queries, requests
from bot.store.database import Database
from bot.store.tables import Attempt
from bot.store.tables_campaigns import NodeRow
from bot.surveys.schema import Survey
from bot.triage.router import LocalRouter
from bot.worker_link import WorkerLink

log = structlog.get_logger()

BEAT_S = 1.0
"""How often the node looks whether its lines are other than it said."""
STEADY = timedelta(seconds=5)
"""How long what it said holds when nothing changes: a quarter of `store.NODE_GONE`."""
GAPS = 200
"""So many of the latest reply gaps are kept for `otklik campaign watch`."""
RESUMED = 10
"""How many interrupted attempts of one survey are looked back through."""


class CampaignNode:
    """`run` for as long as the node lives; `begin` when a campaign was started here."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        published: Published,
        router: LocalRouter,
        dispatcher: Dispatcher,
        link: WorkerLink,
        clock: Clock,
    ) -> None:
        self._name = settings.node.name
        self._db = db
        self._published = published
        self._dispatcher = dispatcher
        self._link = link
        self._clock = clock
        self._boot = new_id("boot")
        self._told: NodeRow | None = None
        self._gap_s = 1 / settings.campaigns.calls_per_s
        self._dialled_at = clock.monotonic() - self._gap_s
        self._dialling = asyncio.Lock()
        self.gaps: deque[float] = deque(maxlen=GAPS)
        trunk = settings.sip.trunk
        parts = Parts(
            surveys=self.survey,
            address=lambda phone: callable_uri(phone.removeprefix("tel:"), trunk),
            free_agents=router.free_agents,
            trunk_per_s=settings.campaigns.calls_per_s,
            random=random.random,
            on_time=dispatcher.on_time,
        )
        self.free_agents = router.free_agents
        self.engine = Engine(db, clock, parts)
        url = settings.campaigns.queue_url.get_secret_value()
        self.queue = CampaignQueue(url, self.engine, self._dial, clock, self._name)

    def survey(self, name: str) -> tuple[str, Survey]:
        """Raises SurveyInvalid."""
        return self._published.named(name) if "@" in name else self._published.by_id(name)

    def saw(self, event: CallEvent) -> None:
        """A call's event."""
        if isinstance(event, ReplyMeasured):
            self.gaps.append(event.gap_ms)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.queue.run())
            group.create_task(self._beat())

    # Dialling ----------------------------------------------------------------------------------

    async def _dial(self, attempt_id: str) -> None:
        """No faster than the trunk bears. Raises Unavailable, DiskFull."""
        async with self._dialling:
            early_s = self._dialled_at + self._gap_s - self._clock.monotonic()
            if early_s > 0:
                await asyncio.sleep(early_s)
            if await self._dispatcher.dial(attempt_id, self._claim):
                self._dialled_at = self._clock.monotonic()

    async def _claim(self, attempt_id: str, worker: str) -> tuple[Attempt, Placing] | None:
        now = self._clock.now()
        try:
            attempt = await claim(self._db, attempt_id, worker=worker, now=now, surveys=self.survey)
            return None if attempt is None else (attempt, await self._placing(attempt))
        except BadInput as error:  # its survey is not here: the next tick pauses the campaign, with a reason
            log.warning("attempt not claimed", attempt_id=attempt_id, reason=error.message)
            return None

    async def _placing(self, attempt: Attempt) -> Placing:
        assert attempt.campaign_id is not None  # only those of campaigns are claimed here
        definition = definition_of((await store.campaign(self._db, attempt.campaign_id)).definition)
        context: dict[str, Any] = {"reason": definition.reason}
        if attempt.resumes:
            context["resumed"] = await self._given(attempt.resumes)
        request = await requests.asked(self._db, attempt.request_id) if attempt.request_id else None
        if request is not None:
            context["agent"] = request.agent
        caller = definition.caller
        return Placing(
            context=context,
            caller={"number": caller.number, "label": caller.label},
            about=request.about if request is not None else "",
        )

    async def _given(self, attempt_id: str) -> Mapping[str, Answer]:
        """The answers of an interrupted survey, with those of the calls that it went on with itself."""
        given: dict[str, Answer] = {}
        for _ in range(RESUMED):
            attempt = await queries.attempt(self._db, attempt_id)
            if attempt is None:
                break
            answers: dict[str, Answer] = {}
            for event in await queries.events(self._db, attempt.call_id or ""):
                if isinstance(event, AnswerRecorded):
                    answers[event.question_id] = event.answer
            given = {**answers, **given}
            attempt_id = attempt.resumes
            if not attempt_id:
                break
        return given

    # What others have to know ------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            try:
                await self.tell()
            except (Unavailable, DiskFull) as error:
                log.warning("the other nodes are not told", reason=error.message)
            await asyncio.sleep(BEAT_S)  # lines become free without a word

    async def tell(self) -> None:
        """How this node is, where that is other than it said. Raises Unavailable, DiskFull."""
        now, told = self._clock.now(), self._told
        row = NodeRow(name=self._name, boot=self._boot, seen_at=now)
        if self._link.connected.is_set():
            status = await self._link.request("status")
            row.free_lines, row.live = max(0, status["free_lines"]), status["calls"]
            row.ready = not status["draining"] and not self._dispatcher.missing()
        same = told is not None and (told.free_lines, told.live, told.ready) == (
            row.free_lines,
            row.live,
            row.ready,
        )
        if same and told is not None and abs(now - told.seen_at) < STEADY:  # a clock may be set back
            return
        before = await store.node_says(self._db, row)
        if told is not None and before != self._boot:
            log.error("another node has this name: give each its own node.name", node=self._name)
        self._told = row
