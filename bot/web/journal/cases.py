"""Cases for those who answer for all of them: unhappy customers' matters from open to closed, and who is owed
a call.

GET  /cases               filters: status (active, open, claimed, done, closed, all), owner, department,
                          topic, late=1 (past the deadline), callback=1; `page` from 1
GET  /cases/callbacks     whom somebody is to ring
GET  /cases/CASE          one case with its history
POST /cases/CASE/ACT      note {text}, postpone {due, text}, reassign {to, due, text}, close {status, text}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.accounts.audit import LOOK
from bot.accounts.roles import READERS, Role
from bot.core.errors import BadInput
from bot.core.intents import Topic
from bot.reports.journal_names import names
from bot.reports.wording import topic_pair
from bot.store import queries
from bot.web.desk.cases import LONGEST
from bot.web.desk.cases import moment as due_moment
from bot.web.journal.call import helpers
from bot.web.journal.shown import CORRECTORS
from bot.web.masking import sees_numbers, shown_number
from bot.web.paging import page_number
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed, noted
from bot.words import words

routes = web.RouteTableDef()

PAGE = 50
STATUSES: dict[str, tuple[str, ...]] = {
    "active": ("open", "claimed"),
    "open": ("open",),
    "claimed": ("claimed",),
    "done": ("done",),
    "closed": ("closed",),
    "all": ("open", "claimed", "done", "closed"),
}
ACTS = ("note", "postpone", "reassign", "close")


@routes.get("/cases")
@allowed(*READERS)
async def listed(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    asked = {
        name: request.query.get(name, "")[:200]
        for name in ("status", "owner", "department", "topic", "late", "callback")
    }
    asked["status"] = asked["status"] if asked["status"] in STATUSES else "active"
    number = page_number(request)
    found = (await parts.control("cases", **_order(asked), limit=PAGE + 1, offset=PAGE * (number - 1)))[
        "cases"
    ]
    if found:
        await noted(request, LOOK, "cases", "", filters={k: v for k, v in asked.items() if v})
    values = {
        "asked": asked,
        "statuses": list(STATUSES),
        "topics": {topic.value: topic_pair(topic) for topic in Topic},
        "names": await names(parts.db),
        "cases": [_shown(case, account_of(request).role) for case in found[:PAGE]],
        "newer": _address(asked, number - 1) if number > 1 else "",
        "older": _address(asked, number + 1) if len(found) > PAGE else "",
        "page": number,
        **helpers(ZoneInfo(parts.settings.timezone)),
    }
    return render(request, "journal/cases.html", values)


def _order(asked: Mapping[str, str]) -> dict[str, Any]:
    """The filters as the order `cases` takes them."""
    order: dict[str, Any] = {"statuses": list(STATUSES[asked["status"]])}
    names = {"owner": "owner_id", "department": "department", "topic": "topic"}
    order |= {name: asked[field] for field, name in names.items() if asked[field]}
    if asked["late"]:
        order["breached"] = True
    if asked["callback"]:
        order["callback"] = True
    return order


def _address(asked: Mapping[str, str], page: int) -> str:
    pairs = {name: value for name, value in asked.items() if value}
    return "/cases?" + urlencode(pairs | ({"page": str(page)} if page > 1 else {}))


def _shown(case: Mapping[str, Any], role: Role) -> dict[str, Any]:
    """Moments as moments, the number as a person writes it and this role may see it."""
    times = ("due_at", "opened_at", "claimed_at", "closed_at")
    told = {name: _moment(case.get(name)) for name in times}
    number = shown_number(case["phone"], whole=sees_numbers(role)) if case["phone"] else ""
    return {**case, **told, "number": number}


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


@routes.get("/cases/callbacks")
@allowed(*READERS)
async def callbacks(request: web.Request) -> web.StreamResponse:
    """The longest waiting first; those that an agent promised have a deadline."""
    parts = parts_of(request)
    owed, now = await queries.open_callbacks(parts.db), parts.clock.now()
    whole = sees_numbers(account_of(request).role)
    if owed:
        await noted(request, LOOK, "callbacks", "")
    values = {
        "owed": [
            (
                row,
                shown_number(row.phone, whole=whole),
                row.due_at is not None and row.due_at < now,
            )
            for row in owed
        ],
        "names": await names(parts.db),
        **helpers(ZoneInfo(parts.settings.timezone)),
    }
    return render(request, "journal/callbacks.html", values)


@routes.get("/cases/{case_id}")
@allowed(*READERS)
async def one(request: web.Request) -> web.StreamResponse:
    return await _one(request)


async def _one(request: web.Request, problem: BadInput | None = None) -> web.StreamResponse:
    """Raises HTTPNotFound."""
    parts, case_id = parts_of(request), request.match_info["case_id"]
    try:
        case = (await parts.control("case", case_id=case_id))["case"]
    except BadInput as error:
        raise web.HTTPNotFound from error
    await noted(request, LOOK, "case", case_id)
    values = {
        "case": _shown(case, account_of(request).role),
        "history": [
            {**step, "at": _moment(step["at"]), "due_at": _moment(step.get("due_at"))}
            for step in case["history"]
        ],
        "names": await names(parts.db),
        "agents": [each for each in (await parts.control("agents"))["agents"] if each["active"]],
        "over": case["status"] in ("done", "closed"),
        "may_change": account_of(request).role in CORRECTORS,
        "problem": problem,
        **helpers(ZoneInfo(parts.settings.timezone)),
    }
    return render(request, "journal/case.html", values, status=400 if problem else 200)


@routes.post("/cases/{case_id}/{act}")
@allowed(*CORRECTORS)
async def change(request: web.Request) -> web.StreamResponse:
    case_id, act = request.match_info["case_id"], request.match_info["act"]
    if act not in ACTS:
        raise web.HTTPNotFound
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    try:
        await _ordered(request, case_id, act, form)
    except BadInput as error:
        return await _one(request, error)
    return web.Response(status=303, headers={"Location": f"/cases/{case_id}"})


async def _ordered(request: web.Request, case_id: str, act: str, form: Mapping[str, str]) -> None:
    """One order, and its line in the audit log. The history names the account where it is no agent's. Raises
    BadInput."""
    parts, account = parts_of(request), account_of(request)
    zone, text = ZoneInfo(parts.settings.timezone), form.get("text", "").strip()
    if len(text) > LONGEST:
        raise BadInput(words(f"длиннее {LONGEST} знаков", f"longer than {LONGEST} letters"))
    about: dict[str, Any] = {"case_id": case_id, "agent_id": account.agent_id or account.login}
    due_at = due_moment(form["due"], zone).isoformat() if form.get("due") else None
    match act:
        case "note":
            await parts.control("case_note", **about, text=text)
        case "postpone":
            if due_at is None:
                raise BadInput(words("назовите новый срок", "name the new deadline"))
            await parts.control("case_postpone", **about, due_at=due_at, text=text)
        case "reassign":
            more = {"due_at": due_at} if due_at else {}
            await parts.control("case_reassign", **about, owner_id=form.get("to", ""), text=text, **more)
        case "close":
            await parts.control("case_close", **about, status=form.get("status", ""), outcome=text)
    await noted(request, act, "case", case_id, to=form.get("to", ""), status=form.get("status", ""))
