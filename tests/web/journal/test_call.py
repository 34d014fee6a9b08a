"""One call's page over HTTP: what was said and heard, while it goes on and afterwards, and who looked."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientTimeout

from bot.accounts.roles import Role
from bot.call.recording_keys import KeyRing
from bot.call.sealed import SealedFile
from bot.core.events import CallEnded
from bot.store.queries import call as stored_call
from bot.web.parts import Parts
from tests.store.talk import START
from tests.web.calls import record, talk
from tests.web.conftest import Client, Orders, page, sign_in
from tests.web.journal.conftest import audit


async def test_a_call_is_told_from_its_ring_to_its_end(manager: Client) -> None:
    text = await page(manager, "/calls/call-1")
    for shown in (
        "+79001234561",
        "Порекомендуете &lt;b&gt;нас&lt;/b&gt;?",
        '<mark class="unsure" title="уверенность 0.50">два</mark>',
        'data-at="5.00"',
        "Могло быть: 3",
        "обещан звонок",
        "<strong>431</strong>",
        "Все события (13)",
        'src="/calls/call-1/recording"',
        'class="wave caller" d="M',
    ):
        assert shown in text
    assert "style=" not in text
    await page(manager, "/calls/call-9", 404)


async def test_a_recording_is_sent_by_pieces_and_noted_once(manager: Client, parts: Parts) -> None:
    path = "/calls/call-1/recording"
    async with manager.get(path, headers={"Range": "bytes=0-43"}) as reply:
        assert (reply.status, reply.headers["Content-Type"]) == (206, "audio/wav")
        assert reply.headers["Content-Range"] == "bytes 0-43/320044"
        assert (await reply.read())[:4] == b"RIFF"
    async with manager.get(path, headers={"Range": "bytes=320040-"}) as reply:
        assert (reply.status, len(await reply.read())) == (206, 4)
    assert await audit(parts, "listen") == [("recording", "call-1", {})]
    async with manager.get("/calls/call-0/recording") as reply:
        assert reply.status == 404


@pytest.fixture
def sealed(client: Client, tmp_path: Path) -> Path:
    """The same recording under a key, which lies beside the folder."""
    file, ring = tmp_path / "recordings" / "call-1.wav", KeyRing(tmp_path / "keys", ()).with_new(START)
    ring.save()
    sound = file.read_bytes()
    file.unlink()
    made = SealedFile.create(file, ring.newest)
    made.write(sound, 0)
    made.settle()
    made.close()
    return file


PARTS = {
    "": range(320044),
    "bytes=0-43": range(44),
    "bytes=0-": range(320044),
    "bytes=100000-200000": range(100000, 200001),
    "bytes=-7": range(320037, 320044),
    "bytes=320043-999999": range(320043, 320044),
}


async def test_an_encrypted_recording_is_sent_as_a_plain_one(
    manager: Client, sealed: Path, tmp_path: Path
) -> None:
    plain = record(tmp_path, "the same").read_bytes()
    path = "/calls/call-1/recording"
    for asked, part in PARTS.items():
        async with manager.get(path, headers={"Range": asked} if asked else {}) as reply:
            assert (reply.status, reply.headers["Content-Type"]) == (206 if asked else 200, "audio/wav")
            told = f"bytes {part.start}-{part.stop - 1}/320044" if asked else None
            assert reply.headers.get("Content-Range") == told
            assert await reply.read() == plain[part.start : part.stop]
    for asked in ("bytes=320044-", "bytes=5-4", "bytes=x-", "lines=1-2"):
        async with manager.get(path, headers={"Range": asked}) as reply:
            assert (reply.status, reply.headers["Content-Range"]) == (416, "bytes */320044")
    async with manager.head(path) as reply:
        assert (reply.status, reply.headers["Content-Length"]) == (200, "320044")
    assert 'class="wave caller" d="M' in await page(manager, "/calls/call-1")


async def test_nothing_of_a_tampered_or_locked_recording_is_sent(
    manager: Client, sealed: Path, tmp_path: Path
) -> None:
    """Not even what lies before the damage. The page of the call says why, and tells the rest of it."""
    with sealed.open("rb+") as file:
        file.seek(-1, 2)
        file.write(b"?")
    async with manager.get("/calls/call-1/recording") as reply:
        assert (reply.status, (await reply.json())["error"]["code"]) == (500, "recording_damaged")
    text = await page(manager, "/calls/call-1")
    assert "запись call-1.wav повреждена" in text
    assert "<audio" not in text
    (tmp_path / "keys").unlink()
    async with manager.get("/calls/call-1/recording") as reply:
        assert (reply.status, (await reply.json())["error"]["code"]) == (503, "recordings_locked")
    assert "нет файла ключей записей" in await page(manager, "/calls/call-1")


async def test_no_name_of_a_recording_leads_out_of_its_folder(
    manager: Client, parts: Parts, tmp_path: Path
) -> None:
    record(tmp_path, "outside")
    async with parts.db.write() as session:
        call = await stored_call(parts.db, "call-0")
        assert call is not None
        call.attempt.recording = "../outside.wav"
        session.add(call.attempt)
    async with manager.get("/calls/call-0/recording") as reply:
        assert reply.status == 404


async def test_a_call_that_goes_on_brings_its_lines(manager: Client, parts: Parts, control: Orders) -> None:
    events = talk("call-2", 2, score=5)
    control.answers["events"] = {"events": [each.model_dump(mode="json") for each in events[:-1]]}
    assert 'data-after="11"' in await page(manager, "/calls/call-2")
    async with manager.get("/calls/call-2/live?after=9", timeout=ClientTimeout(5)) as stream:
        told = ""
        while "обещан звонок" not in told:
            told += (await stream.content.readuntil(b"\r\n\r\n")).decode()
        assert told.count("event: line") == 2, "what came after the tenth event"
        parts.live.publish(events[-1])
        parts.live.publish(events[-1].model_copy(update={"call_id": "call-9"}))
        last = (await stream.content.readuntil(b"\r\n\r\n")).decode()
        over = (await stream.content.readuntil(b"\r\n\r\n")).decode()
        parts.live.close()
        rest = (await stream.content.read()).decode()
    assert isinstance(events[-1], CallEnded)
    assert "звонок окончен" in last
    assert "event: over" in over
    assert "event: line" not in rest, "another call's events"


async def test_a_watched_call_is_noted_and_ends_with_the_account(
    client: Client, parts: Parts, control: Orders
) -> None:
    await sign_in(client, parts, Role.MANAGER)
    account = await parts.accounts.named("irina")
    events = talk("call-2", 2, score=5)
    control.answers["events"] = {"events": [each.model_dump(mode="json") for each in events[:3]]}
    for _ in range(2):
        async with client.get("/calls/call-2/live", timeout=ClientTimeout(5)) as stream:
            await stream.content.readuntil(b"\r\n\r\n")
            parts.live.end_of(account.id)
            await stream.content.read()
    assert [found[:2] for found in await audit(parts, "view")] == [("call", "call-2")]
