"""The API as a CRM uses it: tokens, keys, calls, announcements, and what it says when something is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestServer
from limits import RateLimitItemPerMinute
from pytest_aiohttp import AiohttpClient
from sqlmodel import select

from bot.accounts.roles import Role
from bot.accounts.tokens import Scope
from bot.core.clock import ManualClock
from bot.core.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.tables import Attempt, Contact, DoNotCall
from bot.store.tables_campaigns import CampaignRow, MemberRow
from bot.store.tables_delivery import CallRequestRow
from bot.web.api.guard import LARGEST, LIMITS, ApiLimits
from bot.web.server import make_app
from tests.databases import database_at
from tests.web.api import ApiNode
from tests.web.conftest import Client, sign_in

CALL = {
    "phone": "8 (900) 123-45-67",
    "survey": "nps",
    "customer": {"id": "crm-17", "first_name": "Анна"},
    "timezone": "Asia/Omsk",
    "agent": {"id": "anna", "first_name": "Анна"},
    "department": "billing",
    "conversation_id": "talk-4711",
    "about": "двойное списание",
}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_at(tmp_path / "otklik.sqlite") as db:
        yield db


@pytest.fixture
def node(tmp_path: Path, db: Database, clock: ManualClock) -> ApiNode:
    return ApiNode(tmp_path, db, clock)


@pytest.fixture
async def crm(node: ApiNode, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(TestServer(make_app(node.parts)), headers=await node.token())


async def said(reply: Any, status: int) -> Any:
    """The answer's JSON."""
    assert reply.status == status, await reply.text()
    problem = "application/problem+json"
    assert reply.content_type == (problem if status >= 400 else "application/json")
    return await reply.json()


async def ask(crm: Client, key: str = "talk-4711", status: int = 202, **changes: Any) -> Any:
    async with crm.post("/api/v1/calls", json={**CALL, **changes}, headers={"Idempotency-Key": key}) as reply:
        return await said(reply, status)


async def members(db: Database) -> list[MemberRow]:
    """Whom a campaign is to ring; policy has not been asked yet."""
    async with db.read() as session:
        assert (await session.exec(select(Attempt))).all() == [], "no attempt skips policy"
        return list((await session.exec(select(MemberRow))).all())


async def test_a_call_right_after_the_talk(
    crm: Client, node: ApiNode, db: Database, clock: ManualClock
) -> None:
    clock.advance(timedelta(days=11, hours=18).total_seconds())  # midnight in Omsk, after the holidays
    async with crm.post("/api/v1/calls", json=CALL, headers={"Idempotency-Key": "talk-4711"}) as reply:
        accepted = await said(reply, 202)
        where = reply.headers["Location"]
        assert "Idempotent-Replayed" not in reply.headers
    assert where == f"/api/v1/calls/{accepted['id']}"
    assert accepted["accepted_at"] == accepted["not_before"] == "2026-01-12T18:00:00Z"
    [member] = await members(db)
    assert (member.campaign_id, node.begun) == ("request_nps", ["request_nps"])
    assert (member.agent_id, member.department, member.conversation_id) == ("anna", "billing", "talk-4711")
    async with db.read() as session:
        contact = (await session.exec(select(Contact))).one()
    assert (contact.id, contact.first_name, contact.tz) == ("crm-17", "Анна", "Asia/Omsk")
    assert (contact.phone_uri, contact.phone) == ("sip:+79001234567@pbx.test", "79001234567")
    async with crm.get(where) as reply:
        became = await said(reply, 200)
    assert became == {
        **accepted,
        "state": "waiting",
        "refused": "",
        "reasons": ["outside_hours"],
        "why": ["у клиента сейчас не время для звонков"],
        "allowed_at": became["allowed_at"],
        "superseded_by": "",
        "attempt_id": "",
        "call_id": "",
        "disposition": "",
    }
    allowed = datetime.fromisoformat(became["allowed_at"]).astimezone(ZoneInfo("Asia/Omsk"))
    assert (allowed.date().isoformat(), allowed.hour) == ("2026-01-13", 10)
    async with crm.get(where, headers=ENGLISH) as reply:
        assert (await said(reply, 200))["why"] == ["it is not the hour for calls where he is"]
        assert reply.headers["Content-Language"] == "en"


