"""The event loop's clock as a `Clock`, so that events carry virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class LoopClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
