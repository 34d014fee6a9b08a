"""A customer takes a survey in a real browser: Chromium with recorded speech for a microphone, on a phone's
screen, against a real node."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from playwright.async_api import expect

from bot.settings import PROJECT
from tests.browser import DENY, PHONE, Complaints, chromium, overflow
from tests.node.running import RunningNode
from tests.node.test_pages import otklik

RATE = 48000
NINE = PROJECT / "tests/data/audio/ru/009_elena.wav"
PICTURE = os.environ.get("OTKLIK_TEST_PICTURES")
"""A folder for a picture of the page: OTKLIK_TEST_PICTURES=docs, and docs/survey-page.png is made anew."""

PATIENCE_MS = 30_000
LINE = "Alpine.$data(document.querySelector('.survey')).line"


@pytest.fixture(scope="module")
def says_nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """«Девять», then four seconds of silence: it is said again where it was not yet asked for."""
    sound, rate = soundfile.read(NINE, dtype="float32")
    word = soxr.resample(sound, rate, RATE)
    file = tmp_path_factory.mktemp("microphone") / "nine.wav"
    soundfile.write(file, np.concatenate([word, np.zeros(4 * RATE, "float32")]), RATE, subtype="PCM_16")
    return file


def link(node: RunningNode, survey: str) -> str:
    return otklik(node, "survey", "link", survey, "--name", "Анна", "--valid", "10m").strip()


async def test_a_survey_by_voice_and_one_key_to_its_end(node: RunningNode, says_nine: Path) -> None:
    url = await asyncio.to_thread(link, node, "nps")
    async with await node.connect() as control, chromium(says_nine, viewport=PHONE) as context:
        await control.watch()
        page = context.pages[0]
        complaints = Complaints(page)
        await page.goto(url)
        assert await overflow(page) <= 0
        await page.get_by_role("button", name="Начать").click()
        captions = page.get_by_role("log")
        await expect(captions).to_contain_text("девять", timeout=PATIENCE_MS)
        yes = page.get_by_role("button", name="Да", exact=True)
        await expect(yes).to_be_visible(timeout=PATIENCE_MS)
        assert await overflow(page) <= 0
        if PICTURE:
            await page.screenshot(path=Path(PICTURE) / "survey-page.png")
        await yes.click()
        await expect(page.get_by_role("heading", name="Спасибо, что ответили!")).to_be_visible(
            timeout=PATIENCE_MS
        )
        assert complaints.found == []
        call_id = (await anext(control.events())).call_id
        (call,) = (await control.request("calls", call_ids=[call_id]))["calls"]
        events = (await control.request("events", call_id=call_id))["events"]
    assert (call["disposition"], call["direction"]) == ("completed", "inbound")
    assert (call["answers"]["nps"], call["answers"]["resolved"]) == (9, "yes")
    sources = {each["question_id"]: each["source"] for each in events if each["kind"] == "turn_heard"}
    assert (sources["nps"], sources["resolved"]) == ("speech", "dtmf"), json.dumps(events)
    (answered,) = [each for each in events if each["kind"] == "answered"]
    assert (answered["codec"], answered["rate"]) == ("opus", 16000)


async def test_keys_alone_do_and_a_page_that_comes_back_is_still_in_its_call(node: RunningNode) -> None:
    """Without a microphone nothing but keys goes in; all that is said stands on the screen."""
    url = await asyncio.to_thread(link, node, "csat")
    async with (
        await node.connect() as control,
        chromium(flags=(DENY,)) as context,
        chromium() as stranger,
    ):
        await control.watch()
        page = context.pages[0]
        complaints = Complaints(page)
        await page.goto(url)
        await page.get_by_role("button", name="Начать").click()
        await expect(page.get_by_role("heading", name="Микрофон недоступен")).to_be_visible()
        await page.get_by_role("button", name="Отвечать кнопками").click()
        await page.get_by_role("button", name="4", exact=True).click(timeout=PATIENCE_MS)
        no = page.get_by_role("button", name="Нет", exact=True)
        await expect(no).to_be_visible(timeout=PATIENCE_MS)
        await stranger.pages[0].goto(url)  # another browser has no part in it
        await expect(stranger.pages[0].get_by_role("heading")).to_have_text("Опрос уже открыт в другом месте")
        await page.reload()
        await page.get_by_role("button", name="Отвечать кнопками").click()
        await expect(page.get_by_role("log")).to_contain_text("Вопрос решён?", timeout=PATIENCE_MS)
        await page.evaluate(f"{LINE}.offer({{iceRestart: true}})")  # as after a change of the network
        await page.wait_for_function(f"{LINE}.peer.connectionState == 'connected'")
        await no.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Спасибо, что ответили!")).to_be_visible(
            timeout=PATIENCE_MS
        )
        assert complaints.found == []
        call_id = (await anext(control.events())).call_id
        (call,) = (await control.request("calls", call_ids=[call_id]))["calls"]
    assert call["disposition"] == "completed"
    assert call["answers"] == {"csat": 4, "resolved": "no"}
