"""Russian or English: the visitor's choice (a cookie), else what his browser asks for."""

from __future__ import annotations

from aiohttp import web

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


def tr(request: web.Request, russian: str, english: str) -> str:
    """The text in the visitor's language."""
    return english if language_of(request) == "en" else russian
