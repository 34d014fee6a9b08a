"""From a draft to what calls run, and back to a version that was.

POST /surveys/ID/publish      the draft as it was at `revision`
POST /surveys/ID/rollback     the version `hash`
GET  /surveys/ID/publication  how far it is: a part of the page
POST /surveys/ID/publication  what came of it was read
"""

from __future__ import annotations

from aiohttp import web

from bot.accounts.roles import OBSERVERS, OPERATORS
from bot.core.errors import BadInput
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.studio.common import SUBJECT, helpers, revision_of, survey_of, text_field, to
from bot.web.studio.sheet import sheet_page
from bot.web.who import account_of, allowed, noted

routes = web.RouteTableDef()


@routes.post("/surveys/{survey_id}/publish")
@allowed(*OPERATORS)
async def publish(request: web.Request) -> web.StreamResponse:
    survey, revision = await survey_of(request), revision_of(await request.post())
    try:
        await parts_of(request).control(
            "survey_publish", survey=survey.id, revision=revision, login=account_of(request).login
        )
    except BadInput as refused:
        told = f"{refused.message}. {refused.hint}."
        return await sheet_page(request, await survey_of(request), problem=told, status=409)
    await noted(request, "publish", SUBJECT, survey.id, revision=revision)
    return to(f"/surveys/{survey.id}")


@routes.post("/surveys/{survey_id}/rollback")
@allowed(*OPERATORS)
async def rollback(request: web.Request) -> web.StreamResponse:
    survey = await survey_of(request)
    digest = text_field(await request.post(), "hash")
    before = survey.current
    try:
        await parts_of(request).control(
            "survey_go_back", survey=survey.id, hash=digest, login=account_of(request).login
        )
    except BadInput as refused:
        told = f"{refused.message}. {refused.hint}."
        return await sheet_page(request, survey, problem=told, status=409)
    was = before.row.hash if before else ""
    await noted(request, "rollback", SUBJECT, survey.id, hash=digest, instead_of=was)
    return to(f"/surveys/{survey.id}")


@routes.get("/surveys/{survey_id}/publication")
@allowed(*OBSERVERS)
async def progress(request: web.Request) -> web.StreamResponse:
    """A part of the page. With its end the whole page is another one."""
    survey = await survey_of(request)
    found = (await parts_of(request).control("survey_progress", survey=survey.id))["publication"]
    values = {"survey": survey, "publication": found, **helpers(request)}
    response = render(request, "studio/publication.html", values)
    if found is None or found["state"] in ("done", "failed"):
        response.headers["HX-Refresh"] = "true"
    return response


@routes.post("/surveys/{survey_id}/publication")
@allowed(*OPERATORS)
async def read(request: web.Request) -> web.StreamResponse:
    survey = await survey_of(request)
    await parts_of(request).control("survey_progress", survey=survey.id, forget=True)
    return to(f"/surveys/{survey.id}")
