"""Each role's day in Chromium on one node: real calls by SIP, and the pages that people work with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from playwright.async_api import Locator, Page, Response, expect

from bot.cli.bench_campaign import zones
from bot.cli.demo import free_ports
from bot.core.endings import Disposition
from bot.core.events import CallEnded, HandoverAccepted, HandoverConnected, HandoverEnded, HandoverRinging
from bot.settings import PROJECT
from bot.settings_rooms import store_settings
from bot.sim.expectations import heard
from bot.sim.farm.telephones import SURVEY, running_farm
from bot.store import notes
from bot.store.database import Database
from telephony.tones import tone
from tests.browser import Complaints, until
from tests.node.days import (
    ANEW,
    ANNA,
    PATIENCE_MS,
    WORST,
    Day,
    caret_after,
    enter,
    morning,
    section,
    signed_in,
    table_of,
)
from tests.node.desk import AGENT_HZ, CALLER_HZ, at_the_desk, desk
from tests.node.heard import talk
from tests.node.running import running_node
from tests.node.test_calls import AUDIO, scenario
from tests.node.test_pages import PASSWORD

LAG_S = 2.0
"""What happens in a call is on a page within this time."""

BROKEN, MENDED = "kind: npss", "kind: nps"
RATE = 48000
OWN_CLOCK = """
window.microphones = [];
window.AudioContext = class extends AudioContext {
  constructor(...given) { super(...given); window.microphones.push(this); }
};
"""
"""What a page has heard is told by its own clock of sound: a machine that is held up is behind with it."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A node whose trunk leads to our telephones, everybody's account, and the two calls."""
    (port,) = free_ports(0)
    with running_node(
        sip={"trunk": {"domain": f"127.0.0.1:{port}"}},
        campaigns={"calls_per_s": 20},
        handover={"ring_s": 25},  # a page of a busy machine is slower than a telephone
    ) as node:
        yield asyncio.run(morning(node, port, tmp_path_factory.mktemp("calls")))


@pytest.fixture(scope="module")
def says_nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """«Девять» from the second on that a page opens the microphone, then three of silence."""
    sound, rate = soundfile.read(AUDIO / "009_elena.wav", dtype="float32")
    quiet = np.zeros(RATE, "float32")
    file = tmp_path_factory.mktemp("microphone") / "nine.wav"
    soundfile.write(
        file, np.concatenate([quiet, soxr.resample(sound, rate, RATE), *[quiet] * 3]), RATE, subtype="PCM_16"
    )
    return file


@pytest.fixture(scope="module")
def hums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("microphone") / "tone.wav"
    soundfile.write(file, np.frombuffer(tone(4.0, RATE, hz=AGENT_HZ).data, "<i2"), RATE, subtype="PCM_16")
    return file


async def test_live_data_is_the_journal_within_two_seconds(day: Day) -> None:
    """Every event that is stored of a call came by the stream, in its order, and none other did."""
    for call_id in (day.content, day.unhappy):
        stored = (await day.node.ask("events", call_id=call_id))["events"]
        assert [each.event for each in day.seen if each.event["call_id"] == call_id] == stored
        assert stored[-1]["kind"] == CallEnded.model_fields["kind"].default
    assert max(each.lag_s for each in day.seen) < LAG_S


async def test_ops_mend_a_survey_import_contacts_and_watch_a_campaign(day: Day, tmp_path: Path) -> None:
    file, people = tmp_path / "evening.yaml", tmp_path / "people.csv"
    place = f"{next(ANEW):02}"
    name = f"evening_{place}"
    text = next(SURVEY.glob("*.yaml")).read_text("utf-8").replace("id: farm", f"id: {name}")
    file.write_text(text.replace(MENDED, BROKEN), "utf-8")
    open_, closed = zones(datetime.now(UTC))
    rows = [
        "Абонент;Имя;Часовой пояс",
        f"+7 900 170-{place}-01;Анна;{open_[0]}",
        f"+7 900 100-{place}-02;Борис;{open_[0]}",
        f"+7 900 170-{place}-03;Вера;{closed[0]}",
        "7,91612E+10;Глеб;Europe/Moscow",
        f"+7 900 170-{place}-05;Дарья;Марс",
    ]
    people.write_text("\n".join(rows) + "\n", "utf-8")
    (media,) = free_ports(0)
    async with (
        running_farm(day.trunk_port, min(media, 60_000), data=PROJECT / "tests" / "data"),
        signed_in(day, "oleg") as page,
    ):
        await mends(page, file)
        await imports(page, people)
        await rings(page, day, name)
    told = await day.node.ask("campaign", campaign=name)
    assert (told["attempts"], told["dispositions"]) == (2, {"completed": 1, "busy": 1})


