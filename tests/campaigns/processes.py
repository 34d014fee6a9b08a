"""Nodes with played calls as processes of their own (`node_process`), and what they have told so far."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.settings import PROJECT
from tests.campaigns.node_process import Play

LONGEST_S = 120.0
"""Only what hangs takes so long: two nodes and their servers share this machine with others, and on a busy
one each of their steps takes several times its own time."""
PLAY = Play()


@dataclass(frozen=True, slots=True)
class Site:
    """What nodes share; each has its spool and its log in a `folder` of this machine."""

    database: str
    queue: str
    folder: Path

    def spool(self, name: str) -> Path:
        return self.folder / name / "spool"


class Process:
    """`lines` are what it has told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._told = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._told:
                self.lines.append(line.decode().strip())
                self._told.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Looked at with each line."""
        async with asyncio.timeout(LONGEST_S), self._told:
            await self._told.wait_for(condition)

    async def told(self, word: str, count: int) -> None:
        """Until it has begun so many lines with this word."""
        await self.until(lambda: self.count(word) >= count)

    def count(self, word: str) -> int:
        return sum(line.startswith(word) for line in self.lines)

    async def later(self, seconds: float) -> None:
        """Its clock goes forward by this."""
        told = self.count("later")
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n".encode())
        await self.told("later", told + 1)

    @property
    def steps(self) -> dict[str, str]:
        """How far the last call of each contact came: `rings`, `talks`, `seeks`, `ends`."""
        steps = (line.split() for line in self.lines)
        return {step[1]: step[0] for step in steps if step[0] in ("rings", "talks", "seeks", "ends")}

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self._reading


@asynccontextmanager
async def node(name: str, site: Site, play: Play = PLAY) -> AsyncIterator[Process]:
    arguments = (name, site.database, site.queue, str(site.spool(name)), json.dumps(asdict(play)))
    with (site.folder / f"{name}.err").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.campaigns.node_process", *arguments),
            cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    started = Process(process)
    try:
        yield started
    finally:
        await started.kill()
