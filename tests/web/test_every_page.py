"""Every page of the console in Chromium: axe-core, light and dark, phone and desk, its weight, and what is
left of it without scripts.

axe-core (MPL-2.0) is a development dependency of `bot/web/package.json`; no page loads it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

from bot.accounts.roles import Role
from bot.web.parts import Parts
from bot.web.settings import MODULES
from tests.browser import Complaints, chromium, overflow
from tests.web.conftest import PASSWORD
from tests.web.filled import IMPORT, PAGES, enter, filled, imported

AXE = MODULES / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
MOST_BYTES = 150_000
"""Transferred for one page with an empty cache, without the charts' library."""
CHARTS = "uplot"

Scenery = tuple[Parts, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """A page for others than who works with the console, and the refusals. `login` "" is nobody's."""

    name: str
    path: str
    login: str = ""
    status: int = 200


async def visits(parts: Parts) -> tuple[Visit, ...]:
    token, _ = await parts.links.make("nps", timedelta(days=1), first_name="Анна")
    await parts.accounts.add("egor", PASSWORD, Role.AGENT, agent_id="agent-005")
    return (
        Visit("desk", "/agent", "egor"),
        Visit("desk-of-nobody", "/agent", "irina"),
        Visit("forbidden", "/admin/accounts", "egor", 403),
        Visit("not-found", "/nothing", "egor", 404),
        Visit("sign-in", "/sign-in"),
        Visit("customer-survey", f"/s/{token}"),
        Visit("customer-refused", "/s/none", status=404),
    )


@pytest.fixture
async def scenery(tmp_path: Path) -> AsyncIterator[Scenery]:
    async with filled(tmp_path) as found:
        yield found


class Weight:
    """Bytes that came over the wire since `begin`, by their address."""

    def __init__(self) -> None:
        self._address: dict[str, str] = {}
        self.bytes: dict[str, int] = {}

    async def watch(self, page: Page) -> None:
        session: CDPSession = await page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def begin(self) -> None:
        self._address.clear()
        self.bytes.clear()

    def _received(self, told: dict[str, Any]) -> None:
        self._address[told["requestId"]] = told["response"]["url"]

    def _finished(self, told: dict[str, Any]) -> None:
        address = self._address.get(told["requestId"])
        if address is not None:
            self.bytes[address] = int(told["encodedDataLength"])

    def without_charts(self) -> int:
        return sum(size for address, size in self.bytes.items() if CHARTS not in address)


class Inspection:
    """What is wrong with the pages of one browser, by their names."""

    def __init__(self, page: Page, address: str) -> None:
        self.wrong: dict[str, list[str]] = {}
        self._page = page
        self._address = address
        self._weight = Weight()
        self._complaints = Complaints(page)

    async def begin(self) -> None:
        await self._weight.watch(self._page)

    async def look(self, name: str, path: str, status: int = 200) -> None:
        self._weight.begin()
        reply = await self._page.goto(self._address + path)
        assert reply is not None
        found = [] if reply.status == status else [f"status {reply.status}"]
        found += await grave(self._page)
        if (wider := await overflow(self._page)) > 0:
            found.append(f"{wider} px wider than the window")
        if (heavy := self._weight.without_charts()) > MOST_BYTES:
            found.append(f"{heavy} bytes: {self._weight.bytes}")
        assert self._weight.bytes, "nothing was weighed"
        # Chromium itself tells of every refusal.
        found += [told for told in self._complaints.found if f"status of {status} " not in told]
        self._complaints.found.clear()
        if found:
            self.wrong[name] = found


async def grave(page: Page) -> list[str]:
    """What axe-core calls serious or critical: the rule, and the first places where it is broken."""
    if not await page.evaluate("typeof axe == 'object'"):
        await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:150]}: {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"][:3]
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_every_page_is_for_everybody(scheme: str, width: int, scenery: Scenery, tmp_path: Path) -> None:
    """The rules that look at colours see both schemes, those that look at sizes both widths."""
    parts, address = scenery
    async with chromium(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = await enter(context, parts, address)
        there = await imported(page, address, tmp_path)
        inspection = Inspection(page, address)
        await inspection.begin()
        for shown in PAGES:
            await inspection.look(shown.name, there if shown.path == IMPORT else shown.path)
        for visit in await visits(parts):
            await context.clear_cookies()
            if visit.login:
                await enter(context, parts, address, visit.login)
            await inspection.look(visit.name, visit.path, visit.status)
    wrong = inspection.wrong
    assert not wrong, "\n".join(f"{name}: {each}" for name, found in wrong.items() for each in found)


@pytest.mark.timeout(120)
async def test_every_page_is_read_without_scripts(scenery: Scenery, tmp_path: Path) -> None:
    parts, address = scenery
    wrong: dict[str, str] = {}
    async with chromium(java_script_enabled=False) as context:
        page = await enter(context, parts, address)
        for shown in PAGES:
            if shown.path == IMPORT:
                continue  # this one follows a file that another page sent
            reply = await page.goto(address + shown.path)
            assert reply is not None
            if reply.status != 200:
                wrong[shown.name] = f"status {reply.status}"
            elif not await page.get_by_role("heading", level=1).is_visible():
                wrong[shown.name] = "no heading"
            elif shown.holds not in (text := await page.locator("main").inner_text()) + " ".join(
                [await area.input_value() for area in await page.locator("main textarea").all()]
            ):
                wrong[shown.name] = f"no «{shown.holds}» in {text[:200]}"
    assert wrong == {}
