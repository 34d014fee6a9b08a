"""One survey: its editor, its versions, its file.

GET  /surveys/ID                      the page
POST /surveys/ID/begin                a draft of a version's file, with the next number
GET  /surveys/ID/draft.yaml           the draft's file
GET  /surveys/ID/versions/HASH.yaml   the file of a version
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.accounts.roles import OBSERVERS, OPERATORS
from bot.store import drafts
from bot.web.language import tr
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.studio.common import SUBJECT, Shown, helpers, may_change, survey_of, text_field, to
from bot.web.studio.lines import with_value
from bot.web.who import account_of, allowed, entry

routes = web.RouteTableDef()


@routes.get("/surveys/{survey_id}")
@allowed(*OBSERVERS)
async def sheet(request: web.Request) -> web.StreamResponse:
    return await sheet_page(request, await survey_of(request))


async def sheet_page(
    request: web.Request,
    survey: Shown,
    *,
    problem: str = "",
    theirs: list[tuple[str, str]] | None = None,
    mine: str | None = None,
    status: int = 200,
) -> web.Response:
    """With a `problem` of what was just tried. In a conflict `mine` stays in the editor, and `theirs` is what
    somebody else's draft has otherwise."""
    parts = parts_of(request)
    source, current = None, survey.current
    if survey.draft is None and current is not None:
        source = await drafts.source(parts.db, current.row.hash)
    progress = await parts.control("survey_progress", survey=survey.id)
    values: dict[str, Any] = {
        "survey": survey,
        "source": source,
        "text": mine if mine is not None else survey.draft.text if survey.draft else source or "",
        "publication": progress["publication"],
        "problem": problem,
        "theirs": theirs,
        "writes": may_change(request) and (survey.draft is not None or mine is not None),
        **helpers(request),
    }
    return render(request, "studio/sheet.html", values, status=status)


@routes.post("/surveys/{survey_id}/begin")
@allowed(*OPERATORS)
async def begin(request: web.Request) -> web.StreamResponse:
    """From the version that the form names. A draft that is there already is gone on with."""
    parts, survey = parts_of(request), await survey_of(request)
    digest = text_field(await request.post(), "from")
    if survey.version(digest) is None:
        raise web.HTTPBadRequest
    source = await drafts.source(parts.db, digest)
    if source is None:
        problem = tr(
            request,
            "Файл этой версии не сохранён: загрузите его, и он станет черновиком.",
            "This version's file was not kept: upload it, and it becomes the draft.",
        )
        return await sheet_page(request, survey, problem=problem, status=409)
    begun = await drafts.begin(
        parts.db,
        survey.id,
        with_value(source, "version", str(survey.next_version)),
        started_from=digest,
        login=account_of(request).login,
        now=parts.clock.now(),
        audit=[entry(request, "begin", SUBJECT, survey.id, started_from=digest)],
    )
    if not begun.done:
        problem = tr(
            request,
            "У опроса уже есть черновик. Опубликуйте или удалите его, потом начните новый.",
            "There is a draft already. Publish it or throw it away, then begin another.",
        )
        return await sheet_page(request, await survey_of(request), problem=problem, status=409)
    return to(f"/surveys/{survey.id}")


@routes.get("/surveys/{survey_id}/draft.yaml")
@allowed(*OBSERVERS)
async def draft_file(request: web.Request) -> web.StreamResponse:
    survey = await survey_of(request)
    if survey.draft is None:
        raise web.HTTPNotFound
    return _file(survey.draft.text, f"{survey.id}-draft.yaml")


@routes.get("/surveys/{survey_id}/versions/{digest}.yaml")
@allowed(*OBSERVERS)
async def version_file(request: web.Request) -> web.StreamResponse:
    survey = await survey_of(request)
    version = survey.version(request.match_info["digest"])
    text = await drafts.source(parts_of(request).db, version.row.hash) if version else None
    if version is None or text is None:
        raise web.HTTPNotFound
    return _file(text, f"{survey.id}-v{version.row.version}.yaml")


def _file(text: str, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=text, content_type="application/yaml", charset="utf-8", headers=headers)
