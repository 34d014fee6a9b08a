"""Which programs may use the API.

GET  /admin/tokens               the list and a form for another one; POST makes it and shows it once
POST /admin/tokens/NAME/revoke
"""

from __future__ import annotations

from aiohttp import web

from bot.accounts.roles import Role
from bot.accounts.tokens import Scope
from bot.core.errors import BadInput
from bot.reports.periods import after
from bot.web.admin.clock import zone_of
from bot.web.admin.forms import back_to, form_of, problem_of, said_of
from bot.web.api.guard import REQUESTS
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import allowed, entry

routes = web.RouteTableDef()

PATH = "/admin/tokens"

SCOPES = {
    Scope.CALLS: (
        "просить о звонках и узнавать, что с ними стало",
        "ask for calls, and see what became of them",
    ),
    Scope.ANNOUNCEMENTS: ("объявлять входящие звонки", "announce incoming calls"),
}


@routes.get(PATH)
@allowed(Role.ADMIN)
async def listed(request: web.Request) -> web.StreamResponse:
    return await _page(request)


@routes.post(PATH)
@allowed(Role.ADMIN)
async def add(request: web.Request) -> web.StreamResponse:
    form: dict[str, str] = {}
    try:
        form = await form_of(request)
        name, scopes = form.get("name", ""), [scope for scope in Scope if form.get(scope)]
        expires_at = after(form.get("until", ""), zone_of(request))
        row = entry(request, "add", "token", name, scopes=scopes, until=form.get("until", ""))
        _, token = await parts_of(request).tokens.add(name, scopes, expires_at=expires_at, audit=row)
    except BadInput as error:
        return await _page(request, form=form, problem=problem_of(error), status=400)
    return await _page(request, made=name, token=token)


@routes.post(PATH + "/{name}/revoke")
@allowed(Role.ADMIN)
async def revoke(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    try:
        await parts_of(request).tokens.revoke(name, audit=entry(request, "revoke", "token", name))
    except BadInput as error:
        return await _page(request, problem=problem_of(error), status=400)
    return back_to(f"{PATH}?said=revoked")


async def _page(
    request: web.Request,
    *,
    form: dict[str, str] | None = None,
    problem: str = "",
    made: str = "",
    token: str = "",
    status: int = 200,
) -> web.Response:
    parts = parts_of(request)
    values = {
        "tokens": await parts.tokens.list(),
        "now": parts.clock.now(),
        "scopes": SCOPES,
        "a_minute": REQUESTS.amount,
        "form": form or {},
        "problem": problem,
        "made": made,
        "token": token,
        "said": said_of(request, {"revoked": ("Токен отозван.", "The token is revoked.")}),
        "zone": zone_of(request),
    }
    return render(request, "admin/tokens.html", values, status=status)
