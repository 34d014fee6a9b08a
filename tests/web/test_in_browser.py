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
