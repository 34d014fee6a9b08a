"""What protects the pages: headers on every answer, and no orders from another site.

Against forged requests (CSRF) there are three fences: the cookie is SameSite=Lax, the browser says
where a request comes from (`Sec-Fetch-Site`, else `Origin`), and whoever is signed in must send a
token that only our own pages hold.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.api.problems import is_api
from bot.web.assets import ROOT
from bot.web.parts import parts_of

Streaming = TypeVar("Streaming", bound=Callable[..., Any])

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # a link's token stands in its address: no other site may see it
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}
"""`data:` images are Pico's icons, which stand in its style sheet."""

HSTS = "max-age=31536000"


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """A signal handler (`on_response_prepare`): streams get the headers as well."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if parts_of(request).settings.secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if not request.path.startswith(ROOT):
        if response.content_type == "text/event-stream":
            # It comes with a weaker one, by which a cache may keep what was said in a call.
            del response.headers["Cache-Control"]
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers.pop("Server", None)


@web.middleware
async def from_our_own_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what changes something and was sent by another site's page. Programs send neither header and
    hold no cookie of a browser. The API takes no cookies at all (bot/web/api/guard.py)."""
    if is_api(request):
        return await handler(request)
    if request.method not in SAFE and is_foreign(
        request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin"), request.host
    ):
        raise web.HTTPForbidden(text="cross-site request")
    return await handler(request)


def is_foreign(site: str | None, origin: str | None, host: str) -> bool:
    """`none` is a person who typed or reloaded the address (W3C Fetch Metadata)."""
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != host
    except ValueError:  # http://[
        return True


def token_for(secret: str, session_id: str) -> str:
    """The token that the forms of a session hold."""
    return hmac.new(secret.encode(), f"csrf:{session_id}".encode(), hashlib.sha256).hexdigest()


def takes_own_token(handler: Streaming) -> Streaming:
    """Mark a handler that reads a long body part by part: it calls `check_token` itself, before it takes
    anything, and `require_token` leaves the body alone."""
    handler.takes_own_token = True  # type: ignore[attr-defined]
    return handler


def reads_parts(request: web.Request) -> bool:
    """Whether its handler is one that `takes_own_token`."""
    return getattr(request.match_info.handler, "takes_own_token", False)


def check_token(request: web.Request, session_id: str, given: str | None) -> None:
    """Raises HTTPForbidden."""
    wanted = token_for(parts_of(request).settings.secret, session_id)
    if given is None or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise web.HTTPForbidden(text="the form's token is missing or old")


async def require_token(request: web.Request, session_id: str) -> None:
    """Raises HTTPForbidden for a change without the session's token, in the header or in the form."""
    given = request.headers.get(CSRF_HEADER)
    if given is None and reads_parts(request):
        return
    if given is None and request.content_type in (
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ):
        field = (await request.post()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    check_token(request, session_id, given)
