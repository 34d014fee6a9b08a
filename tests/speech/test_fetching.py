"""`otklik models fetch` against a real server: what fails changes nothing, what is cut off goes on."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import stat
import tarfile
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.errors import (
    BadInput,
    DiskFull,
    FetchFailed,
    LicenceUnanswered,
    ModelMissing,
    OtklikError,
)
from bot.speech import unpacking
from bot.speech.fetching import Fetched, fetch_model, sources
from bot.speech.models import ensure_model, find_entry, read_pins, verify_model
from bot.speech.settings import FetchSettings
from tests.disk import no_file_beyond
from tests.ports import free_port
from tests.speech.sounds import MODELS

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return whole.getvalue()


GOOD = zipped(("tiny-0.1/am/final.mdl", b"weights" * 20_000), ("tiny-0.1/conf/model.conf", b"rules"))
OLDER = zipped(("tiny-0.0/am/final.mdl", b"old weights"))


class Publisher:
    """A publisher's server: `content` is the file that it gives; what it was asked is kept."""

    def __init__(self) -> None:
        self.address = ""
        self.content = GOOD
        self.etag = '"1"'
        self.drops_after: int | None = None
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(
            {key: request.headers[key] for key in ("Range", "If-Range") if key in request.headers}
        )
        start, status = 0, 200
        headers = {"ETag": self.etag}
        if request.headers.get("If-Range") == self.etag:
            start, status = int(request.headers["Range"].removeprefix("bytes=").rstrip("-")), 206
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        rest = self.content[start:]
        reply = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(rest))})
        await reply.prepare(request)
        if self.drops_after is not None:
            await reply.write(rest[: self.drops_after])
            assert request.transport is not None
            request.transport.close()
            return reply
        await reply.write(rest)
        return reply


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    made = Publisher()
    app = web.Application()
    app.router.add_get("/{name}", made.answer)
    server = TestServer(app)
    await server.start_server()
    made.address = str(server.make_url("/"))
    yield made
    await server.close()


class Place:
    """A machine's two folders, and the fetch there."""

    def __init__(self, folder: Path, source: str) -> None:
        self.models, self.var = folder / "models", folder / "var"
        self.models.mkdir()
        self.entry(source)

    def entry(
        self, source: str, *, sha256: str = "", file: str = "tiny.zip", more: str = 'kind = "asr"'
    ) -> None:
        (self.models / "manifest.toml").write_text(
            f'[[model]]\nname = "tiny"\nlanguage = "ru"\nfile = "{file}"\nshipped = false\nlicence = "X-NC"\n'
            f'size = 0\nsource = "{source}"\nsha256 = "{sha256}"\n{more}\n',
            encoding="utf-8",
        )

    async def fetch(self, **how: object) -> Fetched:
        settings = how.pop("settings", FetchSettings())
        return await fetch_model("tiny", self.models, self.var, settings, **how)  # type: ignore[arg-type]

    def files(self) -> dict[str, bytes]:
        folder = self.var / "models"
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".tiny.lock"
        }


@pytest.fixture
def place(tmp_path: Path, publisher: Publisher) -> Place:
    return Place(tmp_path, f"{publisher.address}tiny.zip")


async def test_a_model_is_fetched_pinned_shown_and_verified(place: Place) -> None:
    told: list[tuple[int, int | None]] = []
    fetched = await place.fetch(progress=lambda done, total: told.append((done, total)))
    assert fetched.path == ensure_model("tiny", place.models, place.var)
    assert (fetched.path / "am/final.mdl").read_bytes() == b"weights" * 20_000
    assert (fetched.sha256, fetched.pinned) == (hashlib.sha256(GOOD).hexdigest(), True)
    assert read_pins(place.var) == {"tiny": fetched.sha256}
    assert told[-1] == (len(GOOD), len(GOOD))
    assert not [name for name in place.files() if "part" in name]
    assert verify_model("tiny", place.models, place.var) == "распакованные файлы"
    (fetched.path / "conf/model.conf").write_bytes(b"rulez")
    with pytest.raises(ModelMissing, match=r"model\.conf испорчен"):
        verify_model("tiny", place.models, place.var)
    assert not (await place.fetch()).pinned  # and mended


async def test_what_was_pinned_is_asked_of_every_later_fetch(place: Place, publisher: Publisher) -> None:
    await place.fetch()
    before = place.files()
    publisher.content = OLDER
    with pytest.raises(FetchFailed, match="SHA-256") as caught:
        await place.fetch()
    assert "--new-pin" in caught.value.hint
    assert place.files() == before
    assert (await place.fetch(new_pin=True)).pinned
    assert (place.var / "models/tiny/am/final.mdl").read_bytes() == b"old weights"


async def test_a_wrong_sum_of_the_manifest_is_refused_and_nothing_changes(
    place: Place, publisher: Publisher
) -> None:
    await place.fetch()
    before = place.files()
    place.entry(f"{publisher.address}tiny.zip", sha256="0" * 64)
    with pytest.raises(FetchFailed, match="0" * 64) as caught:
        await place.fetch()
    assert "--new-pin" not in caught.value.hint
    assert place.files() == before


