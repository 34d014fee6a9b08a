"""Numbers that are never rung: who, since when, why, and who let one be rung again.

GET  /do-not-call                ?phone=&source=&history=&limit=
GET  /do-not-call/export.csv     the proof of each, as a file
POST /do-not-call/add            {phone, reason}
POST /do-not-call/remove         {phone, reason}
POST /do-not-call/remove-list    {list, reason}
Lists come in below /do-not-call/imports (bot/web/dialling/imports.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from aiohttp import web

from bot.accounts.audit import LOOK
from bot.accounts.roles import OBSERVERS, OPERATORS
from bot.campaigns.contacts import a_phone
from bot.campaigns.proofs import PROOF_HEADS, proof_cells
from bot.core.errors import BadInput
from bot.store import do_not_call
from bot.store.do_not_call import BY_CALL, BY_HAND, LIST
from bot.web.dialling.common import (
    form_of,
    needed,
    operates,
    phone_for,
    reads_calls,
    said_to,
    see,
    send_csv,
    zone_of,
)
from bot.web.dialling.imports import state_word
from bot.web.dialling.uploads import UPLOADS
from bot.web.pages import own_path
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed, entry, noted
from bot.words import words

routes = web.RouteTableDef()

LIMITS = (100, 1000)
"""So many are shown; all of them are in the file."""


@routes.get("/do-not-call")
@allowed(*OBSERVERS)
async def listed(request: web.Request) -> web.StreamResponse:
    return await _page(request, said_to(request, "wrong"))


async def _page(request: web.Request, problem: str = "", *, refused: bool = False) -> web.Response:
    parts, query = parts_of(request), request.query
    asked, source, history = query.get("phone", "").strip()[:100], query.get("source", ""), "history" in query
    limit = LIMITS[1] if query.get("limit") == str(LIMITS[1]) else LIMITS[0]
    key = ""
    if asked:
        try:
            key = a_phone(asked)
        except BadInput as error:
            problem, refused = error.message, True
    found = (
        []
        if asked and not key
        else await do_not_call.listed(parts.db, source=source, phone=key, removed=history, limit=limit + 1)
    )
    await noted(request, LOOK, "do-not-call", key, source=source)
    values = {
        "proofs": [(proof, phone_for(request, proof.row.phone)) for proof in found[:limit]],
        "more": len(found) > limit,
        "limit": limit,
        "larger": LIMITS[1],
        "asked": asked,
        "source": source,
        "history": history,
        "sources": await do_not_call.sources(parts.db),
        "source_word": source_word,
        "zone": zone_of(request),
        "operates": operates(request),
        "calls": reads_calls(request),
        "uploads": request.config_dict[UPLOADS].all("numbers") if operates(request) else [],
        "state_of": state_word,
        "largest": parts.settings.largest_upload // 2**20,
        "problem": problem,
        "said": said_to(request),
    }
    return render(request, "dialling/do_not_call.html", values, status=400 if refused else 200)


def source_word(source: str) -> str:
    """«список роскомнадзор», «в звонке»."""
    if source == BY_CALL:
        return words("сказал в звонке", "said in a call")
    if source == BY_HAND:
        return words("внесли руками", "by hand")
    kind, _, name = source.partition(":")
    if kind == "list":
        return words(f"список {name}", f"list {name}")
    return words(f"загрузка {name}", f"import {name}") if kind == "import" else source


@routes.get("/do-not-call/export.csv")
@allowed(*OPERATORS)
async def export(request: web.Request) -> web.StreamResponse:
    source = request.query.get("source", "")
    found = await do_not_call.listed(parts_of(request).db, source=source, removed=True)
    await noted(request, "export", "do-not-call", "", source=source, rows=len(found))

    async def rows() -> AsyncIterator[Iterable[str]]:
        for proof in found:
            yield proof_cells(proof)

    return await send_csv(request, "do-not-call.csv", PROOF_HEADS, rows())


@routes.post("/do-not-call/add")
@allowed(*OPERATORS)
async def add(request: web.Request) -> web.StreamResponse:
    """In force at once, also for calls that wait in the queue."""
    parts, form = parts_of(request), await form_of(request)
    try:
        key = a_phone(needed(form, "phone", "номер", "the number"))
        reason = needed(form, "reason", "почему", "why")
    except BadInput as error:
        return await _page(request, error.message, refused=True)
    added = await do_not_call.add(
        parts.db, [key], source=BY_HAND, words=reason, by=account_of(request).login, now=parts.clock.now(),
        audit=entry(request, "add", "do-not-call", key, reason=reason),
    )  # fmt: skip
    shown = phone_for(request, key)
    told = (
        words(f"{shown}: больше не звоним.", f"{shown}: never to be rung again.")
        if added
        else words(f"{shown}: и раньше не звонили.", f"{shown}: was there before.")
    )
    return _after(request, form, told)


@routes.post("/do-not-call/remove")
@allowed(*OPERATORS)
async def remove(request: web.Request) -> web.StreamResponse:
    """What is taken off stays in the history, with its reason."""
    parts, form = parts_of(request), await form_of(request)
    try:
        key = a_phone(needed(form, "phone", "номер", "the number"))
        reason = needed(form, "reason", "почему", "why")
        by, now = account_of(request).login, parts.clock.now()
        row = entry(request, "remove", "do-not-call", key, reason=reason)
        if not await do_not_call.remove(parts.db, key, reason=reason, by=by, now=now, audit=row):
            raise BadInput(words("запрета нет", "nothing forbids it"))
    except BadInput as error:
        return await _page(request, error.message, refused=True)
    shown = phone_for(request, key)
    return _after(request, form, words(f"{shown}: снова можно звонить.", f"{shown}: may be rung again."))


@routes.post("/do-not-call/remove-list")
@allowed(*OPERATORS)
async def remove_list(request: web.Request) -> web.StreamResponse:
    parts, form = parts_of(request), await form_of(request)
    try:
        source = needed(form, "list", "список", "the list")
        reason = needed(form, "reason", "почему", "why")
    except BadInput as error:
        return await _page(request, error.message, refused=True)
    name = source.removeprefix(LIST)
    done = await do_not_call.remove_list(
        parts.db, name, reason=reason, by=account_of(request).login, now=parts.clock.now(),
        audit=entry(request, "remove list", "do-not-call", name, reason=reason),
    )  # fmt: skip
    if not done:
        problem = words(f"в списке «{name}» никого", f"nobody is on the list «{name}»")
        return await _page(request, problem, refused=True)
    return _after(request, form, words(f"Снято запретов: {done}.", f"Taken off: {done}."))


def _after(request: web.Request, form: dict[str, str], told: str) -> web.Response:
    return see(request, own_path(form.get("next")) if form.get("next") else "/do-not-call", told)
