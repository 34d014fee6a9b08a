"""One person's erasure: what would go, the order, how far it is, its certificate.

GET  /admin/erasure                          the form, and the erasures that were
POST /admin/erasure                          {phone}: what would go; changes nothing
POST /admin/erasure/begin                    {phone, reason, sure}
GET  /admin/erasure/ID                       how far it is, then the certificate
GET  /admin/erasure/ID/certificate.md|json

No address holds the number: browsers and proxies keep addresses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aiohttp import web
from sqlmodel import col, select

from bot.accounts.audit import LOOK
from bot.accounts.roles import Role
from bot.campaigns.contacts import a_phone, shown_phone
from bot.core.errors import BadInput
from bot.privacy.certificate import KINDS, as_markdown, certificate, kept
from bot.privacy.erasure import shown
from bot.store.tables_privacy import ErasureRow, ErasureState
from bot.web.admin.clock import zone_of
from bot.web.admin.erasing import ERASURES
from bot.web.admin.forms import back_to, form_of, problem_of
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed, entry, noted
from bot.words import words

routes = web.RouteTableDef()

PATH = "/admin/erasure"
ROWS = 100
"""So many erasures are shown, the newest first; a number finds its own whatever its age."""

FORMS = {"md": "text/markdown", "json": "application/json"}


@routes.get(PATH)
@allowed(Role.ADMIN)
async def listed(request: web.Request) -> web.StreamResponse:
    return await _page(request)


@routes.post(PATH)
@allowed(Role.ADMIN)
async def preview(request: web.Request) -> web.StreamResponse:
    """That somebody looked is in the audit log, of the number its last two digits."""
    form: dict[str, str] = {}
    try:
        form = await form_of(request)
        return await _asked(request, form)
    except BadInput as error:
        return await _page(request, phone=form.get("phone", ""), problem=problem_of(error))


async def _asked(request: web.Request, form: Mapping[str, str], problem: str = "") -> web.StreamResponse:
    """Raises BadInput where nothing is kept about the number, or while he is on the line."""
    phone = a_phone(form.get("phone", ""))
    eraser = request.config_dict[ERASURES].eraser
    before, counts = await eraser.before(phone), await eraser.preview(phone)
    await noted(request, LOOK, "person", shown(phone))
    goes_on = before is not None and before.state == ErasureState.RUNNING
    if not counts and not goes_on:
        if before is None:
            raise BadInput(
                words("об этом номере ничего не хранится", "nothing is kept about this number"),
                hint=words("проверьте цифры", "check its digits"),
            )
        # Ordered again, it names its two digits where a version before did not keep them.
        await eraser.begin(phone, by=before.by, reason=before.reason)
        return back_to(f"{PATH}/{before.id}")
    values = {
        "phone": shown_phone(phone),
        "typed": form["phone"],
        "counts": _named(counts),
        "kept": kept(),
        "goes_on": goes_on,
        "reason": before.reason if before is not None and goes_on else form.get("reason", ""),
        "problem": problem,
        "said": "",
    }
    return render(request, "admin/erasure_asked.html", values, status=400 if problem else 200)


@routes.post(PATH + "/begin")
@allowed(Role.ADMIN)
async def begin(request: web.Request) -> web.StreamResponse:
    """The line of the audit log is in the transaction that begins it."""
    form: dict[str, str] = {}
    try:
        form = await form_of(request)
        phone, reason = a_phone(form.get("phone", "")), form.get("reason", "")
        if not reason:
            problem = words("не сказано, на каком основании", "it is not said why")
            return await _asked(request, form, problem)
        if not form.get("sure"):
            problem = words("отметьте, что вернуть нельзя", "say that you know it cannot be undone")
            return await _asked(request, form, problem)
        erasures = request.config_dict[ERASURES]
        audit = entry(request, "erase", "person", "", reason=reason)
        by = account_of(request).login
        row = await erasures.eraser.begin(phone, by=by, reason=reason, audit=audit)
    except BadInput as error:
        return await _page(request, phone=form.get("phone", ""), problem=problem_of(error))
    await erasures.go_on(row, phone)
    return back_to(f"{PATH}/{row.id}")


@routes.get(PATH + "/{id}")
@allowed(Role.ADMIN)
async def one(request: web.Request) -> web.StreamResponse:
    """Asked by htmx while it goes on, only the part that changes."""
    # Before its row is read: what is over by then is done in it.
    going = request.config_dict[ERASURES].find(request.match_info["id"])
    row = await _row(request)
    done = row.state == ErasureState.DONE
    part = "HX-Request" in request.headers
    if part and done:
        return web.Response(headers={"HX-Refresh": "true"})
    values = {
        "row": row,
        "going": going,
        "done": done,
        "told": certificate(row, row.shown) if done and row.shown else None,
        "counts": _named(row.counts.get("erased", {})),
        "kept": kept(),
        "problem": "",
        "said": "",
        "zone": zone_of(request),
    }
    return render(request, f"admin/{'erasure_going' if part else 'erasure_one'}.html", values)


@routes.get(PATH + "/{id}/certificate.{form}")
@allowed(Role.ADMIN)
async def taken(request: web.Request) -> web.StreamResponse:
    form = request.match_info["form"]
    row = await _row(request)
    if form not in FORMS or row.state != ErasureState.DONE or not row.shown:
        raise web.HTTPNotFound
    await noted(request, "export", "certificate", row.id, format=form)
    told = certificate(row, row.shown)
    text = as_markdown(told) if form == "md" else json.dumps(told, ensure_ascii=False, indent=2)
    return web.Response(
        text=text,
        content_type=FORMS[form],
        headers={"Content-Disposition": f'attachment; filename="{row.id}.{form}"'},
    )


async def _row(request: web.Request) -> ErasureRow:
    async with parts_of(request).db.read() as session:
        row = await session.get(ErasureRow, request.match_info["id"])
    if row is None:
        raise web.HTTPNotFound
    return row


def _named(counts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return [(words(*KINDS[kind]), count) for kind, count in sorted(counts.items()) if count]


async def _page(request: web.Request, *, phone: str = "", problem: str = "") -> web.Response:
    newest = select(ErasureRow).order_by(col(ErasureRow.begun_at).desc(), col(ErasureRow.id)).limit(ROWS)
    async with parts_of(request).db.read() as session:
        rows = (await session.exec(newest)).all()
    values = {
        "rows": rows,
        "done": ErasureState.DONE,
        "phone": phone,
        "problem": problem,
        "said": "",
        "zone": zone_of(request),
    }
    return render(request, "admin/erasure.html", values, status=400 if problem else 200)
