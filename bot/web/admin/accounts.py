"""Who may sign in: the list, and one account with its role, password and sessions.

GET  /admin                             where this role begins
GET  /admin/accounts                    the list and a form for another one; POST adds
GET  /admin/accounts/LOGIN              one account; POST changes its role, name and agent
POST /admin/accounts/LOGIN/password     a one-time password, shown once; its sessions end
POST /admin/accounts/LOGIN/remove
POST /admin/accounts/LOGIN/sessions/ID  end this session
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.accounts.accounts import Account, login_of
from bot.accounts.passwords import one_time
from bot.accounts.roles import Role
from bot.core.errors import BadInput
from bot.web.admin.clock import zone_of
from bot.web.admin.forms import back_to, form_of, problem_of, said_of
from bot.web.parts import parts_of
from bot.web.rendering import render, segment
from bot.web.who import account_of, allowed, entry, signed_in
from bot.words import words

routes = web.RouteTableDef()

PATH = "/admin/accounts"

ROLES = {
    Role.AGENT: (
        ("сотрудник", "agent"),
        ("рабочее место: живые переводы, дела, звонки", "the desk: handovers, cases, callbacks"),
    ),
    Role.OPS: (
        ("оператор обзвона", "ops"),
        ("опросы, контакты, кампании", "surveys, contacts, campaigns"),
    ),
    Role.MANAGER: (
        ("руководитель", "manager"),
        ("итоги, журнал звонков, дела, выгрузки, тревоги", "results, calls, cases, exports, alerts"),
    ),
    Role.ADMIN: (
        ("администратор", "administrator"),
        ("всё, и эти страницы", "everything, and these pages"),
    ),
    Role.AUDITOR: (
        ("аудитор", "auditor"),
        ("видит то же и кто что смотрел, ничего не меняет", "reads it all, and who did; changes nothing"),
    ),
}
"""What a role is called and what it opens, in Russian and in English."""


@routes.get("/admin")
@allowed(Role.ADMIN, Role.AUDITOR)
async def begin(request: web.Request) -> web.StreamResponse:
    return back_to(PATH if account_of(request).role is Role.ADMIN else "/admin/audit")


@routes.get(PATH)
@allowed(Role.ADMIN)
async def listed(request: web.Request) -> web.StreamResponse:
    return await _list(request)


@routes.post(PATH)
@allowed(Role.ADMIN)
async def add(request: web.Request) -> web.StreamResponse:
    """The password is made here and shown in the answer alone. An unusable form comes back as it was filled
    in, with what is wrong."""
    parts = parts_of(request)
    form: dict[str, str] = {}
    password = one_time()
    try:
        form = await form_of(request)
        role, login = _role(form), login_of(form.get("login", ""))
        agent_id = form.get("agent", "")
        added = await parts.accounts.add(
            login,
            password,
            role,
            name=form.get("name", ""),
            agent_id=agent_id,
            once=True,
            audit=entry(request, "add", "account", login, role=role, agent=agent_id),
        )
    except BadInput as error:
        return await _list(request, form=form, problem=problem_of(error), status=400)
    return await _one(request, added.login, password=password)


@routes.get(PATH + "/{login}")
@allowed(Role.ADMIN)
async def one(request: web.Request) -> web.StreamResponse:
    return await _one(request, request.match_info["login"])


@routes.post(PATH + "/{login}")
@allowed(Role.ADMIN)
async def change(request: web.Request) -> web.StreamResponse:
    parts, login = parts_of(request), request.match_info["login"]
    before = await _named(request, login)
    login = before.login
    try:
        form = await form_of(request)
        role, name, agent_id = _role(form), form.get("name", ""), form.get("agent", "")
        was = (before.role, before.name, before.agent_id)
        changed = [
            key
            for key, old, new in zip(("role", "name", "agent"), was, (role, name, agent_id), strict=True)
            if old != new
        ]
        row = entry(request, "change", "account", login, changed=changed, role=role, agent=agent_id)
        await parts.accounts.change(login, role=role, name=name, agent_id=agent_id, audit=row)
    except BadInput as error:
        return await _one(request, login, problem=problem_of(error), status=400)
    parts.live.end_of(before.id)
    return back_to(f"{PATH}/{segment(login)}?said=changed")


@routes.post(PATH + "/{login}/password")
@allowed(Role.ADMIN)
async def password(request: web.Request) -> web.StreamResponse:
    parts, account = parts_of(request), await _named(request, request.match_info["login"])
    login = account.login
    fresh = one_time()
    row = entry(request, "set_password", "account", login)
    await parts.accounts.set_password(login, fresh, once=True, audit=row)
    parts.live.end_of(account.id)
    if account.id == account_of(request).id:  # his own session ended with the others
        return render(request, "admin/own_password.html", {"password": fresh})
    return await _one(request, login, password=fresh)


@routes.post(PATH + "/{login}/remove")
@allowed(Role.ADMIN)
async def remove(request: web.Request) -> web.StreamResponse:
    parts, account = parts_of(request), await _named(request, request.match_info["login"])
    login = account.login
    try:
        await parts.accounts.remove(
            login, audit=entry(request, "remove", "account", login, role=account.role)
        )
    except BadInput as error:
        return await _one(request, login, problem=problem_of(error), status=400)
    parts.live.end_of(account.id)
    return back_to(f"{PATH}?said=removed")


@routes.post(PATH + "/{login}/sessions/{session_id}")
@allowed(Role.ADMIN)
async def end_session(request: web.Request) -> web.StreamResponse:
    parts, account = parts_of(request), await _named(request, request.match_info["login"])
    login = account.login
    row = entry(request, "end_session", "account", login)
    if await parts.sessions.end_seen(request.match_info["session_id"], login, audit=row):
        parts.live.end_of(account.id)
    return back_to(f"{PATH}/{segment(account.login)}?said=ended")


def _role(form: dict[str, str]) -> Role:
    """Raises BadInput."""
    try:
        return Role(form.get("role", ""))
    except ValueError as error:
        raise BadInput(words("роль не выбрана", "no role is chosen"), hint=", ".join(Role)) from error


async def _named(request: web.Request, login: str) -> Account:
    """Raises HTTPNotFound for one that is not there (any more)."""
    try:
        return await parts_of(request).accounts.named(login)
    except BadInput:
        raise web.HTTPNotFound from None


async def _agents(request: web.Request) -> list[dict[str, Any]]:
    agents: list[dict[str, Any]] = (await parts_of(request).control("agents")).get("agents", [])
    return sorted(agents, key=lambda each: (each["name"] or each["id"]).casefold())


async def _list(
    request: web.Request, *, form: dict[str, str] | None = None, problem: str = "", status: int = 200
) -> web.Response:
    parts = parts_of(request)
    accounts, sessions = await parts.accounts.list(), await parts.sessions.seen()
    values = {
        "accounts": accounts,
        "sessions": {
            account.login: [each for each in sessions if each.login == account.login] for account in accounts
        },
        "agents": await _agents(request),
        "roles": ROLES,
        "form": form or {},
        "problem": problem,
        "said": said_of(request, _SAID),
        "zone": zone_of(request),
    }
    return render(request, "admin/accounts.html", values, status=status)


async def _one(
    request: web.Request, login: str, *, password: str = "", problem: str = "", status: int = 200
) -> web.Response:
    account = await _named(request, login)
    here = signed_in(request)
    values = {
        "account": account,
        "sessions": await parts_of(request).sessions.seen(account.login),
        "here": here.session_id if here else "",
        "agents": await _agents(request),
        "roles": ROLES,
        "password": password,
        "problem": problem,
        "said": said_of(request, _SAID),
        "zone": zone_of(request),
    }
    return render(request, "admin/account.html", values, status=status)


_SAID = {
    "changed": ("Сохранено.", "Saved."),
    "removed": ("Учётная запись удалена.", "The account is removed."),
    "ended": ("Вход завершён.", "The session is ended."),
}
"""After which change, in Russian and in English."""
