"""Contacts, and numbers never to be rung, from a file: sent, looked at, understood, imported.

GET  /contacts/imports                    the form, what is in work, what was imported, what columns mean
POST /contacts/imports                    a file
GET  /contacts/imports/ID                 its columns and first rows; then how far it is and what became of it
GET  /contacts/imports/ID/state           the same as a part of the page
POST /contacts/imports/ID                 {act: check | import | forget, column-N, keep}
GET  /contacts/imports/ID/refused.csv     the rows that were refused, to be corrected and sent again
POST /contacts/mappings/KEY               forget what columns were said to mean
and the same below /do-not-call/imports.
"""

from __future__ import annotations

import secrets
import shutil
from itertools import islice
from typing import Any

from aiohttp import web

from bot.accounts.audit import LOOK
from bot.accounts.roles import OPERATORS
from bot.campaigns.importing.apart import open_apart
from bot.campaigns.importing.columns import Meaning, guess, headings_key, meanings
from bot.campaigns.importing.importer import Import, Options, columns_of, company_of, remember_columns
from bot.campaigns.importing.numbers import take_numbers
from bot.campaigns.importing.refused import RefusedReport, default_report
from bot.campaigns.importing.wording import MEANINGS, STATES
from bot.core.errors import BadInput
from bot.store import imports
from bot.store.do_not_call import LIST
from bot.store.tables_contacts import ImportState
from bot.web.dialling.common import attachment, form_of, see, zone_of
from bot.web.dialling.uploads import UPLOADS, Kind, State, Upload, receive, told
from bot.web.parts import Parts, parts_of
from bot.web.rendering import render
from bot.web.security import takes_own_token
from bot.web.who import account_of, allowed, entry, noted
from bot.words import words

routes = web.RouteTableDef()

SHOWN_ROWS = 8
LISTED = 30
_NUMBERS = (Meaning.PHONE, Meaning.OTHER_PHONE, Meaning.NOTHING)
"""What the columns of a list of numbers may be."""
HOME: dict[Kind, str] = {"contacts": "/contacts/imports", "numbers": "/do-not-call/imports"}


def kind_of(request: web.Request) -> Kind:
    return "contacts" if request.path.startswith("/contacts/") else "numbers"


@routes.get("/contacts/imports")
@allowed(*OPERATORS)
async def listed(request: web.Request) -> web.StreamResponse:
    return await _list(request)


@routes.post("/contacts/imports")
@routes.post("/do-not-call/imports")
@allowed(*OPERATORS)
@takes_own_token
async def send(request: web.Request) -> web.StreamResponse:
    """A file is opened at once: what cannot be read is told on the form."""
    parts, kind = parts_of(request), kind_of(request)
    file, fields = await receive(request)
    if file is None:
        problem = words("выберите файл", "choose a file")
        return await _list(request, problem) if kind == "contacts" else _sent_back(request, problem)
    try:
        sheet = await open_apart(
            file,
            encoding=fields.get("encoding", "").strip(),
            separator=fields.get("separator", ""),
            sheet=fields.get("sheet", "").strip(),
        )
    except BadInput as error:
        problem = told(error, file)
        shutil.rmtree(file.parent, ignore_errors=True)
        return await _list(request, problem) if kind == "contacts" else _sent_back(request, problem)
    upload = Upload(
        id=secrets.token_urlsafe(12),
        kind=kind,
        file=file,
        sheet=sheet,
        by=account_of(request).login,
        at=parts.clock.now(),
        list_name=fields.get("list", "").strip()[:60] or file.stem,
    )
    request.config_dict[UPLOADS].add(upload, parts.clock.now())
    await noted(request, "upload", kind, upload.file.name, rows=sheet.count)
    return see(request, f"{HOME[kind]}/{upload.id}")


def _sent_back(request: web.Request, problem: str) -> web.Response:
    return see(request, "/do-not-call", problem, problem=True)


