"""Every route of the application, attacked in the same ways: forged requests, foreign pages, injected text,
bodies without end. A new route is attacked as soon as it is there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from aiohttp import ClientResponse, FormData, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bot.accounts.roles import Role
from bot.core.errors import BadInput
from bot.web.parts import Parts
from bot.web.patience import LARGEST_BODY
from bot.web.security import HEADERS, HSTS
from bot.web.server import make_app
from tests.trust.names_in import all_reads, handlers
from tests.web.conftest import HTML, PASSWORD, Client, Orders, csrf_of, sign_in
from tests.web.conftest import client as client
from tests.web.conftest import clock as clock
from tests.web.conftest import parts as parts
from tests.web.conftest import worker as worker
from tests.web.test_roles import TABLE

ENDS = "POST /sign-out"
CHANGES = sorted(line for line in TABLE if line.startswith("POST ") and "/api/" not in line)
LOOKS = sorted(line for line in TABLE if line.startswith("GET "))
FILES = ("POST /contacts/imports", "POST /do-not-call/imports")
"""They take a form with parts alone, and read its token themselves: another body is refused unread (400)."""
API = sorted(line for line in TABLE if TABLE[line] == "token")

HOSTILE = (
    "' OR '1'='1' UNION SELECT login, password_hash FROM accounts --"
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}${7*7}",
    "../../../../../../etc/passwd\r\nSet-Cookie: planted=1\x00",
    "9" * 1000,
)


class Refusing(Orders):
    """A node that knows nothing of what it is asked for."""

    async def __call__(self, do: str, **params: Any) -> dict[str, Any]:
        self.taken.append((do, params))
        if do == "agents":
            return {"agents": []}
        raise BadInput(f"{do}: there is no such thing")


@pytest.fixture
def control() -> Orders:
    return Refusing()


def asked(line: str, value: str = "x") -> tuple[str, URL]:
    """The method and an address of this route, with `value` in each of its places."""
    method, _, pattern = line.partition(" ")
    place = quote(value, safe="")
    path = re.sub(r"\{\w+\}", lambda _: place, pattern.replace("{number}", "1"))
    return method, URL(path, encoded=True)


async def text_of(reply: ClientResponse) -> str:
    """Of a page; a stream has no end to be read to, and a file to be kept is no page."""
    return (
        ""
        if reply.content_type in ("text/event-stream", "text/csv")
        else (await reply.read()).decode("utf-8", "replace")
    )


@pytest.fixture
async def admin(client: Client, parts: Parts) -> str:
    """An administrator in this browser; his form token."""
    await sign_in(client, parts, Role.ADMIN, agent_id="ivanova")
    return await csrf_of(client, "/account")


async def test_no_form_is_taken_without_the_sessions_token(
    client: Client, parts: Parts, admin: str, control: Orders, worker: Orders
) -> None:
    other: TestClient[Any, Any] = TestClient(TestServer(make_app(parts)))
    async with other:
        await sign_in(other, parts, Role.ADMIN, "oleg")
        foreign = await csrf_of(other, "/account")
    taken: list[tuple[str, object, int]] = []
    for line in CHANGES:
        method, address = asked(line)
        for given in ({}, {"csrf": foreign}, {"csrf": admin[:-1] + "é"}):
            for body in (given, _parts(given)):
                async with client.request(method, address, data=body, allow_redirects=False) as reply:
                    if reply.status != 403 and not (line in FILES and reply.status == 400):
                        taken.append((line, given, reply.status))
        async with client.request(method, address, json={"csrf": admin}, allow_redirects=False) as reply:
            if reply.status != 403 and not (line in FILES and reply.status == 400):
                taken.append((line, {"json": 1}, reply.status))
    assert taken == []
    assert (control.taken, worker.taken) == ([], [])


def _parts(given: dict[str, str]) -> FormData:
    form = FormData(default_to_multipart=True)
    form.add_field("filler", "x")
    for name, value in given.items():
        form.add_field(name, value)
    form.add_field("file", b"phone\n+79161234567\n", filename="a.csv")
    return form


@pytest.mark.parametrize("whose", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"}, {"Origin": "null"},
], ids=str)  # fmt: skip
async def test_nothing_is_changed_from_another_sites_page(
    whose: dict[str, str], client: Client, admin: str, control: Orders, worker: Orders
) -> None:
    """The signalling of the browsers' calls too (`…/offer`, `…/ice`): who has a token and a ticket, but asks
    from elsewhere, is refused before anybody looks at them."""
    taken = []
    for line in CHANGES:
        method, address = asked(line)
        headers = {"X-CSRF-Token": admin, **whose}
        async with client.request(method, address, json={}, headers=headers, allow_redirects=False) as reply:
            if reply.status != 403:
                taken.append((line, reply.status))
    assert taken == []
    assert (control.taken, worker.taken) == ([], [])


async def test_a_cookie_opens_no_route_of_the_api(client: Client, admin: str) -> None:
    for line in API:
        method, address = asked(line)
        async with client.request(method, address, json={}, headers={"X-CSRF-Token": admin}) as reply:
            assert reply.status == 401, line
            assert "Access-Control-Allow-Origin" not in reply.headers


async def test_no_route_becomes_a_web_socket(client: Client, admin: str) -> None:
    """What happens is told by server-sent events, which no other site's page can read (no CORS)."""
    wants = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "https://evil.example"}  # fmt: skip
    for line in LOOKS:
        _, address = asked(line)
        async with client.get(address, headers=wants, allow_redirects=False) as reply:
            assert reply.status != 101, line
            assert "Access-Control-Allow-Origin" not in reply.headers, line


