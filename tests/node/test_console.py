"""Each role's day in Chromium, on one node: real calls by SIP, and the pages that people work with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, Response, expect

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.cli.bench_campaign import zones
from bot.cli.demo import free_ports
from bot.core.clock import SystemClock
from bot.core.endings import Disposition
from bot.core.events import CallEnded
from bot.settings import PROJECT
from bot.settings_rooms import store_settings
from bot.sim.farm.telephones import SURVEY, Farm, running_farm
from bot.store.database import Database
from tests.browser import Complaints, chromium
from tests.node.heard import talk
from tests.node.running import RunningNode, running_node
from tests.node.test_calls import clip, scenario
from tests.node.test_desk import until
from tests.node.test_pages import PASSWORD

PATIENCE_MS = 60_000
LAG_S = 2.0
"""What happens in a call is on a page within this time (issue of the console)."""
BROKEN = "kind: npss"
OWNER = "responsible"
"""The agent whom the surveys of the tests pass unhappy callers to; he has no telephone here."""
PEOPLE = {
    "oleg": (Role.OPS, ""),
    "olga": (Role.MANAGER, ""),
    "anna": (Role.AGENT, OWNER),
    "irina": (Role.ADMIN, ""),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the live stream, and when it came."""

    event: dict[str, Any]
    lag_s: float


@dataclass(frozen=True, slots=True)
class Day:
    """`seen` is what an administrator's stream told of two calls while they were made."""

    node: RunningNode
    trunk_port: int
    seen: list[Seen]
    happy: str
    unhappy: str


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A node whose trunk leads to our telephones, everybody's account, and two talks: one went well."""
    (port,) = free_ports(0)
    with running_node(sip={"trunk": {"domain": f"127.0.0.1:{port}"}}) as node:
        yield asyncio.run(morning(node, port, tmp_path_factory.mktemp("calls")))


async def morning(node: RunningNode, port: int, folder: Path) -> Day:
    async with Database.open(store_settings(node.settings)) as db:
        accounts = Accounts(db, Passwords(), SystemClock())
        for login, (role, agent_id) in PEOPLE.items():
            await accounts.add(login, PASSWORD, role, agent_id=agent_id)
    staff = [{"id": "vera", "name": "Вера Ли"}, {"id": "gleb", "name": "Глеб Цой"}]
    await node.ask("agent_save", agents=staff)
    well = {"nps": {"keys": "9"}, "resolved": {"keys": "1"}, "comment": clip("056_elena.wav")}
    badly = {
        "nps": {"keys": "2"}, "resolved": {"keys": "2"}, "reason": clip("056_elena.wav"),
        "offer": {"keys": "1"},
    }  # fmt: skip
    script = scenario(
        {"name": "happy", "agent": {"id": "vera"}, "answers": well},
        {"name": "unhappy", "agent": {"id": "gleb"}, "answers": badly},
        at_once=2,
    )
    seen: list[Seen] = []
    async with (
        node_session(node, "irina") as http,
        await node.connect() as control,
        http.get("/live", timeout=aiohttp.ClientTimeout(total=None)) as stream,
    ):
        listening = asyncio.create_task(listen(stream, seen))
        talked = await talk(node, script, folder, control)
        ids = {each.name: each.call_id for each in talked.report.calls}
        async with asyncio.timeout(10):
            await listening
    assert {call.name: call.disposition for call in talked.report.calls} == {
        "happy": Disposition.COMPLETED,
        "unhappy": Disposition.CALLBACK,
    }
    return Day(node, port, seen, ids["happy"], ids["unhappy"])


