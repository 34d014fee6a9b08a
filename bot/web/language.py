"""Russian or English: the visitor's choice (a cookie), else what his browser asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from aiohttp import web

from bot.words import in_language

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]

LANGUAGES = ("ru", "en")
COOKIE = "otklik_language"
COOKIE_S = 365 * 24 * 3600


def language_of(request: web.Request) -> str:
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else asked_for(request.headers.get("Accept-Language", ""))


def asked_for(header: str) -> str:
    """The better liked of our languages by `Accept-Language` (RFC 9110, 12.5.4); Russian where it names
    neither.

    >>> asked_for("de-DE,de;q=0.9,en;q=0.8,ru;q=0.7")
    'en'
    """
    liked = {"ru": 0.0, "en": 0.0}
    for part in header.split(","):
        tag, _, quality = part.partition(";q=")
        primary = tag.strip().lower().partition("-")[0]
        if primary in liked:
            try:
                liked[primary] = max(liked[primary], float(quality or 1))
            except ValueError:
                continue  # no browser writes that: as if it were not there
    return "en" if liked["en"] > liked["ru"] else "ru"


def in_their_language(page: Page) -> Page:
    """A page whose texts come from rooms that know no visitors: `words` are in his language."""

    @wraps(page)
    async def speaking(request: web.Request) -> web.StreamResponse:
        with in_language(language_of(request)):
            return await page(request)

    return speaking


def tr(request: web.Request, russian: str, english: str) -> str:
    """The text in the visitor's language."""
    return english if language_of(request) == "en" else russian