async def test_the_same_key_is_the_same_call(crm: Client, db: Database, clock: ManualClock) -> None:
    first = await ask(crm)
    clock.advance(60)
    async with crm.post("/api/v1/calls", json=CALL, headers={"Idempotency-Key": "talk-4711"}) as reply:
        assert await said(reply, 202) == first
        assert reply.headers["Idempotent-Replayed"] == "true"
    problem = await ask(crm, status=422, about="другое")
    assert problem["code"] == "key_reused"
    second = await ask(crm, key="talk-4712")
    assert second["id"] != first["id"]
    [member] = await members(db)
    assert member.request_id == second["id"], "one call, about the later talk"
    async with crm.get(f"/api/v1/calls/{first['id']}") as reply:
        became = await said(reply, 200)
    assert (became["state"], became["superseded_by"]) == ("superseded", second["id"])


async def test_many_at_once_with_one_key_are_one_call(crm: Client, db: Database) -> None:
    answers = await asyncio.gather(*(ask(crm) for _ in range(8)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len(await members(db)) == 1


async def test_a_node_that_died_between_keeping_and_seeing_to_it_goes_on(
    crm: Client, node: ApiNode, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr(node.requests._calls, "place", dies)
        problem = await ask(crm, status=503)
    assert problem["code"] == "store_unavailable"
    assert await members(db) == []
    await node.requests.take_up_due()
    assert len(await members(db)) == 1
    await node.requests.take_up_due()
    await ask(crm)
    assert node.begun == ["request_nps"]


async def test_not_before_its_time(crm: Client, node: ApiNode, db: Database, clock: ManualClock) -> None:
    later = clock.now() + timedelta(hours=2)
    accepted = await ask(crm, not_before=later.isoformat())
    assert datetime.fromisoformat(accepted["not_before"]) == later
    await node.requests.take_up_due()
    assert await members(db) == []
    async with crm.get(f"/api/v1/calls/{accepted['id']}") as reply:
        assert (await said(reply, 200))["state"] == "waiting"
    clock.advance(7200)
    await node.requests.take_up_due()
    assert len(await members(db)) == 1


async def test_who_must_not_be_rung_is_refused_also_later(
    crm: Client, node: ApiNode, db: Database, clock: ManualClock
) -> None:
    later = await ask(crm, key="later", not_before=(clock.now() + timedelta(hours=1)).isoformat())
    async with db.write() as session:
        session.add(DoNotCall(phone="79001234567", at=clock.now()))
    problem = await ask(crm, status=409)
    assert (problem["code"], problem["detail"]) == ("number_blocked", "этот клиент просил ему не звонить")
    clock.advance(3600)
    await node.requests.take_up_due()
    async with crm.get(f"/api/v1/calls/{later['id']}") as reply:
        became = await said(reply, 200)
    assert (became["state"], became["refused"]) == ("refused", "number_blocked")
    assert await members(db) == []
    async with db.read() as session:
        assert [row.id for row in (await session.exec(select(CallRequestRow))).all()] == [later["id"]]


async def test_what_has_to_be_mended_first_is_refused_and_not_kept(crm: Client, db: Database) -> None:
    problem = await ask(crm, status=422, timezone="")
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("zone_unknown", "#/timezone")
    assert "timezone" in problem["hint"]
    await ask(crm)
    async with db.write() as session:
        campaign = (await session.exec(select(CampaignRow))).one()
        campaign.state = "stopped"
        session.add(campaign)
    problem = await ask(crm, key="talk-4712", status=409)
    assert problem["code"] == "requests_stopped"
    assert "otklik campaign create" in problem["hint"]


@pytest.mark.parametrize(
    ("changes", "pointer", "russian", "english"),
    [
        ({"phone": None}, "#/phone", "нужна строка", "a string is needed"),
        ({"phone": ""}, "#/phone", "не может быть пустым", "must not be empty"),
        ({"about": "я" * 257}, "#/about", "не больше 256", "at most 256"),
        ({"phome": "1"}, "#/phome", "такого поля нет", "no such field"),
        ({"customer": {"name": "Анна"}}, "#/customer/name", "такого поля нет", "no such field"),
        ({"customer": "Анна"}, "#/customer", "нужен объект", "an object"),
        ({"timezone": "Omsk"}, "#/timezone", "Europe/Moscow", "Europe/Moscow"),
        ({"not_before": "2026-01-01T10:00:00"}, "#/not_before", "нет пояса", "no zone"),
        ({"not_before": "завтра"}, "#/not_before", "нужно время", "a time"),
    ],
)
async def test_each_mistake_by_its_field_in_both_languages(
    crm: Client, changes: dict[str, Any], pointer: str, russian: str, english: str, db: Database
) -> None:
    body = {**CALL, **changes}
    for language, told in (({}, russian), (ENGLISH, english)):
        headers = {"Idempotency-Key": "k", **language}
        async with crm.post("/api/v1/calls", json=body, headers=headers) as reply:
            problem = await said(reply, 422)
            assert reply.headers["Content-Language"] == ("en" if language else "ru")
        assert problem["code"] == "invalid"
        assert any(each["pointer"] == pointer and told in each["detail"] for each in problem["errors"])
    assert await members(db) == []


async def test_a_survey_and_a_number_that_are_none(crm: Client, db: Database) -> None:
    problem = await ask(crm, status=422, survey="npc")
    assert (problem["code"], problem["hint"]) == ("survey_invalid", "есть: nps")
    for phone in ("12", "+7", "sip:anna@evil.example", "112", "звоните"):
        problem = await ask(crm, status=422, phone=phone)
        assert "не телефонный номер" in problem["errors"][0]["detail"]
    assert await members(db) == []


async def test_a_request_needs_a_key_json_and_a_bearable_size(crm: Client) -> None:
    async with crm.post("/api/v1/calls", json=CALL) as reply:
        assert (await said(reply, 400))["code"] == "key_missing"
    async with crm.post("/api/v1/calls", json=CALL, headers={"Idempotency-Key": "два слова"}) as reply:
        assert (await said(reply, 400))["code"] == "key_invalid"
    key = {"Idempotency-Key": "k"}
    async with crm.post(
        "/api/v1/calls", data=b"{", headers={**key, "Content-Type": "application/json"}
    ) as reply:
        assert (await said(reply, 400))["code"] == "no_json"
    async with crm.post("/api/v1/calls", data={"phone": "1"}, headers=key) as reply:
        assert (await said(reply, 415))["code"] == "media_type"

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * LARGEST

    for body in (b" " * (LARGEST + 1), endless()):
        headers = {**key, "Content-Type": "application/json"}
        async with crm.post("/api/v1/calls", data=body, headers=headers) as reply:
            assert (await said(reply, 413))["code"] == "too_large"


async def test_addresses_and_methods_that_are_none(crm: Client) -> None:
    async with crm.get("/api/v1/nothing", headers=ENGLISH) as reply:
        problem = await said(reply, 404)
    assert problem == {
        "type": "urn:otklik:problem:not_found",
        "title": "There is no such address",
        "status": 404,
        "detail": "there is nothing at this address",
        "code": "not_found",
        "hint": "what there is: /api/v1/openapi.json",
    }
    async with crm.get("/api/v1/calls") as reply:
        assert (await said(reply, 405))["code"] == "method_not_allowed"
        assert reply.headers["Allow"] == "POST"
    async with crm.get("/api/v1/calls/request-of-nobody") as reply:
        assert (await said(reply, 404))["code"] == "not_found"


async def test_only_with_a_token_that_is_good_for_it(crm: Client, node: ApiNode, clock: ManualClock) -> None:
    made = await ask(crm)
    where = f"/api/v1/calls/{made['id']}"
    other = await node.token(name="other")
    async with crm.get(where, headers=other) as reply:
        assert reply.status == 404, "it is another's"
    pbx = await node.token(Scope.ANNOUNCEMENTS, name="pbx")
    async with crm.get(where, headers=pbx) as reply:
        assert (await said(reply, 403))["code"] == "scope"
        assert 'scope="calls"' in reply.headers["WWW-Authenticate"]
    await node.parts.tokens.revoke("other")
    _, token = await node.parts.tokens.add("short", [Scope.CALLS], expires_at=clock.now() + timedelta(days=1))
    expired = {"Authorization": f"Bearer {token}"}
    async with crm.get(where, headers=expired) as reply:
        assert reply.status == 404
    clock.advance(86400)
    for headers in (other, expired, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
        async with crm.get(where, headers=headers) as reply:
            assert (await said(reply, 401))["code"] == "token"
            assert reply.headers["WWW-Authenticate"] == "Bearer"


async def test_a_cookie_opens_nothing_and_a_token_needs_no_form(
    crm: Client, node: ApiNode, aiohttp_client: AiohttpClient
) -> None:
    browser: Client = await aiohttp_client(TestServer(make_app(node.parts)))
    await sign_in(browser, node.parts, Role.ADMIN)
    key = {"Idempotency-Key": "k"}
    async with browser.post("/api/v1/calls", json=CALL, headers=key) as reply:
        assert (await said(reply, 401))["code"] == "token"
    crm.session.cookie_jar.update_cookies({cookie.key: cookie.value for cookie in browser.session.cookie_jar})
    foreign = {**key, "Origin": "https://crm.example.ru", "Sec-Fetch-Site": "cross-site"}
    async with crm.post("/api/v1/calls", json=CALL, headers=foreign) as reply:
        assert reply.status == 202
        assert "Access-Control-Allow-Origin" not in reply.headers


async def test_a_token_wears_out_nobody(node: ApiNode, aiohttp_client: AiohttpClient) -> None:
    app = make_app(node.parts)
    app[LIMITS] = ApiLimits(RateLimitItemPerMinute(2), RateLimitItemPerMinute(2))
    client: Client = await aiohttp_client(TestServer(app))
    mine = await node.token()
    for headers, codes in ((mine, [404, 404, 429]), ({"Authorization": "Bearer x"}, [401, 401, 429])):
        for status in codes:
            async with client.get("/api/v1/calls/x", headers=headers) as reply:
                problem = await said(reply, status)
        assert problem["code"] == "too_many_tries"
        assert 1 <= int(reply.headers["Retry-After"]) <= 60


async def test_a_call_is_announced_before_it_comes(crm: Client, node: ApiNode, clock: ManualClock) -> None:
    body = {"phone": "+7 495 000-00-01", "agent": "anna", "conversation_id": "talk-1", "valid_s": 60}
    key = {"Idempotency-Key": "talk-1"}
    async with crm.post("/api/v1/announcements", json=body, headers=key) as reply:
        first = await said(reply, 201)
    assert first["valid_until"] == "2026-01-01T00:01:00Z"
    clock.advance(30)
    async with crm.post("/api/v1/announcements", json=body, headers=key) as reply:
        assert await said(reply, 201) == first
        assert reply.headers["Idempotent-Replayed"] == "true"
    async with crm.post("/api/v1/announcements", json={**body, "agent": "boris"}, headers=key) as reply:
        assert (await said(reply, 422))["code"] == "key_reused"
    met = node.book.meet("call-1", called="701", phones=("74950000001",), token="", now=clock.now())
    assert met is not None
    assert (met[0], met[1].agent) == (first["id"], "anna")
    async with crm.post("/api/v1/announcements", json={"agent": "anna"}, headers=ENGLISH) as reply:
        problem = await said(reply, 422)
    assert problem["errors"] == [
        {
            "pointer": "#",
            "detail": "it is not said which call is meant: phone, called or token is needed",
        }
    ]
    async with crm.post("/api/v1/announcements", json={"phone": "1", "survey": "npc"}) as reply:
        assert (await said(reply, 422))["code"] == "survey_invalid"
