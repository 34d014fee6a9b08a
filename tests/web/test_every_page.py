"""Every page of the console in Chromium: axe-core, light and dark, phone and desk, its weight, and what is
left of it without scripts.

axe-core (MPL-2.0) is a development dependency of `bot/web/package.json`; no page loads it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

from bot.web.parts import Parts
from bot.web.settings import MODULES
from tests.browser import Complaints, chromium, overflow
from tests.web.filled import IMPORT, PAGES, enter, filled, imported

AXE = MODULES / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
MOST_BYTES = 150_000
"""Transferred for one page with an empty cache, without the charts' library."""
CHARTS = "uplot"

Scenery = tuple[Parts, str]


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
    wrong: dict[str, list[str]] = {}
    async with chromium(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = await enter(context, parts, address)
        weight, complaints = Weight(), Complaints(page)
        there = await imported(page, address, tmp_path)
        await weight.watch(page)
        for shown in PAGES:
            weight.begin()
            await page.goto(address + (there if shown.path == IMPORT else shown.path))
            found = await grave(page)
            if (wider := await overflow(page)) > 0:
                found.append(f"{wider} px wider than the window")
            if (heavy := weight.without_charts()) > MOST_BYTES:
                found.append(f"{heavy} bytes: {weight.bytes}")
            assert weight.bytes, "nothing was weighed"
            if complaints.found:
                found += complaints.found
                complaints.found.clear()
            if found:
                wrong[shown.name] = found
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
