"""What an agent, or a page, may do to a call that a worker runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.call.session import CallSession
from bot.core.control import ControlServer
from bot.core.errors import BadInput

M = TypeVar("M", bound="_OfCall")


class _OfCall(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    call_id: str = Field(min_length=1)


class DecideOrder(_OfCall):
    """`agent_decides`: the button of an agent who is being rung."""

    agent_id: str = Field(min_length=1)
    accepted: bool


class HoldOrder(_OfCall):
    """`hold`, `unhold`."""


class PassOnOrder(_OfCall):
    """`pass_on`: to a colleague, by his name in the agents' table."""

    to_agent_id: str = Field(min_length=1)


class HangUpOrder(_OfCall):
    """`hang_up`: one side ends its line."""

    side: Literal["caller", "agent"]


class CallOrders:
    """The handlers; each raises BadInput for a call that is not there, or is not at that point."""

    def __init__(self, session: Callable[[str], CallSession | None]) -> None:
        self._find = session

    def register(self, server: ControlServer) -> None:
        server.register("agent_decides", self._agent_decides)
        server.register("hold", self._hold)
        server.register("unhold", self._unhold)
        server.register("pass_on", self._pass_on)
        server.register("hang_up", self._hang_up)

    def _session(self, call_id: str) -> CallSession:
        session = self._find(call_id)
        if session is None:
            raise BadInput(f"звонка {call_id} здесь нет", hint="он закончился или идёт на другом узле")
        return session

    async def _agent_decides(self, params: dict[str, Any]) -> dict[str, Any]:
        order = _read("agent_decides", DecideOrder, params)
        self._session(order.call_id).agent_decides(order.agent_id, order.accepted)
        return {}

    async def _hold(self, params: dict[str, Any]) -> dict[str, Any]:
        self._session(_read("hold", HoldOrder, params).call_id).hold()
        return {}

    async def _unhold(self, params: dict[str, Any]) -> dict[str, Any]:
        self._session(_read("unhold", HoldOrder, params).call_id).unhold()
        return {}

    async def _pass_on(self, params: dict[str, Any]) -> dict[str, Any]:
        order = _read("pass_on", PassOnOrder, params)
        self._session(order.call_id).pass_on(order.to_agent_id)
        return {}

    async def _hang_up(self, params: dict[str, Any]) -> dict[str, Any]:
        order = _read("hang_up", HangUpOrder, params)
        await self._session(order.call_id).hang_up(order.side)
        return {}


def _read(name: str, model: type[M], params: dict[str, Any]) -> M:
    try:
        return model.model_validate(params)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, (name, *problem["loc"])))
        raise BadInput(f"{where}: {problem['msg']}", hint=", ".join(model.model_fields)) from error
