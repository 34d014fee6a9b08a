"""The results pages: the numbers of the report, for those who may read them."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import update

from bot.accounts.roles import Role
from bot.reports.report import report, sliced
from bot.reports.slices import By, Scope
from bot.reports.wording import number, scale_name
from bot.store.tables_reports import QuestionPut
from bot.web.parts import Parts
from tests.web.conftest import Client, page
from tests.web.results.conftest import NOW, PERIOD, QUERY, enter, plain, rows


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
