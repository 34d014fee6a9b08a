"""Names of recordings that lead elsewhere, in rows of the database, at the command line, in addresses, and
links in the folder itself: nothing outside of it is read, sent, written or deleted."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import select
from yarl import URL

from bot.accounts.roles import Role
from bot.call.recording_files import read_recording, recording_at
from bot.call.recording_keys import KeyRing
from bot.call.sealed import SealedFile
from bot.core.clock import ManualClock
from bot.privacy.erasure import Eraser
from bot.privacy.retention import Keep, Retention
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import Attempt
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.privacy.conftest import template as template
from tests.privacy.conftest import var as var
from tests.privacy.marked import PHONE, Place, sound
from tests.privacy.test_commands import put, run
from tests.privacy.test_retention import aged as aged
from tests.store.talk import START
from tests.trust.test_web_routes import LOOKS
from tests.trust.test_web_routes import control as control
from tests.web.calls import store, talk
from tests.web.conftest import HTML, Client, sign_in
from tests.web.conftest import clock as clock
from tests.web.conftest import parts as parts
from tests.web.conftest import worker as worker

MARK = b"outside of the folder"

NAMES = (
    "", ".", "..", "../outside.wav", "../../etc/passwd", "/etc/passwd", "{outside}/outside.wav",
    "{recordings}/../outside.wav", "deeper/../../outside.wav", "..\\outside.wav", "%2e%2e%2foutside.wav",
    "%252e%252e%252foutside.wav", "..%c0%afoutside.wav", "call-mine.wav\0", "../outside.wav\0.wav",
    "linked.wav", "looped.wav", "nowhere.wav", "elsewhere/outside.wav", "elsewhere/../outside.wav",
    "x" * 300 + ".wav", "x/" * 3000 + ".wav",
)  # fmt: skip
"""As they may stand in a row: none is the name of a recording."""


def tempt(recordings: Path) -> Path:
    """A sound beside the folder, and links to it within; where it lies."""
    outside = sound(recordings.parent / "outside.wav")
    outside.write_bytes(outside.read_bytes() + MARK)
    for name, target in (
        ("linked.wav", outside), ("looped.wav", recordings / "looped.wav"),
        ("nowhere.wav", recordings.parent / "not-there.wav"), ("elsewhere", recordings.parent),
    ):  # fmt: skip
        (recordings / name).symlink_to(target)
    return outside


def written(name: str, recordings: Path) -> str:
    return name.replace("{outside}", str(recordings.parent)).replace("{recordings}", str(recordings))


def lies(recordings: Path) -> dict[str, bytes]:
    """Everything in the folder that is no link, and the sound beside it."""
    files = [recordings.parent / "outside.wav", *recordings.rglob("*")]
    return {file.name: file.read_bytes() for file in files if file.is_file() and not file.is_symlink()}


def database(place: Place) -> StoreSettings:
    return StoreSettings(f"sqlite+aiosqlite:///{place.var}/otklik.sqlite", busy_s=2)


async def tamper(db: Database, call_id: str, name: str) -> None:
    async with db.write() as session:
        call = (await session.exec(select(Attempt).where(Attempt.call_id == call_id))).one()
        call.recording = name
        session.add(call)


# What is deleted ------------------------------------------------------------------------------


def test_by_no_such_name_a_file_is_found_or_removed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    sound(place.recordings / "call-mine.wav")
    tempt(place.recordings)
    there = lies(place.recordings)
    names = [written(name, place.recordings) for name in NAMES]
    assert [name for name in names if place.files().recorded([name])] == []
    assert place.files().remove([*names, "call-mine.wav"]) == 1
    assert there.keys() - lies(place.recordings).keys() == {"call-mine.wav"}


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "encrypted"])
def test_a_recording_that_becomes_a_link_once_it_was_looked_at_is_not_followed(
    tmp_path: Path, sealed: bool
) -> None:
    place = Place(tmp_path)
    mine = sound(place.recordings / "call-mine.wav")
    outside = place.recordings.parent / "outside.wav"
    ring = KeyRing(tmp_path / "keys", ()).with_new(START)
    ring.save()
    if sealed:
        made = SealedFile.create(outside, ring.newest, name=mine.name)
        made.write(mine.read_bytes(), 0)
        made.close()
    else:
        outside.write_bytes(mine.read_bytes())
    assert recording_at(place.recordings, mine.name) == mine
    mine.unlink()
    mine.symlink_to(outside)
    with pytest.raises(OSError, match=r"symbolic link|символ"):
        read_recording(mine, tmp_path / "keys")


@pytest.mark.parametrize("name", ["../outside.wav", "{outside}/outside.wav", "call-mine.wav\0", "linked.wav",
    "looped.wav", "x" * 300 + ".wav"], ids=range(6))  # fmt: skip
async def test_erasure_and_retention_delete_by_no_name_that_was_tampered_with(name: str, aged: Place) -> None:
    place = aged
    tempt(place.recordings)
    there = lies(place.recordings)
    async with Database.open(database(place)) as db:
        for call_id in ("call-mine", "call-second"):
            await tamper(db, call_id, written(name, place.recordings))
        row = await Eraser(db, place.files(), ManualClock(START)).erase(PHONE, by="irina", reason="письмо")
        assert row.counts["erased"]["calls"] == 2, "the rest of him is erased all the same"
        assert lies(place.recordings) == there
        await tamper(db, "call-other", written(name, place.recordings))
        late = ManualClock(START + timedelta(days=9))
        assert (await Retention(db, place.files(), Keep(0, 1, 1, 0, 0, 0, 0), late).run())["answers"] == 1
    gone = there.keys() - lies(place.recordings).keys()
    assert gone == {f"call-{call}.wav" for call in ("mine", "second", "other")}, "by the files' own names"


async def test_what_is_old_in_the_folder_goes_and_no_link_leads_out(var: Path) -> None:
    place = Place(var)
    tempt(place.recordings)
    async with Database.open(database(place)) as db:
        keep, late = Keep(1, 0, 0, 0, 0, 0, 0), ManualClock(datetime.now(UTC) + timedelta(days=9))
        dry = await Retention(db, place.files(), keep, late).run(dry=True)
        done = await Retention(db, place.files(), keep, late).run()
    assert dry["recordings"] == done["recordings"] == 3
    assert lies(place.recordings).keys() == {"outside.wav"}


# The commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_call_of_that_name_is_saved(
    name: str, var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(var, monkeypatch)
    monkeypatch.chdir(tmp_path)
    place, to = Place(var), tmp_path / "saved.wav"
    tempt(place.recordings)
    call = written(name, place.recordings).removesuffix(".wav")
    assert run("recordings", "save", call, str(to)) == 2
    assert not to.exists()
    assert run("recordings", "save", "call-mine", str(to)) == 0, "one that is there is"


def test_keys_and_backups_leave_links_alone(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(var, monkeypatch)
    monkeypatch.chdir(tmp_path)
    place, keys = Place(var), tmp_path / "recording.keys"
    KeyRing(keys, ()).with_new(START).save()
    monkeypatch.setenv("OTKLIK_PRIVACY__RECORDING_KEYS", str(keys))
    outside = tempt(place.recordings)
    before = outside.read_bytes(), outside.stat().st_mtime_ns, outside.stat().st_ino
    assert run("recordings", "rotate", "--json") == 0
    assert '"done": 3' in capsys.readouterr().out
    links = [file.name for file in place.recordings.iterdir() if file.is_symlink()]
    assert sorted(links) == ["elsewhere", "linked.wav", "looped.wav", "nowhere.wav"]
    assert (outside.read_bytes(), outside.stat().st_mtime_ns, outside.stat().st_ino) == before
    assert run("backup", "copy.tar.gz") == 0
    with tarfile.open(tmp_path / "copy.tar.gz") as archive:
        kept = sorted(name for name in archive.getnames() if name.startswith("recordings/"))
    assert kept == [f"recordings/call-{call}.wav" for call in ("mine", "other", "second")]


# The pages ------------------------------------------------------------------------------------


@pytest.fixture
async def admin(parts: Parts, aiohttp_client: AiohttpClient, tmp_path: Path) -> Client:
    """With a call of which `call-mine.wav` is the sound."""
    recordings = tmp_path / "recordings"
    sound(recordings / "call-mine.wav")
    tempt(recordings)
    await store(parts.db, tmp_path / "spool", [talk("call-mine")])
    settings = replace(parts.settings, recordings=recordings)
    browser: Client = await aiohttp_client(TestServer(make_app(replace(parts, settings=settings))))
    await sign_in(browser, parts, Role.ADMIN, agent_id="ivanova")
    return browser


async def test_a_page_sends_no_file_whose_name_was_tampered_with(
    admin: Client, parts: Parts, tmp_path: Path
) -> None:
    sent = []
    for name in ("call-mine.wav", *NAMES):
        await tamper(parts.db, "call-mine", written(name, tmp_path / "recordings"))
        async with admin.get("/calls/call-mine", headers=HTML) as reply:
            assert reply.status == 200, name
        async with admin.get("/calls/call-mine/recording", headers=HTML) as reply:
            sent += [name] if reply.status != 404 or MARK in await reply.read() else []
    assert sent == ["call-mine.wav"]


PLACES = (
    "../outside.wav", "..%2foutside.wav", "%2e%2e%2foutside.wav", "%252e%252e%252foutside.wav",
    "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd",
    "..%5coutside.wav", "%c0%ae%c0%ae%c0%afoutside.wav", "call-mine%00.wav", "..%2foutside.wav%00",
    "linked.wav", "linked", "..%2foutside", "%2e%2e", "%2e", "file:%2f%2f%2fetc%2fpasswd",
)  # fmt: skip
"""As a browser's address may hold them, in the place of an id."""


def addresses() -> Iterator[tuple[str, URL]]:
    for line in LOOKS:
        pattern = line.removeprefix("GET ")
        for place in PLACES if "{" in pattern else ():
            path = re.sub(r"\{\w+\}", lambda _, place=place: place, pattern)  # type: ignore[misc]
            yield line, URL(path, encoded=True)


async def test_no_address_leads_to_a_file(admin: Client) -> None:
    """Every route that is looked at, recordings and exports among them."""
    led = []
    for line, address in addresses():
        async with admin.get(address, headers=HTML, allow_redirects=False) as reply:
            text = await reply.read() if reply.content_type != "text/event-stream" else b""
            if reply.status >= 500 or MARK in text or b"root:" in text:
                led.append((line, str(address), reply.status))
    assert led == []
    async with admin.get("/calls/call-mine/recording") as reply:
        assert reply.status == 200, "what is there is sent"
