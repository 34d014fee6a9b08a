"""The journal over HTTP: what is found, shown to whom, taken away, and noted."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient

from bot.accounts.roles import OBSERVERS, Role
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.web.conftest import HTML, Client, csrf_of, page, sign_in
from tests.web.journal.conftest import audit, found

FILTERS = {
    "": ["call-2", "call-1", "call-0"],
    "?score=nps:0-6": ["call-2", "call-1"],
    "?score=9-10": ["call-0"],
    "?topic=waiting&employee=anna&department=support&survey=nps": ["call-2", "call-1", "call-0"],
    "?topic=rudeness": [],
    "?employee=boris": [],
    "?campaign=spring": [],
    "?disposition=callback": ["call-1", "call-0"],
    "?disposition=callback&disposition=completed&longer=13": ["call-1"],
    "?shorter=12": ["call-0"],
    "?from=2026-03-01&to=2026-03-01": ["call-2", "call-1", "call-0"],
    "?to=2026-02-28": [],
    "?text=ждать": ["call-2", "call-1", "call-0"],
    "?text=ждать+call_0": ["call-0"],
    "?phone=8+(900)+123-45-61": ["call-1"],
}
SENSELESS = (
    "score=ten", "score=nps:9-2", "from=yesterday", "longer=an+hour", "topic=weather", "before=attempt-x",
    "from=2026-03-02&to=2026-03-01", "text=" + "а" * 201, "sample=0&seed=1", "sample=many&seed=1",
)  # fmt: skip


async def test_filters_narrow_the_journal(manager: Client) -> None:
    shown = {query: found(await page(manager, f"/calls{query}")) for query in FILTERS}
    assert shown == FILTERS


async def test_a_filter_that_makes_no_sense_is_told_and_kept(manager: Client) -> None:
    for query in SENSELESS:
        text = await page(manager, f"/calls?{query}", 400)
        assert 'role="alert"' in text, query
        assert found(text) == [], query


async def test_what_is_found_is_shown_with_its_words(manager: Client) -> None:
    text = await page(manager, "/calls?text=ждать")
    assert "<mark>ждала</mark>" in text
    assert "+79001234561" in text


async def test_pages_lead_on_and_back(manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.reports import journal

    one_page = journal.page

    async def by_two(*args: Any, **more: Any) -> journal.JournalPage:
        return await one_page(*args, **more, limit=2)

    monkeypatch.setattr(journal, "page", by_two)
    first = await page(manager, "/calls?employee=anna")
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older
    second = await page(manager, older[1].replace("&amp;", "&"))
    assert (found(first), found(second)) == (["call-2", "call-1"], ["call-0"])
    newer = re.search(r'href="([^"]+)" rel="prev"', second)
    assert newer
    assert 'rel="next"' not in second
    back = await page(manager, newer[1].replace("&amp;", "&"))
    assert found(back) == found(first)
    assert 'rel="prev"' not in back


async def test_a_sample_has_an_address_that_brings_it_again(manager: Client) -> None:
    async with manager.get("/calls?sample=1&employee=anna", headers=HTML, allow_redirects=False) as reply:
        where = reply.headers["Location"]
    assert re.fullmatch(r"/calls\?employee=anna&sample=1&seed=\w{8}", where)
    once, again = found(await page(manager, where)), found(await page(manager, where))
    assert once == again
    assert len(once) == 1
    every = {found(await page(manager, f"/calls?sample=1&seed={seed}"))[0] for seed in range(12)}
    assert every == {"call-0", "call-1"}, "a call that goes on is not drawn, each other one is"


async def test_ops_hear_nothing_and_correct_nothing(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.OPS)
    text = await page(client, "/calls/call-1")
    for hidden in ("<audio", '<form method="post" action="/calls', "/cases/"):
        assert hidden not in text
    for path in ("/calls/call-1/recording", "/cases"):
        async with client.get(path) as reply:
            assert reply.status == 403
    async with client.get("/calls/export?format=csv&personal=1") as reply:
        assert "79001234561" not in await reply.text()


@pytest.mark.parametrize("role", OBSERVERS)
async def test_those_who_ring_see_numbers_whole_and_others_two_digits(
    client: Client, parts: Parts, role: Role
) -> None:
    await sign_in(client, parts, role)
    whole = role is not Role.AUDITOR
    for path in ("/calls", "/calls/call-1"):
        text = await page(client, path)
        assert ("9001234561" in text) is whole, path
        assert ("***61" in text) is not whole, path
    looked_for = len(found(await page(client, "/calls?phone=%2B79001234561")))
    assert looked_for == (1 if whole else 3)


async def test_auditors_read_everything_and_take_nobody_away(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.AUDITOR)
    assert 'name="personal"' not in await page(client, "/calls")
    async with client.get("/calls/export?format=csv&personal=1") as reply:
        assert reply.status == 200
        assert "79001234561" not in await reply.text()


@pytest.mark.parametrize("role", [Role.OPS, Role.AUDITOR, Role.AGENT])
async def test_only_managers_and_administrators_put_right(client: Client, parts: Parts, role: Role) -> None:
    await sign_in(client, parts, role, agent_id="anna")
    token = {"X-CSRF-Token": await csrf_of(client, "/calls" if role is not Role.AGENT else "/agent")}
    for path in ("/calls/call-1/answers/nps", "/calls/call-1/topics", "/cases/case-1/note"):
        async with client.post(path, headers=token) as reply:
            assert reply.status == 403


async def test_an_export_has_the_filtered_calls(manager: Client, parts: Parts) -> None:
    async with manager.get("/calls/export?score=nps:0-2&personal=1&format=csv") as reply:
        assert reply.status == 200
        assert "attachment" in reply.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO((await reply.read()).decode("utf-8-sig")), delimiter=";"))
    assert [(row["call_id"], row["phone"], row["nps.nps"]) for row in rows] == [
        ("call-1", "79001234561", "2")
    ]
    [(subject, _, details)] = await audit(parts, "export")
    assert (subject, details["calls"], details["personal"]) == ("calls", 1, True)
    async with manager.get("/calls/export?format=exe") as reply:
        assert reply.status == 400


async def test_looks_are_noted_without_what_was_looked_for(manager: Client, parts: Parts) -> None:
    await page(manager, "/calls?text=ждать&phone=%2B79001234561")
    await page(manager, "/calls/call-1")
    (_, _, listed), (subject, subject_id, _) = await audit(parts, "view")
    assert listed == {"filters": {"text": ["…"], "phone": ["…"]}, "calls": 1}
    assert (subject, subject_id) == ("call", "call-1")


async def test_an_empty_journal_says_what_will_be_there(parts: Parts, aiohttp_client: AiohttpClient) -> None:
    empty = await aiohttp_client(TestServer(make_app(parts)))
    await sign_in(empty, parts, Role.AUDITOR)
    assert "Звонков ещё не было" in await page(empty, "/calls")
