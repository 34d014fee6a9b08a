"""What a node can be told over its control socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from typing import Any, Literal

import structlog

from bot.core.answer import AnswerStatus, AnswerValue
from bot.core.clock import Clock
from bot.core.context import Person
from bot.core.control import ControlServer, Handler, undo_with_the_connection
from bot.core.errors import BadInput, Unavailable
from bot.core.ids import call_of
from bot.core.orders import Order, read_order
from bot.core.zones import Zone
from bot.dispatch import Dispatcher
from bot.orders_agents import AGENT_ORDERS
from bot.orders_campaigns import CAMPAIGN_ORDERS
from bot.orders_cases import CASE_ORDERS
from bot.orders_inbound import INBOUND_ORDERS
from bot.orders_requests import REQUEST_ORDERS
from bot.orders_surveys import SURVEY_ORDERS
from bot.planning import callable_uri
from bot.published import Published
from bot.publishing import fetch
from bot.settings import Settings
from bot.store import queries
from bot.store.attempts import NewCall, cancel, queue_call
from bot.store.database import Database
from bot.store.queries import Call
from bot.store.returning import open_matter
from bot.store.tables import AnswerRow
from bot.store.writer import Writer
from bot.triage.router import LocalRouter
from bot.worker_link import WorkerLink

log = structlog.get_logger()

FOR_THE_WORKER = ("agent_decides", "hold", "unhold", "pass_on", "hang_up", "use_models")
"""Orders to a live call (bot/worker_orders.py), or to the worker itself: control passes them on."""

FROM_THE_WORKER = ("ring_desk", "desk_done", "fetch_survey")
"""Desk pages are rung (bot/web/desk/desks.py), a survey is brought from SQL (bot/publishing.py)."""


class CallOrder(Order):
    """`place_call`: whom to ring with which survey. `timezone` is the customer's, empty where it is not
    known: then his number tells it, or it is the company's."""

    to: str
    survey: str = "nps"
    customer: Person = Person()
    agent: Person = Person()
    department: str = ""
    timezone: Literal[""] | Zone = ""


def take_none_yet(server: ControlServer) -> None:
    """While the node comes up: its state is told, and orders are refused with the reason."""

    async def starting(params: dict[str, Any]) -> dict[str, Any]:
        return {"ready": False}

    async def refuse(params: dict[str, Any]) -> dict[str, Any]:
        raise Unavailable("узел ещё запускается", hint="повторите через полминуты")

    server.register("status", starting)
    calls = (
        "place_call",
        "cancel_call",
        "calls",
        "events",
        "set_agent",
        "survey_link",
        "returning",
        *FROM_THE_WORKER,
    )
    rooms = (AGENT_ORDERS, CASE_ORDERS, CAMPAIGN_ORDERS, INBOUND_ORDERS, REQUEST_ORDERS, SURVEY_ORDERS)
    for name in (*calls, *FOR_THE_WORKER, *chain.from_iterable(rooms)):
        server.register(name, refuse)


def take_no_more(server: ControlServer) -> None:
    """While the node goes down: an order that was queued now would ring somebody after the next start."""

    async def refuse(params: dict[str, Any]) -> dict[str, Any]:
        raise Unavailable("узел останавливается и новых звонков не берёт", hint="повторите после запуска")

    for name in ("place_call", "request_call"):
        server.register(name, refuse)


