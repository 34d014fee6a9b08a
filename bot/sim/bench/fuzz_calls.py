"""Live calls through a node that is fuzzed: each answers by keys and is to end as a call does. Callers on SIP
telephones; browsers are in `fuzz_pages`."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.core.control import ControlClient
from bot.core.endings import Disposition
from bot.core.errors import BadInput, DialFailed, OtklikError
from bot.core.events import CallEnded, CallEvent, CallStarted, ListeningStarted
from bot.sim.rtp import RtpSession
from bot.sim.sip_address import SipUri
from bot.sim.sip_agent import SipAgent

LONGEST_S = 90.0
"""A survey of two questions, asked twice each by somebody who is not understood."""
BUSY = 486
NOT_WELL = frozenset(
    {Disposition.FAILED, Disposition.INTERRUPTED, Disposition.HUNG_UP, Disposition.CANCELLED}
)
"""Outcomes that no caller of ours brings about."""


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """How one call went. `why` is empty where it ended well; `changed` says that what is stored is not what
    was pressed; `refused` that a node which reads a flood of INVITEs had no line left just then (486)."""

    why: str
    changed: bool = False
    refused: bool = False


class Live(ABC):
    """One caller after another. `keys` are by question; `at` is where the node hears the call at hand."""

    not_well = NOT_WELL

    def __init__(self, name: str, keys: dict[str, str], control: ControlClient) -> None:
        self.name = name
        self.at: tuple[str, int] | None = None
        self._keys, self._control = keys, control
        self._call_id = ""
        self._ended: asyncio.Future[CallEnded] | None = None
        self._ended_at = 0.0
        self._presses: set[asyncio.Task[Any]] = set()

    @abstractmethod
    def _is_mine(self, event: CallStarted) -> bool: ...

    @abstractmethod
    def _line(self, node: str) -> AbstractAsyncContextManager[asyncio.Future[Any] | None]:
        """A call that is up; what it gives is done when the caller sees it end. Raises OtklikError,
        ClientError, at its end too for what was not well with it."""

    @abstractmethod
    async def _press(self, keys: str) -> None: ...

    def take(self, event: CallEvent) -> None:
        """An event of any call."""
        if isinstance(event, CallStarted) and not self._call_id and self._is_mine(event):
            self._call_id = event.call_id
        if event.call_id != self._call_id:
            return
        if isinstance(event, ListeningStarted) and self.at is not None and event.question_id in self._keys:
            press = asyncio.create_task(self._press(self._keys[event.question_id]))
            self._presses.add(press)
            press.add_done_callback(self._presses.discard)
        if isinstance(event, CallEnded) and self._ended is not None and not self._ended.done():
            self._ended_at = time.monotonic()
            self._ended.set_result(event)

    async def call(self, node: str) -> LiveEnd:
        """One call, from its ring to what is stored of it."""
        self._call_id, self._ended = "", asyncio.get_running_loop().create_future()
        try:
            async with self._line(node) as gone:
                async with asyncio.timeout(LONGEST_S):
                    if gone is not None:
                        await asyncio.shield(gone)
                    ended = await self._ended
            if ended.disposition in self.not_well:
                return LiveEnd(f"{ended.disposition} ({ended.cause})")
            return LiveEnd("", changed=await self._stored() != self._keys)
        except DialFailed as error:
            return LiveEnd(f"not taken: {error}", refused=error.cause.status == BUSY)
        except TimeoutError:
            return LiveEnd(f"not over after {LONGEST_S:g} s")
        except (OtklikError, aiohttp.ClientError) as error:
            return LiveEnd(str(error) or type(error).__name__)
        finally:
            self.at = None

    async def _stored(self) -> dict[str, str]:
        """The keys that the stored answers stand for: only values that a key gives are compared."""
        reply = await self._control.request("calls", call_ids=[self._call_id])
        answers = reply["calls"][0].get("answers", {}) if reply["calls"] else {}
        return {question: _KEYS.get(str(value), str(value)) for question, value in answers.items()}


class Line(Live):
    """By SIP; `number` is the one that it calls."""

    def __init__(self, name: str, number: str, keys: dict[str, str], control: ControlClient) -> None:
        super().__init__(name, keys, control)
        self._number = number
        self._rtp: RtpSession | None = None

    def _is_mine(self, event: CallStarted) -> bool:
        return _user(event.remote) == self.name

    @asynccontextmanager
    async def _line(self, node: str) -> AsyncIterator[asyncio.Future[Any]]:
        self._rtp = RtpSession.open()
        agent = await SipAgent(self.name, _refuse).open()
        try:
            call = await agent.call(f"sip:{self._number}@{node}", self._rtp)
            self.at = self._rtp.remote
            yield call.ended
        finally:
            await agent.close()
            await self._rtp.close()

    async def _press(self, keys: str) -> None:
        assert self._rtp is not None
        await self._rtp.press(keys)


_KEYS = {"yes": "1", "no": "2", "True": "1", "False": "2"}


def _user(remote: str) -> str:
    try:
        return SipUri.parse(remote.strip().removeprefix("<").removesuffix(">")).user
    except BadInput:
        return ""


async def _refuse(call: Any) -> None:
    call.reject(486)