async def test_a_connection_that_drops_is_gone_on_with(place: Place, publisher: Publisher) -> None:
    publisher.drops_after = 200
    fetched = await place.fetch()
    assert (fetched.path / "am/final.mdl").read_bytes() == b"weights" * 20_000
    assert publisher.asked[0] == {}
    starts = [int(asked["Range"].removeprefix("bytes=").rstrip("-")) for asked in publisher.asked[1:]]
    assert starts == [200 * number for number in range(1, len(starts) + 1)]


async def test_the_next_fetch_goes_on_where_the_last_one_broke_off(
    place: Place, publisher: Publisher
) -> None:
    publisher.drops_after = 200

    def broken(done: int, total: int | None) -> None:
        publisher.drops_after = 0  # from now on nothing comes any more

    with pytest.raises(FetchFailed):
        await place.fetch(progress=broken)
    assert (place.var / "models/.tiny.part").stat().st_size == 200
    publisher.drops_after = None
    publisher.asked.clear()
    await place.fetch()
    assert publisher.asked == [{"Range": "bytes=200-", "If-Range": '"1"'}]
    assert (place.var / "models/tiny/am/final.mdl").read_bytes() == b"weights" * 20_000


async def test_a_file_that_changed_meanwhile_is_begun_anew(place: Place, publisher: Publisher) -> None:
    part = place.var / "models/.tiny.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half of another file")
    note = {"url": f"{publisher.address}tiny.zip", "version": '"0"'}
    part.with_name(".tiny.part.json").write_text(json.dumps(note))
    fetched = await place.fetch()
    assert publisher.asked == [{"Range": "bytes=20-", "If-Range": '"0"'}]
    assert fetched.sha256 == hashlib.sha256(GOOD).hexdigest()


async def test_without_a_network_the_error_says_what_to_do(place: Place) -> None:
    place.entry(f"http://127.0.0.1:{free_port()}/tiny.zip")
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1") as caught:
        await place.fetch()
    assert "--from" in caught.value.hint
    assert place.files() == {}


@pytest.mark.parametrize("status", [404, 500])
async def test_mirrors_are_asked_in_turn(place: Place, publisher: Publisher, status: int) -> None:
    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/models/tiny.zip", broken)
    async with TestServer(app) as mirror:
        settings = FetchSettings(mirrors=(str(mirror.make_url("/models/")),))
        entry = find_entry("tiny", place.models)
        assert list(sources(entry, settings)) == [str(mirror.make_url("/models/tiny.zip")), entry.source]
        assert (await place.fetch(settings=settings)).source == entry.source
        place.entry(str(mirror.make_url("/models/tiny.zip")))
        with pytest.raises(FetchFailed, match=f"HTTP {status}"):
            await place.fetch()


async def test_a_proxy_of_the_settings_is_used_and_one_of_the_environment(
    place: Place, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.entry("http://publisher.invalid/tiny.zip", sha256=hashlib.sha256(GOOD).hexdigest())
    proxy = publisher.address
    fetched = await place.fetch(settings=FetchSettings(proxy=proxy))
    assert fetched.source == "http://publisher.invalid/tiny.zip"
    monkeypatch.setenv("HTTP_PROXY", proxy)
    await place.fetch()
    assert len(publisher.asked) == 2


async def test_nothing_unchecked_is_taken_without_https(place: Place, publisher: Publisher) -> None:
    place.entry("http://publisher.invalid/tiny.zip")
    with pytest.raises(FetchFailed, match="https"):
        await place.fetch(settings=FetchSettings(proxy=publisher.address))
    assert place.files() == {}


async def test_too_little_space_is_told_before_anything_is_fetched(
    place: Place, publisher: Publisher
) -> None:
    with pytest.raises(DiskFull):
        await place.fetch(free=lambda folder: 2 * len(GOOD))  # the archive fits, its files beside it do not
    assert not (place.var / "models/tiny").exists()
    assert (await place.fetch(free=lambda folder: 3 * len(GOOD))).path.exists()


@pytest.mark.parametrize("size", [300, 4096])
async def test_a_disk_that_is_full_leaves_what_was_there(
    place: Place, publisher: Publisher, size: int
) -> None:
    """Full while the file comes (300 bytes), and while it is unpacked."""
    publisher.content = OLDER
    await place.fetch()
    before = place.files()
    publisher.content, publisher.etag = GOOD, '"2"'
    with no_file_beyond(size), pytest.raises(DiskFull):
        await place.fetch(new_pin=True)
    assert place.files() == before


@pytest.mark.parametrize("carried", [False, True])
async def test_an_interruption_while_it_unpacks_leaves_the_model_whole(
    place: Place, tmp_path: Path, carried: bool
) -> None:
    file = tmp_path / "carried.zip" if carried else None
    if file is not None:
        file.write_bytes(GOOD)
    fetching = asyncio.ensure_future(place.fetch(file=file, unpacking=lambda: fetching.cancel()))
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert verify_model("tiny", place.models, place.var) == "распакованные файлы"
    assert read_pins(place.var) == {"tiny": hashlib.sha256(GOOD).hexdigest()}
    assert not [name for name in place.files() if "part" in name]


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped(("tiny/am/final.mdl", b"x"), ("tiny/../../out", b"x")), "out"),
        (zipped(("tiny/am/final.mdl", b"x"), ("/out", b"x")), "out"),
        (zipped(("tiny/am/final.mdl", b"x"), ("tiny\\..\\..\\out", b"x")), "out"),
        (zipped(("tiny/am/final.mdl", b"x"), (link("tiny/out"), b"/etc/passwd")), "out"),
        (zipped(("tiny/conf/model.conf", b"x")), "am/final.mdl"),
        (zipped(*((f"tiny/{number}", b"") for number in range(1001))), "1000"),
        (zipped(("tiny/am/final.mdl", bytes(70_000_000))), "MB"),
        (b"<html>504 Gateway Timeout</html>", "распаковать"),
        (GOOD[:-30], "распаковать"),
    ],
    ids=["up", "absolute", "backslash", "link", "no model", "too many", "bomb", "page", "cut"],
)
async def test_an_archive_that_is_no_model_changes_nothing(
    place: Place, publisher: Publisher, content: bytes, said: str
) -> None:
    await place.fetch()
    before = place.files()
    publisher.content, publisher.etag = content, '"2"'
    with pytest.raises(ModelMissing) as caught:
        await place.fetch(new_pin=True)
    assert said in str(caught.value)
    assert place.files() == before


