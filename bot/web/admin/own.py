"""One's own account: another password, and where one is signed in.

GET  /account
POST /account/password      {current, fresh, again}
POST /account/sessions/ID   end this session
"""

from __future__ import annotations

from aiohttp import web

from bot.accounts.passwords import LONGEST, SHORTEST
from bot.accounts.roles import Role
from bot.core.errors import BadInput, SignInRefused, TooManyTries
from bot.web.admin.clock import zone_of
from bot.web.admin.forms import back_to, said_of
from bot.web.language import tr
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import OWN, account_of, address_of, allowed, entry, keep_session, signed_in

routes = web.RouteTableDef()


@routes.get(OWN)
@allowed(*Role, before_change=True)
async def own(request: web.Request) -> web.StreamResponse:
    return await _page(request)


@routes.post(OWN + "/password")
@allowed(*Role, before_change=True)
async def password(request: web.Request) -> web.StreamResponse:
    """Whoever found the page open does not know the password: it is asked for, and tries are counted as at
    the door. All sessions end, and this browser gets a fresh one: a cookie that somebody copied is dead."""
    parts, account, form = parts_of(request), account_of(request), await request.post()
    current, fresh, again = (form.get(name) for name in ("current", "fresh", "again"))
    if not isinstance(current, str) or not isinstance(fresh, str) or not isinstance(again, str):
        raise web.HTTPBadRequest
    if fresh != again:
        return await _page(request, tr(request, "Новый пароль набран по-разному.", "The two differ."), 400)
    if fresh == current:
        problem = tr(request, "Новый пароль такой же, как прежний.", "It is the same password as before.")
        return await _page(request, problem, 400)
    try:
        await parts.sign_in.sign_in(account.login, current, address_of(request))
        row = entry(request, "set_password", "account", account.login)
        await parts.accounts.set_password(account.login, fresh, audit=row)
    except TooManyTries as error:
        problem = tr(
            request,
            f"Слишком много попыток. Следующая через {error.wait_s} с.",
            f"Too many tries. The next one in {error.wait_s} s.",
        )
        return await _page(request, problem, 429)
    except SignInRefused:
        return await _page(
            request, tr(request, "Нынешний пароль не подходит.", "The present one is wrong."), 403
        )
    except BadInput:
        problem = tr(
            request,
            f"В новом пароле нужно от {SHORTEST} до {LONGEST} знаков; подойдёт фраза из нескольких слов.",
            f"The new one needs {SHORTEST} to {LONGEST} characters; a phrase of several words will do.",
        )
        return await _page(request, problem, 400)
    parts.live.end_of(account.id)
    response = back_to("/" if account.must_change else f"{OWN}?said=password")
    begun = await parts.sessions.begin(account, address_of(request), request.headers.get("User-Agent", ""))
    keep_session(request, response, begun)
    return response


@routes.post(OWN + "/sessions/{session_id}")
@allowed(*Role)
async def end_session(request: web.Request) -> web.StreamResponse:
    parts, account = parts_of(request), account_of(request)
    row = entry(request, "end_session", "account", account.login)
    if await parts.sessions.end_seen(request.match_info["session_id"], account.login, audit=row):
        parts.live.end_of(account.id)
    return back_to(f"{OWN}?said=ended")


async def _page(request: web.Request, problem: str = "", status: int = 200) -> web.Response:
    account, found = account_of(request), signed_in(request)
    texts = {
        "password": ("Пароль сменён, прочие входы завершены.", "Set; other sessions are ended."),
        "ended": ("Вход завершён.", "The session is ended."),
    }
    values = {
        "account": account,
        "sessions": await parts_of(request).sessions.seen(account.login),
        "here": found.session_id if found else "",
        "problem": problem,
        "said": said_of(request, texts),
        "shortest": SHORTEST,
        "zone": zone_of(request),
    }
    return render(request, "admin/own.html", values, status=status)
