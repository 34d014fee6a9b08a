"""Sends what stands in the outbox, until it was taken or is given up.

Each endpoint has its own runner, so a slow or dead one holds up nobody else; while none of a batch is
taken, it is left in peace for a while, so that an outage does not use up the tries of all that waits. A
message that was sent and not noted (the node died in between) is sent again under the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from bot.core.clock import Clock
from bot.core.errors import DiskFull, Unavailable
from bot.core.events import CallEvent
from bot.delivery.backoff import Backoff
from bot.delivery.endpoints import Endpoint, Endpoints
from bot.delivery.payload import body, wave_body
from bot.delivery.posting import Postman
from bot.delivery.queue import Tried, alert_of, claim, due_endpoints, facts, forget, next_due, note
from bot.store.database import Database
from bot.store.outbox import TOLD
from bot.store.tables_delivery import EventName, WebhookDeliveryRow

log = structlog.get_logger()

FORGET_S = 3600.0
"""How often old deliveries are cleared away."""


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """`at_once` messages are under way to one endpoint. `look_s`: how often the outbox is looked at when
    nobody says that something happened (another node's, or one added by hand)."""

    at_once: int = 4
    look_s: float = 5.0
    backoff: Backoff = field(default_factory=Backoff)
    rest: Backoff = field(default_factory=lambda: Backoff(first_s=5.0, factor=2.0, longest_s=60.0))


class Sender:
    """`drain` brings what calls have said into SQL (`Writer.drain_once`); `chance` gives 0 to 1."""

    def __init__(
        self,
        db: Database,
        postman: Postman,
        clock: Clock,
        drain: Callable[[], Awaitable[object]],
        settings: SenderSettings | None = None,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._postman = postman
        self._clock = clock
        self._drain = drain
        self._settings = settings or SenderSettings()
        self._chance = chance
        self._endpoints = Endpoints(db, clock)
        self._happened = asyncio.Event()
        self._runners: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, int] = {}
        self._rests_until: dict[str, float] = {}
        self._forgot_at: float | None = None

    def saw(self, event: CallEvent) -> None:
        """A call's event: somebody may have to be told."""
        if isinstance(event, TOLD):
            self._happened.set()

    async def run(self) -> None:
        """For as long as the node lives."""
        try:
            while True:
                self._happened.clear()
                wait_s = self._settings.look_s
                try:
                    await self.start_due()
                    await self._forget()
                    wait_s = await self._until_next()
                except (Unavailable, DiskFull) as error:  # the database, the disk: each comes back
                    log.warning("webhooks wait", reason=error.message)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._happened.wait()
        finally:
            await self._stop()

    async def look(self) -> None:
        """Once: everything that is due now is tried. Raises Unavailable, DiskFull."""
        await self.start_due()
        await asyncio.gather(*self._runners.values())

    async def start_due(self) -> None:
        """A runner for each endpoint that has none and for which something is due; raises what ended one,
        and Unavailable, DiskFull."""
        for endpoint_id, runner in list(self._runners.items()):
            if runner.done():
                del self._runners[endpoint_id]
                await runner
        await self._drain()
        enabled = {each.id: each for each in await self._endpoints.list() if each.disabled_at is None}
        if not enabled:
            return
        for endpoint_id in await due_endpoints(self._db, self._clock.now()):
            resting = self._rests_until.get(endpoint_id, 0.0) > self._clock.monotonic()
            if endpoint_id in enabled and endpoint_id not in self._runners and not resting:
                self._runners[endpoint_id] = asyncio.create_task(self._serve(enabled[endpoint_id]))

    async def _serve(self, endpoint: Endpoint) -> None:
        """Batch after batch, as long as some of it is taken."""
        try:
            while True:
                rows = await claim(
                    self._db,
                    endpoint.id,
                    self._clock.now(),
                    lease_s=2 * self._postman.limits.whole_s,
                    limit=self._settings.at_once,
                )
                if not rows:
                    return
                tries = await asyncio.gather(*(self._deliver(endpoint, row) for row in rows))
                if any(tried.gone for tried in tries):
                    await self._disable(endpoint)
                    return
                if not any(tried.taken for tried in tries):
                    self._let_rest(endpoint)
                    return
                self._failures.pop(endpoint.id, None)
        except (Unavailable, DiskFull) as error:
            log.warning("webhooks wait", endpoint=endpoint.name, reason=error.message)
        finally:
            self._happened.set()  # whatever became due meanwhile

    async def _deliver(self, endpoint: Endpoint, row: WebhookDeliveryRow) -> Tried:
        started = self._clock.now()
        message = await self._message(row, endpoint)
        if message is None:
            tried = Tried(0.0, error="nothing of this is stored any more")
            await note(self._db, row, tried, started, None)
            return tried
        tried = await self._postman.post(endpoint, row.message_id, message)
        tries = row.tries + 1
        wait_s = self._settings.backoff.next_s(tries, self._chance(), tried.retry_after_s)
        await note(self._db, row, tried, started, None if tried.gone else wait_s)
        if not tried.taken:
            log.warning(
                "webhook not taken",
                endpoint=endpoint.name,
                message_id=row.message_id,
                tries=tries,
                status=tried.status,
                reason=tried.error,
                retry_s=None if wait_s is None else round(wait_s),
            )
        return tried

    async def _message(self, row: WebhookDeliveryRow, endpoint: Endpoint) -> str | None:
        """None where what it tells of is gone."""
        if not row.call_id:
            alert = await alert_of(self._db, row)
            return wave_body(alert) if alert is not None else None
        known = await facts(self._db, row)
        if known is None:
            return None
        about, events = known
        return body(EventName(row.event), row.at, about, events, personal=endpoint.personal)

    async def _disable(self, endpoint: Endpoint) -> None:
        await self._endpoints.disable_id(endpoint.id, "410 Gone")
        log.warning("webhook endpoint disabled", endpoint=endpoint.name, status=410)

    def _let_rest(self, endpoint: Endpoint) -> None:
        failures = self._failures[endpoint.id] = self._failures.get(endpoint.id, 0) + 1
        rest_s = self._settings.rest.wait_s(failures, self._chance())
        self._rests_until[endpoint.id] = self._clock.monotonic() + rest_s

    async def _until_next(self) -> float:
        """Seconds until the next look."""
        due = await next_due(self._db)
        if due is None:
            return self._settings.look_s
        left_s = (due - self._clock.now()).total_seconds()
        # Whatever is overdue rests or is under way: its runner says when it is done.
        return min(self._settings.look_s, left_s) if left_s > 0 else self._settings.look_s

    async def _forget(self) -> None:
        now = self._clock.monotonic()
        if self._forgot_at is None or now - self._forgot_at >= FORGET_S:
            self._forgot_at = now
            await forget(self._db, self._clock.now())

    async def _stop(self) -> None:
        for runner in self._runners.values():
            runner.cancel()
        await asyncio.gather(*self._runners.values(), return_exceptions=True)
