"""What an agent, or a page, may do to a call that a worker runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from bot.browser_calls import BrowserCalls
from bot.call.session import CallSession
from bot.core.control import ControlServer
from bot.core.errors import BadInput
from bot.core.orders import Order, read_order


class _OfCall(Order):
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

    def __init__(self, session: Callable[[str], CallSession | None], browsers: BrowserCalls) -> None:
        self._find = session
        self._browsers = browsers

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
        order = read_order("agent_decides", DecideOrder, params)
        self._session(order.call_id).agent_decides(order.agent_id, order.accepted)
        return {}

    async def _hold(self, params: dict[str, Any]) -> dict[str, Any]:
        self._session(read_order("hold", HoldOrder, params).call_id).hold()
        return {}

    async def _unhold(self, params: dict[str, Any]) -> dict[str, Any]:
        self._session(read_order("unhold", HoldOrder, params).call_id).unhold()
        return {}

    async def _pass_on(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("pass_on", PassOnOrder, params)
        self._session(order.call_id).pass_on(order.to_agent_id)
        return {}

    async def _hang_up(self, params: dict[str, Any]) -> dict[str, Any]:
        order = read_order("hang_up", HangUpOrder, params)
        page = self._browsers.line(order.call_id, "caller") if order.side == "caller" else None
        if page is not None:  # its user hung up, which is not that we did
            page.leave()
            return {}
        await self._session(order.call_id).hang_up(order.side)
        return {}
