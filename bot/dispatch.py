"""From the queue in SQL to a worker, and what becomes of attempts whose worker is gone.

The queue is derived: SQL is the truth, and whatever is queued there is tried as soon as a worker
is there. Attempts of campaigns are dialled when their task says so (`dial`), by whichever node takes it.
An attempt is leased (`dialling` is committed) before the worker is told, so whatever dies in between,
nobody is rung twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from bot.core.clock import Clock
from bot.core.context import CallContext, Person
from bot.core.errors import DiskFull, NodeUnavailable, OtklikError, StoreUnavailable, Unavailable
from bot.core.ids import call_of
from bot.store import queries
from bot.store.attempts import claim_next, give_up, recover_expired, renew_leases, somebody_waits
from bot.store.database import Database
from bot.store.settings import CLOCK_OFF_S
from bot.store.tables import Attempt
from bot.store.writer import Writer
from bot.worker_link import WorkerLink

log = structlog.get_logger()

LOOK_S = 2.0
"""How often the queue is looked at when nobody says that it has grown (an attempt may become free)."""
VOUCH_S = 15.0
"""How often the leases of live calls are renewed, and calls are found that ended without a word: an eighth
of a lease."""


@dataclass(frozen=True, slots=True)
class Placing:
    """What a call is placed with beside its attempt: more of its `CallContext`, the `caller` that the
    telephone shows (`bot.call.dialling.Caller`), empty for our own, and `about` which talk it is, in
    words."""

    context: dict[str, Any] = field(default_factory=dict)
    caller: dict[str, str] = field(default_factory=dict)
    about: str = ""


Claim = Callable[[str, str], Awaitable[tuple[Attempt, Placing] | None]]
"""The attempt of this id, leased to this worker, or None where it may not be had."""


class Dispatcher:
    """`missing` names what a call needs and what does not run now: nobody is rung meanwhile, only to be
    told that nothing works. `timezone` is the company's: what is said to a customer whose own is not known is
    read by it."""

    def __init__(
        self,
        db: Database,
        link: WorkerLink,
        clock: Clock,
        worker: str,
        missing: Callable[[], Collection[str]] = tuple,
        timezone: str = "Europe/Moscow",
    ) -> None:
        self._db = db
        self._link = link
        self._clock = clock
        self._worker = worker
        self._missing = missing
        self._clock_off = False
        self._timezone = timezone
        self._grown = asyncio.Event()
        self._agents: dict[str, Person] = {}
        self._placing = asyncio.Lock()
        self._missed = 0

    def missing(self) -> list[str]:
        """What does not run now, and `clock` where this node's was found to be off."""
        return [*self._missing(), *(["clock"] if self._clock_off else [])]

    async def on_time(self) -> bool:
        """Whether this node's clock can be gone by. Nobody is rung by one that is off: it knows neither night
        nor day. Raises StoreUnavailable."""
        await self._shared_now()
        return not self._clock_off

    async def _shared_now(self) -> datetime:
        """The time by the clock that the nodes share. Leases go by it: whose own clock is ahead would else
        give up the calls of all others."""
        now = self._clock.now()
        ahead = await self._db.ahead(now)
        if (off := abs(ahead.total_seconds()) > CLOCK_OFF_S) != self._clock_off:
            self._clock_off = off
            tell = log.error if off else log.info
            tell("the clock and the database's are compared", off=off, ahead_s=round(ahead.total_seconds()))
        return now - ahead

    def look(self) -> None:
        """What kept the queue waiting may be over."""
        self._grown.set()

    def queued(self, attempt_id: str, agent: Person) -> None:
        """The queue has grown. `agent` had the talk: by name until this node stops, then by id only, and the
        survey's fall-back wording is used."""
        self._agents[attempt_id] = agent
        self.look()

    async def run(self, writer: Writer) -> None:
        vouched_at = self._clock.monotonic()
        while True:
            await self._link.connected.wait()
            self._grown.clear()
            try:
                await self._place_all()
                if self._clock.monotonic() - vouched_at >= VOUCH_S:
                    vouched_at = self._clock.monotonic()
                    await self._vouch(writer)
            except Unavailable as error:  # the database, the disk, the worker: each comes back
                log.warning("queue waits", reason=error.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._grown.wait()

    async def recover(self, writer: Writer) -> None:
        """The worker is gone: first what its calls had committed, then what nobody vouches for."""
        try:
            await writer.drain_once()
            await recover_expired(self._db, await self._shared_now(), dead_workers=(self._worker,))
        except (StoreUnavailable, DiskFull) as error:
            self._missed += 1
            log.warning("recovery waits", reason=error.message)  # `_vouch` makes up for it

    async def dial(self, attempt_id: str, claim: Claim) -> bool:
        """Place the call of this one attempt, if there is a line for it here and `claim` gives it; else it
        stays as it is. Raises Unavailable, DiskFull."""
        async with self._placing:
            if not await self._takes_calls():
                return False
            claimed = await claim(attempt_id, self._worker)
            if claimed is None:
                return False
            await self._place(*claimed)
            return True

    async def _place_all(self) -> None:
        """What is queued, as far as there are lines for it. An attempt is claimed only for a worker that
        will take it: one that it refused would be final, and nobody was rung."""
        async with self._placing:
            while await self._takes_calls() and await somebody_waits(self._db):
                attempt = await claim_next(self._db, worker=self._worker, now=self._clock.now())
                if attempt is None:
                    return
                await self._place(attempt)

    async def _takes_calls(self) -> bool:
        if not (self._link.connected.is_set() and await self._has_room()):
            return False
        return await self.on_time() and not self.missing()

    async def _has_room(self) -> bool:
        status = await self._link.request("status")
        return status["free_lines"] > 0 and not status["draining"]

    async def _place(self, attempt: Attempt, placing: Placing = Placing()) -> None:
        call = await queries.calls(self._db, attempt_ids=(attempt.id,))
        contact = call[0].contact if call else None
        customer = Person()
        if contact is not None:
            customer = Person(
                id=contact.id,
                first_name=contact.first_name,
                middle_name=contact.middle_name,
                last_name=contact.last_name,
            )
        known: dict[str, Any] = {
            "agent": self._agents.pop(attempt.id, Person(id=attempt.agent_id)),
            "department": attempt.department,
            "timezone": (contact.tz if contact is not None else "") or self._timezone,
        }
        context = CallContext(
            call_id=call_of(attempt.id),
            survey_hash=attempt.survey_hash,
            direction="outbound",
            customer=customer,
            **known | placing.context,
        )
        try:
            await self._link.request(
                "place",
                attempt_id=attempt.id,
                contact_id=attempt.contact_id or "",
                to=attempt.to_uri,
                conversation_id=attempt.conversation_id,
                about=placing.about,
                context=context.model_dump(mode="json"),
                **({"caller": placing.caller} if placing.caller else {}),
            )
        except NodeUnavailable:
            raise  # it may have been dialled: `recover` makes it final, and nobody is rung twice
        except OtklikError as error:
            log.error("call not placed", attempt_id=attempt.id, code=error.code, reason=error.message)
            await give_up(self._db, attempt.id, self._clock.now())

    async def _vouch(self, writer: Writer) -> None:
        """First what the calls said of themselves: an attempt's call is known by it. After a while
        without a database, live calls would else be taken for forgotten ones.

        A call that the worker has no longer, and that did not say how it ended (its disk was full), is
        over as well. Where a worker died while the database was away, other nodes may have given its calls up
        before what they had said is stored: they are looked at too."""
        await writer.drain_once()
        async with self._placing:  # or one that is being placed would be taken for one that is over
            missed = self._missed
            # Before we ask: none of them is younger.
            before = await queries.alive(self._db, self._worker, given_up=missed > 0)
            live = set((await self._link.request("status"))["call_ids"])
        await renew_leases(self._db, live, await self._shared_now())
        await writer.drain_once()
        lost = [attempt.id for attempt in before if (attempt.call_id or call_of(attempt.id)) not in live]
        await recover_expired(self._db, await self._shared_now(), lost=lost)
        self._missed -= missed
