"""Debian's Chromium, headless, led by Playwright: real pages in a real browser."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Page, ViewportSize, async_playwright

CHROMIUM = "/usr/bin/chromium"
PHONE: ViewportSize = {"width": 360, "height": 740}
"""The smallest screen that is still common, in CSS pixels."""

DENY = "--deny-permission-prompts"
"""Whoever is asked for the microphone says no."""

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
)


@asynccontextmanager
async def chromium(
    microphone: Path | None = None, *, flags: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[BrowserContext]:
    """A browser with a profile of its own. `microphone` is a WAV (16 bit, mono, 48 kHz) that is heard
    over and over from the moment the page opens it; without one Chromium beeps every second. `options` are
    Playwright's of a context: `viewport`, `locale`, `color_scheme`."""
    answer = () if DENY in flags else ("--use-fake-ui-for-media-stream",)  # allowed without a question
    heard = (f"--use-file-for-fake-audio-capture={microphone}",) if microphone else ()
    options.setdefault("locale", "ru-RU")
    with tempfile.TemporaryDirectory(prefix="otk") as profile:
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=CHROMIUM,
                headless=True,
                chromium_sandbox=False,
                args=[*FLAGS, *answer, *heard, *flags],
                **options,
            )
            try:
                yield context
            finally:
                await context.close()


class Complaints:
    """What the browser itself has against a page: errors of scripts, and what its policy stopped."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.found.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.found.append(message.text)


async def overflow(page: Page) -> int:
    """By how many pixels a page is wider than its window: a phone would scroll sideways."""
    wider: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider


async def until(page: Page, holds: str, within_s: float = 30.0) -> None:
    """Not Playwright's own waiting: that evaluates a string in the page, which our content policy forbids."""
    deadline = time.monotonic() + within_s
    while not await page.evaluate(holds):
        assert time.monotonic() < deadline, holds
        await asyncio.sleep(0.1)  # polled: the page tells nobody
