"""Orders about calls that other systems ask for: taking the wish once, and what became of it.

`RequestOrders` keeps the wish; `QueuedCalls` sees to it, as a `bot.core.requests.RequestCall`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from pydantic import Field

from bot.core.clock import Clock
from bot.core.control import ControlServer
from bot.core.errors import BadInput, DiskFull, Unavailable
from bot.core.ids import call_of
from bot.core.orders import Order, read_order
from bot.core.requests import CallRequest, RequestCall, RequestedCall, RequestState
from bot.dispatch import Dispatcher
from bot.planning import callable_uri
from bot.published import Published
from bot.settings import Settings
from bot.store import queries, requests
from bot.store.attempts import NewCall, queue_call
from bot.store.database import Database
from bot.store.tables_delivery import CallRequestRow
from bot.timezones import customer_zone

log = structlog.get_logger()

REQUEST_ORDERS = ("request_call", "requested_call")

LOOK_S = 5.0
"""How often it is looked whether some call's time has come."""


class RequestCallOrder(Order):
    """`request_call`: the same `id` again is the same wish. `asked_by` is whose it is."""

    id: str = Field(min_length=1, max_length=128)
    asked_by: str = Field(min_length=1)
    call: CallRequest


class RequestedCallOrder(Order):
    """`requested_call`."""

    id: str = Field(min_length=1, max_length=128)
    asked_by: str = Field(min_length=1)


class RequestOrders:
    """The handlers; each is one order. `run` as long as the node lives."""

    def __init__(self, db: Database, calls: RequestCall, clock: Clock) -> None:
        self._db = db
        self._calls = calls
        self._clock = clock
        self._asked = asyncio.Event()

    def register(self, server: ControlServer) -> None:
        for name, handler in zip(REQUEST_ORDERS, (self._request, self._requested), strict=True):
            server.register(name, handler)

    async def run(self) -> None:
        """Calls whose time comes later, and those that a node had kept when it died."""
        while True:
            self._asked.clear()
            try:
                await self.take_up_due()
            except (Unavailable, DiskFull) as error:  # the database, the disk: each comes back
                log.warning("requested calls wait", reason=error.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()

    async def take_up_due(self) -> None:
        """Once. A customer who must not be rung any more is no fault: it stands in the request's state.
        Raises Unavailable, DiskFull."""
        for row in await requests.due(self._db, self._clock.now()):
            try:
                await self._place(row)
            except BadInput as error:
                log.warning("requested call refused", request=row.id, code=error.code)
                await requests.take_up(self._db, row.id, self._clock.now(), refused=error.code)

    async def _request(self, params: dict[str, Any]) -> dict[str, Any]:
        """Refused at once where that can be known; then nothing is kept. The answer to a repetition is
        the first one's."""
        order = read_order("request_call", RequestCallOrder, params)
        row, new = await requests.keep(self._db, order.id, order.asked_by, order.call, self._clock.now())
        if row.taken_up_at is None and row.due_at <= self._clock.now():
            try:
                await self._place(row)
            except BadInput:
                await requests.forget(self._db, row.id)
                raise
        log.info("call requested", request=row.id, asked_by=row.asked_by, new=new)
        return {"id": row.id, "new": new, "accepted_at": _utc(row.created_at), "not_before": _utc(row.due_at)}

    async def _place(self, row: CallRequestRow) -> None:
        """Idempotent: a node that dies before the second step does both again."""
        now = self._clock.now()
        await self._calls.place(row.id, CallRequest.model_validate_json(row.json_), now)
        await requests.take_up(self._db, row.id, now)

    async def _requested(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("requested_call", RequestedCallOrder, params)
        row = await requests.find(self._db, order.id, order.asked_by)
        if row is None:
            return {"known": False}
        if row.refused:
            became = RequestedCall(state=RequestState.REFUSED, refused=row.refused)
        elif row.taken_up_at is None:
            became = RequestedCall(state=RequestState.WAITING)
        else:
            became = await self._calls.state(row.id, CallRequest.model_validate_json(row.json_))
        return {
            "known": True,
            "id": row.id,
            "accepted_at": _utc(row.created_at),
            "not_before": _utc(row.due_at),
            **became.model_dump(mode="json"),
        }


class QueuedCalls:
    """A `RequestCall` over the queue of single calls: each request is one attempt, in its turn.

    Do-not-call lists are kept. Calling windows, caps and retries belong to campaigns: a standing campaign
    takes this class's place where there is one.
    """

    def __init__(
        self, db: Database, published: Published, dispatcher: Dispatcher, settings: Settings
    ) -> None:
        self._db = db
        self._published = published
        self._dispatcher = dispatcher
        self._settings = settings

    async def place(self, request_id: str, call: CallRequest, now: datetime) -> None:
        digest, survey = self._published.by_id(call.survey)
        new = NewCall(
            to_uri=callable_uri(call.phone, self._settings.sip.trunk),
            survey_id=survey.id,
            survey_hash=digest,
            customer=call.customer,
            language=survey.language,
            tz=customer_zone(call.timezone, call.phone, self._settings.timezone),
            agent_id=call.agent.id,
            department=call.department,
            conversation_id=call.conversation_id,
        )
        attempt = await queue_call(self._db, new, now, attempt_id=_attempt_of(request_id))
        self._dispatcher.queued(attempt.id, call.agent, call.about)

    async def state(self, request_id: str, call: CallRequest) -> RequestedCall:
        attempt = await queries.attempt(self._db, _attempt_of(request_id))
        if attempt is None:
            return RequestedCall(state=RequestState.WAITING)
        return RequestedCall(
            state=RequestState(attempt.status),
            attempt_id=attempt.id,
            call_id=attempt.call_id or call_of(attempt.id),
            disposition=attempt.disposition or "",
        )


def _attempt_of(request_id: str) -> str:
    """So a request that is placed twice is one attempt."""
    return f"attempt-{request_id.removeprefix('request-')}"


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
