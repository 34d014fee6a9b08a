"""A customer's survey in the browser: the page, the signalling of its call, and its captions.

GET  /s/TOKEN           the page; changes nothing, so that a preview of the link does not use it up
POST /s/TOKEN/redeem    this browser takes the link: it gets the ticket that all below asks for
POST /s/TOKEN/offer     {"sdp"} -> {"sdp"}; the first makes the call, later ones come back to it
POST /s/TOKEN/ice       {"candidate"}
POST /s/TOKEN/press     {"keys"}
POST /s/TOKEN/leave     the customer hangs up
GET  /s/TOKEN/events    what the page shows (captions.py), from the beginning or from `Last-Event-ID`
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bot.core.context import CallContext, Person
from bot.core.errors import BadInput, CallOver, LinkRefused, OtklikError
from bot.core.events import CallEvent, call_event
from bot.core.ids import new_id
from bot.surveys.schema import Survey
from bot.web.customers.captions import Captions
from bot.web.language import language_of
from bot.web.links import OPEN_FOR, Link
from bot.web.parts import Parts, parts_of
from bot.web.reading import json_of
from bot.web.rendering import render
from bot.web.streams import PING_S, messages_for

log = structlog.get_logger()

routes = web.RouteTableDef()

COOKIE = "otklik_ticket"
REFUSED = {"unknown": 404, "expired": 410, "redeemed": 409}
MOST_KEYS = 12


@routes.get("/s/{token}")
async def survey_page(request: web.Request) -> web.StreamResponse:
    parts, token = parts_of(request), request.match_info["token"]
    try:
        link = await parts.links.find(token)
        if link.redeemed and not await _holds(request, token):
            raise LinkRefused("", why="redeemed")
    except LinkRefused as refused:
        return _refused_page(request, refused.why)
    survey = _survey_of(parts, link)
    values = {"survey": survey, "token": token, "begun": link.call_id is not None}
    return render(request, "survey/survey.html", values, language=survey.language)


@routes.post("/s/{token}/redeem")
async def redeem(request: web.Request) -> web.StreamResponse:
    parts, token = parts_of(request), request.match_info["token"]
    if await _holds(request, token):  # pressed twice, or loaded anew
        return web.json_response({})
    try:
        ticket = await parts.links.redeem(token)
    except LinkRefused as refused:
        return _refused(refused)
    link = await parts.links.find(token)
    response = web.json_response({})
    response.set_cookie(
        COOKIE,
        ticket,
        path=f"/s/{token}",
        max_age=round((link.expires_at + OPEN_FOR - parts.clock.now()).total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=parts.settings.secure,
    )
    return response


@routes.post("/s/{token}/offer")
async def offer(request: web.Request) -> web.StreamResponse:
    parts, link = await _own_link(request)
    sdp = (await json_of(request)).get("sdp")
    if not isinstance(sdp, str):
        raise BadInput('an offer is {"sdp": "v=0…"}')
    try:
        if link.call_id is not None:
            answer = await parts.worker(
                "webrtc_offer", purpose="customer", call_id=link.call_id, sdp=sdp, again=True
            )
        else:
            answer = await _first_offer(parts, link, sdp)
    except CallOver as over:
        return web.json_response({"error": {"code": over.code}}, status=410)
    return web.json_response({"sdp": answer["sdp"], "leg_id": answer["leg_id"]})


async def _first_offer(parts: Parts, link: Link, sdp: str) -> dict[str, Any]:
    """The link's one call. A customer whose call did not come about may try again."""
    digest, _ = parts.published.by_id(link.survey_id)
    call_id = new_id("call")
    if not await parts.links.begin_call(link.id, call_id):
        raise BadInput("another offer of this page is being answered", hint="wait for its answer")
    context = CallContext(
        call_id=call_id,
        survey_hash=digest,
        direction="inbound",
        customer=Person(id=link.contact_id, first_name=link.first_name),
        agent=Person(id=link.agent_id),
        department=link.department,
    )
    try:
        return await parts.worker(
            "webrtc_offer",
            purpose="customer",
            call_id=call_id,
            sdp=sdp,
            context=context.model_dump(),
            attempt_id=new_id("attempt"),
            contact_id=link.contact_id,
            remote=f"tel:{link.phone}" if link.phone else f"webrtc:{link.id}",
        )
    except BaseException:
        await parts.links.forget_call(link.id, call_id)
        raise


