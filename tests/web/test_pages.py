"""The skeleton of the pages: signing in and out, who may what, forged requests, errors, languages."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient

from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.core.errors import Unavailable
from bot.core.events import Ringing
from bot.web.language import asked_for
from bot.web.pages import own_path
from bot.web.parts import Parts
from bot.web.security import is_foreign
from bot.web.server import make_app
from bot.web.who import account_of, allowed
from tests.web.conftest import HTML, PASSWORD, Client, csrf_of, sign_in


async def test_a_stranger_is_led_to_the_form_and_back(client: Client, parts: Parts) -> None:
    await parts.accounts.add("irina", PASSWORD, Role.ADMIN, name="Ирина")
    async with client.get("/?a=1", headers=HTML, allow_redirects=False) as reply:
        assert (reply.status, reply.headers["Location"]) == (303, "/sign-in?next=/%3Fa%3D1")
    async with client.get(reply.headers["Location"], headers=HTML) as reply:
        assert 'name="next" value="/?a=1"' in await reply.text()
    form = {"login": "irina", "password": PASSWORD, "next": "/?a=1"}
    async with client.post("/sign-in", data=form, headers=HTML, allow_redirects=False) as reply:
        assert (reply.status, reply.headers["Location"]) == (303, "/?a=1")
        cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    async with client.get("/", headers=HTML) as reply:
        assert "Ирина" in await reply.text()


async def test_a_program_without_a_session_gets_no_form(client: Client) -> None:
    async with client.get("/live", headers={"Accept": "application/json"}) as reply:
        assert reply.status == 401
    async with client.get("/", headers={"HX-Request": "true", **HTML}) as reply:
        assert (reply.status, reply.headers["HX-Redirect"]) == (401, "/sign-in")


async def test_a_wrong_password_is_told_and_keeps_the_login(client: Client, parts: Parts) -> None:
    await parts.accounts.add("irina", PASSWORD, Role.AGENT)
    for login, shown in (("irina", "irina"), ("<b>", "&lt;b&gt;")):
        form = {"login": login, "password": "wrong"}
        async with client.post("/sign-in", data=form, headers=HTML, allow_redirects=False) as reply:
            page = await reply.text()
            assert reply.status == 403
            assert "Set-Cookie" not in reply.headers
        assert "не подходят" in page
        assert f'value="{shown}"' in page


async def test_after_too_many_tries_even_the_right_one_waits(client: Client, parts: Parts) -> None:
    await parts.accounts.add("irina", PASSWORD, Role.AGENT)
    for _ in range(5):
        async with client.post("/sign-in", data={"login": "irina", "password": "wrong"}) as reply:
            assert reply.status == 403
    form = {"login": "irina", "password": PASSWORD}
    async with client.post("/sign-in", data=form, headers=HTML, allow_redirects=False) as reply:
        assert reply.status == 429
        assert 0 < int(reply.headers["Retry-After"]) <= 300
        assert "Слишком много попыток" in await reply.text()


async def test_signing_out_ends_the_session_itself(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.ADMIN)
    (cookie,) = list(client.session.cookie_jar)
    data = {"csrf": await csrf_of(client)}
    async with client.post("/sign-out", data=data, allow_redirects=False) as reply:
        assert (reply.status, reply.headers["Location"]) == (303, "/sign-in")
    assert await parts.sessions.find(cookie.value) is None


async def test_a_session_that_ran_out_is_no_session(client: Client, parts: Parts, clock: ManualClock) -> None:
    await sign_in(client, parts, Role.ADMIN)
    clock.advance(parts.settings.session_s + 1)
    async with client.get("/", headers=HTML, allow_redirects=False) as reply:
        assert reply.status == 303


async def test_signing_in_anew_ends_the_old_session(client: Client, parts: Parts) -> None:
    """A session that somebody else planted in this browser does not become one of the account."""
    await sign_in(client, parts, Role.ADMIN)
    (cookie,) = list(client.session.cookie_jar)
    planted = cookie.value
    form = {"login": "irina", "password": PASSWORD, "csrf": await csrf_of(client)}
    async with client.post("/sign-in", data=form, allow_redirects=False) as reply:
        assert reply.status == 303
    (cookie,) = list(client.session.cookie_jar)
    assert cookie.value != planted
    assert await parts.sessions.find(planted) is None


# Forged requests ------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "0" * 64])
async def test_a_change_without_the_sessions_token_is_refused(
    client: Client, parts: Parts, token: str | None
) -> None:
    await sign_in(client, parts, Role.ADMIN)
    (cookie,) = list(client.session.cookie_jar)
    form = {} if token is None else {"csrf": token}
    async with client.post("/sign-out", data=form, headers=HTML, allow_redirects=False) as reply:
        assert reply.status == 403
    assert await parts.sessions.find(cookie.value) is not None


async def test_the_token_of_another_session_will_not_do(
    client: Client, parts: Parts, aiohttp_client: AiohttpClient
) -> None:
    await sign_in(client, parts, Role.ADMIN)
    other: Client = await aiohttp_client(TestServer(make_app(parts)))
    await sign_in(other, parts, Role.ADMIN, "oleg")
    headers = {"X-CSRF-Token": await csrf_of(other)}
    async with client.post("/sign-out", headers=headers, allow_redirects=False) as reply:
        assert reply.status == 403
    async with other.post("/sign-out", headers=headers, allow_redirects=False) as reply:
        assert reply.status == 303


@pytest.mark.parametrize(
    ("site", "origin", "foreign"),
    [
        ("same-origin", None, False),
        ("none", None, False),
        ("cross-site", None, True),
        ("same-site", "http://pages.test", True),  # another host of the same company is not ours
        (None, "http://pages.test", False),
        (None, "http://evil.test", True),
        (None, "null", True),
        (None, None, False),
    ],
)
async def test_where_a_request_comes_from(site: str | None, origin: str | None, foreign: bool) -> None:
    assert is_foreign(site, origin, "pages.test") is foreign


async def test_another_sites_form_cannot_sign_anybody_in(client: Client, parts: Parts) -> None:
    await parts.accounts.add("irina", PASSWORD, Role.AGENT)
    form = {"login": "irina", "password": PASSWORD}
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with client.post("/sign-in", data=form, headers=headers, allow_redirects=False) as reply:
        assert reply.status == 403
        assert "Set-Cookie" not in reply.headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/agent?x=1", "/agent?x=1"),
        ("//evil.test/", "/"),
        ("/\\evil.test", "/"),
        ("/\t/evil.test", "/"),
        ("/\n\\evil.test", "/"),
        ("https://evil.test/", "/"),
        (None, "/"),
    ],
)
def test_nobody_is_led_to_another_site(given: object, kept: str) -> None:
    assert own_path(given) == kept


async def test_another_language_keeps_the_filters(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.OPS)
    async with client.get("/contacts?text=Ким&no_zone=1", headers=HTML) as reply:
        assert 'name="next" value="/contacts?text=%D0%9A%D0%B8%D0%BC&amp;no_zone=1"' in await reply.text()


# Roles ----------------------------------------------------------------------------------------


async def test_a_page_is_for_the_roles_that_it_names(parts: Parts, aiohttp_client: AiohttpClient) -> None:
    @allowed(Role.ADMIN)
    async def secret(request: web.Request) -> web.StreamResponse:
        return web.Response(text=account_of(request).login)

    app = make_app(parts)
    app.router.add_get("/secret", secret)
    client: Client = await aiohttp_client(TestServer(app))
    await sign_in(client, parts, Role.AGENT, "irina")
    async with client.get("/secret", headers=HTML) as reply:
        assert reply.status == 403
        assert "Сюда нельзя" in await reply.text()
    client.session.cookie_jar.clear()
    await sign_in(client, parts, Role.ADMIN, "boss")
    async with client.get("/secret", headers=HTML) as reply:
        assert await reply.text() == "boss"


# Headers, errors, languages, files --------------------------------------------------------------


async def test_every_answer_is_fenced_in(client: Client, parts: Parts) -> None:
    page = parts.assets.address("otklik.css")
    for path in ("/sign-in", "/nowhere", page):
        async with client.get(path, headers=HTML) as reply:
            policy = reply.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert reply.headers["Referrer-Policy"] == "same-origin"
            kept = "immutable" in reply.headers["Cache-Control"]
            assert kept is (path == page)


async def test_no_page_holds_a_script_of_its_own(client: Client, parts: Parts) -> None:
    """The policy would stop it: scripts, handlers and styles stand in files."""
    await sign_in(client, parts, Role.ADMIN)
    for path in ("/sign-in", "/", "/nowhere"):
        async with client.get(path, headers=HTML) as reply:
            page = await reply.text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=|javascript:", page)


async def test_cookies_are_for_tls_alone_where_there_is_tls(
    parts: Parts, aiohttp_client: AiohttpClient
) -> None:
    safe = replace(parts, settings=replace(parts.settings, address="https://pages.test"))
    client: Client = await aiohttp_client(TestServer(make_app(safe)))
    await parts.accounts.add("irina", PASSWORD, Role.AGENT)
    form = {"login": "irina", "password": PASSWORD}
    async with client.post("/sign-in", data=form, allow_redirects=False) as reply:
        assert "Secure" in reply.headers["Set-Cookie"]
        assert "Strict-Transport-Security" in reply.headers


async def test_a_fault_is_told_without_its_secrets(parts: Parts, aiohttp_client: AiohttpClient) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        raise RuntimeError("+79001234567")

    async def away(request: web.Request) -> web.StreamResponse:
        raise Unavailable("Rasa is away", hint="wait")

    app = make_app(parts)
    app.router.add_get("/broken", broken)
    app.router.add_get("/away", away)
    client: Client = await aiohttp_client(TestServer(app))
    async with client.get("/broken", headers={**HTML, "Accept-Language": "en"}) as reply:
        page = await reply.text()
        assert reply.status == 500
    assert "Something broke" in page
    assert "+7900" not in page
    async with client.get("/away") as reply:
        assert reply.status == 503
        assert (await reply.json())["error"] == {
            "code": "unavailable",
            "message": "Rasa is away",
            "hint": "wait",
        }


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "ru"),
        ("en-US,en;q=0.9", "en"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de,en;q=0.5,ru;q=0.4", "en"),
        ("fr", "ru"),
        ("en;q=nonsense,ru;q=0.1", "ru"),
    ],
)
def test_the_language_that_a_browser_asks_for(header: str, language: str) -> None:
    assert asked_for(header) == language


async def test_the_chosen_language_wins(client: Client) -> None:
    form = {"language": "en", "next": "/sign-in"}
    async with client.post("/language", data=form, headers=HTML) as reply:
        page = await reply.text()
    assert '<html lang="en">' in page
    assert "Sign in" in page
    async with client.post("/language", data={"language": "xx"}) as reply:
        assert reply.status == 400


async def test_files_are_kept_for_a_year_and_packed(client: Client, parts: Parts) -> None:
    for name in ("vendor/htmx.js", "vendor/alpine.js", "vendor/pico.css", "otklik.css"):
        address = parts.assets.address(name)
        async with client.get(address) as reply:
            assert reply.status == 200
            assert reply.content_type == ("text/css" if name.endswith("css") else "text/javascript")
            assert reply.headers["Content-Encoding"] == "gzip"
            assert len(await reply.read()) > 500
        old = address.replace(parts.assets.digest, "0" * 16)
        async with client.get(old) as reply:
            assert reply.status == 404
    async with client.get(f"/static/{parts.assets.digest}/../server.py") as reply:
        assert reply.status == 404


# The live stream --------------------------------------------------------------------------------


def ringing(call_id: str, clock: ManualClock) -> Ringing:
    return Ringing(call_id=call_id, seq=1, at=clock.now())


async def messages(reply: Any, count: int) -> list[tuple[str, dict[str, Any]]]:
    """The next server-sent events of a stream."""
    found, name = [], ""
    async with asyncio.timeout(5):
        async for raw in reply.content:
            line = raw.decode().strip()
            if line.startswith("event:"):
                name = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                found.append((name, json.loads(line.removeprefix("data:"))))
                if len(found) == count:
                    break
    return found


async def test_an_agent_sees_the_calls_that_are_shown_to_him(
    client: Client, parts: Parts, clock: ManualClock
) -> None:
    await sign_in(client, parts, Role.AGENT, agent_id="ivanova")
    opened: list[str] = []
    parts.live.on_desk = opened.append
    async with client.get("/live") as reply:
        assert parts.live.is_open("ivanova")
        parts.live.publish(ringing("call-1", clock))
        parts.live.show("call-2", "ivanova")
        parts.live.publish(ringing("call-2", clock))
        parts.live.hide("call-2", "ivanova")
        parts.live.publish(ringing("call-2", clock))
        assert parts.live.tell("ivanova", "ring", {"call_id": "call-3"})
        assert not parts.live.tell("petrov", "ring", {})
        (first, second) = await messages(reply, 2)
        assert (first[0], first[1]["call_id"]) == ("call", "call-2")
        assert second == ("ring", {"call_id": "call-3"})
        parts.live.close()
        assert await reply.content.read() is not None
    assert opened == ["ivanova", "ivanova"]
    assert not parts.live.is_open("ivanova")


async def test_a_desk_whose_page_was_closed_is_no_longer_open(
    client: Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is rung where nobody is, and no message has to be lost to find it out."""
    monkeypatch.setattr("bot.web.pages.PING_S", 0.05)
    await sign_in(client, parts, Role.AGENT, agent_id="ivanova")
    closed = asyncio.Event()
    async with client.get("/live") as reply:
        assert parts.live.is_open("ivanova")
        parts.live.on_desk = lambda agent_id: closed.set()
        reply.close()
    async with asyncio.timeout(5):
        await closed.wait()
    assert not parts.live.is_open("ivanova")


async def test_a_stream_ends_with_its_session(
    client: Client, parts: Parts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.pages.RECHECK_S", 0.05)
    await sign_in(client, parts, Role.ADMIN)
    async with client.get("/live") as reply:
        clock.advance(parts.settings.session_s + 1)
        async with asyncio.timeout(5):
            await reply.content.read()
    assert not parts.live.is_open("")


async def test_an_administrator_sees_every_call(client: Client, parts: Parts, clock: ManualClock) -> None:
    await sign_in(client, parts, Role.ADMIN)
    async with client.get("/live") as reply:
        parts.live.publish(ringing("call-1", clock))
        assert [data["call_id"] for _, data in await messages(reply, 1)] == ["call-1"]
        parts.live.close()


async def test_a_page_that_does_not_read_is_cut_off(parts: Parts, clock: ManualClock) -> None:
    with parts.live.of_call("call-1") as listener:
        for _ in range(600):
            parts.live.publish(ringing("call-1", clock))
        count = 0
        while await listener.next() is not None:
            count += 1
        assert count == 500
