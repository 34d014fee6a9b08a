"""What the forms of these pages send, and how their answers go back."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.core.errors import BadInput, OtklikError
from bot.web.language import tr
from bot.words import words

LONGEST = 500
"""Letters of a field."""


async def form_of(request: web.Request) -> dict[str, str]:
    """The text fields of a form, trimmed. Raises BadInput for one that is too long."""
    form = {name: value.strip() for name, value in (await request.post()).items() if isinstance(value, str)}
    for name, value in form.items():
        if len(value) > LONGEST:
            raise BadInput(
                words(f"{name}: длиннее {LONGEST} знаков", f"{name}: longer than {LONGEST} letters")
            )
    return form


def problem_of(error: OtklikError) -> str:
    """The error and what would be right, as one sentence of a page."""
    return f"{error.message}: {error.hint}" if error.hint else error.message


def said_of(request: web.Request, texts: Mapping[str, tuple[str, str]]) -> str:
    """What the page says of the change that led to it (`?said=…`); "" for none. `texts` are in Russian, then
    in English."""
    found = texts.get(request.query.get("said", ""))
    return tr(request, *found) if found else ""


def back_to(path: str) -> web.Response:
    """After a change: the page is asked for anew, so that reloading it changes nothing again."""
    return web.Response(status=303, headers={"Location": path})
