"""An agent's cases and callbacks: a part of the page that every change brings anew.

GET  /agent/cases?of=mine|department|all
GET  /agent/cases/CASE    its history
POST /agent/cases/CASE/claim, /postpone {due}, /reassign {to}, /close {status, outcome}, /note {text}
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.accounts.accounts import Account
from bot.accounts.audit import LOOK
from bot.accounts.roles import Role
from bot.core.errors import BadInput
from bot.core.years import is_meant
from bot.web.desk.pages import everybody
from bot.web.language import tr
from bot.web.masking import sees_numbers, shown_number
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed, noted, noted_once
from bot.words import words

routes = web.RouteTableDef()

DONE = {
    "claim": ("Обращение ваше.", "The case is yours."),
    "postpone": ("Срок перенесён.", "The deadline is another one."),
    "reassign": ("Передано.", "Given to another."),
    "close": ("Обращение закрыто.", "The case is closed."),
    "note": ("Записано.", "Written down."),
}
"""What is told where an order was carried out: a case that is closed, or another's now, leaves the list."""

DEFAULT_TZ = "Europe/Moscow"
MOST = 200
LONGEST = 4000


@routes.get("/agent/cases")
@allowed(Role.AGENT, Role.ADMIN)
async def listed(request: web.Request) -> web.StreamResponse:
    return await _list(request, request.query.get("of", ""))


@routes.get("/agent/cases/{case_id}")
@allowed(Role.AGENT, Role.ADMIN)
async def history(request: web.Request) -> web.StreamResponse:
    """What was done about a case, oldest first."""
    parts, account = parts_of(request), account_of(request)
    agents = await everybody(parts)
    case = (await parts.control("case", case_id=request.match_info["case_id"]))["case"]
    if not may_touch(account, case, agents, claiming=True):
        raise web.HTTPForbidden
    await noted_once(request, LOOK, "case", request.match_info["case_id"])
    tz = tz_of(account, agents)
    steps = [{**step, "at": datetime.fromisoformat(step["at"]).astimezone(tz)} for step in case["history"]]
    names = {each["id"]: each["name"] or each["id"] for each in agents}
    return render(request, "desk/history.html", {"steps": steps, "names": names})


@routes.post("/agent/cases/{case_id}/{act}")
@allowed(Role.AGENT, Role.ADMIN)
async def change(request: web.Request) -> web.StreamResponse:
    """One order about one case. Raises BadInput, HTTPForbidden for a case that is not his to touch."""
    parts, account = parts_of(request), account_of(request)
    case_id, act = request.match_info["case_id"], request.match_info["act"]
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    agents = await everybody(parts)
    case = (await parts.control("case", case_id=case_id))["case"]
    if not may_touch(account, case, agents, claiming=act == "claim"):
        raise web.HTTPForbidden
    said = ""
    match act:
        case "claim":
            if not account.agent_id:
                raise BadInput(words("у вас нет рабочего места", "you have no desk"))
            told = await parts.control("case_claim", case_id=case_id, agent_id=account.agent_id)
            if not told["claimed"]:
                said = tr(request, "Обращение уже взял другой.", "Somebody else has claimed it already.")
        case "postpone":
            due_at = moment(form.get("due", ""), tz_of(account, agents))
            if due_at <= parts.clock.now():
                raise BadInput(words("срок уже прошёл", "this moment has passed"))
            await parts.control(
                "case_postpone",
                case_id=case_id,
                due_at=due_at.isoformat(),
                agent_id=account.agent_id,
                text=_text(form, "text"),
            )
        case "reassign":
            await parts.control(
                "case_reassign",
                case_id=case_id,
                owner_id=form.get("to", ""),
                agent_id=account.agent_id,
                text=_text(form, "text"),
            )
        case "close":
            await parts.control(
                "case_close",
                case_id=case_id,
                status=form.get("status", ""),
                outcome=_text(form, "text"),
                agent_id=account.agent_id,
            )
        case "note":
            await parts.control(
                "case_note", case_id=case_id, text=_text(form, "text"), agent_id=account.agent_id
            )
        case _:
            raise web.HTTPNotFound
    if not said:
        await noted(request, act, "case", case_id, to=form.get("to", ""), status=form.get("status", ""))
        said = tr(request, *DONE[act])
    return await _list(request, form.get("of", ""), said, opened=case_id)


