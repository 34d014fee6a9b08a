"""GET /surveys/ID/diff?from=HASH&to=HASH: what changed in meaning and in the file; whether scores compare.

Without `from` it is the version that calls run, without `to` the draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.accounts.roles import OBSERVERS
from bot.store import drafts, queries
from bot.web.language import language_of, tr
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.studio.common import Shown, helpers, survey_of
from bot.web.studio.lines import differing
from bot.web.who import allowed

routes = web.RouteTableDef()

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `json` is None where a draft has errors, `text` where a version's file was not kept."""

    key: str
    name: str
    json: str | None
    text: str | None
    problems: list[dict[str, Any]]


@routes.get("/surveys/{survey_id}/diff")
@allowed(*OBSERVERS)
async def diff(request: web.Request) -> web.StreamResponse:
    survey = await survey_of(request)
    current = survey.current or next(iter(survey.versions), None)
    old_key = request.query.get("from") or (current.row.hash if current else "")
    new_key = request.query.get("to") or (DRAFT if survey.draft else current.row.hash if current else "")
    old, new = await _side(request, survey, old_key), await _side(request, survey, new_key)
    found = None
    if old is not None and new is not None and old.json is not None and new.json is not None:
        found = await parts_of(request).control(
            "survey_compare", a=old.json, b=new.json, language=language_of(request)
        )
    lines = None
    if old is not None and new is not None and old.text is not None and new.text is not None:
        lines = differing(old.text, new.text, around=3)
    values = {"survey": survey, "old": old, "new": new, "found": found, "lines": lines}
    return render(request, "studio/diff.html", {**values, **helpers(request)})


async def _side(request: web.Request, survey: Shown, key: str) -> Side | None:
    """None where nothing is published yet, to compare with. Raises HTTPNotFound for what is not there."""
    parts = parts_of(request)
    if not key:
        return None
    if key == DRAFT:
        if survey.draft is None:
            raise web.HTTPNotFound
        checked = await parts.control("survey_check", text=survey.draft.text, thorough=False)
        json = checked["survey"]["json"] if checked["survey"] else None
        problems = [each for each in checked["problems"] if each["level"] == "error"]
        return Side(DRAFT, tr(request, "черновик", "the draft"), json, survey.draft.text, problems)
    version = survey.version(key)
    row = await queries.survey(parts.db, key) if version else None
    if version is None or row is None:
        raise web.HTTPNotFound
    return Side(key, version.name, row.json_, await drafts.source(parts.db, key), [])
