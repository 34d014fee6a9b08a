"""What scripts and forms send to a page's handlers."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from bot.core.errors import BadInput
from bot.core.texts import can_be_kept
from bot.web.security import SAFE, reads_parts
from bot.words import words

BROKEN = (ValueError, LookupError, HttpProcessingError)
"""What aiohttp raises for a form that makes no sense."""

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def require_kept(given: object) -> None:
    """Raises BadInput where not all of it `can_be_kept`."""
    if not can_be_kept(given):
        raise BadInput(
            words("в тексте знак, которого в текстах не бывает", "a text has a character that no text has"),
            hint=words("U+0000 и половины суррогатных пар", "U+0000 and halves of surrogate pairs"),
        )


OURS = "otklik_"
"""What all of our cookies begin with. Other programs of the same host have theirs, in whatever bytes."""

READ = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Host",
    "Idempotency-Key",
    "Last-Event-ID",
    "Origin",
    "User-Agent",
    "X-CSRF-Token",
    "X-Forwarded-For",
)
"""The headers that handlers look at. What else a browser or a proxy adds may be Latin-1 (RFC 9110, 5.5)."""


@web.middleware
async def heads_that_make_sense(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Headers that are read are UTF-8 (else HTTPBadRequest). What no database could hold stands at no address
    (HTTPNotFound), and nobody can ask for it (BadInput): no handler need look."""
    cookies = [value for name, value in request.cookies.items() if name.startswith(OURS)]
    if not can_be_kept([*cookies, *(request.headers.get(name, "") for name in READ)]):
        raise web.HTTPBadRequest
    if not can_be_kept(request.path):
        raise web.HTTPNotFound
    require_kept(request.query_string)
    return await handler(request)


@web.middleware
async def forms_that_make_sense(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A form is read here, so that one that breaks off, has no boundary, an unknown charset or texts that
    cannot be kept is its sender's fault (HTTPBadRequest, BadInput) and not a handler's. Those who read part
    by part do so by themselves."""
    if request.method not in SAFE and request.content_type in FORMS and not reads_parts(request):
        try:
            form = await request.post()
        except BROKEN as error:
            raise web.HTTPBadRequest from error
        require_kept(list(form.items()))
    return await handler(request)


async def json_of(request: web.Request) -> dict[str, Any]:
    """Raises BadInput for what is no JSON object; only a script can send that type, no other site's form."""
    if request.content_type != "application/json":
        raise BadInput("JSON is needed", hint="Content-Type: application/json")
    try:
        given = await request.json()
    except (ValueError, LookupError) as error:  # LookupError: a charset that nobody knows
        raise BadInput(f"no JSON: {error}") from error
    except RecursionError as error:
        raise BadInput("no JSON that is nested so deep is taken") from error
    if not isinstance(given, dict):
        raise BadInput("a JSON object is needed")
    require_kept(given)
    return given


def text_of(given: dict[str, Any], name: str, *, longest: int = 200_000) -> str:
    """Raises BadInput where it is missing, no text, or too long."""
    value = given.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise BadInput(f"{name}: a text of at most {longest} letters is needed")
    return value
