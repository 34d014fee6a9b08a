"""A survey tried by keyboard in the page: the understanding and the rules of calls, and nothing is stored.

POST /surveys/ID/talks               begins one: of the draft, or of the version that calls run
GET  /surveys/ID/talks/TALK          the talk so far
POST /surveys/ID/talks/TALK          one turn of the caller; a part of the page for htmx
POST /surveys/ID/talks/TALK/hear     16 bit mono at 8 kHz -> {"text"}: a turn by microphone
GET  /surveys/ID/talks/TALK/N.wav    what the bot said, as it sounds in a call
"""

from __future__ import annotations

import base64
from typing import Any

from aiohttp import web

from bot.accounts.roles import OPERATORS
from bot.core.errors import BadInput, OtklikError, Unavailable
from bot.reports.wording import end_pair
from bot.store import queries
from bot.web.language import language_of, tr
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.studio.common import SUBJECT, Shown, helpers, survey_of, text_field, to
from bot.web.studio.sheet import sheet_page
from bot.web.who import account_of, allowed, noted

routes = web.RouteTableDef()

LONGEST_TURN = 500


@routes.post("/surveys/{survey_id}/talks")
@allowed(*OPERATORS)
async def begin(request: web.Request) -> web.StreamResponse:
    parts, survey = parts_of(request), await survey_of(request)
    form = await request.post()
    try:
        talk = await parts.control(
            "survey_try",
            json=await _json_of(request, survey),
            owner=account_of(request).login,
            customer=text_field(form, "customer", longest=100),
            language=language_of(request),
        )
    except OtklikError as error:
        told = f"{error.message}. {error.hint}".strip()
        status = 503 if isinstance(error, Unavailable) else 409
        return await sheet_page(request, survey, problem=told, status=status)
    await noted(request, "try", SUBJECT, survey.id)
    return to(f"/surveys/{survey.id}/talks/{talk['talk_id']}")


async def _json_of(request: web.Request, survey: Shown) -> str:
    """What is tried: the draft where there is one. Raises BadInput for one with errors."""
    parts = parts_of(request)
    if survey.draft is not None:
        checked = await parts.control("survey_check", text=survey.draft.text, thorough=False)
        if checked["survey"] is None:
            raise BadInput(
                tr(request, "В черновике ошибки", "The draft has errors"),
                hint=tr(request, "Исправьте их и попробуйте снова.", "Mend them and try again."),
            )
        return str(checked["survey"]["json"])
    row = await queries.survey(parts.db, survey.current.row.hash) if survey.current else None
    if row is None:
        raise BadInput(
            tr(request, "Пробовать нечего", "There is nothing to try"),
            hint=tr(request, "Начните черновик.", "Begin a draft."),
        )
    return row.json_


@routes.get("/surveys/{survey_id}/talks/{talk_id}")
@allowed(*OPERATORS)
async def talk(request: web.Request) -> web.StreamResponse:
    survey = await survey_of(request)
    try:
        found = await parts_of(request).control(
            "survey_tried", talk=request.match_info["talk_id"], owner=account_of(request).login
        )
    except BadInput:  # it is over, or the node was started anew
        return to(f"/surveys/{survey.id}")
    return _page(request, survey, found, "studio/talk.html")


def _page(
    request: web.Request, survey: Shown, found: dict[str, Any], template: str, problem: str = ""
) -> web.Response:
    ended = found["disposition"]
    values = {
        "survey": survey,
        "talk": found,
        "end": tr(request, *end_pair(ended)) if ended else "",
        "problem": problem,
        **helpers(request),
    }
    return render(request, template, values)


@routes.post("/surveys/{survey_id}/talks/{talk_id}")
@allowed(*OPERATORS)
async def turn(request: web.Request) -> web.StreamResponse:
    survey, form = await survey_of(request), await request.post()
    talk_id, owner = request.match_info["talk_id"], account_of(request).login
    part = "HX-Request" in request.headers
    template = "studio/talking.html" if part else "studio/talk.html"
    ask = parts_of(request).control
    try:
        line = text_field(form, "line", longest=LONGEST_TURN)
        found = await ask("survey_turn", talk=talk_id, line=line, owner=owner)
    except BadInput:
        if part:
            return web.Response(headers={"HX-Redirect": f"/surveys/{survey.id}"})
        return to(f"/surveys/{survey.id}")
    except Unavailable as error:
        found = await ask("survey_tried", talk=talk_id, owner=owner)
        told = f"{error.message}. {error.hint}".strip()
        return _page(request, survey, found, template, told)
    if not part:
        return to(f"/surveys/{survey.id}/talks/{talk_id}")
    return _page(request, survey, found, template)


@routes.get(r"/surveys/{survey_id}/talks/{talk_id}/{number:[0-9]{1,6}}.wav")
@allowed(*OPERATORS)
async def sound(request: web.Request) -> web.StreamResponse:
    try:
        found = await parts_of(request).control(
            "survey_sound",
            talk=request.match_info["talk_id"],
            number=int(request.match_info["number"]),
            owner=account_of(request).login,
        )
    except BadInput:
        raise web.HTTPNotFound from None
    return web.Response(body=base64.b64decode(found["wav"]), content_type="audio/wav")


@routes.post("/surveys/{survey_id}/talks/{talk_id}/hear")
@allowed(*OPERATORS)
async def hear(request: web.Request) -> web.StreamResponse:
    """The words of a sound, for whoever said them to send or to mend."""
    if request.content_type != "application/octet-stream":
        raise web.HTTPUnsupportedMediaType
    found = await parts_of(request).control(
        "survey_hear",
        talk=request.match_info["talk_id"],
        pcm=base64.b64encode(await request.read()).decode(),
        owner=account_of(request).login,
    )
    return web.json_response({"text": found["text"]})
