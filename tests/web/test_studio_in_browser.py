"""The editor of surveys in a real browser: marks, suggestions, saving by itself, two who write at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect
from pytest_aiohttp import AiohttpServer

from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.store import drafts
from bot.store.tables_drafts import DraftRow
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.browser import PHONE, Complaints, chromium, overflow
from tests.web.conftest import PASSWORD, Orders
from tests.web.studio import NPS, Node

TEXT = NPS.read_text("utf-8").replace("version: 3", "version: 4")
ASK = "    ask: Удалось ли решить ваш вопрос?"


@pytest.fixture
def control() -> Orders:
    return Node()


@pytest.fixture
async def editor(parts: Parts, clock: ManualClock, aiohttp_server: AiohttpServer) -> AsyncIterator[Page]:
    """The page of a draft, in the hands of ops."""
    await parts.accounts.add("oleg", PASSWORD, Role.OPS)
    await drafts.begin(parts.db, "nps", TEXT, started_from="", login="oleg", now=clock.now())
    server: TestServer = await aiohttp_server(make_app(parts))
    async with chromium() as context:
        page = context.pages[0]
        await page.goto(str(server.make_url("/sign-in?next=/surveys/nps")))
        await page.get_by_label("Имя для входа").or_(page.locator("[name=login]")).first.fill("oleg")
        await page.locator("[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_label("Текст опроса").wait_for()
        yield page


async def caret_after(page: Page, text: str) -> None:
    """Right behind where it stands first."""
    await page.evaluate(
        "(text) => { const area = document.getElementById('text'); area.focus();"
        " const at = area.value.indexOf(text) + text.length; area.setSelectionRange(at, at); }",
        text,
    )


async def stored(parts: Parts) -> DraftRow:
    row = await drafts.find(parts.db, "nps")
    assert row is not None
    return row


async def test_writing_is_marked_suggested_and_saved_by_itself(editor: Page, parts: Parts) -> None:
    page, complaints = editor, Complaints(editor)
    await expect(page.locator("#found")).to_contain_text("Замечаний нет")
    await caret_after(page, "kind: yes_no")
    await page.keyboard.type("x")
    row = TEXT.split("\n").index("    kind: yes_no") + 1
    await expect(page.locator(".backdrop .row.error")).to_contain_text("yes_nox")
    await expect(page.locator("#problems li")).to_contain_text(f"строка {row}")
    await page.keyboard.press("Control+z")
    await expect(page.locator("#found")).to_contain_text("Замечаний нет")

    await caret_after(page, ASK)
    await page.keyboard.press("Enter")
    await page.keyboard.type("conf")
    option = page.get_by_role("option")
    await expect(option).to_have_count(1)
    await expect(option).to_contain_text("confirm")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Control+Space")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    assert f"{ASK}\n    confirm: " in await page.locator("#text").input_value()
    await expect(page.locator("#saved")).to_contain_text("Сохранено")
    assert f"{ASK}\n    confirm: " in (await stored(parts)).text

    await page.keyboard.press("F8")
    await page.set_viewport_size(PHONE)
    assert await overflow(page) <= 0
    assert complaints.found == []


async def test_two_who_write_at_once_are_told_and_lose_nothing(
    editor: Page, parts: Parts, clock: ManualClock
) -> None:
    page = editor
    theirs = TEXT.replace("NPS после обращения", "Оценка обращения")
    await drafts.save(parts.db, "nps", theirs, revision=1, login="anna", now=clock.now())
    await caret_after(page, "# NPS с уточнениями")
    await page.keyboard.type(" (моё)")
    alert = page.get_by_role("alert").filter(has_text="anna")
    await expect(alert.locator("ins").last).to_have_text("+ title: Оценка обращения")
    await page.reload()
    await page.get_by_role("button", name="Вернуть его").click()
    await expect(page.locator("#text")).to_have_value(TEXT.replace("уточнениями", "уточнениями (моё)"))
    await expect(page.locator("#saved")).to_contain_text("Сохранено")
    row = await stored(parts)
    assert (row.edited_by, row.revision) == ("oleg", 3)
    assert "(моё)" in row.text
