"""The desk itself, what is on it now, and the agent's presence.

GET  /agent            the page
GET  /agent/now        {"presence", "calls"}: what a page shows that was just opened, or was cut off
POST /agent/presence   {"state": "available" | "busy" | "away"}
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.accounts.roles import Role
from bot.core.errors import BadInput
from bot.web.parts import Parts, parts_of
from bot.web.reading import json_of, text_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed

routes = web.RouteTableDef()

STATES = ("available", "busy", "away")


def agent_of(request: web.Request) -> str:
    """Whose desk it is. Raises HTTPForbidden for an account that has none."""
    agent_id = account_of(request).agent_id
    if not agent_id:
        raise web.HTTPForbidden(text="this account is no agent's")
    return agent_id


async def everybody(parts: Parts) -> list[dict[str, Any]]:
    """The agents' table, with where each one is."""
    agents: list[dict[str, Any]] = (await parts.control("agents"))["agents"]
    return agents


@routes.get("/agent")
@allowed(Role.AGENT, Role.ADMIN)
async def desk(request: web.Request) -> web.StreamResponse:
    """An administrator without a desk of his own has the cases here."""
    account = account_of(request)
    agents = await everybody(parts_of(request))
    mine = next((each for each in agents if each["id"] == account.agent_id), None)
    values = {"me": mine, "agent_id": account.agent_id, "states": STATES}
    return render(request, "desk/desk.html", values)


@routes.get("/agent/now")
@allowed(Role.AGENT, Role.ADMIN)
async def now(request: web.Request) -> web.StreamResponse:
    parts, agent_id = parts_of(request), agent_of(request)
    presence = await parts.control("presence", agent_id=agent_id)
    calls = [each.as_json() for each in parts.desks.of_agent(agent_id)]
    return web.json_response({"presence": presence["state"] or "", "calls": calls})


@routes.post("/agent/presence")
@allowed(Role.AGENT, Role.ADMIN)
async def presence(request: web.Request) -> web.StreamResponse:
    state = text_of(await json_of(request), "state")
    if state not in STATES:
        raise BadInput(f"state: «{state}»", hint=", ".join(STATES))
    parts, agent_id = parts_of(request), agent_of(request)
    said = await parts.control("presence", agent_id=agent_id, state=state)
    parts.live.tell(agent_id, "presence", {"state": state})
    return web.json_response({"presence": said["state"]})
