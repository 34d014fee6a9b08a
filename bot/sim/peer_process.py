"""A simulated phone as its parent sees it: a process to be told things, and its reports."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Self

import structlog

from bot.core.errors import Unavailable
from bot.sim.messages import PeerSpec, Ready, Report, ToPeer, from_peer, to_peer

log = structlog.get_logger()

START_S = 30.0
FAREWELL_S = 5.0


class PeerProcess:
    """Start it with `start`, end it with `close`. `reports` grows by one with every call."""

    def __init__(self, spec: PeerSpec, process: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self.uri = ""
        self.reports: list[Report] = []
        self._process = process
        self._news = asyncio.Condition()
        self._gone = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, spec: PeerSpec) -> Self:
        """Returns when the phone can be rung. Raises Unavailable."""
        # In a session of its own, so that Ctrl-C reaches the parent alone; the peer ends with its stdin.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.sim.peer",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            # Nothing here multiplies matrices: the threads for it would only take time at the start.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        peer = cls(spec, process)
        peer._write(spec.model_dump_json())
        if not await peer._until(lambda: bool(peer.uri), START_S):
            await peer.close()
            raise Unavailable(
                f"симулированный телефон {spec.name} не запустился", hint="причина выше, в stderr"
            )
        return peer

    def tell(self, message: ToPeer) -> None:
        """Nothing is told to a phone that is gone: its end shows in its missing report."""
        if not self._gone:
            self._write(to_peer.dump_json(message).decode())

    async def report(self, number: int, within_s: float) -> Report | None:
        """The report of its n-th call (from 0); None if it does not come in time."""
        await self._until(lambda: len(self.reports) > number, within_s)
        return self.reports[number] if len(self.reports) > number else None

    async def close(self) -> None:
        """End it; a call that is running is hung up and reported."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self._process.wait()
        except TimeoutError:
            log.warning("simulated phone killed", name=self.spec.name)
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait for news that make the condition true, or for the end of the process."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: condition() or self._gone)
        except TimeoutError:
            return False
        return condition()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                message = from_peer.validate_json(line)
                async with self._news:
                    if isinstance(message, Ready):
                        self.uri = message.uri
                    else:
                        self.reports.append(message)
                    self._news.notify_all()
        finally:
            async with self._news:
                self._gone = True
                self._news.notify_all()
