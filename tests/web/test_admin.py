"""The administrators' pages: accounts, one-time passwords, sessions, tokens, the audit log."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import col, select

from bot.accounts.audit import LOOK
from bot.accounts.audit_log import BATCH
from bot.accounts.first import first_admin
from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.store.account_tables import AuditRow
from bot.web.admin import audit as audit_page
from bot.web.parts import Parts
from bot.web.server import make_app
from bot.web.who import OWN
from tests.web.conftest import HTML, PASSWORD, Client, Orders, csrf_of, sign_in

ACCOUNTS = "/admin/accounts"
ABOUT_OLGA = ("account", "olga")


@pytest.fixture
def control(control: Orders) -> Orders:
    control.answers["agents"] = {"agents": [{"id": "ivanova", "name": "Иванова"}]}
    return control


async def send(client: Client, path: str, **form: str) -> tuple[int, str]:
    """The status and the page that a form of ours answers with."""
    form["csrf"] = await csrf_of(client, OWN)
    async with client.post(path, data=form, headers=HTML) as reply:
        return reply.status, await reply.text()


async def get(client: Client, path: str) -> tuple[int, str]:
    async with client.get(path, headers=HTML) as reply:
        return reply.status, await reply.text()


async def rows(parts: Parts) -> list[AuditRow]:
    async with parts.db.read() as session:
        return list((await session.exec(select(AuditRow).order_by(col(AuditRow.at), col(AuditRow.id)))).all())


async def done(parts: Parts) -> list[tuple[str, str, str, str]]:
    return [(row.login, row.action, row.subject, row.subject_id) for row in await rows(parts)]


def secret_of(page: str) -> str:
    found = re.search(r'class="secret">([^<]+)<', page)
    assert found, page
    return found[1]


async def test_the_way_of_an_account(client: Client, parts: Parts, aiohttp_client: AiohttpClient) -> None:
    """Added with a one-time password, which opens nothing but the way to another one; changed; removed."""
    await sign_in(client, parts, Role.ADMIN)
    form = {"login": "Olga", "name": "Ольга", "role": "manager", "agent": "ivanova"}
    status, page = await send(client, ACCOUNTS, **form)
    assert status == 200
    password = secret_of(page)
    assert password not in await _texts(client, "/admin/accounts/olga", ACCOUNTS)

    olga: Client = await aiohttp_client(TestServer(make_app(parts)))
    entered = {"login": "olga", "password": password}
    async with olga.post("/sign-in", data=entered, headers=HTML) as reply:
        assert reply.url.path == OWN
        page = await reply.text()
        assert "одноразовый" in page
        assert "/alerts/" not in page, "what is refused with a way to this page loads it for ever"
    async with olga.get("/live") as reply:
        assert (reply.status, (await reply.json())["error"]["code"]) == (403, "one_time_password")
    wanted = {"current": password, "fresh": PASSWORD, "again": PASSWORD}
    status, page = await send(olga, OWN + "/password", **wanted)
    assert (status, "Здравствуйте" in page or "Ольга" in page) == (200, True)
    account = await parts.accounts.known_by("olga", PASSWORD)
    assert account is not None
    assert (account.role, account.agent_id, account.must_change) == (Role.MANAGER, "ivanova", False)

    status, page = await get(client, "/admin/accounts/olga")
    assert "aiohttp" in page, "the browser is shown"
    changed = {"name": "Ольга Ким", "role": "auditor", "agent": ""}
    assert (await send(client, "/admin/accounts/olga", **changed))[0] == 200
    async with olga.get("/", headers=HTML) as reply:
        assert reply.url.path == "/sign-in", "with another role one signs in anew"
    assert (await send(client, "/admin/accounts/olga/remove"))[0] == 200
    assert await parts.accounts.known_by("olga", PASSWORD) is None
    noted = {
        (login, action) for login, action, subject, of in await done(parts) if (subject, of) == ABOUT_OLGA
    }
    assert noted == {
        ("irina", "add"),
        ("olga", "sign_in"),
        ("olga", "set_password"),
        ("irina", "change"),
        ("irina", "remove"),
    }
    assert password not in str([row.details for row in await rows(parts)])


async def _texts(client: Client, *paths: str) -> str:
    return "".join([(await get(client, path))[1] for path in paths])


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"login": "irina", "role": "agent"}, "уже занято"),
        ({"login": "!", "role": "agent"}, "не подходит"),
        ({"login": "pavel", "role": "emperor"}, "роль не выбрана"),
        ({"login": "pavel", "role": "agent", "name": "п" * 501}, "длиннее 500 знаков"),
    ],
)
async def test_a_form_that_will_not_do_comes_back_and_adds_nobody(
    client: Client, parts: Parts, form: dict[str, str], said: str
) -> None:
    await sign_in(client, parts, Role.ADMIN)
    status, page = await send(client, ACCOUNTS, **form)
    assert status == 400
    assert said in page
    assert [each.login for each in await parts.accounts.list()] == ["irina"]
    assert [row[1] for row in await done(parts)] == ["sign_in"]


async def test_the_last_administrator_stays(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.ADMIN)
    for path, form in (("/admin/accounts/irina/remove", {}), ("/admin/accounts/irina", {"role": "agent"})):
        status, page = await send(client, path, **form)
        assert (status, "единственный администратор" in page) == (400, True)
    await parts.accounts.add("boris", PASSWORD, Role.ADMIN)
    assert (await send(client, "/admin/accounts/irina", role="agent"))[0] == 200
    assert [each.role for each in await parts.accounts.list()] == [Role.ADMIN, Role.AGENT]


async def test_the_first_administrator_is_made_once_and_only_where_there_is_none(
    client: Client, parts: Parts
) -> None:
    password = await first_admin(parts.accounts)
    assert password is not None
    assert await first_admin(parts.accounts) is None
    async with client.post("/sign-in", data={"login": "admin", "password": password}, headers=HTML) as reply:
        assert reply.url.path == OWN


async def test_who_has_the_first_ones_name_and_no_rights_keeps_his_password(parts: Parts) -> None:
    await parts.accounts.add("admin", PASSWORD, Role.AGENT)
    assert await first_admin(parts.accounts) is None
    assert await parts.accounts.known_by("admin", PASSWORD) is not None


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        (
            {"current": "wrong", "fresh": "другая длинная фраза", "again": "другая длинная фраза"},
            403,
            "Нынешний",
        ),
        ({"current": PASSWORD, "fresh": "другая длинная фраза", "again": "и ещё одна"}, 400, "по-разному"),
        ({"current": PASSWORD, "fresh": PASSWORD, "again": PASSWORD}, 400, "такой же"),
        ({"current": PASSWORD, "fresh": "кратко", "again": "кратко"}, 400, "от 10 до 256"),
    ],
)
async def test_ones_own_password_is_not_changed_by_just_anybody(
    client: Client, parts: Parts, form: dict[str, str], status: int, said: str
) -> None:
    await sign_in(client, parts, Role.AGENT)
    got, page = await send(client, OWN + "/password", **form)
    assert (got, said in page) == (status, True)
    assert await parts.accounts.known_by("irina", PASSWORD) is not None


async def test_guessing_ones_own_password_is_counted_as_at_the_door(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.AGENT)
    wrong = {"current": "wrong", "fresh": "другая длинная фраза", "again": "другая длинная фраза"}
    for _ in range(5):
        assert (await send(client, OWN + "/password", **wrong))[0] == 403
    assert (await send(client, OWN + "/password", **{**wrong, "current": PASSWORD}))[0] == 429


async def test_another_password_ends_every_other_session(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.AGENT)
    account = await parts.accounts.named("irina")
    other = await parts.sessions.begin(account, "10.0.0.9", "Opera")
    wanted = {"current": PASSWORD, "fresh": "другая длинная фраза", "again": "другая длинная фраза"}
    status, page = await send(client, OWN + "/password", **wanted)
    assert (status, "Пароль сменён" in page) == (200, True)
    assert await parts.sessions.find(other) is None


async def test_ones_own_sessions_are_seen_and_ended_and_nobody_elses(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.AGENT)
    mine = await parts.sessions.begin(await parts.accounts.named("irina"), "10.0.0.9", "Opera")
    theirs = await parts.sessions.begin(await parts.accounts.add("boris", PASSWORD, Role.ADMIN))
    _, page = await get(client, OWN)
    assert "10.0.0.9" in page
    assert "Opera" in page
    for token, ended in ((mine, True), (theirs, False)):
        found = await parts.sessions.find(token)
        assert found is not None
        await send(client, f"{OWN}/sessions/{found.session_id}")
        assert (await parts.sessions.find(token) is None) is ended


async def test_a_live_stream_ends_with_the_role_that_opened_it(client: Client, parts: Parts) -> None:
    account = await parts.accounts.add("olga", PASSWORD, Role.MANAGER)
    with parts.live.of_account(account) as listener:
        await sign_in(client, parts, Role.ADMIN)
        await send(client, "/admin/accounts/olga", role="agent")
        assert await listener.next() is None


async def test_the_way_of_a_token(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.ADMIN)
    assert "Токенов пока нет" in (await get(client, "/admin/tokens"))[1]
    status, page = await send(client, "/admin/tokens", name="crm", calls="1", until="2026-12-31")
    token = secret_of(page)
    found = await parts.tokens.find(token)
    assert found is not None
    assert (status, found.scopes, str(found.expires_at)) == (200, ("calls",), "2026-12-31 21:00:00+00:00")
    _, page = await get(client, "/admin/tokens")
    assert token not in page
    for form, said in (
        ({"name": "crm", "calls": "1"}, "уже есть"),
        ({"name": "pbx"}, "не сказано, что можно"),
    ):
        status, page = await send(client, "/admin/tokens", **form)
        assert (status, said in page) == (400, True)
    assert "отозван" in (await send(client, "/admin/tokens/crm/revoke"))[1]
    assert await parts.tokens.find(token) is None
    assert (await send(client, "/admin/tokens/crm/revoke"))[0] == 400
    assert {row[1:] for row in await done(parts) if row[2] == "token"} == {
        ("add", "token", "crm"),
        ("revoke", "token", "crm"),
    }


# The audit log -------------------------------------------------------------------------------------


async def fill(parts: Parts, clock: ManualClock, count: int) -> None:
    """Looks of Olga, one a minute, and one of Boris."""
    olga = await parts.accounts.add("olga", PASSWORD, Role.MANAGER)
    boris = await parts.accounts.add("boris", PASSWORD, Role.OPS)
    async with parts.db.write() as session:
        for number in range(count):
            session.add(parts.audit.entry(olga, "10.0.0.7", LOOK, "call", f"call-{number}", {"audio": True}))
            clock.advance(60)
        session.add(parts.audit.entry(boris, "10.0.0.8", "publish", "survey", "=nps"))
    clock.advance(60)


async def test_the_log_is_read_page_by_page_while_it_grows(
    client: Client, parts: Parts, clock: ManualClock
) -> None:
    await fill(parts, clock, audit_page.ROWS + 20)
    await sign_in(client, parts, Role.AUDITOR)
    seen: list[str] = []
    path = "/admin/audit?who=olga"
    while path:
        status, page = await get(client, path)
        assert status == 200
        seen += re.findall(r"call (call-\d+)<", page)
        onward = re.search(r'<a href="([^"]+)" rel="next"', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
        await parts.audit.note(await parts.accounts.named("olga"), "", LOOK, "call", "later")
    assert seen == [f"call-{number}" for number in reversed(range(audit_page.ROWS + 20))]


async def test_the_log_is_filtered_by_its_address(client: Client, parts: Parts, clock: ManualClock) -> None:
    await fill(parts, clock, 3)
    await sign_in(client, parts, Role.ADMIN)
    for query, count in (
        ("who=Olga", 3),
        ("who=nobody", 0),
        ("action=publish", 1),
        ("subject=call&id=call-1", 1),
        ("first=2026-01-01&last=2026-01-01&who=olga", 3),
        ("first=2026-01-02", 0),
        ("last=2025-12-31", 0),
    ):
        status, page = await get(client, f"/admin/audit?{query}")
        assert status == 200
        assert len(re.findall(r"call call-\d|survey =nps", page)) == count, query
        assert ("Таких записей нет" in page) is (count == 0), query
    for query in ("first=tomorrow", "last=2026-13-01", "after=AAAA", "after=%D1%8F"):
        status, page = await get(client, f"/admin/audit?{query}")
        assert (status, 'role="alert"' in page) == (400, True), query


async def test_the_export_is_the_whole_log_and_no_formula(
    client: Client, parts: Parts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.accounts.audit_log.BATCH", 7)
    assert BATCH > 7
    await fill(parts, clock, 30)
    await sign_in(client, parts, Role.AUDITOR)
    async with client.get("/admin/audit/export.csv?action=view") as reply:
        lines: list[dict[str, Any]] = list(
            csv.DictReader(io.StringIO((await reply.read()).decode("utf-8-sig")))
        )
    assert [line["subject_id"] for line in lines] == [f"call-{number}" for number in reversed(range(30))]
    assert (lines[0]["login"], json.loads(lines[0]["details"])) == ("olga", {"audio": True})
    async with client.get("/admin/audit/export.csv?action=publish") as reply:
        assert "'=nps" in await reply.text()
    assert sorted((row.details for row in await rows(parts) if row.action == "export"), key=str) == [
        {"only": {"action": "publish"}},
        {"only": {"action": "view"}},
    ]
