"""Orders about cases: which there are, and what people do with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from bot.core.clock import Clock
from bot.core.control import ControlServer
from bot.core.errors import BadInput
from bot.core.orders import Order, read_order
from bot.store import cases
from bot.store.cases import Case
from bot.store.database import Database
from bot.store.tables_cases import CaseStatus
from bot.store.writer import Writer
from bot.triage.router import LocalRouter, known_agent

CASE_ORDERS = ("cases", "case", "case_claim", "case_postpone", "case_reassign", "case_close", "case_note")


class CasesOrder(Order):
    """`cases`: open and claimed ones unless `statuses` names others; `owner_id` also finds what he
    claimed; `breached` only those whose deadline has passed."""

    owner_id: str | None = None
    department: str | None = None
    statuses: tuple[CaseStatus, ...] = (CaseStatus.OPEN, CaseStatus.CLAIMED)
    callback: bool | None = None
    breached: bool = False
    topic: str | None = None
    limit: int = Field(200, ge=1, le=5000)
    offset: int = Field(0, ge=0)


class CaseOrder(Order):
    """`case`."""

    case_id: str = Field(min_length=1)


class ClaimOrder(CaseOrder):
    """`case_claim`."""

    agent_id: str = Field(min_length=1)


class PostponeOrder(CaseOrder):
    """`case_postpone`. `agent_id` here and below is who gives the order; "" an administrator."""

    due_at: AwareDatetime
    agent_id: str = ""
    text: str = ""


class ReassignOrder(CaseOrder):
    """`case_reassign`: with its deadline, unless another is given."""

    owner_id: str = Field(min_length=1)
    due_at: AwareDatetime | None = None
    agent_id: str = ""
    text: str = ""


class CloseOrder(CaseOrder):
    """`case_close`: `done` where the customer was helped, `closed` where nothing is to be done."""

    status: Literal["done", "closed"] = "done"
    outcome: str = ""
    agent_id: str = ""


class NoteOrder(CaseOrder):
    """`case_note`."""

    text: str
    agent_id: str = ""


class CaseOrders:
    """The handlers; each is one order. Whoever changes a case gets it back as it is now."""

    def __init__(self, db: Database, writer: Writer, router: LocalRouter, clock: Clock) -> None:
        self._db = db
        self._writer = writer
        self._router = router
        self._clock = clock

    def register(self, server: ControlServer) -> None:
        handlers = (
            self._cases,
            self._case,
            self._claim,
            self._postpone,
            self._reassign,
            self._close,
            self._note,
        )
        for name, handler in zip(CASE_ORDERS, handlers, strict=True):
            server.register(name, handler)

    async def _cases(self, params: dict[str, Any]) -> dict[str, Any]:
        """Whatever is durable is in SQL, and has its owner, before they are read."""
        order = read_order("cases", CasesOrder, params)
        await self._writer.drain_once()
        await self._router.assign_ownerless()
        return await cases_json(self._db, order, self._clock.now())

    async def _case(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("case", CaseOrder, params)
        await self._writer.drain_once()
        await self._router.assign_ownerless()
        return await self._told(order)

    async def _claim(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("case_claim", ClaimOrder, params)
        await self._known(order.agent_id)
        claimed = await cases.claim(self._db, order.case_id, order.agent_id, self._clock.now())
        return {"claimed": claimed, **await self._told(order)}

    async def _postpone(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("case_postpone", PostponeOrder, params)
        now = self._clock.now()
        await cases.postpone(
            self._db, order.case_id, order.due_at, now, agent_id=order.agent_id, text=order.text
        )
        return await self._told(order)

    async def _reassign(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("case_reassign", ReassignOrder, params)
        await self._known(order.owner_id)
        await cases.reassign(
            self._db,
            order.case_id,
            order.owner_id,
            self._clock.now(),
            agent_id=order.agent_id,
            text=order.text,
            due_at=order.due_at,
        )
        return await self._told(order)

    async def _close(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("case_close", CloseOrder, params)
        await cases.close(
            self._db,
            order.case_id,
            self._clock.now(),
            status=CaseStatus(order.status),
            agent_id=order.agent_id,
            outcome=order.outcome,
        )
        return await self._told(order)

    async def _note(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("case_note", NoteOrder, params)
        await cases.note(self._db, order.case_id, order.text, self._clock.now(), agent_id=order.agent_id)
        return await self._told(order)

    async def _told(self, order: CaseOrder) -> dict[str, Any]:
        return await case_json(self._db, order.case_id, self._clock.now())

    async def _known(self, agent_id: str) -> None:
        """Raises BadInput."""
        known_agent(await self._router.directory(), agent_id)


async def cases_json(db: Database, order: CasesOrder, now: datetime) -> dict[str, Any]:
    found = await cases.cases(
        db,
        owner_id=order.owner_id,
        department=order.department,
        statuses=order.statuses,
        callback=order.callback,
        due_before=now if order.breached else None,
        topic=order.topic,
        limit=order.limit,
        offset=order.offset,
    )
    return {"cases": [as_json(case, now) for case in found]}


async def case_json(db: Database, case_id: str, now: datetime) -> dict[str, Any]:
    """One case with its history. Raises BadInput."""
    found = await cases.case(db, case_id)
    if found is None:
        raise BadInput(f"дела {case_id} нет", hint="какие есть, покажет otklik cases list")
    history = [step.model_dump(mode="json", exclude={"case_id"}) for step in found.history]
    return {"case": {**as_json(found, now), "history": history}}


def as_json(case: Case, now: datetime) -> dict[str, Any]:
    """A case as orders tell it; `breached` as of now."""
    contact = case.contact
    customer = " ".join(filter(None, (contact.first_name, contact.last_name))) if contact else ""
    return {**case.row.model_dump(mode="json"), "customer": customer, "breached": case.breached(now)}
