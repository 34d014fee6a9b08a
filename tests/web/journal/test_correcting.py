"""What a listener puts right counts everywhere, and overwrites nothing."""

from __future__ import annotations

import csv
import io
from datetime import date

from bot.reports.periods import Period
from bot.reports.report import report
from bot.reports.slices import Scope
from bot.store.queries import call as stored_call
from bot.web.parts import Parts
from tests.store.talk import START
from tests.web.conftest import HTML, Client, csrf_of, page
from tests.web.journal.conftest import audit, found

YEAR = Scope(Period(date(2026, 1, 1), date(2026, 12, 31), "Europe/Moscow"))


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
