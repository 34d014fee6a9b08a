"""Contacts: who there is, all that is known of one, and what may be done about him.

GET  /contacts                     ?text=&department=&manager=&import=&no_zone=&blocked=&page=
GET  /contacts/export.csv          the same, as a file that can be corrected and imported
GET  /contacts/why                 ?phone=   why somebody was or was not rung
GET  /contacts/ID
POST /contacts/ID/consents         {source, words, at, kind}
POST /contacts/ID/withdrawals      {words, kind}
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.accounts.audit import LOOK
from bot.accounts.roles import OBSERVERS, OPERATORS
from bot.campaigns.contacts import EXPORTED, a_phone, full_name
from bot.campaigns.explaining import cause_words, explain
from bot.campaigns.importing.rows import moment
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.reports.wording import end_name
from bot.store import consents, contacts, do_not_call
from bot.store.consents import NewConsent
from bot.store.contacts import Search
from bot.store.tables import Contact
from bot.store.tables_contacts import ConsentKind
from bot.web.dialling.common import (
    form_of,
    names_of,
    needed,
    operates,
    phone_for,
    reads_calls,
    said_to,
    see,
    send_csv,
    surveys_of,
    zone_of,
)
from bot.web.masking import sees_numbers
from bot.web.paging import page_number
from bot.web.parts import parts_of
from bot.web.rendering import render, segment
from bot.web.who import account_of, allowed, entry, noted
from bot.words import words

routes = web.RouteTableDef()

PAGE = 50
_EXPORT_PAGE = 1000
FILTERS = ("text", "department", "manager", "import", "no_zone", "blocked")
KINDS = {
    ConsentKind.CALLS: ("звонки с предложениями", "calls with offers"),
    ConsentKind.DATA: ("персональные данные", "personal data"),
}


def search_of(request: web.Request) -> Search:
    """As the address has it."""
    query = request.query
    return Search(
        text=query.get("text", "").strip()[:100],
        whole_phone=not sees_numbers(account_of(request).role),
        no_zone="no_zone" in query,
        do_not_call="blocked" in query,
        import_id=query.get("import", "").strip()[:100],
        department=query.get("department", ""),
        manager_id=query.get("manager", ""),
    )


@routes.get("/contacts")
@allowed(*OBSERVERS)
async def listed(request: web.Request) -> web.StreamResponse:
    db, search = parts_of(request).db, search_of(request)
    page = page_number(request)
    total = await contacts.count(db, search)
    rows = await contacts.found(db, search, skip=(page - 1) * PAGE, limit=PAGE)
    await noted(request, LOOK, "contacts", "", filters=_told(request))
    managers, departments = await names_of(request)
    values = {
        "rows": [(row, full_name(row), phone_for(request, row.phone)) for row in rows],
        "total": total,
        "first": (page - 1) * PAGE + 1,
        "search": search,
        "managers": managers,
        "departments": departments,
        "operates": operates(request),
        "export": f"/contacts/export.csv?{urlencode(_asked(request))}",
        "back": _address(request, page - 1) if page > 1 else "",
        "onward": _address(request, page + 1) if page * PAGE < total else "",
    }
    return render(request, "dialling/contacts.html", values)


def _asked(request: web.Request) -> dict[str, str]:
    """The filters of the address that are set, or ticked."""
    return {name: request.query[name] for name in FILTERS if request.query.get(name)}


def _told(request: web.Request) -> dict[str, str]:
    """For the audit log: no words and no number that was looked for."""
    return {name: "…" if name == "text" else value[:100] for name, value in _asked(request).items()}


def _address(request: web.Request, page: int) -> str:
    return f"/contacts?{urlencode(_asked(request) | {'page': str(page)})}"


@routes.get("/contacts/export.csv")
@allowed(*OPERATORS)
async def export(request: web.Request) -> web.StreamResponse:
    """By headings that an import understands."""
    db, search = parts_of(request).db, search_of(request)
    await noted(request, "export", "contacts", "", filters=_told(request))

    async def rows() -> AsyncIterator[Iterable[str]]:
        skip = 0
        while page := await contacts.found(db, search, skip=skip, limit=_EXPORT_PAGE):
            skip += len(page)
            for row in page:
                own = json.loads(row.own_fields or "{}")
                yield [*(cell(row) for cell in EXPORTED.values()), *(own.get(name, "") for name in names)]

    names = await contacts.own_field_names(db, search)
    return await send_csv(request, "contacts.csv", [*EXPORTED, *names], rows())


@routes.get("/contacts/why")
@allowed(*OBSERVERS)
async def why(request: web.Request) -> web.StreamResponse:
    """The answer is of this minute: the rules are asked anew."""
    asked = request.query.get("phone", "").strip()[:100]
    found: dict[str, Any] | None = None
    problem = ""
    if asked:
        try:
            found = await _explained(request, a_phone(asked))
        except BadInput as error:
            problem = error.message
    values = {
        "asked": asked,
        "found": found,
        "problem": problem,
        "calls": reads_calls(request),
    }
    return render(request, "dialling/why.html", values, status=400 if problem else 200)


async def _explained(request: web.Request, key: str) -> dict[str, Any]:
    """Raises BadInput where nobody knows the number."""
    parts = parts_of(request)
    found = await explain(parts.db, key, surveys_of(parts), parts.clock.now())
    await noted(request, LOOK, "contact", found["contact_id"] or "", why=True)
    zone = found["tz"] or zone_of(request).key
    for attempt in found["history"]:
        ended = attempt["disposition"]
        attempt["outcome"] = end_name(Disposition(ended)) if ended else words("идёт", "under way")
        attempt["cause"] = cause_words(attempt["cause"]) if attempt["cause"] else ""
    return found | {"zone": zone, "shown": phone_for(request, found["phone"])}


@routes.get("/contacts/{contact_id}")
@allowed(*OBSERVERS)
async def shown(request: web.Request) -> web.StreamResponse:
    return await _page(request, await _contact(request))


async def _contact(request: web.Request) -> Contact:
    contact = await contacts.contact(parts_of(request).db, request.match_info["contact_id"])
    if contact is None:
        raise web.HTTPNotFound
    return contact


async def _page(request: web.Request, contact: Contact, problem: str = "") -> web.Response:
    parts = parts_of(request)
    found = await _explained(request, contact.phone)
    managers, departments = await names_of(request)
    values = {
        "contact": contact,
        "name": full_name(contact),
        "phones": [
            phone_for(request, key) for key in (contact.phone, *filter(None, contact.other_phones.split(",")))
        ],
        "own": json.loads(contact.own_fields or "{}"),
        "manager": managers.get(contact.manager_id, contact.manager_id),
        "department": departments.get(contact.department, contact.department),
        "consents": [each.row for each in await consents.listed(parts.db, contact_id=contact.id)],
        "proofs": await do_not_call.listed(parts.db, phone=contact.phone, removed=True),
        "found": found,
        "kinds": KINDS,
        "zone": zone_of(request),
        "operates": operates(request),
        "calls": reads_calls(request),
        "problem": problem,
        "said": said_to(request),
    }
    return render(request, "dialling/contact.html", values, status=400 if problem else 200)


@routes.post("/contacts/{contact_id}/consents")
@allowed(*OPERATORS)
async def give(request: web.Request) -> web.StreamResponse:
    parts, contact, form = parts_of(request), await _contact(request), await form_of(request)
    try:
        kind = _kind(form)
        source = needed(form, "source", "откуда согласие", "where it was given")
        at = form.get("at", "").replace("T", " ")
        given = moment(at, zone_of(request)) if at else parts.clock.now()
        new = NewConsent(kind, given, source, form.get("words", "").strip(), form.get("call", "").strip())
        row = entry(request, "consent", "contact", contact.id, kind=kind, source=source)
        by, now = account_of(request).login, parts.clock.now()
        await consents.give(parts.db, contact.id, new, by=by, now=now, audit=row)
    except (BadInput, ValueError) as error:
        return await _page(request, contact, error.message if isinstance(error, BadInput) else str(error))
    return see(
        request, f"/contacts/{segment(contact.id)}", words("Согласие записано.", "The consent is recorded.")
    )


@routes.post("/contacts/{contact_id}/withdrawals")
@allowed(*OPERATORS)
async def withdraw(request: web.Request) -> web.StreamResponse:
    parts, contact, form = parts_of(request), await _contact(request), await form_of(request)
    try:
        kind = _kind(form)
        said = needed(form, "words", "как он это сказал", "in his words")
    except BadInput as error:
        return await _page(request, contact, error.message)
    done = await consents.withdraw(
        parts.db, contact.id, kind, words=said, by=account_of(request).login, now=parts.clock.now(),
        audit=entry(request, "withdraw consent", "contact", contact.id, kind=kind),
    )  # fmt: skip
    if not done:
        problem = words("согласия, которое действует, нет", "there is no consent that stands")
        return await _page(request, contact, problem)
    told = words(f"Отозвано согласий: {done}.", f"Withdrawn: {done}.")
    return see(request, f"/contacts/{segment(contact.id)}", told)


def _kind(form: dict[str, str]) -> ConsentKind:
    try:
        return ConsentKind(form.get("kind", ConsentKind.CALLS))
    except ValueError as error:
        raise BadInput(words("такого вида согласия нет", "there is no such kind of consent")) from error
