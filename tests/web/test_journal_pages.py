"""The journal and one call's page over HTTP: what is found, shown to whom, put right, and noted."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientTimeout
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import col, select

from bot.accounts.roles import OBSERVERS, Role
from bot.call.recording_keys import KeyRing
from bot.call.sealed import SealedFile
from bot.core.events import CallEnded
from bot.reports.periods import Period
from bot.reports.report import report
from bot.reports.slices import Scope
from bot.store.account_tables import AuditRow
from bot.store.queries import call as stored_call
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.store.talk import START
from tests.web.calls import record, store, talk
from tests.web.conftest import HTML, Client, Orders, csrf_of, sign_in

YEAR = Scope(Period(date(2026, 1, 1), date(2026, 12, 31), "Europe/Moscow"))


@pytest.fixture
async def client(parts: Parts, aiohttp_client: AiohttpClient, tmp_path: Path) -> Client:
    """With three calls: the second one is recorded, and the third one goes on."""
    record(tmp_path / "recordings", "call-1")
    calls = [talk("call-0", 0, score=9), talk("call-1", 1), talk("call-2", 2, score=5, ended=False)]
    await store(parts.db, tmp_path / "spool", calls)
    settings = replace(parts.settings, recordings=tmp_path / "recordings", recording_keys=tmp_path / "keys")
    return await aiohttp_client(TestServer(make_app(replace(parts, settings=settings))))


@pytest.fixture
async def manager(client: Client, parts: Parts) -> Client:
    await sign_in(client, parts, Role.MANAGER)
    return client


async def page(client: Client, path: str, status: int = 200) -> str:
    async with client.get(path, headers=HTML, allow_redirects=False) as reply:
        text = await reply.text()
        assert reply.status == status, text
        return text


def found(text: str) -> list[str]:
    """The calls of the journal's page, as they stand."""
    return re.findall(r'href="/calls/(call-\d)"', text)


