"""One call on an agent's desk: what he is shown, and what he does with it.

GET  /agent/calls/CALL           the card, a part of the page
POST /agent/calls/CALL/offer     {"sdp", "page", "move"?} -> {"sdp", "leg_id"}: this tab answers
POST /agent/calls/CALL/ice       {"leg_id", "candidate"}
POST /agent/calls/CALL/accept    his telephone's call, by the button
POST /agent/calls/CALL/decline
POST /agent/calls/CALL/hold, /unhold, /hang-up
POST /agent/calls/CALL/pass-on   {"to"}
POST /agent/calls/CALL/note      {"outcome", "text"}; outcome "" writes nothing
GET  /agent/calls/CALL/colleagues   whom it could be passed on to, a part of the page
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.accounts.audit import LOOK
from bot.accounts.roles import Role
from bot.core.errors import BadInput, CallOver
from bot.core.events import call_event
from bot.store import notes, queries
from bot.web.desk.card import Card, card_of
from bot.web.desk.desks import OnDesk, Phase, TakenElsewhere
from bot.web.desk.pages import agent_of, everybody
from bot.web.masking import sees_numbers
from bot.web.parts import Parts, parts_of
from bot.web.reading import json_of, text_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed, entry, noted_once
from bot.words import words

routes = web.RouteTableDef()

MOVABLE = (Phase.ANSWERING, Phase.TALKING)


def mine(request: web.Request) -> tuple[Parts, OnDesk]:
    """The call, if it is on the desk of whoever asks. Raises BadInput."""
    parts = parts_of(request)
    return parts, parts.desks.find(request.match_info["call_id"], agent_of(request))


async def read_card(parts: Parts, call_id: str, *, whole_number: bool) -> Card:
    """Raises Unavailable."""
    stored = (await parts.control("events", call_id=call_id))["events"]
    call = await queries.call(parts.db, call_id)
    earlier = await notes.earlier_calls(parts.db, call) if call else []
    ids = [call_id, *(each.attempt.call_id for each in earlier if each.attempt.call_id)]
    directory = await parts.control("agents")
    names = {each["id"]: each["name"] or each["id"] for each in directory["departments"]}
    names |= {each["id"]: each["name"] or each["id"] for each in directory["agents"]}
    return card_of(
        call_id,
        [call_event.validate_python(event) for event in stored],
        call,
        survey_of=parts.published.by_hash,
        names=names,
        whole_number=whole_number,
        earlier=earlier,
        notes=await notes.notes(parts.db, ids),
    )


@routes.get("/agent/calls/{call_id}")
@allowed(Role.AGENT, Role.ADMIN)
async def card(request: web.Request) -> web.StreamResponse:
    parts, call = mine(request)
    whole = sees_numbers(account_of(request).role)
    await noted_once(request, LOOK, "call", call.call_id)
    return render(
        request, "desk/card.html", {"card": await read_card(parts, call.call_id, whole_number=whole)}
    )


@routes.get("/agent/calls/{call_id}/colleagues")
@allowed(Role.AGENT, Role.ADMIN)
async def colleagues(request: web.Request) -> web.StreamResponse:
    parts, call = mine(request)
    others = [each for each in await everybody(parts) if each["active"] and each["id"] != call.agent_id]
    return render(request, "desk/colleagues.html", {"agents": others})


# The line ---------------------------------------------------------------------------------------


@routes.post("/agent/calls/{call_id}/offer")
@allowed(Role.AGENT, Role.ADMIN)
async def offer(request: web.Request) -> web.StreamResponse:
    parts, call = mine(request)
    given = await json_of(request)
    sdp, page = text_of(given, "sdp"), text_of(given, "page", longest=64)
    if call.how != "desk" or not page:
        raise BadInput(words("этот звонок идёт на ваш телефон", "this call rings your telephone"))
    again = call.phase in MOVABLE and (call.page == page or given.get("move") is True)
    try:
        if again:
            parts.desks.move(call.call_id, call.agent_id, page)
            answer = await _offer(parts, call, sdp, again=True)
        else:
            parts.desks.take(call.call_id, call.agent_id, page)
            try:
                answer = await _offer(parts, call, sdp, again=False)
            except BaseException:
                parts.desks.drop(call.call_id, call.agent_id, page)
                raise
    except TakenElsewhere as taken:
        return _refused(taken.code, taken.message, 409)
    except CallOver as over:
        return _refused(over.code, over.message, 410)
    return web.json_response({"sdp": answer["sdp"], "leg_id": answer["leg_id"]})


async def _offer(parts: Parts, call: OnDesk, sdp: str, *, again: bool) -> dict[str, Any]:
    return await parts.worker(
        "webrtc_offer", purpose="desk", call_id=call.call_id, agent_id=call.agent_id, sdp=sdp, again=again
    )


def _refused(code: str, message: str, status: int) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


@routes.post("/agent/calls/{call_id}/ice")
@allowed(Role.AGENT, Role.ADMIN)
async def ice(request: web.Request) -> web.StreamResponse:
    parts, _ = mine(request)
    given = await json_of(request)
    await parts.worker(
        "webrtc_ice", leg_id=text_of(given, "leg_id", longest=64), candidate=text_of(given, "candidate")
    )
    return web.json_response({})


# The buttons ------------------------------------------------------------------------------------


@routes.post("/agent/calls/{call_id}/accept")
@allowed(Role.AGENT, Role.ADMIN)
async def accept(request: web.Request) -> web.StreamResponse:
    """His telephone rings, and he says yes here; at the desk an offer is the yes."""
    parts, call = mine(request)
    if call.how != "phone":
        raise BadInput(words("этот звонок принимает страница", "this call is answered by the page"))
    return await _decides(parts, call, True)


@routes.post("/agent/calls/{call_id}/decline")
@allowed(Role.AGENT, Role.ADMIN)
async def decline(request: web.Request) -> web.StreamResponse:
    parts, call = mine(request)
    return await _decides(parts, call, False)


async def _decides(parts: Parts, call: OnDesk, accepted: bool) -> web.StreamResponse:
    await parts.worker("agent_decides", call_id=call.call_id, agent_id=call.agent_id, accepted=accepted)
    return web.json_response({})


@routes.post("/agent/calls/{call_id}/hold")
@allowed(Role.AGENT, Role.ADMIN)
async def hold(request: web.Request) -> web.StreamResponse:
    return await _hold(request, True)


@routes.post("/agent/calls/{call_id}/unhold")
@allowed(Role.AGENT, Role.ADMIN)
async def unhold(request: web.Request) -> web.StreamResponse:
    return await _hold(request, False)


async def _hold(request: web.Request, held: bool) -> web.StreamResponse:
    parts, call = _talking(request)
    await parts.worker("hold" if held else "unhold", call_id=call.call_id)
    parts.desks.hold(call.call_id, call.agent_id, held=held)
    return web.json_response({})


@routes.post("/agent/calls/{call_id}/hang-up")
@allowed(Role.AGENT, Role.ADMIN)
async def hang_up(request: web.Request) -> web.StreamResponse:
    parts, call = _talking(request)
    await parts.worker("hang_up", call_id=call.call_id, side="agent")
    return web.json_response({})


@routes.post("/agent/calls/{call_id}/pass-on")
@allowed(Role.AGENT, Role.ADMIN)
async def pass_on(request: web.Request) -> web.StreamResponse:
    parts, call = _talking(request)
    to = text_of(await json_of(request), "to", longest=200)
    if to == call.agent_id or to not in {each["id"] for each in await everybody(parts) if each["active"]}:
        raise BadInput(words(f"передать «{to}» нельзя", f"it cannot be passed on to «{to}»"))
    await parts.worker("pass_on", call_id=call.call_id, to_agent_id=to)
    return web.json_response({})


def _talking(request: web.Request) -> tuple[Parts, OnDesk]:
    """Orders to a talk; of somebody else's talk the worker knows nothing. Raises BadInput."""
    parts, call = mine(request)
    if call.phase is not Phase.TALKING:
        raise BadInput(words("разговор не идёт", "there is no talk now"))
    return parts, call


@routes.post("/agent/calls/{call_id}/note")
@allowed(Role.AGENT, Role.ADMIN)
async def note(request: web.Request) -> web.StreamResponse:
    parts, call = mine(request)
    given = await json_of(request)
    outcome, text = text_of(given, "outcome", longest=20), text_of(given, "text")
    if call.phase is not Phase.AFTER:
        raise BadInput(words("разговор ещё идёт", "the talk is not over"))
    if outcome:
        row = entry(request, "note", "call", call.call_id, outcome=outcome)
        now = parts.clock.now()
        await notes.write(parts.db, call.call_id, call.agent_id, outcome, text, now, audit=row)
    elif text.strip():
        raise BadInput(words("выберите итог разговора", "choose how the talk ended"))
    parts.desks.written(call.call_id, call.agent_id)
    return web.json_response({})
