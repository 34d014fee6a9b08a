"""How long a client may take to say what it wants: whoever sends a byte now and then holds nothing for long.

Its headers have `HEADERS_S` (aiohttp's keep-alive time, which runs from the connection on), its body a while
that grows with what it says it will send.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.parts import parts_of
from bot.web.security import reads_parts

LARGEST_BODY = 256 * 2**10
"""In bytes: the longest thing that a page sends is an SDP offer, some 10 kB."""

HEADERS_S = 30.0
"""Also how long a connection stays open between two requests."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`body_s` seconds for any body, and one more for every `slowest` bytes of it: 128 kbit/s is less than
    any telephone's network brings."""

    body_s: float = 20.0
    slowest: int = 16 * 2**10

    def seconds(self, length: int | None, most: int) -> float:
        """For a body of `length` bytes, None where the client does not say; no more than `most` are taken."""
        return self.body_s + min(most, LARGEST_BODY if length is None else length) / self.slowest


PATIENCE = web.AppKey("patience", Patience)


@web.middleware
async def in_good_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whoever reads the body once its time is over gets HTTPRequestTimeout (408)."""
    body = request.content
    if body.is_eof():
        return await handler(request)
    most = parts_of(request).settings.largest_upload if reads_parts(request) else LARGEST_BODY
    wait_s = request.config_dict[PATIENCE].seconds(request.content_length, most)

    def give_up() -> None:
        if not body.is_eof():
            body.set_exception(web.HTTPRequestTimeout())

    timer = asyncio.get_running_loop().call_later(wait_s, give_up)
    try:
        return await handler(request)
    finally:
        timer.cancel()
