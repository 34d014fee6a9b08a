"""The results pages: the numbers of the report, the same in every export, for those who may read them."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import json
import re
import shutil
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyreadstat
import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import select, update

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.reports.export import sav
from bot.reports.periods import Period
from bot.reports.report import report, sliced
from bot.reports.slices import By, Scope
from bot.reports.wording import number, scale_name
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables_reports import QuestionPut
from bot.web.parts import Parts
from bot.web.results import jobs
from tests.reports import world
from tests.web.conftest import HTML, PASSWORD, QUICK, Client

ZONE = "Europe/Moscow"
PERIOD = Period(date(2025, 3, 25), date(2025, 4, 8), ZONE)
QUERY = "period=own&from=2025-03-25&to=2025-04-08"
NOW = datetime.fromisoformat("2025-04-20T12:00:00+03:00")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a crowd of calls and a manager: made once, copied for each test."""
    file = tmp_path_factory.mktemp("made") / "otklik.sqlite"
    chance = Random(5)

    async def make() -> None:
        async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{file}")) as db:
            await db.upgrade()
            await world.store(db, [world.random_call(chance) for _ in range(250)])
            accounts = Accounts(db, Passwords(QUICK), ManualClock(NOW))
            for role in Role:
                await accounts.add(role.value, PASSWORD, role)

    asyncio.run(make())
    return file


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> None:
    shutil.copy(made, tmp_path)


@pytest.fixture
async def parts(copied: None, parts: Parts) -> Parts:
    return parts


async def enter(client: Client, role: Role) -> None:
    form = {"login": role.value, "password": PASSWORD}
    async with client.post("/sign-in", data=form, allow_redirects=False) as reply:
        assert reply.status == 303


@pytest.fixture
async def manager(client: Client) -> Client:
    await enter(client, Role.MANAGER)
    return client


async def page(client: Client, address: str, status: int = 200, language: str = "ru") -> str:
    headers = {**HTML, "Accept-Language": language}
    async with client.get(address, headers=headers, allow_redirects=False) as reply:
        text = await reply.text()
        assert reply.status == status, text
        return text


async def taken(client: Client, address: str) -> bytes:
    async with client.get(address, headers=HTML) as reply:
        assert reply.status == 200
        assert "attachment" in reply.headers["Content-Disposition"]
        return await reply.read()


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ").split())


def rows(text: str, caption: str) -> list[list[str]]:
    """The cells of the body and the foot of the first table after a heading of this id."""
    part = text[text.index(f'id="{caption}"') :]
    body = part[part.index("<tbody>") : part.index("</table>")]
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]


def key(line: list[str]) -> str:
    """Of a line's slice, whose name stands before the link to its calls."""
    return line[0].removesuffix(" звонки").replace("не указан", "")


# Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.MANAGER, 200), (Role.ADMIN, 200), (Role.AUDITOR, 200), (Role.OPS, 403), (Role.AGENT, 403)],
)
async def test_readers_alone_see_results(client: Client, role: Role, status: int) -> None:
    await enter(client, role)
    for address in ("/results", "/results/by/employee", "/results/tables/funnel", "/results/export"):
        await page(client, address, status)


async def test_a_stranger_signs_in_first(client: Client) -> None:
    await page(client, "/results", 303)


# The numbers ------------------------------------------------------------------------------------


async def test_the_overview_shows_the_report(manager: Client, parts: Parts) -> None:
    text = await page(manager, f"/results?{QUERY}&step=day")
    found = await report(parts.db, Scope(PERIOD), NOW, by=By.DAY)
    told = plain(text)
    for each in found.scores.measures:
        assert (
            f"{scale_name(each.scale)} {number(each.score.value, 1 if each.scale.high > 7 else 2)}"[:12]
            in told
        )
        assert f"n = {each.count}" in told
    assert [int(row[1]) for row in rows(text, "funnel")] == [step.count for step in found.funnel.steps()]
    assert [int(row[-1]) for row in rows(text, "funnel")] == [s.count for s in found.funnel_before.steps()]
    assert [row[1:3] for row in rows(text, "questions")] == [
        [str(each.put), str(each.answered)] for each in found.questions
    ]
    assert sum(int(row[1]) for row in rows(text, "outcomes")) == sum(found.outcomes.values())
    heat = [int(cell) for row in rows(text, "heat") for cell in row[1:] if cell]
    assert sum(heat) == found.funnel.dialled
    assert [int(row[-3]) for row in rows(text, "time")] == [row.funnel.dialled for row in found.rows]


async def test_the_overview_says_how_much_was_put_right_by_hand(manager: Client, parts: Parts) -> None:
    assert "Исправлено вручную" not in plain(await page(manager, f"/results?{QUERY}"))
    async with parts.db.write() as session:
        await session.exec(update(QuestionPut).values(corrected=True))
    found = (await report(parts.db, Scope(PERIOD), NOW)).corrected
    assert found.answers > 0
    said = f"Исправлено вручную и так посчитано: ответов {found.answers}, тем 0."
    assert said in plain(await page(manager, f"/results?{QUERY}"))