KEPT = ("GET /static/{digest}/{name}", "GET /surveys/schema.json")
"""The same for everybody: browsers may keep them."""


async def test_every_answer_is_hardened(client: Client, admin: str) -> None:
    bare = []
    for line in [*LOOKS, *CHANGES, "GET /no-such-page", "DELETE /", "PUT /sign-in"]:
        method, address = asked(line)
        for headers in (HTML, {"Accept": "application/json"}):
            async with client.request(method, address, headers=headers, allow_redirects=False) as reply:
                missing = {name for name, value in HEADERS.items() if reply.headers.get(name) != value}
                kept = reply.headers.get("Cache-Control", "")
                if missing or "Server" in reply.headers or (line not in KEPT and kept != "no-store"):
                    bare.append((line, missing, kept))
    assert bare == []


def test_the_policy_runs_no_script_of_others_and_is_framed_by_nobody() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"


async def test_over_https_every_cookie_is_secure_and_the_browser_stays_with_it(parts: Parts) -> None:
    secure = replace(parts, settings=replace(parts.settings, address="https://otklik.example.ru"))
    async with TestClient(TestServer(make_app(secure))) as browser:
        await parts.accounts.add("irina", PASSWORD, Role.ADMIN)
        form = {"login": "irina", "password": PASSWORD}
        async with browser.post("/sign-in", data=form, allow_redirects=False) as reply:
            signed_in = reply.headers["Set-Cookie"]
            assert reply.headers["Strict-Transport-Security"] == HSTS
        async with browser.post("/language", data={"language": "en"}, allow_redirects=False) as reply:
            language = reply.headers["Set-Cookie"]
    for cookie in (signed_in, language):
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def _attacks(app: web.Application) -> Iterator[tuple[str, URL]]:
    """In each place of a path; and of an address without one in each query name that is read for it, one at a
    time: what is refused for its first one says nothing of the others. Pages of one thing have that in
    test_web_company.py, where there are such things."""
    answering = handlers(app)
    for line in LOOKS:
        _, bare = asked(line)
        if "{" in line:
            yield from ((line, asked(line, value)[1]) for value in HOSTILE)
            continue
        for name in sorted(all_reads(*answering[line]).query):
            yield line, bare.with_query({name: HOSTILE[0]})


async def test_nothing_in_an_address_is_run_shown_as_it_is_or_breaks_a_page(
    client: Client, parts: Parts, admin: str
) -> None:
    """SQL, HTML, templates, headers, paths. An error of ours (500) would be a hole that was only touched."""
    broken = []
    for line, address in _attacks(make_app(parts)):
        async with client.get(address, headers=HTML, allow_redirects=False) as reply:
            page = await text_of(reply)
            said = [name for name, sign in SIGNS.items() if sign.search(page)]
            planted = "planted" in reply.headers.get("Set-Cookie", "")
            if reply.status in (500, 502) or said or planted:
                broken.append((line, str(address)[:150], reply.status, said))
    assert broken == [], sorted({name for _, name, *_ in broken})
    assert [account.login for account in await parts.accounts.list()] == ["irina"]


