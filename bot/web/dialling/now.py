"""The node as it is at this moment: calls, who talks, agents, the trunk, the reply gap, campaigns.

GET /now        the page
GET /now/live   its parts, as server-sent events: each when it is other than it was

What happens in a call is shown as it happens, the rest within `LOOK_S`. Every part is a fragment of the page
itself, made by the same template.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiohttp import web
from aiohttp_sse import sse_response

from bot.accounts.audit import LOOK
from bot.accounts.roles import OBSERVERS
from bot.campaigns.facts import CampaignState
from bot.core.endings import Disposition
from bot.core.errors import OtklikError
from bot.core.percentiles import percentiles
from bot.reports.wording import end_name
from bot.store import campaigns as store
from bot.store.phones import phone_key
from bot.web.board import Board, EndedCall, LiveCall, Phase, Speaker
from bot.web.dialling.common import names_of, phone_for, reads_calls, zone_of
from bot.web.live import CHANGED, Ticks
from bot.web.parts import parts_of
from bot.web.rendering import fragment, render
from bot.web.streams import PING_S, messages_for
from bot.web.who import COOKIE, account_of, allowed, noted
from bot.words import words

log = structlog.get_logger()

routes = web.RouteTableDef()

LOOK_S = 1.0
"""How often that is looked at which no event tells: agents, lines, campaigns."""
BREATH_S = 0.2
"""What happens within this time is shown at once."""
RECHECK_S = 60.0
"""How often a stream asks whether its session still lives."""

GOING_ON = (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.DRAINING)
TROUBLE = (Disposition.FAILED, Disposition.UNAVAILABLE, Disposition.INTERRUPTED)
"""Ends that are the network's doing, or ours."""

PHASES: dict[Phase, tuple[str, str]] = {
    Phase.DIALLING: ("набираем", "dialling"),
    Phase.RINGING: ("звонит", "ringing"),
    Phase.TALKING: ("опрос", "survey"),
    Phase.HANDOVER: ("ищем сотрудника", "finding an agent"),
    Phase.WITH_AGENT: ("с сотрудником", "with an agent"),
}
SPEAKERS: dict[Speaker, tuple[str, str]] = {
    Speaker.NOBODY: ("—", "—"),
    Speaker.BOT: ("бот", "the bot"),
    Speaker.CUSTOMER: ("клиент", "the customer"),
    Speaker.BOTH: ("клиент и сотрудник", "the customer and the agent"),
}
PRESENCES = {
    "available": ("готов", "available"),
    "busy": ("занят", "busy"),
    "away": ("отошёл", "away"),
    "offline": ("не на связи", "offline"),
}

