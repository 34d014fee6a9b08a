"""Who asks: the session behind a request, and what it is allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.accounts.accounts import Account
from bot.accounts.roles import Role
from bot.accounts.sessions import SignedIn
from bot.store.account_tables import AuditRow
from bot.web.api.problems import is_api
from bot.web.assets import ROOT
from bot.web.parts import parts_of
from bot.web.security import SAFE, require_token

COOKIE = "otklik_session"
OWN = "/account"
"""One's own account: the password, and where one is signed in."""
NOTED_AGAIN = timedelta(minutes=10)
"""A browser asks for a recording piece by piece, and for a stream anew whenever it was cut off: one listening
or watching leaves one line in the audit log."""
_WHO = web.RequestKey("who", SignedIn)

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def remember_who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find the session of the cookie; whoever has one must show its token to change anything."""
    token = request.cookies.get(COOKIE)
    if token and not request.path.startswith(ROOT) and not is_api(request):
        found = await parts_of(request).sessions.find(token)
        if found is not None:
            request[_WHO] = found
            if request.method not in SAFE:
                await require_token(request, found.session_id)
    return await handler(request)


def signed_in(request: web.Request) -> SignedIn | None:
    return request.get(_WHO)


def account_of(request: web.Request) -> Account:
    """Whose request it is; only within a handler that is `allowed`."""
    found = signed_in(request)
    assert found is not None, "the handler is not marked as allowed to anyone"
    return found.account


def allowed(*roles: Role, before_change: bool = False) -> Callable[[Page], Page]:
    """Only accounts of these roles: others are sent to sign in, or refused. Whoever has a one-time password
    is sent to change it, unless the page is there `before_change`."""

    def mark(page: Page) -> Page:
        @wraps(page)
        async def guarded(request: web.Request) -> web.StreamResponse:
            found = signed_in(request)
            if found is None:
                return to_sign_in(request)
            if found.account.role not in roles:
                raise web.HTTPForbidden(text="this role may not")
            if found.account.must_change and not before_change:
                return _to_another_password(request)
            return await page(request)

        return guarded

    return mark


def to_sign_in(request: web.Request) -> web.Response:
    """A page leads to the form and back; a part of a page (htmx) takes the whole page there; a program
    gets 401."""
    where = f"/sign-in?next={quote(request.path_qs)}"
    if request.headers.get("HX-Request"):
        return web.Response(status=401, headers={"HX-Redirect": "/sign-in"})
    if request.method in SAFE and "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": where})
    return web.json_response({"error": {"code": "signed_out"}}, status=401)


def _to_another_password(request: web.Request) -> web.Response:
    """As `to_sign_in` does."""
    if request.headers.get("HX-Request"):
        return web.Response(status=403, headers={"HX-Redirect": OWN})
    if request.method in SAFE and "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": OWN})
    return web.json_response({"error": {"code": "one_time_password"}}, status=403)


def keep_session(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """The cookie that stands for a session: no script reads it, no other site's form sends it."""
    settings = parts_of(request).settings
    response.set_cookie(
        COOKIE,
        token,
        max_age=round(settings.session_s),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=settings.secure,
    )


def address_of(request: web.Request) -> str:
    """Where a request comes from. A proxy of ours appends it to `X-Forwarded-For`; what stands before
    that was written by whoever asks."""
    if parts_of(request).settings.behind_proxy:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return request.remote or ""


def entry(request: web.Request, action: str, subject: str, subject_id: str, **details: Any) -> AuditRow:
    """The row of the audit log for a change, to be written in the transaction of the change itself."""
    return parts_of(request).audit.entry(
        account_of(request), address_of(request), action, subject, subject_id, details
    )


async def noted(request: web.Request, action: str, subject: str, subject_id: str, **details: Any) -> None:
    """Write into the audit log what the account behind this request looked at, took away or told the node to
    do (a case's step, a campaign's order, a publication, an import: those are the node's own transactions, or
    many). A change that is one transaction here has its `entry` within it."""
    await parts_of(request).audit.note(
        account_of(request), address_of(request), action, subject, subject_id, details
    )


async def noted_once(request: web.Request, action: str, subject: str, subject_id: str) -> None:
    """The same, unless this account has such a line of the last minutes."""
    parts = parts_of(request)
    since = parts.clock.now() - NOTED_AGAIN
    if not await parts.audit.noted_since(account_of(request), action, subject_id, since):
        await noted(request, action, subject, subject_id)
