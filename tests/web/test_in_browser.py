"""The skeleton in a real browser: the keyboard alone, a phone's width, both colour schemes, no complaint."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpServer

from bot.accounts.roles import Role
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.browser import PHONE, Complaints, chromium, overflow
from tests.web.conftest import PASSWORD
from tests.web.test_alerts import alert


@pytest.fixture
async def address(parts: Parts, aiohttp_server: AiohttpServer) -> str:
    server: TestServer = await aiohttp_server(make_app(parts))
    return str(server.make_url("/")).rstrip("/")


async def test_signing_in_by_keyboard_on_a_phone(parts: Parts, address: str) -> None:
    await parts.accounts.add("irina", PASSWORD, Role.ADMIN, name="Ирина")
    async with chromium(viewport=PHONE) as context:
        page = context.pages[0]
        complaints = Complaints(page)
        await page.goto(address)
        await page.keyboard.type("irina")  # the field has the focus already
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Ирина").wait_for()
        assert await overflow(page) <= 0
        assert await page.evaluate("typeof htmx") == "object"
        light = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        await page.emulate_media(color_scheme="dark")
        assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light
        await page.get_by_role("button", name="English").click()
        await page.get_by_role("heading", name="Hello, Ирина").wait_for()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("heading", name="Sign in").wait_for()
        assert complaints.found == []


TABS = 8
"""More than the six connections that a browser opens to one server over HTTP/1.1."""
STREAM = "**/alerts/live"
OF_TABS = """Object.defineProperty(document, "hidden", { get: () => window.away === true });
window.turn = (away) => { window.away = away; document.dispatchEvent(new Event("visibilitychange")); };"""
"""Chromium without a screen shows every tab at once: a test says which one is looked at."""


async def test_many_tabs_of_one_browser_do_not_stall_each_other(parts: Parts, address: str) -> None:
    """Each page has a stream, but only while somebody looks at it."""
    await parts.accounts.add("irina", PASSWORD, Role.ADMIN)
    async with chromium() as context:
        context.set_default_timeout(10_000)
        await context.add_init_script(OF_TABS)
        page = first = await context.new_page()
        complaints = Complaints(page)
        await page.goto(f"{address}/sign-in?next=/alerts")
        await page.get_by_label("Имя для входа").fill("irina")
        await page.get_by_label("Пароль").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Тревоги").wait_for()
        for _ in range(TABS - 1):
            await page.evaluate("turn(true)")
            page = await context.new_page()
            async with page.expect_response(STREAM):
                await page.goto(f"{address}/alerts")
        await alert(parts, 1)
        parts.live.alert("alert", {"ids": ["alert-001"]})
        badge = page.get_by_role("link", name="открытых тревог: 1")
        await badge.wait_for(timeout=2000)
        assert await first.get_by_role("link", name="открытых тревог: 1").count() == 0
        await page.evaluate("turn(true)")
        async with first.expect_response(STREAM):
            await first.evaluate("turn(false)")
        await first.get_by_role("link", name="открытых тревог: 1").wait_for(timeout=2000)
        await alert(parts, 2)
        parts.live.alert("alert", {"ids": ["alert-002"]})
        await first.get_by_role("link", name="открытых тревог: 2").wait_for(timeout=2000)
        assert complaints.found == []
