"""What control does about handovers besides answering: claims hold while their calls live, every case has
an owner and a deadline, and a presence board that was away shows again what agents chose."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from bot.core.errors import DiskFull, Unavailable
from bot.core.events import CallbackPromised, CallEnded, CallEvent, CaseOpened
from bot.store.writer import Writer
from bot.triage.router import LocalRouter
from bot.worker_link import WorkerLink

log = structlog.get_logger()

OPENS_CASES = (CaseOpened, CallbackPromised, CallEnded)


class Caretaker:
    """`run` for as long as the node lives. `look_s`: how often it looks when nothing happens: well within
    the time to live of a claim."""

    def __init__(self, router: LocalRouter, writer: Writer, link: WorkerLink, *, look_s: float) -> None:
        self._router = router
        self._writer = writer
        self._link = link
        self._look_s = look_s
        self._happened = asyncio.Event()

    def saw(self, event: CallEvent) -> None:
        """A call's event: it may have left a case, or claims of a call that is over."""
        if isinstance(event, OPENS_CASES):
            self._happened.set()

    async def run(self) -> None:
        while True:
            self._happened.clear()
            try:
                await self.look()
            except (Unavailable, DiskFull) as error:  # the database, Redis, the worker: each comes back
                log.warning("handovers not looked after", reason=error.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._happened.wait()

    async def look(self) -> None:
        """Once. Raises Unavailable, DiskFull."""
        await self._writer.drain_once()
        await self._router.assign_ownerless()
        await self._router.restore()
        if self._link.connected.is_set():
            status = await self._link.request("status")
            await self._router.renew(status["call_ids"])

    async def worker_lost(self) -> None:
        """Its calls are over: their agents are free, and whom they left behind is somebody's case."""
        try:
            await self._router.assign_ownerless()
            await self._router.renew(())
        except (Unavailable, DiskFull) as error:
            log.warning("handovers not looked after", reason=error.message)
