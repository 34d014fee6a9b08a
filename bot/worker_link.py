"""Control's connection to a media worker, kept across the worker's deaths."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog

from bot.core.control import ControlClient
from bot.core.errors import NodeUnavailable, Unavailable
from bot.core.events import CallEvent

log = structlog.get_logger()

RETRY_S = 0.2
ANSWER_S = 5.0
"""A worker that does not tell how it is for so long is taken for lost."""


class WorkerLink:
    """`run` for as long as the node lives; orders go through `request` in the meantime.

    `on_event` gets every event of the worker's calls; `on_lost` is awaited whenever a worker that
    was there is gone (it died, or was stopped), before the next one is looked for. A connection that
    broke while its worker lives is made anew and nothing more: his calls go on.
    """

    def __init__(
        self,
        socket: Path,
        *,
        on_event: Callable[[CallEvent], None],
        on_lost: Callable[[], Awaitable[None]],
    ) -> None:
        self._socket = socket
        self._on_event = on_event
        self._on_lost = on_lost
        self._client: ControlClient | None = None
        self._pid: int | None = None
        self.connected = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                client = await ControlClient.connect(self._socket)
            except NodeUnavailable:
                await asyncio.sleep(RETRY_S)  # the supervisor is at it; there is nothing to wait on
                continue
            try:
                await self._follow(client)
            except NodeUnavailable as error:
                log.info("worker went away", reason=error.message)
            finally:
                self.connected.clear()
                self._client = None
                await client.close()
            if not await self._lives():
                await self._on_lost()

    async def _lives(self) -> bool:
        """Whether the worker that we were connected to answers still."""
        try:
            async with asyncio.timeout(ANSWER_S), await ControlClient.connect(self._socket) as client:
                status = await client.request("status")
        except (NodeUnavailable, TimeoutError):
            return False
        return self._pid is not None and status["pid"] == self._pid

    async def _follow(self, client: ControlClient) -> None:
        await client.watch()
        self._pid = (await client.request("status"))["pid"]
        self._client = client
        self.connected.set()
        async for event in client.events():
            self._on_event(event)

    async def request(self, do: str, **params: Any) -> dict[str, Any]:
        """Raises what the worker reports, or Unavailable while there is none."""
        if self._client is None:
            raise Unavailable("the media worker is being started again", hint="try again in a moment")
        return await self._client.request(do, **params)
