"""An agent is at his desk for as long as a page of it is open: said to the presence board again and again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from bot.core.errors import OtklikError
from bot.web.live import Live
from bot.web.parts import Ask

log = structlog.get_logger()


class DeskKeeper:
    """`look_s`: how often an open desk is said to be open, well within the board's time to live."""

    def __init__(self, live: Live, control: Ask, *, look_s: float) -> None:
        self._live = live
        self._control = control
        self._look_s = look_s
        self._open: set[str] = set()
        self._changed = asyncio.Event()
        live.on_desk = lambda agent_id: self._changed.set()

    async def run(self) -> None:
        """As long as the node lives."""
        while True:
            self._changed.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._changed.wait()

    async def look(self) -> None:
        """Once: every open desk is said to be open, and those that were closed since to be closed."""
        now_open = self._live.open_desks()
        for agent_id in now_open:
            await self._say(agent_id, True)
        for agent_id in self._open - now_open:
            await self._say(agent_id, False)
        self._open = now_open

    async def _say(self, agent_id: str, desk: bool) -> None:
        try:
            await self._control("presence", agent_id=agent_id, desk=desk)
        except OtklikError as error:  # no such agent in the table, or the board is away: it is said again
            log.warning("desk not shown on the board", agent_id=agent_id, reason=error.message)