async def mends(page: Page, file: Path) -> None:
    """The draft is marked where it is wrong, is put right in the page, and is published."""
    await section(page, "Опросы")
    await page.get_by_role("button", name="Новый опрос").click()
    await page.get_by_label("или загрузить свой файл").set_input_files(file)
    await page.get_by_role("button", name="Начать черновик").click()
    await expect(page.locator(".backdrop .row.error")).to_contain_text("npss")
    await expect(page.locator("#problems li").first).to_contain_text("строка")
    await caret_after(page, BROKEN)
    await page.keyboard.press("Backspace")
    await expect(page.locator("#found")).to_contain_text("можно публиковать")
    await expect(page.locator(".backdrop .row.error")).to_have_count(0)
    await expect(page.locator("#saved")).to_contain_text("Сохранено")
    await page.get_by_role("button", name="Опубликовать").click()
    await expect(page.locator("#publication")).to_contain_text("Опубликована v1")
    await page.get_by_role("button", name="Понятно").click()
    await expect(page.locator("#publication")).to_have_count(0)


async def imports(page: Page, file: Path) -> None:
    """A column must be named, the bad rows are told with their reasons, the others are contacts."""
    await section(page, "Клиенты")
    await page.get_by_role("button", name="Загрузить из файла").first.click()
    await page.get_by_label("Файл CSV").set_input_files(file)
    await page.get_by_role("button", name="Отправить и посмотреть").click()
    await expect(page.get_by_role("alert")).to_contain_text("непонятно, в каком столбце телефон")
    await expect(page.locator("table.preview tbody tr")).to_have_count(5)
    await page.get_by_label("Что значит столбец: Абонент").select_option("phone")
    await page.get_by_role("button", name="Проверить, ничего не записывая").click()
    told = page.locator("article[role=status]")
    await expect(told).to_contain_text("Проверка, ничего не записано")
    await expect(told).to_contain_text("новых 3, изменено 0, без изменений 0, повторов строк 0, отказано 2")
    refused = await table_of(page, page.get_by_role("button", name="Скачать отказанные строки"))
    reasons = {line["Имя"]: line["причина"] for line in refused}
    assert set(reasons) == {"Глеб", "Дарья"}
    assert "Марс" in reasons["Дарья"]
    await page.get_by_role("button", name="Загрузить", exact=True).click()
    await expect(told).to_contain_text("Загружено. Строк 5: новых 3")


async def rings(page: Page, day: Day, name: str) -> None:
    """A campaign of that file: whom it talks to is seen as it happens, and why it rings nobody else."""
    await section(page, "Кампании")
    await page.get_by_role("button", name="Новая кампания").click()
    await page.get_by_label("Название").fill("Вечерний обзвон")
    await page.get_by_label("Имя: латинские").fill(name)
    await page.get_by_role("combobox", name="Опрос", exact=True).select_option(name)
    await page.get_by_label("загруженным файлом").check()
    await page.get_by_label("звонить и в праздники").check()
    await page.get_by_label("только пока есть свободные сотрудники").uncheck()
    await page.get_by_role("button", name="Создать").click()
    now = await page.context.new_page()
    await now.goto(day.at("/now"))
    await page.get_by_role("button", name="Запустить").click()
    calls, at_work = (each.locator("tbody[sse-swap=calls]") for each in (page, now))
    async with asyncio.TaskGroup() as seen:  # all at once: the call is over in seconds
        for place, text in (
            (calls, "Анна"),
            (calls, "опрос"),
            (at_work, name),
            (at_work, "опрос"),
            (now.locator("tbody[sse-swap=campaigns]"), "Вечерний обзвон"),
        ):
            seen.create_task(expect(place).to_contain_text(text))
    outcomes = page.locator("[sse-swap=outcomes]")
    await expect(outcomes).to_contain_text("Пока не звоним")
    await expect(outcomes.get_by_role("row", name="всего попыток")).to_contain_text("2")
    await expect(calls).to_contain_text("Сейчас никому не звоним")
    await expect(now.locator("tbody[sse-swap=ended]")).to_contain_text(name)


