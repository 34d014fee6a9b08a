"""From a template to a page in the visitor's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.accounts.roles import Role
from bot.web.language import language_of
from bot.web.parts import parts_of
from bot.web.security import token_for
from bot.web.who import signed_in


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place in the menu, for those who may go there; `title` is in Russian, then in English."""

    path: str
    title: tuple[str, str]
    roles: tuple[Role, ...]


NAVIGATION = web.AppKey("navigation", list[NavItem])
TEMPLATES = web.AppKey("templates", Environment)


def templates() -> Environment:
    """Everything is escaped, and a name that is not given is an error, not an empty place."""
    environment = Environment(
        loader=PackageLoader("bot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        enable_async=False,
    )
    environment.filters["moment"] = shown_moment
    environment.filters["segment"] = segment
    return environment


def segment(name: str) -> str:
    """A name as one part of an address's path, whatever is in it."""
    return quote(name, safe="")


def shown_moment(moment: datetime | str | None, zone: str) -> str:
    """By this zone's clock, to the minute; "" for none."""
    if not moment:
        return ""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(ZoneInfo(zone)):%d.%m.%Y %H:%M}"


def render(
    request: web.Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    language: str = "",
) -> web.Response:
    """In the visitor's language, unless `language` names the one that the page must have. `t(ru, en)`,
    `asset(name)`, `language`, `who`, `csrf`, `path`, `path_qs` and `navigation` are there in every
    template."""
    text = fragment(request, template, values, language=language)
    return web.Response(text=text, content_type="text/html", status=status)


def fragment(
    request: web.Request, template: str, values: Mapping[str, Any] | None = None, *, language: str = ""
) -> str:
    """The text alone: a part of a page, for a stream."""
    page = request.config_dict[TEMPLATES].get_template(template)
    return page.render(**_common(request, language or language_of(request)), **(values or {}))


def _common(request: web.Request, language: str) -> dict[str, Any]:
    parts, found = parts_of(request), signed_in(request)
    return {
        "t": lambda russian, english: english if language == "en" else russian,
        "asset": parts.assets.address,
        "language": language,
        "path": request.path,
        "path_qs": request.path_qs,
        "who": found.account if found else None,
        "csrf": token_for(parts.settings.secret, found.session_id) if found else "",
        "navigation": [
            item
            for item in request.config_dict[NAVIGATION]
            if found is not None and found.account.role in item.roles
        ],
    }
