"""What is taken away from the results has the numbers of the page, and goes to who may have it."""

from __future__ import annotations

import asyncio
import csv
import errno
import html
import io
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyreadstat
import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import select

from bot.accounts.roles import Role
from bot.reports.export import sav
from bot.store.account_tables import AuditRow
from bot.web.parts import Parts
from bot.web.results import jobs
from tests.web.conftest import HTML, Client, page
from tests.web.results.conftest import QUERY, enter, key, plain, rows, taken


async def read(client: Client, address: str, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The same table in all four formats."""
    found: dict[str, list[dict[str, Any]]] = {}
    text = (await taken(client, f"{address}&format=csv")).decode("utf-8-sig")
    found["csv"] = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    lines = (await taken(client, f"{address}&format=jsonl")).decode().splitlines()
    found["jsonl"] = [json.loads(line) for line in lines]
    book = CalamineWorkbook.from_filelike(io.BytesIO(await taken(client, f"{address}&format=xlsx")))
    heads, *cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    found["xlsx"] = [dict(zip(heads, row, strict=True)) for row in cells]
    file = folder / "table.sav"
    file.write_bytes(await taken(client, f"{address}&format=sav"))
    columns, _ = pyreadstat.read_sav(str(file), output_format="dict", user_missing=True)
    found["sav"] = [
        {name: values[at] for name, values in columns.items()}
        for at in range(len(next(iter(columns.values()))))
    ]
    return found


def total(table: list[dict[str, Any]], name: str) -> float:
    return sum(float(row[name]) for row in table if row[name] not in (None, "") and float(row[name]) >= 0)


async def test_totals_of_every_format_are_those_of_the_page(manager: Client, tmp_path: Path) -> None:
    overview = rows(await page(manager, f"/results?{QUERY}"), "funnel")
    *lines, whole = rows(await page(manager, f"/results/by/employee?{QUERY}"), "slices")
    shown = {"dialled": whole[1], "answered": whole[2], "began": whole[3]}
    assert [row[1] for row in overview[:3]] == list(shown.values())
    handed = overview[4][1]
    for name, table in (await read(manager, f"/results/tables/by-employee?{QUERY}", tmp_path)).items():
        assert {of: str(int(total(table, of))) for of in shown} == shown, name
        assert [row["key"] for row in table] == [key(line) for line in lines], name
        n = [re.search(r"n = (\d+)", line[6]) for line in lines]
        assert [int(float(row["nps_n"])) for row in table] == [int(each[1]) for each in n if each], name
    for name, table in (await read(manager, f"/results/export?{QUERY}", tmp_path)).items():
        assert len(table) == int(shown["dialled"]), name
        count = Counter(row["employee"] for row in table)
        assert count == {key(line): int(line[1]) for line in lines}, name
        if name == "sav":
            assert {of: str(int(total(table, of))) for of in shown} == shown
            assert int(total(table, "handed_over")) == int(handed)
        else:
            for of, value in shown.items():
                assert sum(row[of] == "yes" for row in table) == int(value), name
            assert sum(row["handed_over"] == "yes" for row in table) == int(handed), name


async def test_every_table_of_the_pages_can_be_taken(manager: Client) -> None:
    """Each link that a page shows, with the page's own filters."""
    found = set()
    for address in ("/results", "/results/by/topic", "/results/by/rule"):
        text = await page(manager, f"{address}?{QUERY}&employee=ann")
        found |= {html.unescape(each) for each in re.findall(r'href="(/results/tables/[^"]*)"', text)}
    tables = {each for each in found if each.endswith("format=csv")}
    assert len(tables) == 11
    assert len(found) == 4 * len(tables)
    for link in tables:
        assert "employee=ann" in link
        lines = (await taken(manager, link)).decode("utf-8-sig").splitlines()
        assert len(lines) > 1, link


async def test_whatever_is_taken_away_is_noted(manager: Client, parts: Parts) -> None:
    await taken(manager, f"/results/export?{QUERY}&format=jsonl&personal=1&employee=ann")
    await taken(manager, f"/results/tables/funnel?{QUERY}")
    async with parts.db.read() as session:
        noted = (await session.exec(select(AuditRow).where(AuditRow.action == "export"))).all()
    personal, figures = sorted(noted, key=lambda each: each.subject)
    assert (personal.subject, personal.login) == ("calls", "manager")
    assert personal.details == {
        "personal": True, "format": "jsonl", "from": "2025-03-25", "to": "2025-04-08", "employee": ["ann"],
    }  # fmt: skip
    assert (figures.subject, figures.subject_id) == ("figures", "funnel")


async def test_who_only_reads_takes_no_personal_data(client: Client) -> None:
    await enter(client, Role.AUDITOR)
    assert "personal=1" not in await page(client, f"/results?{QUERY}")
    await page(client, f"/results/export?{QUERY}&personal=1", 403)
    row, *_ = (await taken(client, f"/results/export?{QUERY}&format=jsonl")).decode().splitlines()
    assert "phone" not in json.loads(row)


async def test_a_file_is_of_who_may_still_take_it(
    manager: Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE_S", 0.0)
    address = f"/results/export?{QUERY}&format=xlsx&personal=1"
    async with manager.get(address, headers=HTML, allow_redirects=False) as reply:
        assert reply.status == 303
        where = reply.headers["Location"]
    await page(manager, where)
    await parts.accounts.change("manager", role=Role.AUDITOR)
    await enter(manager, Role.MANAGER)
    await page(manager, where, 404)


async def test_a_file_that_takes_a_while_has_a_page(
    manager: Client, client: Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits before an empty window; only who asked for it gets it."""
    asked_for: list[asyncio.Event] = []
    made = jobs.export

    async def slow(*args: Any) -> Any:
        asked_for.append(asyncio.Event())
        args[-1](100, 250)
        await asked_for[-1].wait()
        return await made(*args)

    monkeypatch.setattr(jobs, "export", slow)
    monkeypatch.setattr(jobs, "AT_ONCE_S", 0.01)
    async with manager.get(
        f"/results/export?{QUERY}&format=xlsx", headers=HTML, allow_redirects=False
    ) as reply:
        assert reply.status == 303
        where = reply.headers["Location"]
    text = await page(manager, where)
    assert "100 из 250 звонков" in plain(text)
    assert 'hx-trigger="load delay:1s"' in text
    await page(manager, f"{where}/file", 404)
    asked_for[0].set()
    owner = (await parts.accounts.named("manager")).id
    job = manager.app[jobs.JOBS].find(where.rpartition("/")[2], owner)  # type: ignore[union-attr,index]
    await job.task
    text = await page(manager, where)
    assert 'hx-trigger="load delay:1s"' not in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(await taken(manager, f"{where}/file")))
    assert len(book.get_sheet_by_index(0).to_python()) == 251
    manager.session.cookie_jar.clear()
    await enter(manager, Role.ADMIN)
    await page(manager, where, 404)


async def test_a_file_that_the_disk_has_no_room_for_is_said(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(sink: sav.SavSink) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sav.SavSink, "close", full)
    async with manager.get(f"/results/export?{QUERY}&format=sav", headers=HTML) as reply:
        assert f"файл не записать: {os.strerror(errno.ENOSPC)}" in plain(await reply.text())
    await page(manager, "/results/exports/export-none", 404)
