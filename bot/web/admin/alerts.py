"""Alerts: the list, who saw to them, and what every page of the console shows of them.

GET  /alerts                   open ones, or `of=all`; newest first, page by page
POST /alerts/ID/acknowledge
GET  /alerts/badge             how many are open, as a part of a page
GET  /alerts/newest            the newest one, as a part of a page
GET  /alerts/live              server-sent events: `alert`, there is a new one; `alerts`, fewer are open
"""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from aiohttp_sse import sse_response

from bot.accounts.roles import READERS, Role
from bot.core.errors import BadInput
from bot.delivery.alert_mail import headline
from bot.store import alerts
from bot.web.admin.clock import zone_of
from bot.web.admin.forms import back_to
from bot.web.pages import RECHECK_S
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.streams import PING_S, messages_for
from bot.web.who import COOKIE, account_of, allowed, entry
from bot.words import words

routes = web.RouteTableDef()

PATH = "/alerts"
ROWS = 50


@routes.get(PATH)
@allowed(*READERS)
async def listed(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    everything = request.query.get("of") == "all"
    before = _place(request.query.get("before", ""))
    found = await alerts.alerts(
        parts.db, parts.alerts.kinds, opened=not everything, before=before, limit=ROWS + 1
    )
    shown, more = found[:ROWS], len(found) > ROWS
    of = "of=all&" if everything else ""
    last = shown[-1].row if more else None
    values = {
        "alerts": [(each, headline(each)) for each in shown],
        "everything": everything,
        "may": account_of(request).role is not Role.AUDITOR,
        "rules": parts.alerts,
        "begun": f"{PATH}?{of}" if before else "",
        "older": f"{PATH}?{of}before={last.at:%Y%m%dT%H%M%S.%f}~{last.id}" if last else "",
        "problem": "",
        "said": "",
        "zone": zone_of(request),
    }
    return render(request, "admin/alerts.html", values)


@routes.post(PATH + "/{alert_id}/acknowledge")
@allowed(Role.MANAGER, Role.ADMIN)
async def acknowledge(request: web.Request) -> web.StreamResponse:
    """Of two who do it at once the first is written down; to the other it is done as well."""
    parts, alert_id = parts_of(request), request.match_info["alert_id"]
    if not await alerts.by_ids(parts.db, [alert_id]):
        raise web.HTTPNotFound
    row = entry(request, "acknowledge", "alert", alert_id)
    await alerts.acknowledge(parts.db, alert_id, account_of(request).login, parts.clock.now(), audit=row)
    parts.live.alert("alerts", {"id": alert_id})
    return back_to(PATH)


@routes.get(PATH + "/badge")
@allowed(*READERS)
async def badge(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    count = await alerts.open_count(parts.db, parts.alerts.kinds)
    return render(request, "admin/alerts_badge.html", {"count": count})


@routes.get(PATH + "/newest")
@allowed(*READERS)
async def newest(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    found = await alerts.alerts(parts.db, parts.alerts.kinds, opened=True, limit=1)
    values = {"alert": found[0] if found else None, "said": headline(found[0]) if found else ("", "")}
    return render(request, "admin/alerts_newest.html", values)


@routes.get(PATH + "/live")
@allowed(*READERS)
async def live(request: web.Request) -> web.StreamResponse:
    """Ends with the session."""
    parts, token = parts_of(request), request.cookies[COOKIE]

    async def lives() -> bool:
        return await parts.sessions.find(token) is not None

    async with sse_response(request, ping_interval=PING_S) as stream:
        with parts.live.of_alerts(account_of(request)) as listener:
            async for message in messages_for(stream, listener, recheck_s=RECHECK_S, still=lives):
                await stream.send(message.data, event=message.name)
    return stream


def _place(written: str) -> tuple[datetime, str] | None:
    """As the list's own link writes it, in UTC. Raises BadInput."""
    if not written:
        return None
    moment, _, alert_id = written.partition("~")
    try:
        return datetime.strptime(moment + "+0000", "%Y%m%dT%H%M%S.%f%z"), alert_id
    except ValueError as error:
        raise BadInput(
            words("такой страницы тревог нет", "there is no such page of alerts"), hint=PATH
        ) from error
