"""An agent at her desk in Chromium: what she is shown before and while she talks, and what she hears."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import PHONE, chromium, overflow, until
from tests.node.days import ANNA, PATIENCE_MS, Day
from tests.node.running import RunningNode
from tests.node.test_pages import PASSWORD

AGENT_HZ, CALLER_HZ = 440.0, 700.0
PICTURE = os.environ.get("OTKLIK_TEST_PICTURES")
"""A folder for a picture of the desk: OTKLIK_TEST_PICTURES=docs, and docs/agent-desk.png is made anew."""

STUDIO = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = () =>
  ask({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
"""
"""A steady tone is what noise suppression takes out."""

LATE_FRAMES = """
window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 100);
"""
"""As on an old laptop, where a frame is a while after what changed it: the focus has to wait for it."""

LOUDEST = """
async () => {
  const line = Alpine.$data(document.querySelector('.desk')).line;
  const context = new AudioContext();
  const ear = new AnalyserNode(context, { fftSize: 16384 });
  const track = line.peer.getReceivers()[0].track;
  context.createMediaStreamSource(new MediaStream([track])).connect(ear);
  const bins = new Float32Array(ear.frequencyBinCount);
  const until = Date.now() + 5000;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ear.getFloatFrequencyData(bins);
    const best = bins.reduce((at, level, place) => (level > bins[at] ? place : at), 0);
    const hz = (best * context.sampleRate) / ear.fftSize;
    if (Math.abs(hz - WANTED) < 5 && bins[best] > -50) return hz;
    if (Date.now() > until) return hz;
  }
}
""".replace("WANTED", str(CALLER_HZ))
"""In Hz: what the agent's page hears most of, waited for a few seconds."""


@asynccontextmanager
async def desk(day: Day, microphone: Path) -> AsyncIterator[Page]:
    """Anna, signed in by the keyboard and at her desk; the login alone ties her account to her."""
    async with chromium(microphone) as context:
        page = context.pages[0]
        await page.add_init_script(STUDIO + LATE_FRAMES)
        await page.goto(day.at("/"))
        await expect(page.get_by_label("Имя для входа")).to_be_focused()
        await page.keyboard.type("anna")
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Звонков сейчас нет.")).to_be_visible()
        await until(page, "window.Alpine && !Alpine.$data(document.querySelector('.desk')).offline")
        assert await opened(day.node)
        yield page


async def opened(node: RunningNode) -> bool:
    """Whether routing comes to know that she is at her desk."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        agents = (await node.ask("agents"))["agents"]
        if any(each["id"] == ANNA and each["desk"] for each in agents):
            return True
        await asyncio.sleep(0.1)  # polled: the board tells nobody
    return False


async def at_the_desk(page: Page) -> None:
    """It rings, she reads, accepts by a key, talks, holds, comes back: a reload, another language."""
    await expect(page.get_by_role("heading", name="Вам звонят")).to_be_visible(timeout=PATIENCE_MS)
    card = page.locator(".card")
    await expect(card).to_contain_text("Анна Иванова")  # who had the talk
    await expect(card.locator(".answers")).to_contain_text("9")
    await expect(card.get_by_role("log")).to_contain_text("Соединить вас с сотрудником?")
    await expect(page.get_by_role("button", name="Принять")).to_be_focused()
    assert "79005550077" not in await page.content()
    await page.keyboard.press("F8")
    await expect(page.get_by_role("heading", name="Разговор идёт")).to_be_visible(timeout=PATIENCE_MS)
    assert await page.evaluate(LOUDEST) == pytest.approx(CALLER_HZ, abs=5)
    if PICTURE:
        await page.screenshot(path=Path(PICTURE) / "agent-desk.png", full_page=True)
    await page.set_viewport_size(PHONE)
    assert await overflow(page) <= 0
    await page.keyboard.press("F4")
    await expect(page.get_by_role("heading", name="Клиент слушает музыку")).to_be_visible()
    await page.keyboard.press("F4")
    await expect(page.get_by_role("heading", name="Разговор идёт")).to_be_visible()
    await page.reload()
    await still_talking(page, "Разговор идёт")
    await page.get_by_role("button", name="English").click()
    await still_talking(page, "You are talking")
    await page.get_by_role("button", name="Русский").click()
    await still_talking(page, "Разговор идёт")
    assert await page.evaluate(LOUDEST) == pytest.approx(CALLER_HZ, abs=5)


async def still_talking(page: Page, heading: str) -> None:
    """The page is another one, and the line is up again on it."""
    await expect(page.get_by_role("heading", name=heading)).to_be_visible()
    await until(
        page,
        "window.Alpine"
        " && Alpine.$data(document.querySelector('.desk')).line?.peer.connectionState == 'connected'",
    )
