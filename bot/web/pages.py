"""The pages that everybody who works here has: sign in and out, the start page, the live stream."""

from __future__ import annotations

from aiohttp import web
from aiohttp_sse import sse_response

from bot.accounts.roles import Role
from bot.core.errors import SignInRefused, TooManyTries
from bot.web.language import COOKIE as LANGUAGE_COOKIE
from bot.web.language import COOKIE_S, LANGUAGES, tr
from bot.web.parts import parts_of
from bot.web.rendering import NAVIGATION, render
from bot.web.streams import PING_S, messages_for
from bot.web.who import COOKIE, account_of, address_of, allowed, keep_session, signed_in

routes = web.RouteTableDef()

RECHECK_S = 60.0
"""How often a stream asks whether its session still lives; while it does, it counts as used."""


def own_path(given: object) -> str:
    """Where to go after the form: a path of ours, never another site's (`//evil.example`). Browsers leave
    tabs and line ends out of an address, so one that has any is none of ours (WHATWG URL, 4.4)."""
    text = given if isinstance(given, str) and given.isprintable() else ""
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) else "/"


@routes.get("/sign-in")
async def sign_in_form(request: web.Request) -> web.StreamResponse:
    following = own_path(request.query.get("next"))
    if signed_in(request) is not None:
        raise web.HTTPSeeOther(following)
    return render(request, "sign_in.html", {"next": following, "login": "", "problem": ""})


@routes.post("/sign-in")
async def sign_in(request: web.Request) -> web.StreamResponse:
    parts, form = parts_of(request), await request.post()
    login, password = (form.get(name) for name in ("login", "password"))
    following = own_path(form.get("next"))
    if not isinstance(login, str) or not isinstance(password, str):
        raise web.HTTPBadRequest
    try:
        account = await parts.sign_in.sign_in(login, password, address_of(request))
    except SignInRefused:
        problem = tr(
            request,
            "Имя или пароль не подходят. Забытый пароль сменит администратор.",
            "The login or the password is wrong. An administrator can set another password.",
        )
        return _once_more(request, 403, login, following, problem)
    except TooManyTries as error:
        problem = tr(
            request,
            f"Слишком много попыток. Следующая через {error.wait_s} с.",
            f"Too many tries. The next one in {error.wait_s} s.",
        )
        response = _once_more(request, 429, login, following, problem)
        response.headers["Retry-After"] = str(error.wait_s)
        return response
    old = request.cookies.get(COOKIE)
    if old:
        await parts.sessions.end(old)
    response = web.Response(status=303, headers={"Location": following})
    here = address_of(request)
    await parts.audit.note(account, here, "sign_in", "account", account.login)
    browser = request.headers.get("User-Agent", "")
    keep_session(request, response, await parts.sessions.begin(account, here, browser))
    return response


def _once_more(request: web.Request, status: int, login: str, following: str, problem: str) -> web.Response:
    values = {"next": following, "login": login, "problem": problem}
    return render(request, "sign_in.html", values, status=status)


@routes.post("/sign-out")
async def sign_out(request: web.Request) -> web.StreamResponse:
    token, found = request.cookies.get(COOKIE), signed_in(request)
    if token:
        await parts_of(request).sessions.end(token)
    if found is not None:
        parts_of(request).live.end_of(found.account.id)
    response = web.Response(status=303, headers={"Location": "/sign-in"})
    response.del_cookie(COOKIE, path="/")
    return response


@routes.post("/language")
async def choose_language(request: web.Request) -> web.StreamResponse:
    form = await request.post()
    language = form.get("language")
    if language not in LANGUAGES:
        raise web.HTTPBadRequest
    response = web.Response(status=303, headers={"Location": own_path(form.get("next"))})
    secure = parts_of(request).settings.secure
    response.set_cookie(
        LANGUAGE_COOKIE, str(language), max_age=COOKIE_S, samesite="Lax", secure=secure, httponly=True
    )
    return response


@routes.get("/")
@allowed(*Role)
async def home(request: web.Request) -> web.StreamResponse:
    """Everybody starts at the first place that is his; an administrator chooses."""
    account = account_of(request)
    mine = [item.path for item in request.config_dict[NAVIGATION] if account.role in item.roles]
    if mine and account.role is not Role.ADMIN:
        raise web.HTTPSeeOther(mine[0])
    return render(request, "home.html")


@routes.get("/live")
@allowed(*Role)
async def live(request: web.Request) -> web.StreamResponse:
    """`call` events as JSON, and whatever this agent's pages are told; ends with the session."""
    parts, token = parts_of(request), request.cookies[COOKIE]

    async def lives() -> bool:
        return await parts.sessions.find(token) is not None

    async with sse_response(request, ping_interval=PING_S) as stream:
        with parts.live.of_account(account_of(request)) as listener:
            async for message in messages_for(stream, listener, recheck_s=RECHECK_S, still=lives):
                await stream.send(message.data, event=message.name)
    return stream
