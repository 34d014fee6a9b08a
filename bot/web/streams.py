"""Server-sent events to one page, for as long as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp_sse import EventSourceResponse

from bot.web.live import Listener, Message

PING_S = 2.0
"""How often a quiet stream is written to: only so it is found out that its page was closed, and nobody is
to be rung at a desk that is not there."""


async def messages_for(
    stream: EventSourceResponse,
    listener: Listener,
    *,
    recheck_s: float | None = None,
    still: Callable[[], Awaitable[bool]] | None = None,
) -> AsyncIterator[Message]:
    """What the listener hears, until it hears no more, the page is closed, or `still`, asked every
    `recheck_s` seconds, says no."""
    now = asyncio.get_running_loop().time
    gone = asyncio.ensure_future(stream.wait())
    asked = now()
    try:
        while True:
            hearing = asyncio.ensure_future(listener.next())
            wait_s = None if recheck_s is None else max(0.0, asked + recheck_s - now())
            try:
                await asyncio.wait({hearing, gone}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
                if hearing.done():
                    message = hearing.result()
                    if message is None:
                        return
                    yield message
                elif gone.done():
                    return
                if still is not None and recheck_s is not None and now() - asked >= recheck_s:
                    if not await still():
                        return
                    asked = now()
            finally:
                hearing.cancel()
    finally:
        gone.cancel()
