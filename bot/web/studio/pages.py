"""The routes of this room, in the order in which their addresses are tried: `/surveys/new` is no survey's."""

from __future__ import annotations

from bot.web.studio import comparing, listing, publication, sheet, talks, writing

ROUTES = (
    listing.routes,
    comparing.routes,
    publication.routes,
    talks.routes,
    writing.routes,
    sheet.routes,
)
