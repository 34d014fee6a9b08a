"""Every page and form of a company at work, on PostgreSQL: hostile texts in one name of an address or one
field of a form at a time, and something sensible in the others. Which there are is read in the source."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, FormData
from aiohttp.client import _RequestContextManager
from yarl import URL

from bot.accounts.tokens import Scope
from bot.reports import schedules
from bot.web.customers.pages import COOKIE as TICKET
from bot.web.journal.cases import ACTS
from bot.web.journal.filters import MANY, SINGLE
from bot.web.parts import Parts
from bot.web.security import token_for
from bot.web.server import make_app
from bot.web.who import COOKIE
from tests.databases import database_in
from tests.postgres import Postgres
from tests.store.conftest import postgres as postgres
from tests.trust.names_in import Read, all_reads, handlers, modules, reads
from tests.trust.test_web_routes import CHANGES, ENDS, FILES, HOSTILE, LOOKS, SIGNS, asked, text_of
from tests.web.conftest import HTML
from tests.web.filled import filled
from tests.web.studio import NPS

SCRIPT = HOSTILE[0]
DIGITS = "9" * 5000
"""More than `int` takes."""

COUNT = "2147483648"
"""A number as people write one, and more than an integer column of PostgreSQL holds."""

FIRST_DAY = "0001-01-01T00:00"
"""By any clock that is ahead of UTC it is a moment that no calendar has."""

COMPUTED = {
    "bot.web.desk.cases: form.get(name, '')": (),
    "bot.web.dialling.campaign_making: form.get(whom, '')": ("import", "department", "manager"),
    "bot.web.dialling.common: form.get(name, '')": (),
    "bot.web.dialling.common: request.query.get(name, '')": ("done", "wrong"),
    "bot.web.dialling.imports: form.get(f'column-{at}', before[column])": ("column-0", "column-1"),
    "bot.web.dialling.now: sent.get(name)": (),
    "bot.web.dialling.uploads: fields[part.name]": (),
    "bot.web.journal.filters: query.getall(name, ())": (*MANY, *SINGLE),
    "bot.web.reading: given.get(name)": (),
    "bot.web.results.asked: query.get(name, usual)": (),
    "bot.web.studio.common: form.get(name, '')": (),
}
"""Reads whose names the source alone does not tell, and these names; none where whoever calls says them."""

PLACES = {
    "call_id": "call-1", "case_id": "case-1", "survey_id": "nps", "campaign_id": "after", "contact_id": "c-1",
    "login": "olga", "name": "crm", "alert_id": "alert-1", "question_id": "nps", "talk_id": "call-1",
    "by": "employee", "table": "by-employee", "number": "0", "form": "json", "key": "x", "id": "x",
    "digest": "x", "session_id": "x",
}  # fmt: skip
"""What stands in an address, as the company has it; `x` is what it has not."""

DONE = {
    "POST /cases/{case_id}/{act}": ACTS,
    "POST /agent/cases/{case_id}/{act}": ("claim", "postpone", "reassign", "note", "close"),
    "POST /campaigns/{campaign_id}/{act}": ("pause",),
    "POST /admin/reports/{schedule_id}/{act}": ("switch",),
}
"""What `act` may be where something is read of the form."""

SENSIBLE = {
    "act": "check", "again": "другой", "agent": "anna", "announcements": "on", "at": "09:00", "calls": "on",
    "candidate": "c", "content": "figures", "current": "не тот", "customer": "Анна", "day": "1",
    "department": "support", "due": "2026-12-31T15:00", "every": "week", "fresh": "другой", "id": "visit",
    "import": "x", "keys": "1", "kind": "calls", "language": "ru", "leg_id": "x", "line": "пять",
    "list": "список", "login": "petr", "mail_to": "olga@example.ru", "manager": "anna", "name": "Пётр",
    "next": "/", "note": "проверено", "of": "mine", "on": "yes", "outcome": "solved", "page": "p",
    "password": "не тот", "phone": "+79161234567", "phones": "+79161234567", "purpose": "service",
    "reason": "по просьбе", "revision": "1", "role": "agent", "sdp": "v=0", "source": "письмо",
    "state": "available", "status": "answered", "sure": "1", "survey": "nps", "template": "nps",
    "text": "текст", "title": "Визит", "to": "anna", "topic": "waiting", "until": "2027-01-01", "value": "5",
    "webhook": "bi", "weekday": "1", "whom": "phones", "words": "да", "zone": "Europe/Moscow",
}  # fmt: skip
"""What a form is filled in with besides the field that is attacked; any other field is left out."""

HERE = {
    "POST /contacts/{contact_id}/consents": {"at": "2026-03-01T10:00"},
    "POST /cases/{case_id}/{act}": {"status": "done"},
    "POST /agent/cases/{case_id}/{act}": {"status": "done"},
}
"""What one form understands by it."""


@dataclass(frozen=True)
class Company:
    parts: Parts
    visitor: ClientSession
    csrf: str
    places: dict[str, str]
    answering: dict[str, tuple[str, str]]
    """Of each route, the module that answers."""

    def addresses(self, line: str) -> Iterator[str]:
        pattern = line.partition(" ")[2]
        for act in DONE.get(line, ("",)):
            places = self.places | {"act": act}
            yield re.sub(r"\{(\w+)\}", lambda found, at=places: at[found[1]], pattern)  # type: ignore[misc]

    def forms(self) -> Iterator[str]:
        """Routes whose forms are read at once."""
        yield from (line for line in CHANGES if line not in (ENDS, *FILES))

    def filled_in(self, line: str) -> dict[str, str]:
        sensible = SENSIBLE | HERE.get(line, {})
        return {name: sensible[name] for name in self.names(line).form if name in sensible}

    def sent(self, path: str, given: Mapping[str, str], *, json: bool) -> _RequestContextManager:
        """A form, or an object in which numbers are numbers."""
        told = {name: int(value) if value.isdecimal() else value for name, value in given.items()}
        body: dict[str, Any] = {"json": told} if json else {"data": given}
        return self.visitor.post(path, allow_redirects=False, **body)

    def names(self, line: str) -> Read:
        found = all_reads(*self.answering[line])
        for each in found.computed:
            (found.query if "query" in each else found.form).update(COMPUTED[each])
        return found


@pytest.fixture
async def company(tmp_path: Path, postgres: Postgres) -> AsyncIterator[Company]:
    async with filled(tmp_path, database_in(postgres), answers=10) as (parts, address):
        irina = await parts.accounts.change("irina", agent_id="anna")
        cookie = await parts.sessions.begin(irina, "127.0.0.1", "Mozilla/5.0")
        session = await parts.sessions.find(cookie)
        assert session is not None
        link, _ = await parts.links.make("nps", timedelta(hours=1), first_name="Анна", phone="79161234567")
        jar = {COOKIE: cookie, TICKET: await parts.links.redeem(link)}
        csrf = token_for(parts.settings.secret, session.session_id)
        sent = {"X-CSRF-Token": csrf, **HTML}
        places = PLACES | {"token": link, "schedule_id": (await schedules.schedules(parts.db))[0].id}
        answering = handlers(make_app(parts))
        async with ClientSession(address, headers=sent, cookies=jar) as visitor:
            form = FormData({"csrf": csrf})
            form.add_field("file", "phone;Имя\n+79161234567;Анна\n".encode(), filename="a.csv")
            async with visitor.post("/contacts/imports", data=form, allow_redirects=False) as reply:
                places["upload_id"] = reply.headers["Location"].rpartition("/")[2]
            yield Company(parts, visitor, csrf, places, answering)


async def wrong_with(reply: ClientResponse) -> list[str]:
    page = await text_of(reply)
    harmless = (
        {"html"} if reply.content_type == "application/json" else set()
    )  # no browser takes it for a page
    signs = [name for name, sign in SIGNS.items() if sign.search(page) and name not in harmless]
    planted = ["planted"] if "planted" in reply.headers.get("Set-Cookie", "") else []
    return [str(reply.status)] * (reply.status in (401, 500, 502)) + signs + planted


def test_every_name_that_is_read_is_known() -> None:
    found = Read()
    for module in modules():
        found |= reads(module)
    assert found.strange == set(), "names_in.py does not see what is read of these"
    assert found.computed == COMPUTED.keys(), "say what names these are"


async def test_no_value_in_an_address_breaks_a_page(company: Company) -> None:
    """One at a time where a name is first read in its part of the console. Pages of one part read it alike:
    the others get all of them at once."""
    broken, read = [], set[tuple[str, str]]()
    for line in LOOKS:
        part, names = company.answering[line][0].rpartition(".")[0], sorted(company.names(line).query)
        fresh = [name for name in names if (part, name) not in read]
        read |= {(part, name) for name in names}
        tried = [{name: value} for name in fresh for value in (SCRIPT, DIGITS, FIRST_DAY)]
        tried += [dict.fromkeys(names, SCRIPT)] if len(fresh) < len(names) else []
        for path, query in product(company.addresses(line), tried):
            address = URL(path, encoded=True).with_query(query)
            async with company.visitor.get(address, allow_redirects=False) as reply:
                if wrong := await wrong_with(reply):
                    broken.append((path, *query, wrong))
    assert broken == []


async def test_no_value_in_a_form_breaks_a_page(company: Company) -> None:
    """As above, with something sensible in every other field; where JSON is taken, in that too."""
    broken, read = [], set[tuple[str, str]]()
    for line in company.forms():
        part, names = company.answering[line][0].rpartition(".")[0], company.names(line)
        fresh = sorted(name for name in names.form if (part, name) not in read)
        read |= {(part, name) for name in names.form}
        tried = [{name: value} for name in fresh for value in (SCRIPT, COUNT, FIRST_DAY)]
        tried += [dict.fromkeys(names.form, SCRIPT)] if len(fresh) < len(names.form) else []
        for path, hostile, json in product(company.addresses(line), tried, {False, names.json}):
            async with company.sent(path, company.filled_in(line) | hostile, json=json) as reply:
                if wrong := await wrong_with(reply):
                    broken.append((path, *hostile, wrong))
    assert broken == []


BAD_FORMS = ("x=%00", "%00=x")
BAD_JSON = ('{"x": ["\\u0000"]}', '{"x": {"\\ud800": 1}}')


async def test_no_character_that_a_database_does_not_hold_reaches_it(company: Company) -> None:
    """In every place of an address, every form, and JSON: refused before a handler sees it. Not every
    route to which JSON is sent reads it."""
    reached: list[tuple[Any, ...]] = []
    for line in LOOKS:
        tried = {URL(f"{path}?x=%00", encoded=True): 400 for path in company.addresses(line)}
        tried |= {asked(line, "\0")[1]: 404} if "{" in line else {}
        for address, status in tried.items():
            async with company.visitor.get(address, allow_redirects=False) as reply:
                reached += [(address, reply.status)] if reply.status not in (status, 422) else []
    for line in company.forms():
        json = company.names(line).json
        headers = {"Content-Type": "application/json" if json else "application/x-www-form-urlencoded"}
        wanted = range(200, 500) if json else (400,)
        for path, body in product(company.addresses(line), BAD_JSON if json else BAD_FORMS):
            async with company.visitor.post(path, data=body, headers=headers, allow_redirects=False) as reply:
                reached += [(path, body, reply.status)] if reply.status not in wanted else []
    for line in FILES:
        form = FormData({"csrf": company.csrf, "list": "\0"}, default_to_multipart=True)
        form.add_field("file", b"phone\n+79161234567\n", filename="a.csv")
        async with company.visitor.post(line.removeprefix("POST "), data=form) as reply:
            reached += [(line, reply.status)] if reply.status != 400 else []
    form = FormData({"csrf": company.csrf, "id": "visit"})
    form.add_field("file", NPS.read_bytes() + b"# \0", filename="nps.yaml")
    async with company.visitor.post("/surveys/new", data=form) as reply:
        reached += [("a survey's file", reply.status)] if reply.status != 400 else []
    _, token = await company.parts.tokens.add("shop", list(Scope))
    told = {"phone": "+79161234567", "survey": "nps", "about": "\0"}
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "1"}
    for path in ("/api/v1/calls", "/api/v1/announcements"):
        async with company.visitor.post(path, json=told, headers=headers) as reply:
            reached += [(path, reply.status)] if reply.status != 422 else []
    place = base64.urlsafe_b64encode(b"2026-03-01T00:00:00+00:00 \0").decode()
    async with company.visitor.get("/admin/audit", params={"after": place}) as reply:
        reached += [("a place in the log", reply.status)] if reply.status != 400 else []
    assert reached == []