Parts = Callable[[], Awaitable[dict[str, str]]]
"""The parts of a page by name, as HTML."""


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A call as a page shows it: `remote` as this account may see it."""

    call: LiveCall
    remote: str
    phase: str
    speaker: str
    handed_to: str
    since: datetime


async def shown_calls(request: web.Request, calls: list[LiveCall]) -> list[ShownCall]:
    agents, _ = await names_of(request)
    zone = zone_of(request)
    return [
        ShownCall(
            call,
            phone_for(request, phone_key(call.remote)),
            words(*PHASES[call.phase]),
            words(*SPEAKERS[call.speaker]),
            agents.get(call.handed_to, call.handed_to),
            call.since.astimezone(zone),
        )
        for call in calls
    ]


@routes.get("/now")
@allowed(*OBSERVERS)
async def page(request: web.Request) -> web.StreamResponse:
    await noted(request, LOOK, "calls", "", now=True)
    return render(request, "dialling/now.html", {"parts": await _parts(request)})


@routes.get("/now/live")
@allowed(*OBSERVERS)
async def live(request: web.Request) -> web.StreamResponse:
    return await stream(request, lambda: _parts(request))


async def _parts(request: web.Request) -> dict[str, str]:
    board = parts_of(request).live.board
    node = await node_now(request)
    calls = await shown_calls(request, board.calls)
    agents = await agents_now(request)
    common = {"reads_calls": reads_calls(request), "zone": zone_of(request)}
    return {
        "node": fragment(
            request, "dialling/now_node.html", {"node": node, "calls": calls, "gap": gap(board)} | common
        ),
        "calls": fragment(request, "dialling/now_calls.html", {"calls": calls} | common),
        "agents": fragment(request, "dialling/now_agents.html", {"agents": agents} | common),
        "campaigns": fragment(
            request, "dialling/now_campaigns.html", {"campaigns": await _campaigns(request)} | common
        ),
        "ended": fragment(request, "dialling/now_ended.html", {"ended": _ended(board)} | common),
    }


async def node_now(request: web.Request) -> dict[str, Any]:
    """Lines, trunk, and how the last calls went; `ready` False where the node or its worker is not up."""
    parts = parts_of(request)
    board = parts.live.board
    before = {call.call_id for call in board.calls}  # before we ask: what starts meanwhile is no loss
    try:
        status = await parts.control("status")
    except OtklikError as error:
        log.info("node not asked", reason=error.message)
        status = {"ready": False}
    if "call_ids" in status:
        board.lost(before.difference(status["call_ids"]))
    last = [each for each in board.ended if each.direction == "outbound"]
    bad = sum(each.disposition in TROUBLE for each in last)
    return {
        "ready": bool(status.get("ready")),
        "draining": bool(status.get("draining")),
        "missing": status.get("missing", []),
        "free_lines": status.get("free_lines"),
        "trunk": status.get("trunk", ""),
        "registers": bool(status.get("registers")),
        "registered": bool(status.get("registered")),
        "last": len(last),
        "bad": bad,
    }


def gap(board: Board) -> dict[str, Any]:
    """As `otklik campaign watch` tells it."""
    return percentiles([round(each) for each in board.gaps]).model_dump()


async def agents_now(request: web.Request) -> list[dict[str, Any]]:
    """Those who may take a caller, the ready ones first; an empty list where the node is not up."""
    try:
        told = (await parts_of(request).control("agents")).get("agents", [])
    except OtklikError as error:
        log.info("agents not asked for", reason=error.message)
        return []
    active = [each for each in told if each["active"]]
    for each in active:
        each["state"] = words(*PRESENCES[each["presence"]]) if each["presence"] in PRESENCES else "—"
    order = {name: at for at, name in enumerate(PRESENCES)}
    return sorted(active, key=lambda each: (order.get(each["presence"], len(order)), each["id"]))


async def _campaigns(request: web.Request) -> list[dict[str, Any]]:
    db = parts_of(request).db
    counts, found = await store.ringing_and_talking(db), []
    for row in await store.campaigns(db, GOING_ON):
        ringing, talking = counts.get(row.id, (0, 0))
        found.append({"row": row, "ringing": ringing, "talking": talking})
    return found


def _ended(board: Board) -> list[tuple[EndedCall, str, bool]]:
    """The newest first, with its end in words, and whether that is trouble."""
    return [
        (each, end_name(each.disposition), each.disposition in TROUBLE) for each in reversed(board.ended)
    ][:15]


async def stream(request: web.Request, parts: Parts) -> web.StreamResponse:
    """Every part of a page whenever it is other than what was sent last; ends with the session."""
    node, token = parts_of(request), request.cookies[COOKIE]
    sent: dict[str, str] = {}
    asked_at = node.clock.monotonic()
    async with sse_response(request, ping_interval=PING_S) as events:
        with node.live.of_board(account_of(request)) as watcher:
            async with _looking(watcher):
                async for _ in messages_for(events, watcher):
                    if node.clock.monotonic() - asked_at >= RECHECK_S:
                        asked_at = node.clock.monotonic()
                        if await node.sessions.find(token) is None:
                            break
                    try:
                        found = await parts()
                    except OtklikError as error:  # the page asks anew by itself
                        log.info("stream ended", reason=error.message)
                        break
                    for name, html in found.items():
                        if sent.get(name) != html:
                            await events.send(html, event=name)
                            sent[name] = html
                    await asyncio.sleep(BREATH_S)
    return events


@asynccontextmanager
async def _looking(watcher: Ticks) -> AsyncIterator[None]:
    """A look every `LOOK_S`, whether or not something happens in a call."""

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            watcher.put(CHANGED)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
