"""Whether this node lives, and whether it can take calls: for load balancers and supervisors.

GET /healthz  200 as long as the process answers at all
GET /readyz   200 with everything that a call needs; 503 with the names of what is away

Nobody has to sign in for them, so they say nothing but names: no address, no version, no reason.
"""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web
from sqlmodel import select

from bot.core.errors import OtklikError
from bot.store.account_tables import AccountRow
from bot.web.parts import Parts, parts_of

log = structlog.get_logger()

routes = web.RouteTableDef()

PATIENCE_S = 3.0
"""A part that needs longer for one word is as good as away; balancers give up after 5 s or so."""


@routes.get("/healthz")
async def alive(request: web.Request) -> web.StreamResponse:
    return web.json_response({"alive": True})


@routes.get("/readyz")
async def ready(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    missing = sorted({*await _missing(parts), *(await _database(parts))})
    return web.json_response({"ready": not missing, "missing": missing}, status=503 if missing else 200)


async def _missing(parts: Parts) -> list[str]:
    """The node's own children that do not serve now: the media worker, Rasa, its actions."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            status = await parts.control("status")
    except (OtklikError, TimeoutError) as error:
        log.warning("readiness not known", reason=str(error))
        return ["node"]
    missing: list[str] = list(status.get("missing", ()))
    return missing or ([] if status.get("ready") else ["node"])


async def _database(parts: Parts) -> list[str]:
    try:
        async with asyncio.timeout(PATIENCE_S), parts.db.read() as session:
            await session.exec(select(AccountRow.id).limit(1))
    except (OtklikError, TimeoutError) as error:
        log.warning("readiness not known", reason=str(error))
        return ["database"]
    return []