SIGNS = {
    "html": re.compile(r"<script>alert|<img src=x"),
    "file": re.compile(r"root:.*:0:0:"),
    "template": re.compile(r"\b4949\b|\{\{7\*7\}\}\$\{7\*7\}49"),
    "sql": re.compile(r"sqlite3|OperationalError|\$argon2id\$"),
    "traceback": re.compile(r"Traceback \(most recent"),
}


@pytest.mark.parametrize("path", [
    "/static/{digest}/../../../../etc/passwd", "/static/{digest}/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/static/{digest}//etc/passwd", "/static/../../etc/passwd", "/static/{digest}/..%5c..%5cserver.py",
])  # fmt: skip
async def test_static_files_are_a_list_and_not_a_folder(path: str, client: Client, parts: Parts) -> None:
    address = URL(path.replace("{digest}", parts.assets.digest), encoded=True)
    async with client.get(address) as reply:
        assert reply.status == 404


@pytest.mark.parametrize("header", [
    "Cookie: otklik_session=\udcff", "Cookie: otklik_ticket=\udcff", "Authorization: Bearer \udcff",
    "X-CSRF-Token: \udcff", "User-Agent: \udcff", "X-Forwarded-For: \udcff", "Last-Event-ID: \udcff",
    "Origin: http://[", "Content-Encoding: gzip",
])  # fmt: skip
async def test_a_header_that_is_none_is_refused(header: str, client: Client, parts: Parts) -> None:
    """Bytes that are no UTF-8, an origin that is no address, a body that is not packed: each was an error of
    ours (500) to somebody."""
    await parts.accounts.add("irina", PASSWORD, Role.ADMIN)
    form = urlencode({"login": "irina", "password": PASSWORD})
    for line in ("POST /sign-in", "POST /s/x/redeem", "POST /api/v1/calls"):
        head = (
            f"{line} HTTP/1.1\r\nHost: pages.test\r\nConnection: close\r\n{header}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
        )
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(head.encode(errors="surrogateescape"))
        status = (await reader.readline()).split()[1]
        writer.close()
        await writer.wait_closed()
        assert 400 <= int(status) < 500, line


async def test_headers_that_nobody_reads_may_be_anything(client: Client) -> None:
    """Another program's cookie on the same host, what a proxy adds."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    strange = "Cookie: other=\udcff\r\nX-City: \udcff\r\n"
    head = f"GET /sign-in HTTP/1.1\r\nHost: pages.test\r\nConnection: close\r\n{strange}\r\n"
    writer.write(head.encode(errors="surrogateescape"))
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    await writer.wait_closed()


async def test_bodies_without_end_are_not_taken(client: Client, admin: str) -> None:
    """Too long, nested too deep, of too many fields, of another type: 4xx, and no error of ours."""
    deep = b"[" * 100_000
    bodies: list[tuple[str, dict[str, str], bytes]] = [
        ("long", {"Content-Type": "application/x-www-form-urlencoded"}, b"a=" + b"x" * (LARGEST_BODY + 1)),
        ("deep", {"Content-Type": "application/json"}, deep),
        ("deep objects", {"Content-Type": "application/json"}, b'{"a":' * 40_000),
        ("digits", {"Content-Type": "application/json"}, b'{"revision":' + b"9" * 100_000 + b"}"),
        ("fields", {"Content-Type": "application/x-www-form-urlencoded"}, b"a=1&" * 2_000),
        ("no utf-8", {"Content-Type": "application/json"}, b'{"text":"\xff\xfe"}'),
        ("surrogate", {"Content-Type": "application/json"}, b'{"text":"\\ud800","keys":"\\ud800"}'),
        ("no charset", {"Content-Type": "application/json; charset=no-such"}, b"{}"),
        ("no boundary", {"Content-Type": "multipart/form-data"}, b"--x\r\n\r\n"),
        ("half a part", {"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\nContent-Dis"),
    ]
    broken = []
    for line in {*CHANGES, *API} - {ENDS}:
        method, address = asked(line)
        for name, headers, body in bodies:
            sent = {"X-CSRF-Token": admin, **headers}
            async with client.request(
                method, address, data=body, headers=sent, allow_redirects=False
            ) as reply:
                if reply.status >= 500:
                    broken.append((line, name, reply.status))
    assert broken == [], sorted({name for _, name, *_ in broken})
