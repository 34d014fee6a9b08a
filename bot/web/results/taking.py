"""What a reader takes away: tables of figures, and the calls behind them. Each is in the audit log."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.accounts.roles import READERS, TAKERS
from bot.core.errors import BadInput
from bot.reports.export.figures import OF_REPORT, slices
from bot.reports.export.writing import Format
from bot.reports.report import report, sliced
from bot.web.parts import parts_of
from bot.web.rendering import render
from bot.web.results import sending
from bot.web.results.asked import FILTERS, Asked
from bot.web.results.jobs import JOBS, Job
from bot.web.results.pages import asked_by, refused, slicing_of
from bot.web.who import account_of, allowed, noted
from bot.words import words

routes = web.RouteTableDef()


@routes.get("/results/tables/{table}")
@allowed(*READERS)
async def figures(request: web.Request) -> web.StreamResponse:
    """A table of the pages as a file: `?format=csv|xlsx|sav|jsonl` and the pages' own filters."""
    parts, now, name = parts_of(request), parts_of(request).clock.now(), request.match_info["table"]
    try:
        wanted, form = asked_by(request), _format(request)
        if name in OF_REPORT:
            found = OF_REPORT[name](await report(parts.db, wanted.scope, now, repeat_days=wanted.days))
        elif name.startswith("by-"):
            by = slicing_of(name.removeprefix("by-"))
            found = slices(await sliced(parts.db, wanted.scope, by, now, repeat_days=wanted.days))
        else:
            raise web.HTTPNotFound
    except BadInput as problem:
        return await refused(request, problem)
    await noted(request, "export", "figures", name, **_told(wanted, form))
    return await sending.figures(found, form, sending.file_name(name, wanted.period, form))


@routes.get("/results/export")
@allowed(*READERS)
async def calls(request: web.Request) -> web.StreamResponse:
    """The calls and answers behind the figures, a row each; `personal=1` with who the customers are."""
    try:
        wanted, form = asked_by(request), _format(request)
    except BadInput as problem:
        return await refused(request, problem)
    personal = request.query.get("personal", "") == "1"
    if personal and account_of(request).role not in TAKERS:
        raise web.HTTPForbidden(text="this role may not take customers' data away")
    details = {"personal": personal, **_told(wanted, form)}
    await noted(request, "export", "calls", wanted.period.first.isoformat(), **details)
    name = sending.file_name("calls", wanted.period, form)
    if form.flows:
        return await sending.flowing(request, wanted.scope, form, name, personal=personal)
    jobs, owner = request.config_dict[JOBS], account_of(request).id
    job = await jobs.start(owner, wanted.scope, form, name, personal=personal)
    if job.ready:
        return sending.whole(job)
    raise web.HTTPSeeOther(f"/results/exports/{job.id}")


@routes.get("/results/exports/{id}")
@allowed(*READERS)
async def progress(request: web.Request) -> web.StreamResponse:
    """How far it is; asked by htmx, only the part that changes."""
    part = "HX-Request" in request.headers
    return render(request, f"results/{'progress' if part else 'export'}.html", {"job": _job(request)})


@routes.get("/results/exports/{id}/file")
@allowed(*READERS)
async def file(request: web.Request) -> web.StreamResponse:
    job = _job(request)
    if not job.ready:
        raise web.HTTPNotFound
    return sending.whole(job)


def _job(request: web.Request) -> Job:
    account = account_of(request)
    job = request.config_dict[JOBS].find(request.match_info["id"], account.id)
    if job is None or (job.personal and account.role not in TAKERS):  # he may have another role since
        raise web.HTTPNotFound
    return job


def _format(request: web.Request) -> Format:
    try:
        return Format(request.query.get("format", Format.CSV))
    except ValueError:
        raise BadInput(
            words("такого вида файла нет", "there is no such kind of file"), hint=", ".join(Format)
        ) from None


def _told(wanted: Asked, form: Format) -> dict[str, Any]:
    """For the audit log."""
    period = wanted.period
    filters = {by.value: list(getattr(wanted.scope, field)) for by, field in FILTERS.items()}
    return {
        "format": form.value,
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        **{name: members for name, members in filters.items() if members},
    }
