"""The process with the calls while it is fuzzed: whether it is still the same, and what memory it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

from bot.core.control import ControlClient
from bot.sim.bench.processes import look
from bot.sim.bench.soaking import Verdict

LOOK_S = 1.0
JUDGED_S = 60.0
"""Growth is judged where the last two thirds are so long: in less it is what calls take that just began."""
GROWN_MB = 25.0
"""So much a process may gain in the last two thirds of a run; runs of three minutes gained 37 and 38 MB in
all, most of it in the first. Of the other two's 24,000 messages a kilobyte kept of each is too much."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: seconds since the first one, RSS in MB."""

    at_s: float
    rss_mb: float


def later_growth(seen: Sequence[Seen]) -> float:
    """MB gained in the last two thirds of the time, from their first quarter to their last. Pure."""
    later = _later(seen)
    quarter = max(len(later) // 4, 1)
    if not later:
        return 0.0
    return fmean(each.rss_mb for each in later[-quarter:]) - fmean(each.rss_mb for each in later[:quarter])


def memory_verdict(seen: Sequence[Seen]) -> Verdict:
    """Whether it stayed flat. Pure."""
    later = _later(seen)
    if not later or later[-1].at_s - later[0].at_s < JUDGED_S:
        return Verdict.NOT_JUDGED
    return Verdict.MET if later_growth(seen) <= GROWN_MB else Verdict.MISSED


def _later(seen: Sequence[Seen]) -> list[Seen]:
    return [each for each in seen if each.at_s >= seen[-1].at_s / 3]


class WorkerWatch:
    """`await watch.run(over)` looks until `over` is set, and once more. `crashes` counts how often another
    process had taken the place of the one before; what is seen is of the last one."""

    def __init__(self, control: ControlClient) -> None:
        self._control = control
        self._pid = 0
        self.crashes = 0
        self.seen: list[Seen] = []

    async def begin(self) -> None:
        """From now on this is the process. Raises NodeUnavailable."""
        self._pid = await self._worker()
        self._began = time.monotonic()
        self._look()

    async def run(self, over: asyncio.Event) -> None:
        """Raises NodeUnavailable."""
        while True:
            ending = over.is_set()
            now = await self._worker()
            if now and now != self._pid:
                self.crashes += 1
                self._pid, self.seen, self._began = now, [], time.monotonic()
            self._look()
            if ending:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), LOOK_S)

    async def _worker(self) -> int:
        """0 while there is none."""
        return int((await self._control.request("status")).get("pid", 0))

    def _look(self) -> None:
        process = look(self._pid)
        if process is not None:
            self.seen.append(Seen(time.monotonic() - self._began, process.rss_mb))
