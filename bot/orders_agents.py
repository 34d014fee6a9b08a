"""Orders about agents: who there is, where he is, and whom to ring for a call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from bot.core.clock import Clock
from bot.core.control import ControlServer
from bot.core.errors import BadInput
from bot.core.orders import Order, read_order
from bot.core.routing import RouteOrder
from bot.store import agents, cases
from bot.store.agents import StaffChange
from bot.store.database import Database
from bot.store.writer import Writer
from bot.triage.directory import Agent, Department, Directory, Presence, PresenceState
from bot.triage.records import AgentRecord, DepartmentRecord
from bot.triage.router import LocalRouter, known_agent
from bot.triage.rows import agent_row, days_off_rows, department_row
from bot.triage.working_days import on_shift

AGENT_ORDERS = (
    "route",
    "claim",
    "release",
    "agents",
    "agent_save",
    "agent_remove",
    "presence",
    "manager",
    "why",
)


class PlaceOrder(Order):
    """`claim`, `release`."""

    call_id: str = Field(min_length=1)
    agent_id: str = Field(min_length=1)


class RouteRequest(Order):
    order: RouteOrder


class PresenceOrder(Order):
    """`presence`: what he says of himself, and whether his desk is open (None: nothing new of either).
    `state` "" takes back what he said: his shift alone counts again."""

    agent_id: str = Field(min_length=1)
    state: PresenceState | str | None = None
    desk: bool | None = None


class SaveOrder(Order):
    """`agent_save`: all of it or nothing."""

    agents: tuple[AgentRecord, ...] = ()
    departments: tuple[DepartmentRecord, ...] = ()


class RemoveOrder(Order):
    """`agent_remove`: his open cases and customers become `heir`'s."""

    agent_id: str = Field(min_length=1)
    heir: str = ""


class ManagerOrder(Order):
    """`manager`: who looks after this customer; "" nobody."""

    contact_id: str = Field(min_length=1)
    agent_id: str = ""


class WhyOrder(Order):
    """`why`: the decisions that were made for this call."""

    call_id: str = Field(min_length=1)


class AgentOrders:
    """The handlers; each is one order."""

    def __init__(self, db: Database, writer: Writer, router: LocalRouter, clock: Clock) -> None:
        self._db = db
        self._writer = writer
        self._router = router
        self._clock = clock

    def register(self, server: ControlServer) -> None:
        handlers = (
            self._route,
            self._claim,
            self._release,
            self._agents,
            self._save,
            self._remove,
            self._presence,
            self._manager,
            self._why,
        )
        for name, handler in zip(AGENT_ORDERS, handlers, strict=True):
            server.register(name, handler)

    async def _route(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("route", RouteRequest, params).order
        return (await self._router.route(order)).model_dump(mode="json")

    async def _claim(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("claim", PlaceOrder, params)
        return {"claimed": await self._router.claim(order.call_id, order.agent_id)}

    async def _release(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("release", PlaceOrder, params)
        await self._router.release(order.call_id, order.agent_id)
        return {}

    async def _agents(self, params: dict[str, Any]) -> dict[str, Any]:
        """Everybody, with where he is at this moment."""
        directory = await self._router.directory()
        presences, live = await self._router.board.presences(), await self._router.board.live()
        now = self._clock.now()
        return {
            "agents": [
                agent_json(agent, directory, presences.get(agent.id, Presence()), live.get(agent.id, 0), now)
                for agent in sorted(directory.agents.values(), key=lambda each: each.id)
            ],
            "departments": [
                DepartmentRecord.of(each).model_dump(mode="json") for each in directory.departments.values()
            ],
        }

    async def _save(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("agent_save", SaveOrder, params)
        await save_records(self._db, order.agents, order.departments)
        return {"agents": len(order.agents), "departments": len(order.departments)}

    async def _remove(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("agent_remove", RemoveOrder, params)
        await agents.remove(self._db, order.agent_id, order.heir)
        await self._router.board.choose(order.agent_id, None)
        return {}

    async def _presence(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("presence", PresenceOrder, params)
        known_agent(await self._router.directory(), order.agent_id)
        if order.state is not None:
            await self._router.choose(order.agent_id, _state(order.state))
        if order.desk is True:
            await self._router.board.desk_seen(order.agent_id)
        elif order.desk is False:
            await self._router.board.desk_gone(order.agent_id)
        presence = (await self._router.board.presences()).get(order.agent_id, Presence())
        return {"state": presence.state, "desk": presence.desk}

    async def _manager(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("manager", ManagerOrder, params)
        if order.agent_id:
            known_agent(await self._router.directory(), order.agent_id)
        if not await agents.set_manager(self._db, order.contact_id, order.agent_id):
            raise BadInput(f"клиента «{order.contact_id}» нет", hint="номер клиента, как его знает ваша CRM")
        return {}

    async def _why(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("why", WhyOrder, params)
        await self._writer.drain_once()
        return await why_json(self._db, order.call_id)


def _state(said: str) -> PresenceState | None:
    """Raises BadInput."""
    if not said:
        return None
    try:
        return PresenceState(said)
    except ValueError as error:
        known = ", ".join(PresenceState)
        raise BadInput(f"presence.state: «{said}» не бывает", hint=f"бывает: {known}") from error


async def save_records(
    db: Database, people: tuple[AgentRecord, ...], departments: tuple[DepartmentRecord, ...]
) -> None:
    """All of it or nothing. Raises BadInput."""
    known = {row.id for row in (await agents.staff(db)).departments} | {each.id for each in departments}
    for person in people:
        if person.department and person.department not in known:
            raise BadInput(
                f"сотрудник {person.id}: отдела «{person.department}» нет",
                hint=f"есть: {', '.join(sorted(known)) or 'ни одного'}; отдел заводят раньше сотрудника",
            )
    made = [record.agent() for record in people]
    change = StaffChange(
        agents=[agent_row(agent) for agent in made],
        departments=[department_row(record.department()) for record in departments],
        days_off={
            record.id: days_off_rows(record.id, agent.days_off)
            for record, agent in zip(people, made, strict=True)
            if record.days_off is not None
        },
    )
    await agents.save(db, change)


async def why_json(db: Database, call_id: str) -> dict[str, Any]:
    """The decisions of a call, oldest first, and the names of everybody in the table."""
    staff = await agents.staff(db)
    return {
        "routes": [
            {"target": row.target, "at": row.at.isoformat(), "route": row.json_}
            for row in await cases.routes(db, call_id)
        ],
        "names": {row.id: row.name for row in staff.agents if row.name},
    }


def agent_json(
    agent: Agent, directory: Directory, presence: Presence, live: int, now: datetime
) -> dict[str, Any]:
    """An agent as orders tell him: his record, and where he is now."""
    department: Department = directory.department_of(agent)
    return {
        **AgentRecord.of(agent).model_dump(mode="json"),
        "department_name": department.name,
        "on_shift": on_shift(agent, directory, now),
        "presence": presence.state,
        "desk": presence.desk,
        "live": live,
    }