def may_touch(
    account: Account, case: dict[str, Any], agents: list[dict[str, Any]], *, claiming: bool
) -> bool:
    """An administrator may touch any; an agent his own, and he may claim what is his department's."""
    if account.role is Role.ADMIN:
        return True
    if account.agent_id and account.agent_id in (case["owner_id"], case["claimed_by"]):
        return True
    return claiming and bool(case["department"]) and case["department"] == department_of(account, agents)


def department_of(account: Account, agents: list[dict[str, Any]]) -> str:
    return next((str(each["department"] or "") for each in agents if each["id"] == account.agent_id), "")


def tz_of(account: Account, agents: list[dict[str, Any]]) -> ZoneInfo:
    """His own clock: what he reads and writes on the page."""
    own = next((each["tz"] for each in agents if each["id"] == account.agent_id), None)
    return ZoneInfo(own or DEFAULT_TZ)


def moment(written: str, tz: ZoneInfo) -> datetime:
    """A `datetime-local` field (HTML 4.10.5.1.11), at the agent's clock. Raises BadInput."""
    try:
        given = datetime.fromisoformat(written)
        if not is_meant(given.year):
            raise ValueError(written)
    except ValueError as error:
        raise BadInput(
            words(f"срок «{written}» не разобрать", f"«{written}» is no moment"), hint="2026-12-31T15:00"
        ) from error
    return given if given.tzinfo else given.replace(tzinfo=tz)


def _text(form: dict[str, str], name: str) -> str:
    text = form.get(name, "").strip()
    if len(text) > LONGEST:
        raise BadInput(
            words(f"длиннее {LONGEST} знаков", f"longer than {LONGEST} letters"),
            hint=words("сократите", "make it shorter"),
        )
    return text


async def _list(request: web.Request, of: str, said: str = "", opened: str = "") -> web.StreamResponse:
    parts, account = parts_of(request), account_of(request)
    agents = await everybody(parts)
    choices = _choices(account, agents)
    of = of if of in choices else choices[0]
    filters: dict[str, Any] = {"limit": MOST}
    if of == "mine":
        filters["owner_id"] = account.agent_id
    elif of == "department":
        filters["department"] = department_of(account, agents)
    found = (await parts.control("cases", **filters))["cases"]
    if found:
        await noted_once(request, LOOK, "cases", of)
    tz = tz_of(account, agents)
    values = {
        "of": of,
        "choices": choices,
        "said": said,
        "opened": opened,
        "agents": [each for each in agents if each["active"]],
        "names": {each["id"]: each["name"] or each["id"] for each in agents},
        "zone": tz.key,
        "cases": [_shown(account, case, agents, tz) for case in found],
    }
    return render(request, "desk/cases.html", values)


def _choices(account: Account, agents: list[dict[str, Any]]) -> list[str]:
    mine = ["mine"] if account.agent_id else []
    own = ["department"] if account.role is Role.AGENT and department_of(account, agents) else []
    return [*mine, *own, *(["all"] if account.role is Role.ADMIN else [])] or ["mine"]


def _shown(
    account: Account, case: dict[str, Any], agents: list[dict[str, Any]], tz: ZoneInfo
) -> dict[str, Any]:
    due_at = datetime.fromisoformat(case["due_at"]).astimezone(tz) if case["due_at"] else None
    return {
        **case,
        "phone": shown_number(case["phone"], whole=sees_numbers(account.role)),
        "due": due_at,
        "mine": may_touch(account, case, agents, claiming=False),
        "claimable": case["status"] == "open"
        and bool(account.agent_id)
        and may_touch(account, case, agents, claiming=True),
    }
