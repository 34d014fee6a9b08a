"""An agent takes a handover in Chromium from a customer at a real telephone: what she sees before and while
she talks, that both hear each other, and what is kept of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.async_api import Page, expect

from bot.core.endings import Disposition
from bot.core.events import HandoverAccepted, HandoverConnected, HandoverEnded, HandoverRinging
from bot.settings_rooms import store_settings
from bot.sim.expectations import heard
from bot.store import notes
from bot.store.database import Database
from telephony.tones import tone
from tests.browser import PHONE, Complaints, chromium, overflow
from tests.node.heard import talk
from tests.node.running import RunningNode, running_node
from tests.node.test_calls import scenario
from tests.node.test_pages import PASSWORD, otklik

RATE = 48000
AGENT_HZ, CALLER_HZ = 440.0, 700.0
PATIENCE_MS = 30_000
PICTURE = os.environ.get("OTKLIK_TEST_PICTURES")
"""A folder for a picture of the desk: OTKLIK_TEST_PICTURES=docs, and docs/agent-desk.png is made anew."""

STUDIO = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = () =>
  ask({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
"""
"""A steady tone is what noise suppression takes out."""

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


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    """A node of her own: on a shared one the only agent of the table would inherit other tests' cases."""
    with running_node() as running:
        yield running


@pytest.fixture(scope="module")
def hums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("microphone") / "tone.wav"
    soundfile.write(file, np.frombuffer(tone(4.0, RATE, hz=AGENT_HZ).data, "<i2"), RATE, subtype="PCM_16")
    return file


@asynccontextmanager
async def desk(node: RunningNode, microphone: Path) -> AsyncIterator[Page]:
    """Anna, signed in and at her desk; the login alone ties her account to her."""
    record: dict[str, Any] = {
        "id": "desk-anna",
        "name": "Анна Иванова",
        "login": "anna",
        "shift": "always",
        "languages": ["ru"],
    }
    await node.ask("agent_save", agents=[record])
    await asyncio.to_thread(otklik, node, "accounts", "add", "anna", typed=PASSWORD + "\n")
    try:
        async with chromium(microphone) as context:
            page = context.pages[0]
            await page.add_init_script(STUDIO)
            await page.goto(node.settings.web.address)
            await expect(page.get_by_label("Имя для входа")).to_be_focused()
            await page.keyboard.type("anna")
            await page.keyboard.press("Tab")
            await page.keyboard.type(PASSWORD)
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("Звонков сейчас нет.")).to_be_visible()
            await until(page, "window.Alpine && !Alpine.$data(document.querySelector('.desk')).offline")
            assert await opened(node)
            yield page
    finally:
        await asyncio.to_thread(otklik, node, "accounts", "remove", "anna")


async def until(page: Page, holds: str) -> None:
    """Not Playwright's own waiting: that evaluates a string in the page, which our content policy forbids."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not await page.evaluate(holds):
        assert time.monotonic() < deadline, holds
        await asyncio.sleep(0.1)  # polled: the page tells nobody


async def opened(node: RunningNode) -> bool:
    """Whether routing comes to know that she is at her desk."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        agents = (await node.ask("agents"))["agents"]
        if any(each["id"] == "desk-anna" and each["desk"] for each in agents):
            return True
        await asyncio.sleep(0.1)  # polled: the board tells nobody
    return False


async def test_a_handover_is_taken_by_keyboard_and_both_hear_each_other(
    node: RunningNode, hums: Path, tmp_path: Path
) -> None:
    call = {
        "name": "79005550077",
        "survey": "handover",
        "customer": {"first_name": "Елена"},
        "agent": {"id": "desk-anna"},
        "answers": {
            "matter": {"keys": "9", "during_prompt": True},
            "offer": [{"keys": "1", "during_prompt": True}],
        },
        "after_transfer": {"tone_hz": CALLER_HZ, "expect_hz": AGENT_HZ, "listen_s": 18},
    }
    async with desk(node, hums) as page, await node.connect() as control:
        complaints = Complaints(page)
        talking = asyncio.create_task(talk(node, scenario(call), tmp_path, control))
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
    assert {each.agent_id for each in (ringing, accepted, connected, ended)} == {"desk-anna"}
    assert (accepted.by, ended.by) == ("button", "caller")
    async with Database.open(store_settings(node.settings)) as db:
        (note,) = await notes.notes(db, [report.call_id])
    assert (note.agent_id, note.outcome, note.text) == ("desk-anna", "solved", "Вернули деньги")
    assert note.handover_id


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