async def test_a_manager_finds_the_worst_score_hears_the_call_and_exports(day: Day) -> None:
    sounds: list[Response] = []
    async with signed_in(day, "olga") as page:
        page.on("response", lambda reply: sounds.append(reply) if "/recording" in reply.url else None)
        await page.get_by_role("link", name="Сотрудники").click()
        await page.get_by_role("columnheader", name="NPS").get_by_role("link").click()
        first = page.locator("table.slices tbody tr").first
        await expect(first).to_contain_text("Глеб Цой")
        await same_as_file(page, first)
        await first.get_by_role("link", name="Звонки").click()
        await page.locator("table.calls tbody").get_by_role("link").click()
        assert page.url == day.at(f"/calls/{day.unhappy}")
        await expect(page.locator("#answer-nps .recorded")).to_contain_text("2")
        await page.locator("#talk .play").first.click()
        await until(page, "(([player]) => player.currentTime > 0.3)(document.querySelectorAll('audio'))")
        assert {reply.status for reply in sounds} == {206}, "parts of the recording, not the whole of it"
        await page.get_by_role("button", name="К журналу").click()
        (exported,) = await table_of(page, page.get_by_role("button", name="Скачать"))
    told = {name: exported[name] for name in ("call_id", "employee", "nps.nps", "disposition")}
    assert told == {"call_id": day.unhappy, "employee": WORST, "nps.nps": "2", "disposition": "callback"}


async def same_as_file(page: Page, row: Locator) -> None:
    """The table as a file has the figures that the page shows."""
    lines = await table_of(page, page.get_by_role("link", name="Сотрудники, CSV"))
    (line,) = [each for each in lines if each["key"] == WORST]
    shown = await row.inner_text()
    for figure in (line["nps_value"], line["nps_low"], line["call_s"]):
        assert f"{float(figure):.1f}".replace("-", "−").replace(".", ",") in shown
    assert f"n = {line['nps_n']} · " in shown


async def test_an_agent_closes_the_case_of_his_unhappy_customer(day: Day) -> None:
    async with signed_in(day, WORST) as page:
        case = page.locator("details.case")
        await expect(case).to_have_count(1)
        await expect(case).to_contain_text("Елена")
        await case.locator("summary").click()
        await case.get_by_role("button", name="Взять в работу").click()
        await expect(case.locator(".state")).to_contain_text("в работе")
        await case.get_by_label("Итог").fill("Вернули деньги")
        await case.get_by_role("button", name="Решено").click()
        await expect(case).to_have_count(0)
    (closed,) = (await day.node.ask("cases", statuses=["done"]))["cases"]
    assert (closed["call_id"], closed["outcome"]) == (day.unhappy, "Вернули деньги")


async def test_an_administrator_adds_somebody_who_must_change_his_password(day: Day) -> None:
    login = f"boris-{next(ANEW)}"
    async with signed_in(day, "irina") as page:
        await section(page, "Управление")
        await page.get_by_label("Имя для входа").fill(login)
        await page.get_by_label("Как зовут").fill("Борис Ким")
        await page.get_by_role("radio", name="руководитель").check()
        await page.get_by_role("button", name="Добавить").click()
        once = await page.locator("code.secret").inner_text()
        await page.context.clear_cookies()  # somebody else's browser
        await page.goto(day.at("/"))
        await enter(page, login, once)
        await expect(page.get_by_text("Ваш пароль одноразовый")).to_be_visible()
        await page.get_by_label("Нынешний").fill(once)
        await page.get_by_label("Новый").first.fill(PASSWORD)
        await page.get_by_label("Новый ещё раз").fill(PASSWORD)
        await page.get_by_role("button", name="Сменить").click()
        await expect(page.get_by_role("heading", name="Результаты")).to_be_visible()


