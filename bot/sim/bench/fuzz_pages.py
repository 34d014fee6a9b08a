"""Calls from a customer's page through a node that is fuzzed: ICE, DTLS and SRTP have ports of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import aiohttp

from bot.core.control import ControlClient
from bot.core.endings import Disposition
from bot.core.errors import Unavailable
from bot.core.events import CallEnded, CallStarted
from bot.sim.bench.fuzz_calls import NOT_WELL, Live
from bot.sim.browser import SimBrowser, heard_at

PORTS = (20_000, 28_999)
"""Of the browser; any free one of them."""
CONNECTED_S = 15.0
SILENT_S = 2.0
"""Dead air (docs/trust.md). A line that is up sends a packet every 20 ms, in pauses too."""


class Page(Live):
    """By WebRTC, with a new link to `survey` for each call. Its sound is authenticated (SRTP) and its keys
    come by HTTP, so damaged packets have nothing to do with what it says: its calls are to be whole ones."""

    not_well = NOT_WELL | {Disposition.PARTIAL, Disposition.NO_ANSWER}

    def __init__(self, name: str, survey: str, keys: dict[str, str], control: ControlClient) -> None:
        super().__init__(name, keys, control)
        self._survey = survey
        self._http: aiohttp.ClientSession | None = None
        self._link = ""

    def _is_mine(self, event: CallStarted) -> bool:
        return bool(self._link) and event.remote == f"webrtc:{link_id(self._link)}"

    @asynccontextmanager
    async def _line(self, node: str) -> AsyncIterator[asyncio.Future[CallEnded] | None]:
        """The node's port is told once both are connected: before the end of its handshake DTLS cannot tell
        whose an alert is (RFC 9147, 4.5.2), and that is no fault of a node."""
        made = await self._control.request("survey_link", survey=self._survey)
        self._link = str(made["url"])
        browser = SimBrowser(PORTS)
        try:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as self._http:
                await self._post("redeem")
                answer = await self._post("offer", sdp=await browser.offer())
                try:
                    async with asyncio.timeout(CONNECTED_S):
                        await browser.accept(answer["sdp"])
                except TimeoutError as error:
                    raise Unavailable(f"not connected within {CONNECTED_S:g} s") from error
                self.at, connected_at = heard_at(answer["sdp"]), time.monotonic()
                yield None  # it hears no BYE: the node's own end of the call is the end
                arrived = (packet.at for packet in browser.received)
                if (silent_s := longest_silence(arrived, connected_at, self._ended_at)) > SILENT_S:
                    raise Unavailable(f"no sound for {silent_s:.1f} s")
        finally:
            await browser.close()

    async def _press(self, keys: str) -> None:
        await self._post("press", keys=keys)

    async def _post(self, what: str, **given: Any) -> dict[str, Any]:
        """Raises Unavailable where it is refused."""
        assert self._http is not None
        async with self._http.post(f"{self._link}/{what}", json=given) as reply:
            if reply.status != 200:
                raise Unavailable(f"{what}: HTTP {reply.status}: {(await reply.text())[:200]}")
            answer: dict[str, Any] = await reply.json()
            return answer


def longest_silence(arrived: Iterable[float], began_at: float, ended_at: float) -> float:
    """Seconds of a call in which no packet came.

    >>> longest_silence([0.5, 1.0, 9.0], began_at=0.0, ended_at=4.0)
    3.0
    """
    heard = [at for at in arrived if began_at < at < ended_at]
    return max(later - earlier for earlier, later in pairwise([began_at, *heard, ended_at]))


def link_id(link: str) -> str:
    """
    >>> link_id("http://127.0.0.1:8080/s/abc.signature")
    'abc'
    """
    return link.rpartition("/")[2].partition(".")[0]