async def _list(request: web.Request, problem: str = "") -> web.Response:
    parts, uploads = parts_of(request), request.config_dict[UPLOADS]
    values = {
        "problem": problem,
        "uploads": uploads.all("contacts"),
        "imports": await imports.imports(parts.db, LISTED),
        "mappings": await imports.mappings(parts.db),
        "ends": {state.value: pair for state, pair in STATES.items()},
        "running": ImportState.RUNNING,
        "zone": zone_of(request),
        "largest": parts.settings.largest_upload // 2**20,
        "state_of": state_word,
    }
    return render(request, "dialling/imports.html", values, status=400 if problem else 200)


@routes.get("/contacts/imports/{upload_id}")
@routes.get("/do-not-call/imports/{upload_id}")
@allowed(*OPERATORS)
async def shown(request: web.Request) -> web.StreamResponse:
    return await _page(request, _upload(request))


@routes.get("/contacts/imports/{upload_id}/state")
@routes.get("/do-not-call/imports/{upload_id}/state")
@allowed(*OPERATORS)
async def how_far(request: web.Request) -> web.StreamResponse:
    """While it is in work; then the page is brought anew, with what may be done next."""
    upload = _upload(request)
    response = render(request, "dialling/import_state.html", _state_values(upload))
    if not upload.busy:
        response.headers["HX-Refresh"] = "true"
    return response


def _upload(request: web.Request) -> Upload:
    return request.config_dict[UPLOADS].find(request.match_info["upload_id"], kind_of(request))


async def _page(request: web.Request, upload: Upload, problem: str = "") -> web.Response:
    """The first rows hold names and numbers: whoever sent them or works for him sees them."""
    await noted(request, LOOK, upload.kind, upload.file.name)
    found, remembered, unclear = await _columns(parts_of(request), upload)
    fields = tuple(MEANINGS) if upload.kind == "contacts" else _NUMBERS
    values = {
        **_state_values(upload),
        "columns": upload.sheet.columns,
        "rows": [row.cells for row in islice(upload.sheet.rows(), SHOWN_ROWS)],
        "found": found,
        "remembered": remembered,
        "fields": {meaning: MEANINGS[meaning] for meaning in fields},
        "problem": problem or unclear,
    }
    return render(request, "dialling/import.html", values, status=400 if problem else 200)


def _state_values(upload: Upload) -> dict[str, Any]:
    return {"upload": upload, "home": HOME[upload.kind], "state": upload.state, "State": State}


async def _columns(parts: Parts, upload: Upload) -> tuple[dict[str, Meaning], bool, str]:
    """What its columns mean as far as is known, whether an earlier word counted, and what is unclear."""
    columns = upload.sheet.columns
    try:
        if upload.kind == "contacts":
            return *(await columns_of(parts.db, upload.sheet, upload.said)), ""
        return _of_numbers(columns, upload), False, ""
    except BadInput as error:
        remembered = await imports.mapping(parts.db, headings_key(columns))
        known = {column: Meaning(field) for column, field in remembered.items()} | dict(upload.said)
        guessed = {column: known.get(column, guess(column)) for column in columns}
        return guessed, bool(remembered), error.message


def _of_numbers(columns: tuple[str, ...], upload: Upload) -> dict[str, Meaning]:
    """Of a list of numbers: telephones, and what is left out. A single column needs no heading that says so.
    Raises BadInput."""
    said = dict(upload.said)
    if len(columns) == 1:
        said.setdefault(columns[0], Meaning.PHONE)
    found = meanings(columns, said)
    return {column: each if each in _NUMBERS else Meaning.NOTHING for column, each in found.items()}


