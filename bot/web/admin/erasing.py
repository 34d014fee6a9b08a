"""Erasures that go on after their order's page was answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from aiohttp import web

from bot.core.errors import OtklikError
from bot.privacy.erasure import Eraser
from bot.store.tables_privacy import ErasureRow
from bot.web.admin.forms import problem_of
from bot.words import words

log = structlog.get_logger()

AT_ONCE_S = 3.0
"""So long a browser waits for the certificate itself; what takes longer has its page."""


@dataclass(slots=True)
class Going:
    """`calls` are those that are done. `problem` is in the words of who ordered it."""

    calls: int = 0
    problem: str = ""
    task: asyncio.Task[None] | None = None


class Erasures:
    """Those of this process, by the id of their row. What it loses goes on when it is ordered again."""

    def __init__(self, eraser: Eraser) -> None:
        self.eraser = eraser
        self._going: dict[str, Going] = {}

    async def go_on(self, row: ErasureRow, phone: str) -> None:
        """Returns when it is over, or after a moment: it goes on."""
        going = self._going.get(row.id)
        if going is None or going.task is None or going.task.done():
            self._going[row.id] = going = Going()
            going.task = asyncio.create_task(self._finish(going, row, phone))
        assert going.task is not None
        await asyncio.wait({going.task}, timeout=AT_ONCE_S)

    def find(self, erasure_id: str) -> Going | None:
        """None for one that is over, or that another process has."""
        return self._going.get(erasure_id)

    async def close(self) -> None:
        tasks = [going.task for going in self._going.values() if going.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _finish(self, going: Going, row: ErasureRow, phone: str) -> None:
        def told(done: int) -> None:
            going.calls = done

        try:
            await self.eraser.finish(row, phone, progress=told)
        except OtklikError as error:
            going.problem = problem_of(error)
        except Exception:
            # The border of a task that nobody waits for: it is told on its page, and goes on when ordered.
            log.exception("erasure failed", erasure=row.id)
            going.problem = words("что-то сломалось, это записано", "something broke; it is written down")
        else:
            del self._going[row.id]


ERASURES = web.AppKey("erasures", Erasures)


async def close_erasures(app: web.Application) -> None:
    await app[ERASURES].close()