async def test_a_folder_of_another_machine_gets_a_receipt_of_its_own(
    place: Place, publisher: Publisher
) -> None:
    """Somebody packed his var/models: what its receipt says of its archive is not true of this one."""
    foreign = unpacking.Receipt(sha256="0" * 64, files={"am/final.mdl": (1, "0" * 64)}).model_dump_json()
    publisher.content = zipped(
        ("tiny/am/final.mdl", b"x"),
        ("tiny/graph/words.txt", b"x 1"),
        (f"tiny/{unpacking.RECEIPT}", foreign.encode()),
    )
    fetched = await place.fetch()
    receipt = unpacking.read_receipt(fetched.path)
    assert receipt.sha256 == fetched.sha256
    assert set(receipt.files) == {"am/final.mdl", "graph/words.txt"}


def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SLACK_BYTES", 1000)
    archive = tmp_path / "bomb.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("tiny/am/final.mdl")
        member.size = 500_000
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    monkeypatch.setattr(unpacking, "_require_space", lambda archive, target: None)  # its sizes are believed
    with pytest.raises(ModelMissing):
        unpacking.unpack(archive, tmp_path / "tiny", "")
    assert [path.name for path in tmp_path.iterdir()] == ["bomb.tar.gz"]


async def test_a_file_from_elsewhere_needs_no_network(
    place: Place, publisher: Publisher, tmp_path: Path
) -> None:
    file = tmp_path / "carried.zip"
    with pytest.raises(BadInput, match=r"carried\.zip"):
        await place.fetch(file=file)
    with pytest.raises(BadInput, match="папка"):
        await place.fetch(file=tmp_path)
    file.write_bytes(GOOD)
    assert (await place.fetch(file=file)).pinned
    assert publisher.asked == []
    assert file.read_bytes() == GOOD
    file.write_bytes(OLDER)
    with pytest.raises(FetchFailed, match="SHA-256"):
        await place.fetch(file=file)


async def test_a_voice_stays_the_package_that_it_is(place: Place, publisher: Publisher) -> None:
    place.entry(f"{publisher.address}tiny.pt", file="tiny.pt", more='kind = "tts"')
    fetched = await place.fetch()
    assert fetched.path == place.var / "models/tiny.pt"
    assert fetched.path.read_bytes() == GOOD
    assert verify_model("tiny", place.models, place.var) == "файл"
    publisher.content, publisher.etag = b"<html>", '"2"'
    with pytest.raises(ModelMissing):
        await place.fetch(new_pin=True)
    assert fetched.path.read_bytes() == GOOD


async def test_a_non_commercial_licence_is_answered_first(place: Place, publisher: Publisher) -> None:
    place.entry(f"{publisher.address}tiny.zip", more='kind = "asr"\ncommercial = false')
    with pytest.raises(LicenceUnanswered, match="X-NC"):
        await place.fetch()
    assert publisher.asked == []


async def test_what_ships_is_not_fetched() -> None:
    with pytest.raises(OtklikError, match="vosk-model-otklik-demo-ru"):
        await fetch_model("vosk-model-otklik-demo-ru", MODELS, MODELS / "var", FetchSettings())
