"""Exports that are whole files only: made one after another while their page shows how far they are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import structlog
from aiohttp import web

from bot.core.clock import Clock
from bot.core.errors import OtklikError
from bot.core.ids import new_id
from bot.reports.export.writing import Format, Wanted, export
from bot.reports.slices import Scope
from bot.store.database import Database
from bot.words import words

log = structlog.get_logger()

AT_ONCE_S = 3.0
"""So long a browser waits for the file itself; what takes longer has a page."""

KEEP_S = 3600.0
"""So long a file that is done waits to be taken."""

MOST = 3
"""Of one account at a time, done ones included; the oldest goes when there are more."""


@dataclass(slots=True)
class Job:
    """`owner` is an account's id. `total` is 0 as long as it waits for its turn. `problem` is in the words of
    who asked."""

    id: str
    owner: str
    name: str
    form: Format
    personal: bool
    began: float
    folder: TemporaryDirectory[str] = field(
        default_factory=lambda: TemporaryDirectory(prefix="otklik-export-")
    )
    done: int = 0
    total: int = 0
    ready: bool = False
    problem: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def file(self) -> Path:
        return Path(self.folder.name) / self.name

    @property
    def over(self) -> bool:
        return self.ready or bool(self.problem)

    def open(self) -> BinaryIO:
        """To be read to its end, even if the job is given up meanwhile."""
        return self.file.open("rb")


class ExportJobs:
    """All that go on or wait to be taken, in the memory of this process: what it loses is asked for again."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Lock()

    async def start(self, owner: str, scope: Scope, form: Format, name: str, *, personal: bool) -> Job:
        """Returns when it is over, or after a moment: it goes on."""
        await self._make_room(owner)
        job = Job(new_id("export"), owner, name, form, personal, self._clock.monotonic())
        self._jobs[job.id] = job
        job.task = asyncio.create_task(self._make(job, scope))
        await asyncio.wait({job.task}, timeout=AT_ONCE_S)
        return job

    def find(self, job_id: str, owner: str) -> Job | None:
        """Only whoever asked for it may have it."""
        job = self._jobs.get(job_id)
        return job if job is not None and job.owner == owner else None

    async def give_up(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        if job.task is not None:
            job.task.cancel()
            await asyncio.wait({job.task})
        job.folder.cleanup()

    async def close(self) -> None:
        for job in list(self._jobs.values()):
            await self.give_up(job)

    async def _make_room(self, owner: str) -> None:
        now = self._clock.monotonic()
        for job in [each for each in self._jobs.values() if each.over and now - each.began > KEEP_S]:
            await self.give_up(job)
        own = [each for each in self._jobs.values() if each.owner == owner]
        for job in own[: max(0, len(own) - MOST + 1)]:
            await self.give_up(job)

    async def _make(self, job: Job, scope: Scope) -> None:
        def told(done: int, total: int) -> None:
            job.done, job.total = done, total

        try:
            async with self._turn:
                await export(self._db, scope, Wanted(job.form, job.file, job.personal), told)
            job.ready = True
        except OtklikError as error:
            job.problem = error.message + (f" ({error.hint})" if error.hint else "")
        except OSError as error:
            log.error("export failed", reason=str(error))
            job.problem = words(f"файл не записать: {error.strerror}", f"cannot write: {error.strerror}")


JOBS = web.AppKey("export_jobs", ExportJobs)


async def close_jobs(app: web.Application) -> None:
    await app[JOBS].close()