async def audit(parts: Parts, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    statement = select(AuditRow).where(col(AuditRow.action) == action).order_by(col(AuditRow.at))
    async with parts.db.read() as session:
        return [(row.subject, row.subject_id, row.details) for row in (await session.exec(statement)).all()]


# The journal ----------------------------------------------------------------------------------------


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


# One call -------------------------------------------------------------------------------------------


async def test_a_call_is_told_from_its_ring_to_its_end(manager: Client) -> None:
    text = await page(manager, "/calls/call-1")
    for shown in (
        "+79001234561",
        "Порекомендуете &lt;b&gt;нас&lt;/b&gt;?",
        '<mark class="unsure" title="уверенность 0.50">два</mark>',
        'data-at="5.00"',
        "Могло быть: 3",
        "обещан звонок",
        "<strong>431</strong>",
        "Все события (13)",
        'src="/calls/call-1/recording"',
        'class="wave caller" d="M',
    ):
        assert shown in text
    assert "style=" not in text
    await page(manager, "/calls/call-9", 404)


async def test_a_recording_is_sent_by_pieces_and_noted_once(manager: Client, parts: Parts) -> None:
    path = "/calls/call-1/recording"
    async with manager.get(path, headers={"Range": "bytes=0-43"}) as reply:
        assert (reply.status, reply.headers["Content-Type"]) == (206, "audio/wav")
        assert reply.headers["Content-Range"] == "bytes 0-43/320044"
        assert (await reply.read())[:4] == b"RIFF"
    async with manager.get(path, headers={"Range": "bytes=320040-"}) as reply:
        assert (reply.status, len(await reply.read())) == (206, 4)
    assert await audit(parts, "listen") == [("recording", "call-1", {})]
    async with manager.get("/calls/call-0/recording") as reply:
        assert reply.status == 404


@pytest.fixture
def sealed(client: Client, tmp_path: Path) -> Path:
    """The same recording under a key, which lies beside the folder."""
    file, ring = tmp_path / "recordings" / "call-1.wav", KeyRing(tmp_path / "keys", ()).with_new(START)
    ring.save()
    sound = file.read_bytes()
    file.unlink()
    made = SealedFile.create(file, ring.newest)
    made.write(sound, 0)
    made.settle()
    made.close()
    return file


PARTS = {
    "": range(320044),
    "bytes=0-43": range(44),
    "bytes=0-": range(320044),
    "bytes=100000-200000": range(100000, 200001),
    "bytes=-7": range(320037, 320044),
    "bytes=320043-999999": range(320043, 320044),
}


async def test_an_encrypted_recording_is_sent_as_a_plain_one(
    manager: Client, sealed: Path, tmp_path: Path
) -> None:
    plain = record(tmp_path, "the same").read_bytes()
    path = "/calls/call-1/recording"
    for asked, part in PARTS.items():
        async with manager.get(path, headers={"Range": asked} if asked else {}) as reply:
            assert (reply.status, reply.headers["Content-Type"]) == (206 if asked else 200, "audio/wav")
            told = f"bytes {part.start}-{part.stop - 1}/320044" if asked else None
            assert reply.headers.get("Content-Range") == told
            assert await reply.read() == plain[part.start : part.stop]
    for asked in ("bytes=320044-", "bytes=5-4", "bytes=x-", "lines=1-2"):
        async with manager.get(path, headers={"Range": asked}) as reply:
            assert (reply.status, reply.headers["Content-Range"]) == (416, "bytes */320044")
    async with manager.head(path) as reply:
        assert (reply.status, reply.headers["Content-Length"]) == (200, "320044")
    assert 'class="wave caller" d="M' in await page(manager, "/calls/call-1")


async def test_nothing_of_a_tampered_or_locked_recording_is_sent(
    manager: Client, sealed: Path, tmp_path: Path
) -> None:
    """Not even what lies before the damage. The page of the call says why, and tells the rest of it."""
    with sealed.open("rb+") as file:
        file.seek(-1, 2)
        file.write(b"?")
    async with manager.get("/calls/call-1/recording") as reply:
        assert (reply.status, (await reply.json())["error"]["code"]) == (500, "recording_damaged")
    text = await page(manager, "/calls/call-1")
    assert "запись call-1.wav повреждена" in text
    assert "<audio" not in text
    (tmp_path / "keys").unlink()
    async with manager.get("/calls/call-1/recording") as reply:
        assert (reply.status, (await reply.json())["error"]["code"]) == (503, "recordings_locked")
    assert "нет файла ключей записей" in await page(manager, "/calls/call-1")


async def test_no_name_of_a_recording_leads_out_of_its_folder(
    manager: Client, parts: Parts, tmp_path: Path
) -> None:
    record(tmp_path, "outside")
    async with parts.db.write() as session:
        call = await stored_call(parts.db, "call-0")
        assert call is not None
        call.attempt.recording = "../outside.wav"
        session.add(call.attempt)
    async with manager.get("/calls/call-0/recording") as reply:
        assert reply.status == 404


async def test_a_call_that_goes_on_brings_its_lines(manager: Client, parts: Parts, control: Orders) -> None:
    events = talk("call-2", 2, score=5)
    control.answers["events"] = {"events": [each.model_dump(mode="json") for each in events[:-1]]}
    assert 'data-after="11"' in await page(manager, "/calls/call-2")
    async with manager.get("/calls/call-2/live?after=9", timeout=ClientTimeout(5)) as stream:
        told = ""
        while "обещан звонок" not in told:
            told += (await stream.content.readuntil(b"\r\n\r\n")).decode()
        assert told.count("event: line") == 2, "what came after the tenth event"
        parts.live.publish(events[-1])
        parts.live.publish(events[-1].model_copy(update={"call_id": "call-9"}))
        last = (await stream.content.readuntil(b"\r\n\r\n")).decode()
        over = (await stream.content.readuntil(b"\r\n\r\n")).decode()
        parts.live.close()
        rest = (await stream.content.read()).decode()
    assert isinstance(events[-1], CallEnded)
    assert "звонок окончен" in last
    assert "event: over" in over
    assert "event: line" not in rest, "another call's events"


async def test_a_watched_call_is_noted_and_ends_with_the_account(
    client: Client, parts: Parts, control: Orders
) -> None:
    await sign_in(client, parts, Role.MANAGER)
    account = await parts.accounts.named("irina")
    events = talk("call-2", 2, score=5)
    control.answers["events"] = {"events": [each.model_dump(mode="json") for each in events[:3]]}
    for _ in range(2):
        async with client.get("/calls/call-2/live", timeout=ClientTimeout(5)) as stream:
            await stream.content.readuntil(b"\r\n\r\n")
            parts.live.end_of(account.id)
            await stream.content.read()
    assert [found[:2] for found in await audit(parts, "view")] == [("call", "call-2")]


# Putting right --------------------------------------------------------------------------------------


async def right(client: Client, path: str, form: list[tuple[str, str]], status: int = 303) -> str:
    token = await csrf_of(client, "/calls/call-1")
    async with client.post(path, data=[*form, ("csrf", token)], headers=HTML, allow_redirects=False) as reply:
        assert reply.status == status, await reply.text()
        return reply.headers.get("Location", "") or await reply.text()


async def test_an_answer_put_right_counts_everywhere_and_overwrites_nothing(
    manager: Client, parts: Parts
) -> None:
    form = [("status", "answered"), ("value", "10"), ("note", "сказала десять")]
    assert await right(manager, "/calls/call-1/answers/nps", form) == "/calls/call-1#answer-nps"
    text = await page(manager, "/calls/call-1")
    assert "исправлено" in text
    assert "irina" in text
    assert "сказала десять" in text
    call = await stored_call(parts.db, "call-1")
    assert call is not None
    assert [row.value for row in call.answers] == ["2"]
    assert found(await page(manager, "/calls?score=nps:10")) == ["call-1"]
    seen = await report(parts.db, YEAR, START)
    assert seen.scores.measures[0].counts == {9: 1, 10: 1, 5: 1}
    assert (seen.corrected.answers, seen.corrected.topics) == (1, 0)
    async with manager.get("/calls/export?score=nps:10") as reply:
        [row] = csv.DictReader(io.StringIO((await reply.read()).decode("utf-8-sig")), delimiter=";")
    assert (row["nps.nps"], row["corrected"]) == ("10", "nps")
    [(subject, subject_id, details)] = await audit(parts, "correct")
    assert (subject, subject_id, details) == ("call", "call-1", {"question": "nps", "status": "answered"})

    await right(manager, "/calls/call-1/answers/nps", [("status", "")])
    seen = await report(parts.db, YEAR, START)
    assert seen.scores.measures[0].counts == {9: 1, 2: 1, 5: 1}
    assert seen.corrected.answers == 0
    assert "2 → 10" in (history := await page(manager, "/calls/call-1"))
    assert "10 → как записано" in history


WRONG: list[tuple[str, list[tuple[str, str]]]] = [
    ("nps", [("status", "answered"), ("value", "11")]),
    ("nps", [("status", "answered"), ("value", "девять")]),
    ("nps", [("status", "answered")]),
    ("nps", [("status", "excellent")]),
    ("nps", [("status", "answered"), ("value", "9"), ("note", "а" * 1001)]),
    ("solved", [("status", "answered"), ("value", "yes")]),
]


async def test_what_cannot_be_an_answer_is_refused_in_place(manager: Client, parts: Parts) -> None:
    for question, form in WRONG:
        text = await right(manager, f"/calls/call-1/answers/{question}", form, 400)
        assert "Порекомендуете" in text, form
    assert await audit(parts, "correct") == []
    assert found(await page(manager, "/calls?score=nps:2")) == ["call-1"]


async def test_a_call_that_goes_on_is_not_put_right(manager: Client) -> None:
    await right(manager, "/calls/call-2/answers/nps", [("status", "refused")], 400)
    assert "Исправить" not in await page(manager, "/calls/call-2")


async def test_topics_put_right_count_everywhere_and_come_back(manager: Client, parts: Parts) -> None:
    await right(manager, "/calls/call-1/topics", [("topic", "rudeness"), ("topic", "billing")])
    assert found(await page(manager, "/calls?topic=rudeness")) == ["call-1"]
    assert found(await page(manager, "/calls?topic=waiting")) == ["call-2", "call-0"]
    seen = await report(parts.db, YEAR, START)
    assert seen.matters.topics == {"waiting": 2, "billing": 1, "rudeness": 1}
    assert seen.corrected.topics == 1
    await right(manager, "/calls/call-1/topics", [])
    seen = await report(parts.db, YEAR, START)
    assert (seen.matters.topics, seen.matters.signals) == ({"waiting": 2}, {"complaint": 3})
    await right(manager, "/calls/call-1/topics", [("back", "1")])
    seen = await report(parts.db, YEAR, START)
    assert (seen.matters.topics, seen.corrected.topics) == ({"waiting": 3}, 0)
    await right(manager, "/calls/call-1/topics", [("topic", "weather")], 400)
