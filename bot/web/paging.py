"""Which page of a long list an address asks for."""

from __future__ import annotations

from aiohttp import web


def page_number(request: web.Request) -> int:
    """`page`, from 1; what is no number, or none that a list has, is the first one."""
    written = request.query.get("page", "1")
    return max(1, int(written)) if written.isascii() and written.isdecimal() and len(written) < 7 else 1
