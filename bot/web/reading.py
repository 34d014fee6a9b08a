"""What scripts and forms send to a page's handlers."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.core.errors import BadInput


async def json_of(request: web.Request) -> dict[str, Any]:
    """Raises BadInput for what is no JSON object; only a script can send that type, no other site's form."""
    if request.content_type != "application/json":
        raise BadInput("JSON is needed", hint="Content-Type: application/json")
    try:
        given = await request.json()
    except ValueError as error:
        raise BadInput(f"no JSON: {error}") from error
    except RecursionError as error:
        raise BadInput("no JSON that is nested so deep is taken") from error
    if not isinstance(given, dict):
        raise BadInput("a JSON object is needed")
    return given


def text_of(given: dict[str, Any], name: str, *, longest: int = 200_000) -> str:
    """Raises BadInput where it is missing, no text, or too long."""
    value = given.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise BadInput(f"{name}: a text of at most {longest} letters is needed")
    return value