@routes.post("/s/{token}/ice")
async def ice(request: web.Request) -> web.StreamResponse:
    parts, _ = await _own_call(request)
    given = await json_of(request)
    leg_id, candidate = given.get("leg_id"), given.get("candidate")
    if not isinstance(candidate, str) or not isinstance(leg_id, str):
        raise BadInput('a candidate is {"leg_id": "…", "candidate": "candidate:…"}')
    await parts.worker("webrtc_ice", leg_id=leg_id, candidate=candidate)
    return web.json_response({})


@routes.post("/s/{token}/press")
async def press(request: web.Request) -> web.StreamResponse:
    parts, call_id = await _own_call(request)
    keys = (await json_of(request)).get("keys")
    if not isinstance(keys, str) or not 0 < len(keys) <= MOST_KEYS:
        raise BadInput('keys are {"keys": "10"}')
    await parts.worker("press", call_id=call_id, keys=keys)
    return web.json_response({})


@routes.post("/s/{token}/leave")
async def leave(request: web.Request) -> web.StreamResponse:
    parts, call_id = await _own_call(request)
    await parts.worker("hang_up", call_id=call_id, side="caller")
    return web.json_response({})


@routes.get("/s/{token}/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Each event's id is its number in the call, so that a browser that lost the stream goes on there."""
    parts, call_id = await _own_call(request)
    captions = Captions(parts.published.by_hash)
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isdecimal() and len(last) < 10 else 0
    async with sse_response(request, ping_interval=PING_S) as stream:
        with parts.live.of_call(call_id) as listener:
            seen = 0
            for stored in (await parts.control("events", call_id=call_id))["events"]:
                event = call_event.validate_python(stored)
                seen = event.seq
                await _send(stream, captions, event, after)
            async for message in messages_for(stream, listener):
                event = call_event.validate_json(message.data)
                if event.seq > seen:
                    await _send(stream, captions, event, after)
    return stream


async def _send(stream: EventSourceResponse, captions: Captions, event: CallEvent, after: int) -> None:
    """Events up to `after` were sent before; the captions must have seen them all the same."""
    for told in captions.told(event):
        if event.seq > after:
            await stream.send(json.dumps(told, ensure_ascii=False), id=str(event.seq))


# Whose link it is -------------------------------------------------------------------------------


async def _holds(request: web.Request, token: str) -> bool:
    ticket = request.cookies.get(COOKIE, "")
    return bool(ticket) and await parts_of(request).links.holds(token, ticket)


async def _own_link(request: web.Request) -> tuple[Parts, Link]:
    """Raises HTTPForbidden for a browser that did not redeem the link."""
    parts, token = parts_of(request), request.match_info["token"]
    try:
        link, holds = await parts.links.find(token), await _holds(request, token)
    except LinkRefused:
        raise web.HTTPNotFound from None
    if not holds:
        raise web.HTTPForbidden
    return parts, link


async def _own_call(request: web.Request) -> tuple[Parts, str]:
    parts, link = await _own_link(request)
    if link.call_id is None:
        raise web.HTTPConflict
    return parts, link.call_id


def _survey_of(parts: Parts, link: Link) -> Survey:
    return parts.published.by_id(link.survey_id)[1]


def _refused(refused: LinkRefused) -> web.Response:
    error: OtklikError = refused
    return web.json_response(
        {"error": {"code": error.code, "why": refused.why, "message": error.message}},
        status=REFUSED[refused.why],
    )


def _refused_page(request: web.Request, why: str) -> web.Response:
    return render(
        request, "survey/refused.html", {"why": why}, status=REFUSED[why], language=language_of(request)
    )