async def listen(stream: aiohttp.ClientResponse, seen: list[Seen]) -> None:
    """Until both calls are over."""
    ended = 0
    name = ""
    async for line in stream.content:
        field, _, value = line.decode().rstrip("\r\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data" and name == "call":
            event = json.loads(value)
            lag = datetime.now(UTC) - datetime.fromisoformat(event["at"])
            seen.append(Seen(event, lag.total_seconds()))
            ended += event["kind"] == "call_ended"
            if ended == 2:
                return


@asynccontextmanager
async def node_session(node: RunningNode, login: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody signed in, without a browser."""
    jar = aiohttp.CookieJar(unsafe=True)  # keeps those of an address without a name as well
    async with aiohttp.ClientSession(node.settings.web.address, cookie_jar=jar) as http:
        async with http.post("/sign-in", data={"login": login, "password": PASSWORD}) as reply:
            assert reply.status == 200
        yield http


@asynccontextmanager
async def signed_in(day: Day, login: str) -> AsyncIterator[Page]:
    """A browser in which somebody has signed in by the form; it has nothing to complain of."""
    async with chromium(viewport={"width": 1280, "height": 900}, accept_downloads=True) as context:
        page = context.pages[0]
        page.set_default_timeout(PATIENCE_MS)
        complaints = Complaints(page)
        await page.goto(day.node.settings.web.address)
        await sign_in(page, login, PASSWORD)
        yield page
        assert complaints.found == []


async def sign_in(page: Page, login: str, password: str) -> None:
    await page.get_by_label("Имя для входа").fill(login)
    await page.locator("[name=password]").fill(password)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Выйти").wait_for()


async def test_live_data_is_the_journal_within_two_seconds(day: Day) -> None:
    """Every event that is stored of a call came by the stream, in its order, and none other did."""
    for call_id in (day.happy, day.unhappy):
        stored = (await day.node.ask("events", call_id=call_id))["events"]
        assert [each.event for each in day.seen if each.event["call_id"] == call_id] == stored
        assert stored[-1]["kind"] == CallEnded.model_fields["kind"].default
    assert max(each.lag_s for each in day.seen) < LAG_S


async def test_ops_mend_a_survey_import_contacts_and_watch_a_campaign(day: Day, tmp_path: Path) -> None:
    file, people = tmp_path / "evening.yaml", tmp_path / "people.csv"
    text = next(SURVEY.glob("*.yaml")).read_text("utf-8").replace("id: farm", "id: evening")
    file.write_text(text.replace("kind: nps", BROKEN), "utf-8")
    open_, closed = zones(datetime.now(UTC))
    rows = [
        "Телефон;Имя;Часовой пояс",
        f"+7 900 170-00-01;Анна;{open_[0]}",
        f"+7 900 170-00-02;Борис;{closed[0]}",
        "7,91612E+10;Вера;Europe/Moscow",
    ]
    people.write_text("\n".join(rows) + "\n", "utf-8")
    (media,) = free_ports(0)
    async with (
        running_farm(day.trunk_port, min(media, 60_000), data=PROJECT / "tests" / "data") as farm,
        signed_in(day, "oleg") as page,
    ):
        await mends(page, file)
        await imports(page, people)
        await rings(page, farm)
    told = await day.node.ask("campaign", campaign="evening")
    assert (told["attempts"], told["dispositions"]) == (1, {"completed": 1})


async def mends(page: Page, file: Path) -> None:
    """The draft is marked where it is wrong, is put right in the page, and is published."""
    await page.get_by_role("link", name="Опросы").click()
    await page.get_by_role("button", name="Новый опрос").first.click()
    await page.set_input_files("[name=file]", file)
    await page.get_by_role("button", name="Начать черновик").click()
    await expect(page.locator(".backdrop .row.error")).to_contain_text("npss")
    await expect(page.locator("#problems li").first).to_contain_text("строка")
    await page.evaluate(
        "(text) => { const area = document.getElementById('text'); area.focus();"
        " const at = area.value.indexOf(text) + text.length; area.setSelectionRange(at, at); }",
        BROKEN,
    )
    await page.keyboard.press("Backspace")
    await expect(page.locator("#found")).to_contain_text("можно публиковать")
    await expect(page.locator("#saved")).to_contain_text("Сохранено")
    await page.get_by_role("button", name="Опубликовать").click()
    await expect(page.locator("#publication")).to_contain_text("Опубликована v1", timeout=PATIENCE_MS)


async def imports(page: Page, file: Path) -> None:
    """The bad row is told with its reason, the others are contacts."""
    await page.get_by_role("link", name="Клиенты").click()
    await page.locator("a[href='/contacts/imports']").first.click()
    await page.set_input_files("[name=file]", file)
    await page.get_by_role("button", name="Отправить и посмотреть").click()
    await page.get_by_role("button", name="Загрузить").click()
    await expect(page.locator("article[role=status]")).to_contain_text(
        "новых 2, изменено 0, без изменений 0, повторов строк 0, отказано 1", timeout=PATIENCE_MS
    )
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Скачать отказанные строки").click()
    refused = (await (await coming.value).path()).read_text("utf-8-sig")
    assert "7,91612E+10" in refused
    assert "Вера" in refused


async def rings(page: Page, farm: Farm) -> None:
    """A campaign of that file: whom it talks to is seen as it happens, and why it rings nobody else."""
    await page.get_by_role("link", name="Кампании").click()
    await page.get_by_role("button", name="Новая кампания").click()
    await page.locator("[name=title]").fill("Вечерний обзвон")
    await page.locator("[name=id]").fill("evening")
    await page.locator("select[name=survey]").select_option("evening")
    await page.get_by_label("загруженным файлом").check()
    await page.get_by_label("звонить и в праздники").check()
    await page.get_by_role("button", name="Создать").click()
    await page.get_by_role("button", name="Запустить").click()
    calls = page.locator("tbody[sse-swap=calls]")
    await expect(calls).to_contain_text("опрос", timeout=PATIENCE_MS)
    await expect(calls).to_contain_text("Анна")
    outcomes = page.locator("[sse-swap=outcomes]")
    await expect(outcomes).to_contain_text("Пока не звоним", timeout=PATIENCE_MS)
    await expect(outcomes.get_by_role("row", name="всего попыток")).to_contain_text("1")
    await expect(calls).to_contain_text("Сейчас никому не звоним", timeout=PATIENCE_MS)
    assert farm.calls.read_text("utf-8").count("\n") == 1


async def test_a_manager_finds_the_worst_score_hears_the_call_and_exports(day: Day) -> None:
    sounds: list[Response] = []
    async with signed_in(day, "olga") as page:
        page.on("response", lambda reply: sounds.append(reply) if "/recording" in reply.url else None)
        await page.get_by_role("link", name="Сотрудники").click()
        await page.get_by_role("columnheader", name="NPS").get_by_role("link").first.click()
        first = page.locator("table.slices tbody tr").first
        await expect(first).to_contain_text("Глеб Цой")
        await first.get_by_role("link", name="Звонки").click()
        await page.locator(f"a[href='/calls/{day.unhappy}']").click()
        await expect(page.locator("#answer-nps .recorded")).to_contain_text("2")
        await page.locator("#talk .play").first.click()
        await heard(page)
        assert {reply.status for reply in sounds} == {206}, "parts of the recording, not the whole of it"
        await page.goto(f"{day.node.settings.web.address}/calls?employee=gleb")
        async with page.expect_download() as coming:
            await page.get_by_role("button", name="Скачать").click()
        exported = (await (await coming.value).path()).read_text("utf-8-sig").splitlines()
    assert len(exported) == 2, "its heading and one call"
    assert day.unhappy in exported[1]


async def heard(page: Page) -> None:
    """The recording plays: its time goes on."""
    player = "document.querySelector('audio')"
    await until(page, f"{player}.played.length > 0 && {player}.played.end(0) > {player}.played.start(0)")


async def test_an_agent_closes_the_case_of_the_unhappy_customer(day: Day) -> None:
    async with signed_in(day, "anna") as page:
        case = page.locator("details.case")
        await expect(case).to_have_count(1)
        await case.locator("summary").click()
        await case.get_by_role("button", name="Взять в работу").click()
        await expect(case).to_contain_text("в работе")
        await case.get_by_label("Итог").fill("Вернули деньги")
        await case.get_by_role("button", name="Решено").click()
        await expect(case).to_have_count(0)
    (closed,) = (await day.node.ask("cases", statuses=["done"]))["cases"]
    assert (closed["call_id"], closed["outcome"]) == (day.unhappy, "Вернули деньги")


async def test_an_administrator_adds_somebody_who_must_change_his_password(day: Day) -> None:
    async with signed_in(day, "irina") as page:
        await page.goto(f"{day.node.settings.web.address}/admin/accounts")
        await page.locator("form.fields [name=login]").fill("boris")
        await page.locator("form.fields [name=name]").fill("Борис Ким")
        await page.locator("[name=role][value=manager]").check()
        await page.get_by_role("button", name="Добавить").click()
        once = await page.locator("code.secret").inner_text()
        await page.get_by_role("button", name="Выйти").click()
        await sign_in(page, "boris", once)
        await page.goto(f"{day.node.settings.web.address}/results")
        await expect(page.get_by_text("Ваш пароль одноразовый")).to_be_visible()
        await page.get_by_label("Нынешний").fill(once)
        await page.locator("[name=fresh]").fill(PASSWORD)
        await page.locator("[name=again]").fill(PASSWORD)
        await page.get_by_role("button", name="Сменить").click()
        await expect(page.get_by_role("heading", name="Результаты")).to_be_visible()
