"""Orders about calls that other systems ask for: taking the wish once, and what became of it.

`RequestOrders` keeps the wish; `StandingCalls` sees to it, as a `bot.core.requests.RequestCall`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from pydantic import Field

from bot.campaigns.reading import Surveys
from bot.campaigns.requested import what_became
from bot.campaigns.standing import ask_for
from bot.core.clock import Clock
from bot.core.control import ControlServer
from bot.core.errors import BadInput, DiskFull, Unavailable
from bot.core.orders import Order, read_order
from bot.core.requests import CallRequest, RequestCall, RequestedCall, RequestState
from bot.planning import callable_uri
from bot.settings_sip import TrunkSection
from bot.store import requests
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.tables_delivery import CallRequestRow

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
        """Calls whose time comes later, those that a node had kept when it died, and those whose customer was
        on the line."""
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
                await requests.refuse(self._db, row.id, self._clock.now(), error.code)

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
        if not await self._calls.place(row.id, CallRequest.model_validate_json(row.json_), self._clock.now()):
            log.info("requested call waits for another of its customer", request=row.id)

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
            became = await self._calls.state(row.id)
        return {
            "known": True,
            "id": row.id,
            "accepted_at": _utc(row.created_at),
            "not_before": _utc(row.due_at),
            **became.model_dump(mode="json"),
        }


class StandingCalls:
    """A `RequestCall` over standing campaigns: whoever is asked for becomes a member, and policy decides."""

    def __init__(
        self,
        db: Database,
        surveys: Surveys,
        begin: Callable[[str], Awaitable[None]],
        trunk: TrunkSection,
        clock: Clock,
    ) -> None:
        self._db = db
        self._surveys = surveys
        self._begin = begin
        self._trunk = trunk
        self._clock = clock

    async def place(self, request_id: str, call: CallRequest, now: datetime) -> bool:
        digest, survey = self._surveys(call.survey)
        new = NewCall(
            to_uri=callable_uri(call.phone, self._trunk),
            survey_id=survey.id,
            survey_hash=digest,
            customer=call.customer,
            language=survey.language,
            tz=call.timezone,
            agent_id=call.agent.id,
            department=call.department,
            conversation_id=call.conversation_id,
        )
        campaign_id = await ask_for(self._db, request_id, new, now)
        if campaign_id is None:
            return False
        await self._begin(campaign_id)
        return True

    async def state(self, request_id: str) -> RequestedCall:
        return await what_became(self._db, request_id, self._surveys, self._clock.now())


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
