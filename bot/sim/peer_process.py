"""A simulated phone as its parent sees it: a process to be told things, and its reports."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import Self

import structlog

from bot.core.errors import Unavailable
from bot.sim.messages import PeerSpec, Ready, Report, ToPeer, from_peer, to_peer
from bot.sim.nursery import NURSERY

log = structlog.get_logger()

START_S = 30.0
FAREWELL_S = 5.0


class PeerProcess:
    """Start it with `start`, end it with `close`. `reports` grows by one with every call."""

    def __init__(
        self, spec: PeerSpec, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.spec = spec
        self.uri = ""
        self.reports: list[Report] = []
        self._pid = pid
        self._reader = reader
        self._writer = writer
        self._news = asyncio.Condition()
        self._gone = False
        self._closing = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, spec: PeerSpec) -> Self:
        """Returns when the phone can be rung. Raises Unavailable."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = await asyncio.to_thread(NURSERY.bear, theirs)
            reader, writer = await asyncio.open_connection(sock=ours)
        except OSError as error:
            ours.close()
            raise _not_started(spec) from error
        except BaseException:
            ours.close()
            raise
        peer = cls(spec, pid, reader, writer)
        peer._write(spec.model_dump_json())
        if not await peer._until(lambda: bool(peer.uri), START_S):
            await peer.close()
            raise _not_started(spec)
        return peer

    def tell(self, message: ToPeer) -> None:
        """Nothing is told to a phone that is gone or was told to go: its end shows in its missing report."""
        if not self._gone and not self._closing:
            self._write(to_peer.dump_json(message).decode())

    async def report(self, number: int, within_s: float) -> Report | None:
        """The report of its n-th call (from 0); None if it does not come in time."""
        await self._until(lambda: len(self.reports) > number, within_s)
        return self.reports[number] if len(self.reports) > number else None

    async def close(self) -> None:
        """End it; a call that is running is hung up and reported."""
        self._closing = True
        if not self._gone:
            self._writer.write_eof()
        await asyncio.wait((self._reading,), timeout=FAREWELL_S)
        if not self._gone:  # its end of the socket is open: it is alive
            log.warning("simulated phone killed", name=self.spec.name)
            os.kill(self._pid, signal.SIGKILL)
        await self._reading
        self._writer.close()

    async def _until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait for news that make the condition true, or for the end of the process."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: condition() or self._gone)
        except TimeoutError:
            return False
        return condition()

    def _write(self, line: str) -> None:
        self._writer.write(line.encode() + b"\n")

    async def _read(self) -> None:
        try:
            async for line in self._reader:
                message = from_peer.validate_json(line)
                async with self._news:
                    if isinstance(message, Ready):
                        self.uri = message.uri
                    else:
                        self.reports.append(message)
                    self._news.notify_all()
        except ConnectionError as error:
            log.warning("simulated phone lost", name=self.spec.name, reason=str(error))
        finally:
            async with self._news:
                self._gone = True
                self._news.notify_all()


def _not_started(spec: PeerSpec) -> Unavailable:
    return Unavailable(f"симулированный телефон {spec.name} не запустился", hint="причина выше, в stderr")