async def test_ops_publish_another_version_and_go_back(day: Day) -> None:
    version = f"{next(ANEW) + 1}"
    async with signed_in(day, "oleg") as page:
        await page.goto(day.at("/surveys/csat"))
        await page.get_by_role("button", name="Изменить").click()
        await caret_after(page, "version: ")
        await page.keyboard.press("Delete")
        await page.keyboard.type(version)
        await expect(page.locator("#saved")).to_contain_text("Сохранено")
        await page.get_by_role("button", name="Опубликовать").click()
        await expect(page.locator("#publication")).to_contain_text(f"Опубликована v{version}")
        await page.get_by_role("button", name="Вернуть v1").click()
        await expect(page.locator("#publication")).to_contain_text("Возвращена v1")
        await expect(page.locator(".about")).to_contain_text("v1 в работе")
        current = page.get_by_role("region", name="Версии").get_by_role("row").filter(has_text="в работе")
        await expect(current).to_contain_text("oleg (возвращена")


async def test_a_survey_is_tried_by_microphone(day: Day, says_nine: Path) -> None:
    """What was said is recognised, is in the field, and is sent: the talk goes on to the next question."""
    async with signed_in(day, "oleg", says_nine) as page:
        await page.add_init_script(OWN_CLOCK)
        await page.goto(day.at("/surveys/nps"))
        await page.get_by_role("button", name="Начать разговор").click()
        speak = page.get_by_role("button", name="Сказать в микрофон")
        await speak.click()
        await expect(page.locator("#hearing")).to_contain_text("Слушаю")
        await until(page, "microphones[0].currentTime > 2.5")  # the word is over by then
        await speak.click()
        await expect(page.locator("#talk .said .caller")).to_contain_text("девять")
        await expect(page.locator("#talk .said .bot").last).to_contain_text("Вопрос решён?")
        stored = page.get_by_role("region", name="Что записалось бы").get_by_role("row", name="nps")
        await expect(stored).to_contain_text("9")


async def test_a_handover_is_taken_by_keyboard_and_both_hear_each_other(
    day: Day, hums: Path, tmp_path: Path
) -> None:
    call = {
        "name": "79005550077",
        "survey": "handover",
        "customer": {"first_name": "Елена"},
        "agent": {"id": ANNA},
        "answers": {
            "matter": {"keys": "9", "during_prompt": True},
            "offer": [{"keys": "1", "during_prompt": True}],
        },
        "after_transfer": {"tone_hz": CALLER_HZ, "expect_hz": AGENT_HZ, "listen_s": 18},
    }
    async with desk(day, hums) as page, await day.node.connect() as control:
        complaints = Complaints(page)
        talking = asyncio.create_task(talk(day.node, scenario(call), tmp_path, control))
        try:
            await at_the_desk(page)
        except BaseException:
            talking.cancel()
            raise
        talked = await talking
        await expect(page.get_by_role("heading", name="Разговор окончен")).to_be_visible(timeout=PATIENCE_MS)
        # The first outcome gets the focus: solved.
        await expect(page.get_by_role("radio", name="вопрос решён")).to_be_focused()
        await page.keyboard.press("Space")
        await page.get_by_label("Заметка").first.fill("Вернули деньги")
        await page.get_by_role("button", name="Сохранить").click()
        await expect(page.get_by_text("Звонков сейчас нет.")).to_be_visible()
        assert complaints.found == []
    report = talked.call("79005550077")
    assert report.disposition == Disposition.TRANSFERRED
    assert report.tones.caller_heard is not None
    assert heard(report.tones.caller_heard), report.tones
    (ringing,) = talked.of("79005550077", HandoverRinging)
    (accepted,) = talked.of("79005550077", HandoverAccepted)
    (connected,) = talked.of("79005550077", HandoverConnected)
    (ended,) = talked.of("79005550077", HandoverEnded)
    assert {each.agent_id for each in (ringing, accepted, connected, ended)} == {ANNA}
    assert (accepted.by, ended.by) == ("button", "caller")
    async with Database.open(store_settings(day.node.settings)) as db:
        (note,) = await notes.notes(db, [report.call_id])
    assert (note.agent_id, note.outcome, note.text) == (ANNA, "solved", "Вернули деньги")
    assert note.handover_id