class Orders:
    """The handlers; each is one order."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        writer: Writer,
        published: Published,
        link: WorkerLink,
        dispatcher: Dispatcher,
        router: LocalRouter,
        clock: Clock,
        pids: Callable[[], dict[str, int | None]],
    ) -> None:
        self._pids = pids
        self._settings = settings
        self._db = db
        self._writer = writer
        self._published = published
        self._link = link
        self._dispatcher = dispatcher
        self._router = router
        self._clock = clock

    def register(self, server: ControlServer) -> None:
        """From now on orders are taken."""
        for name, handler in (
            ("place_call", self._place_call),
            ("cancel_call", self._cancel_call),
            ("status", self._status),
            ("calls", self._calls),
            ("events", self._events),
            ("set_agent", self._set_agent),
            ("returning", self._returning),
            ("fetch_survey", self._fetch_survey),
            *((name, self._forward(name)) for name in FOR_THE_WORKER),
        ):
            server.register(name, handler)

    async def _place_call(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("place_call", CallOrder, params)
        digest, survey = self._published.by_id(order.survey)
        to_uri = callable_uri(order.to, self._settings.sip.trunk)
        attempt = await queue_call(
            self._db,
            NewCall(
                to_uri=to_uri,
                survey_id=survey.id,
                survey_hash=digest,
                customer=order.customer,
                language=survey.language,
                tz=order.timezone,
                agent_id=order.agent.id,
                department=order.department,
            ),
            self._clock.now(),
        )
        self._dispatcher.queued(attempt.id, order.agent)
        return {"attempt_id": attempt.id, "call_id": call_of(attempt.id)}

    async def _cancel_call(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take back a call that has not rung yet."""
        attempt_id = params.get("attempt_id")
        if not isinstance(attempt_id, str):
            raise BadInput("cancel_call needs attempt_id", hint='"attempt_id": "attempt-…"')
        return {"cancelled": await cancel(self._db, attempt_id, self._clock.now())}

    async def _status(self, params: dict[str, Any]) -> dict[str, Any]:
        """`ready` only while a worker is there; without one its own figures are left out."""
        missing = list(self._dispatcher.missing())
        try:
            worker = await self._link.request("status")
        except Unavailable as error:
            log.info("no worker to be asked", reason=error.message)
            worker, missing = {}, missing or ["worker"]
        return {
            "ready": bool(worker),
            **worker,
            "children": self._pids(),
            "missing": missing,
            "surveys": self._published.current(),
            "database": self._db.dialect,
            "lag_s": round(self._writer.lag_s, 3),
        }

    async def _calls(self, params: dict[str, Any]) -> dict[str, Any]:
        """Stored calls by their call ids, or by those of their attempts; whatever is durable is in SQL
        before they are read."""
        await self._writer.drain_once()
        found = [await queries.call(self._db, call_id) for call_id in params.get("call_ids", ())]
        if attempt_ids := params.get("attempt_ids"):
            found += await queries.calls(self._db, attempt_ids=attempt_ids)
        return {"calls": [_as_json(call) for call in found if call is not None]}

    async def _events(self, params: dict[str, Any]) -> dict[str, Any]:
        """Everything that happened in one call, in order; empty for a call that is not known."""
        call_id = params.get("call_id")
        if not isinstance(call_id, str):
            raise BadInput("events needs call_id", hint='"call_id": "call-…"')
        await self._writer.drain_once()
        found = await queries.events(self._db, call_id)
        return {"events": [event.model_dump(mode="json") for event in found]}

    async def _fetch_survey(self, params: dict[str, Any]) -> dict[str, Any]:
        """A version that this node does not have yet, by its hash."""
        digest = params.get("hash")
        if not isinstance(digest, str):
            raise BadInput("fetch_survey needs hash", hint='"hash": "9f1c…", 64 digits')
        await fetch(digest, self._published, self._db)
        return {}

    async def _returning(self, params: dict[str, Any]) -> dict[str, Any]:
        """The open matter of who rings from `remote`; an empty object where there is none."""
        remote = params.get("remote")
        if not isinstance(remote, str):
            raise BadInput("returning needs remote", hint='"remote": "sip:+7495…@trunk"')
        await self._writer.drain_once()
        since = self._clock.now() - timedelta(seconds=self._settings.handover.returns_s)
        matter = await open_matter(self._db, remote, since)
        return matter.model_dump(mode="json") if matter is not None else {}

    def _forward(self, name: str) -> Handler:
        async def forward(params: dict[str, Any]) -> dict[str, Any]:
            return await self._link.request(name, **params)

        return forward

    async def _set_agent(self, params: dict[str, Any]) -> dict[str, Any]:
        """Where an entry of the agents' table is reached, until the node stops; with `"lasts": "connection"`
        until the connection is over, so that a simulator that is killed leaves nothing behind."""
        target, uri, lasts = params.get("target"), params.get("uri"), params.get("lasts", "node")
        if not isinstance(target, str) or not isinstance(uri, str):
            raise BadInput("set_agent needs target and uri", hint='"target": "responsible", "uri": "sip:…"')
        if lasts not in ("node", "connection"):
            raise BadInput(f"set_agent lasts no {lasts!r}", hint='"lasts": "node" or "connection"')
        take_back = self._router.move(target, callable_uri(uri, self._settings.sip.trunk))
        if lasts == "connection":
            undo_with_the_connection(take_back)
        return {}


def _as_json(call: Call) -> dict[str, Any]:
    attempt = call.attempt
    joined = [handover.target for handover in call.handovers if handover.connected_at is not None]
    return {
        "call_id": attempt.call_id,
        "attempt_id": attempt.id,
        "direction": attempt.direction,
        "survey": attempt.survey_id,
        "survey_version": call.survey.version if call.survey else None,
        "survey_hash": attempt.survey_hash,
        "to": attempt.to_uri,
        "agent_id": attempt.agent_id,
        "department": attempt.department,
        "conversation_id": attempt.conversation_id or None,
        "contact_id": attempt.contact_id,
        "attribution": json.loads(attempt.attribution) if attempt.attribution else None,
        "status": attempt.status,
        "disposition": attempt.disposition,
        "end_cause": attempt.end_cause,
        "duration_s": attempt.duration_s,
        "answers": {
            answer.question_id: _value(answer)
            for answer in call.answers
            if answer.status == AnswerStatus.ANSWERED
        },
        "signals": [signal.name for signal in call.signals],
        "transferred_to": joined[-1] if joined else None,
        "callbacks": [row.reason or "asked" for row in call.callbacks],
        "recording": attempt.recording or None,
    }


def _value(answer: AnswerRow) -> AnswerValue:
    if answer.kind == "multi_choice":
        return answer.value.split(",") if answer.value else []
    if answer.number is None:
        return answer.value
    return int(answer.number) if answer.number.is_integer() else answer.number
