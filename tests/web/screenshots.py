"""`python -m tests.web.screenshots FOLDER`: a picture of every page of the console, with made-up data.

WebP, as Chromium makes it: text stays sharp, and the folder small. `make screenshots` makes those of
docs/screens.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page

from tests.browser import chromium
from tests.web.filled import IMPORT, PAGES, enter, filled, imported

WIDTH = 1280
LEAST, TALLEST = 600, 1600
"""In CSS pixels: of a longer page the beginning is shown."""
QUALITY = 60


async def picture(page: Page) -> bytes:
    await page.set_viewport_size({"width": WIDTH, "height": LEAST})
    tall: int = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": WIDTH, "height": min(tall, TALLEST)})
    session = await page.context.new_cdp_session(page)
    taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    await session.detach()
    return base64.b64decode(taken["data"])


async def pictures(work: Path) -> dict[str, bytes]:
    """By the name of each page; `work` is a folder for what is made up."""
    found: dict[str, bytes] = {}
    async with filled(work) as (parts, address), chromium(color_scheme="light") as context:
        page = await enter(context, parts, address)
        there = await imported(page, address, work)
        for shown in PAGES:
            await page.goto(address + (there if shown.path == IMPORT else shown.path))
            found[shown.name] = await picture(page)
    return found


def main(folder: Path) -> None:
    """Pictures of pages that are no more go."""
    with tempfile.TemporaryDirectory(prefix="otk") as work:
        found = asyncio.run(pictures(Path(work)))
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.webp"):
        old.unlink()
    for name, content in found.items():
        (folder / f"{name}.webp").write_bytes(content)
    size = sum(len(content) for content in found.values())
    sys.stdout.write(f"{folder}: {len(found)}, {size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
