"""Routing as a worker's calls see it: asked of the control process over the node's own socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.core.control import ControlClient
from bot.core.errors import NodeUnavailable, Unavailable
from bot.core.routing import Route, RouteOrder

ANSWER_S = 5.0
"""A caller waits for this answer: control that needs longer is as good as away."""


class ControlRouter:
    """A `bot.core.routing.Router`. Connects when it is first needed, and anew after control was away."""

    def __init__(self, socket: Path, *, answer_s: float = ANSWER_S) -> None:
        self._socket = socket
        self._answer_s = answer_s
        self._client: ControlClient | None = None
        self._connecting = asyncio.Lock()

    async def route(self, order: RouteOrder) -> Route:
        return Route.model_validate(await self.request("route", order=order.model_dump(mode="json")))

    async def claim(self, call_id: str, agent_id: str) -> bool:
        return bool((await self.request("claim", call_id=call_id, agent_id=agent_id))["claimed"])

    async def release(self, call_id: str, agent_id: str) -> None:
        await self.request("release", call_id=call_id, agent_id=agent_id)

    async def request(self, do: str, /, **params: Any) -> dict[str, Any]:
        """Any order to control. Raises what control reports, and Unavailable while it is away. An order
        that was lost with its connection is sent once more: each of them may be given twice."""
        try:
            async with asyncio.timeout(self._answer_s):
                try:
                    return await (await self._connected()).request(do, **params)
                except NodeUnavailable:
                    return await (await self._connected()).request(do, **params)
        except TimeoutError as error:
            raise Unavailable(
                f"control does not answer «{do}» within {self._answer_s:g} s", hint="see the node's log"
            ) from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _connected(self) -> ControlClient:
        async with self._connecting:
            if self._client is not None and self._client.gone:
                await self.close()
            if self._client is None:
                self._client = await ControlClient.connect(self._socket)
            return self._client
