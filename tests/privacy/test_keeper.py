"""The node clears old data away by itself, and a database that is away does not end that."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from bot.core.clock import ManualClock
from bot.core.errors import StoreUnavailable
from bot.privacy.files import CallFiles
from bot.privacy.retention import Retention
from bot.privacy_keeper import PrivacyKeeper
from bot.store.database import Database
from bot.store.settings import StoreSettings
from tests.privacy.test_retention import FOREVER


class _AwayOnce(Retention):
    def __init__(self, db: Database, files: CallFiles) -> None:
        super().__init__(db, files, FOREVER, ManualClock())
        self.runs = 0
        self.again = asyncio.Event()

    async def run(self, *, dry: bool = False) -> Counter[str]:
        self.runs += 1
        if self.runs == 1:
            raise StoreUnavailable("away")
        self.again.set()
        return Counter(recordings=3)


async def test_a_run_that_failed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.privacy_keeper.AGAIN_S", 0.0)
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        work = _AwayOnce(db, CallFiles(tmp_path / "recordings", tmp_path / "spool"))
        keeper = asyncio.create_task(PrivacyKeeper(work, first_s=0.0).run())
        async with asyncio.timeout(10):
            await work.again.wait()
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
    assert work.runs == 2, "the next one is a day away"
