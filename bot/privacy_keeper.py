"""The node's own care of how long personal data are kept: once a day."""

from __future__ import annotations

import asyncio

import structlog

from bot.core.clock import Clock
from bot.core.errors import DiskFull, Unavailable
from bot.privacy.files import CallFiles
from bot.privacy.retention import Keep, Retention
from bot.settings import Settings
from bot.store.database import Database

log = structlog.get_logger()

FIRST_S = 600.0
"""After the node's start: calls are taken first."""
DAY_S = 24 * 3600.0
AGAIN_S = 600.0
"""After a run that the database or the disk did not let come to its end."""


def call_files(settings: Settings) -> CallFiles:
    return CallFiles(settings.recordings_dir, settings.spool_dir)


def retention(settings: Settings, db: Database, clock: Clock) -> Retention:
    keep = Keep(**settings.privacy.keep.model_dump())
    return Retention(db, call_files(settings), keep, clock)


class PrivacyKeeper:
    """`run` for as long as the node lives."""

    def __init__(self, work: Retention, *, first_s: float = FIRST_S) -> None:
        self._work = work
        self._first_s = first_s

    async def run(self) -> None:
        pause = self._first_s
        while True:
            await asyncio.sleep(pause)
            pause = DAY_S
            try:
                gone = +await self._work.run()
            except (Unavailable, DiskFull) as error:  # the database or the disk: each comes back
                log.warning("old data not cleared away", reason=error.message)
                pause = AGAIN_S
            else:
                if gone:
                    log.info(
                        "old data cleared away", **{f"{kind}_gone": count for kind, count in gone.items()}
                    )