@routes.post("/contacts/imports/{upload_id}")
@routes.post("/do-not-call/imports/{upload_id}")
@allowed(*OPERATORS)
async def act(request: web.Request) -> web.StreamResponse:
    parts, upload, form = parts_of(request), _upload(request), await form_of(request)
    uploads, doing = request.config_dict[UPLOADS], form.get("act")
    if doing == "forget":
        if upload.busy:
            return await _page(request, upload, words("файл ещё в работе", "the file is being worked on"))
        uploads.forget(upload)
        return see(request, HOME[upload.kind] if upload.kind == "contacts" else "/do-not-call")
    if doing not in ("check", "import"):
        raise web.HTTPBadRequest
    before, _, _ = await _columns(parts, upload)
    try:
        chosen = {
            column: Meaning(form.get(f"column-{at}", before[column]))
            for at, column in enumerate(upload.sheet.columns)
        }
    except ValueError as error:
        raise BadInput(words("такого поля нет", "there is no such field")) from error
    upload.said = dict(upload.said) | {
        column: meaning for column, meaning in chosen.items() if meaning is not before[column]
    }
    upload.keep = "keep" in form
    found, _, unclear = await _columns(parts, upload)
    if unclear:
        return await _page(request, upload, unclear)
    if doing == "check" and upload.kind == "numbers":
        return await _page(request, upload)  # all there is to see are its rows
    check = doing == "check"
    contacts = upload.kind == "contacts"
    work = _import(parts, upload, found, check) if contacts else _numbers(parts, upload, found)
    uploads.work_on(upload, State.CHECKING if check else State.IMPORTING, work)
    if not check:
        await noted(
            request, "import", upload.kind, upload.file.name, rows=upload.sheet.count, keep=upload.keep,
            **({"list": upload.list_name} if upload.kind == "numbers" else {}),
        )  # fmt: skip
    return see(request, f"{HOME[upload.kind]}/{upload.id}")


async def _import(parts: Parts, upload: Upload, found: dict[str, Meaning], check: bool) -> None:
    company = await company_of(parts.db, parts.settings.timezone, parts.clock)

    def progress(rows: int) -> None:
        upload.done = rows

    report = _fresh_report(upload)
    with report:
        upload.summary = await Import(parts.db, upload.sheet, found, company, parts.clock).run(
            Options(check, upload.keep, upload.by), report, progress
        )
    if not check:
        await remember_columns(parts.db, upload.sheet, upload.said, parts.clock)


async def _numbers(parts: Parts, upload: Upload, found: dict[str, Meaning]) -> None:
    def progress(rows: int) -> None:
        upload.done = rows

    with _fresh_report(upload) as report:
        upload.summary = await take_numbers(
            parts.db, upload.sheet, found, report,
            source=LIST + upload.list_name, by=upload.by, clock=parts.clock, progress=progress,
        )  # fmt: skip


def _fresh_report(upload: Upload) -> RefusedReport:
    """A check's report is one of the past once it is imported."""
    for old in upload.file.parent.glob("*.refused*.csv"):
        if old != upload.file:
            old.unlink()
    return RefusedReport(default_report(upload.file), upload.sheet.columns)


@routes.get("/contacts/imports/{upload_id}/refused.csv")
@routes.get("/do-not-call/imports/{upload_id}/refused.csv")
@allowed(*OPERATORS)
async def refused(request: web.Request) -> web.StreamResponse:
    upload = _upload(request)
    report = upload.report
    if report is None or upload.busy:
        raise web.HTTPNotFound
    await noted(request, "export", "refused rows", report.name)
    return web.FileResponse(report, headers={"Content-Disposition": attachment(report.name)})


@routes.post("/contacts/mappings/{key}")
@allowed(*OPERATORS)
async def forget_mapping(request: web.Request) -> web.StreamResponse:
    key = request.match_info["key"]
    row = entry(request, "forget", "import mapping", key)
    if not await imports.forget(parts_of(request).db, key, audit=row):
        raise web.HTTPNotFound
    return see(request, HOME["contacts"])


def state_word(state: State) -> str:
    return words(
        *{
            State.READY: ("ждёт вашего слова", "waits for your word"),
            State.WAITING: ("ждёт, пока кончится другая загрузка", "waits for another import"),
            State.CHECKING: ("проверяется", "is being checked"),
            State.IMPORTING: ("загружается", "is being imported"),
            State.CHECKED: ("проверен", "checked"),
            State.DONE: ("загружен", "imported"),
            State.FAILED: ("не загружен", "not imported"),
        }[state]
    )