async def test_every_slice_shows_its_rows_and_the_whole(manager: Client, parts: Parts) -> None:
    for by in (By.EMPLOYEE, By.TOPIC, By.WEEK):
        found = await sliced(parts.db, Scope(PERIOD), by, NOW)
        *lines, total = rows(await page(manager, f"/results/by/{by}?{QUERY}"), "slices")
        assert [int(line[1]) for line in lines] == [row.funnel.dialled for row in found.rows]
        assert int(total[1]) == found.total.funnel.dialled


async def test_the_worst_employee_is_found_and_his_calls(manager: Client) -> None:
    """A heading sorts; the line leads to the journal with the page's own period and filters."""
    text = await page(manager, f"/results/by/employee?{QUERY}&survey=a&sort=nps")
    lines = rows(text, "slices")[:-1]
    scores = [float(line[6].split()[0].replace(",", ".").replace("−", "-")) for line in lines]
    assert len(scores) == 3
    assert scores == sorted(scores)
    assert 'aria-sort="ascending"' in text
    [link] = [html.unescape(each) for each in re.findall(r'href="(/calls\?[^"]*employee=ann[^"]*)"', text)]
    assert parse_qs(urlsplit(link).query) == {
        "from": ["2025-03-25"], "to": ["2025-04-08"], "employee": ["ann"], "survey": ["a"],
    }  # fmt: skip
    falling = rows(await page(manager, f"/results/by/employee?{QUERY}&survey=a&sort=-nps"), "slices")[:-1]
    assert [line[0] for line in falling] == [line[0] for line in reversed(lines)]


async def test_filters_live_in_the_address(manager: Client, parts: Parts) -> None:
    text = await page(manager, f"/results?{QUERY}&employee=ann&employee=bob&topic=waiting")
    scope = Scope(PERIOD, employees=("ann", "bob"), topics=("waiting",))
    found = await report(parts.db, scope, NOW)
    assert int(rows(text, "funnel")[0][1]) == found.funnel.dialled > 0
    assert len(re.findall(r'name="employee" value="\w+" checked', text)) == 2
    for link in re.findall(r'href="(/results/by/employee[^"]*)"', text):
        assert parse_qs(urlsplit(html.unescape(link)).query)["employee"] == ["ann", "bob"]


# Exports ----------------------------------------------------------------------------------------


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


# States and words -------------------------------------------------------------------------------


async def test_a_period_without_calls_says_so(manager: Client) -> None:
    assert "звонков нет" in await page(manager, "/results?period=day&from=2024-01-01")
    assert "никого и ничего" in await page(manager, "/results/by/employee?period=day&from=2024-01-01")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("period=own&from=2025-04-08&to=2025-03-25", "раньше, чем начинается"),
        ("period=fortnight", "«fortnight» не период"),
        ("from=yesterday", "«yesterday» не дата"),
        ("from=0001-01-01", "тогда звонков не было"),
        ("period=own&from=1980-01-01&to=2199-01-01", "больше 1000 частей"),
        ("days=900", "от 1 до 90 дней"),
        ("step=hour", "такого шага нет"),
        ("heat=love", "такой тепловой карты нет"),
    ],
)
async def test_what_makes_no_sense_is_told_above_the_form(manager: Client, query: str, told: str) -> None:
    text = await page(manager, f"/results?{query}", 400)
    assert told in plain(text)
    assert '<select name="period">' in text


async def test_a_table_that_is_not_there(manager: Client) -> None:
    await page(manager, "/results/by/shoe-size", 404)
    await page(manager, "/results/tables/by-shoe-size", 404)
    await page(manager, "/results/tables/secrets", 404)
    await page(manager, "/results/tables/funnel?format=exe", 400)


async def test_in_english(manager: Client) -> None:
    for address in ("/results", "/results/by/employee", "/results/by/topic"):
        text = await page(manager, f"{address}?{QUERY}", language="en")
        shown = re.sub(r"<script.*?</script>|sample_\w|Опрос \w\d|Русский", "", plain(text))
        for text_of_survey in ("Порекомендуете?", "Почему?", "Легко?", "Сколько?", "Довольны?"):
            shown = shown.replace(text_of_survey, "")
        assert not re.findall(r"[а-яё]+", shown, re.IGNORECASE)


async def test_nothing_on_the_pages_needs_a_looser_policy(manager: Client) -> None:
    for address in ("/results", "/results/by/day"):
        text = await page(manager, f"{address}?{QUERY}")
        assert not re.findall(r"<[^>]+ (?:style|on\w+)=", text)
        assert not re.findall(r"<script(?![^>]*src=)", text)
        assert len(text) < 150_000


# Whole files -----------------------------------------------------------------------------------


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


async def test_what_is_too_large_for_a_sav_is_said(manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sav, "MAX_CELLS", 10)
    async with manager.get(f"/results/export?{QUERY}&format=sav", headers=HTML) as reply:
        assert "для .sav это слишком много" in plain(await reply.text())
    await page(manager, "/results/exports/export-none", 404)
