"""What was backed up is what is restored, on both databases and from one to the other."""

from __future__ import annotations

import asyncio
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.core.clock import ManualClock
from bot.core.errors import BadInput
from bot.privacy import archive
from bot.privacy.archive import Manifest, verified
from bot.privacy.backup import Places, back_up
from bot.privacy.erasure import Eraser
from bot.privacy.restoring import check, restore
from bot.store import queries
from bot.store.database import Database
from bot.store.migrations import head
from bot.store.settings import StoreSettings
from bot.store.tables import Attempt, Contact
from bot.store.tables_transcripts import Transcript
from tests.postgres import Postgres
from tests.privacy.marked import BOTH, EXTERNAL, PHONE, Place
from tests.privacy.test_erasure import every_cell
from tests.store.talk import START


def quiet(what: str, count: int) -> None:
    """Nobody looks on."""


def places(var: Path) -> Places:
    return Places(
        folders={
            "spool": var / "spool",
            "recordings": var / "recordings",
            "survey_defs": var / "survey_defs",
        },
        files={"otklik.toml": var / "otklik.toml"},
    )


def with_own_files(var: Path) -> None:
    (var / "survey_defs").mkdir()
    (var / "survey_defs/own.yaml").write_text("id: own\n")
    (var / "otklik.toml").write_text('log_level = "debug"\n')


def tree(var: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(var)): file.read_bytes()
        for file in sorted(var.rglob("*"))
        if file.is_file() and "sqlite" not in file.name
    }


@pytest.fixture(params=["sqlite", "postgresql"])
async def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/other/otklik.sqlite"
    cluster: Postgres = request.getfixturevalue("postgres")
    return await cluster.new_database()


@BOTH
async def test_a_backup_comes_back_as_it_was(db: Database, other_url: str, tmp_path: Path) -> None:
    with_own_files(tmp_path / "var")
    file = tmp_path / "otklik.tar.gz"
    manifest = await back_up(db, places(tmp_path / "var"), file, ManualClock(START), quiet)
    assert (manifest.schema_, manifest.rows["attempts"], manifest.database) == (head(), 3, db.dialect)
    assert file.stat().st_mode & 0o077 == 0, "it holds personal data"
    before = await every_cell(db)
    async with Database.open(StoreSettings(other_url)) as other:
        await restore(other, places(tmp_path / "other"), file, quiet)
        assert tree(tmp_path / "other") == tree(tmp_path / "var")
        for model in (Attempt, Contact):
            async with db.read() as one, other.read() as two:
                rows = [
                    (await session.exec(select(model).order_by(model.id))).all() for session in (one, two)
                ]
            assert rows[0] == rows[1]
        after = await every_cell(other)
        if db.dialect == other.dialect:
            ours = {cell for cell in before if not cell.startswith("fts_")}
            assert {cell: sorted(after[cell].splitlines()) for cell in ours} == {
                cell: sorted(before[cell].splitlines()) for cell in ours
            }
        # It is a database to go on with: serial keys count on, searches and erasures work.
        assert len(await queries.events(other, "call-mine")) == len(await queries.events(db, "call-mine"))
        erased = await Eraser(other, Place(tmp_path / "other").files(), ManualClock(START)).erase(
            PHONE, by="irina", reason=""
        )
        assert erased.counts["erased"]["calls"] == 2
        async with other.write() as session:
            session.add(Transcript(call_id="call-new", text="новые слова"))


@pytest.fixture
async def saved(var: Path, tmp_path: Path) -> Path:
    with_own_files(var)
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{var}/otklik.sqlite")) as db:
        file = tmp_path / "otklik.tar.gz"
        await back_up(db, places(var), file, ManualClock(START), quiet)
    return file


async def restored(file: Path, var: Path) -> None:
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{var}/otklik.sqlite")) as db:
        await restore(db, places(var), file, quiet)


def rewritten(file: Path, change: Callable[[Manifest, dict[str, bytes]], None]) -> Path:
    """The same backup after `change`, with hashes that are true again."""
    with tarfile.open(file) as tar:
        contents = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    manifest = Manifest.model_validate_json(contents.pop(archive.MANIFEST))
    change(manifest, contents)
    manifest.files = {}
    changed, part = file.with_name("changed.tar.gz"), file.with_name("part")
    with archive.writing(changed, manifest) as writer:
        for name, content in contents.items():
            part.write_bytes(content)
            writer.add(name, part)
    return changed


async def test_a_place_that_is_not_empty_is_left_alone(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="здесь уже что-то есть"):
        await restored(saved, tmp_path / "var")
    shutil.rmtree(tmp_path / "var/recordings")
    shutil.rmtree(tmp_path / "var/spool")
    before = tree(tmp_path / "var")
    with pytest.raises(BadInput, match="база: здесь уже что-то есть"):
        await restored(saved, tmp_path / "var")
    assert tree(tmp_path / "var") == before


async def test_a_newer_backup_is_refused(saved: Path, tmp_path: Path) -> None:
    def newer(manifest: Manifest, contents: dict[str, bytes]) -> None:
        manifest.schema_, manifest.otklik = "9999", "9.0"

    with pytest.raises(BadInput, match=r"более новый Отклик 9.0 \(таблицы 9999\)"):
        await restored(rewritten(saved, newer), tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_an_older_backup_is_brought_to_this_version(saved: Path, tmp_path: Path) -> None:
    def older(manifest: Manifest, contents: dict[str, bytes]) -> None:
        manifest.schema_ = "0016"
        for name in ("erasures", "sealed_numbers", "secrets"):
            del contents[f"tables/{name}.jsonl"], manifest.rows[name]
        rows: list[dict[str, Any]] = [
            json.loads(line) for line in contents["tables/attempts.jsonl"].splitlines()
        ]
        for row in rows:
            del row["erased"]
        contents["tables/attempts.jsonl"] = b"".join(map(archive.json_line, rows))

    await restored(rewritten(saved, older), tmp_path / "new")
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/new/otklik.sqlite")) as db:
        async with db.read() as session:
            assert (await session.exec(select(Contact.external_id))).all() == [EXTERNAL, ""]
            assert set((await session.exec(select(Attempt.erased))).all()) == {0}
        row = await Eraser(db, Place(tmp_path / "new").files(), ManualClock(START)).erase(
            PHONE, by="irina", reason=""
        )
    assert row.counts["left"] == {}


@pytest.mark.parametrize("fault", ["a byte", "the end", "a member", "no backup at all"])
async def test_a_damaged_backup_is_refused_before_anything_is_touched(
    saved: Path, tmp_path: Path, fault: str
) -> None:
    content = bytearray(await asyncio.to_thread(saved.read_bytes))
    match fault:
        case "a byte":
            content[len(content) // 2] ^= 0xFF
        case "the end":
            del content[-200:]
        case "no backup at all":
            content = bytearray(b"PK\x03\x04 a spreadsheet")
    await asyncio.to_thread(saved.write_bytes, content)
    if fault == "a member":

        def lost(manifest: Manifest, contents: dict[str, bytes]) -> None:
            pass

        whole = rewritten(saved, lost)
        with tarfile.open(whole) as tar, tarfile.open(saved, "w:gz") as less:
            for member in tar:
                if member.name != "recordings/call-mine.wav":
                    less.addfile(member, tar.extractfile(member))
    with pytest.raises(BadInput, match="копия повреждена"):
        await restored(saved, tmp_path / "new")
    with pytest.raises(BadInput, match="копия повреждена"):
        check(saved, quiet)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "name", ["../outside", "/outside", "recordings/../../outside", "link", "manifest.json"]
)
async def test_a_backup_that_somebody_made_up_writes_nothing(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whole by its own manifest, and yet: names that lead out, a link, a manifest that would fill memory."""
    monkeypatch.setattr(archive, "_LARGEST_MANIFEST", 100_000)

    def worse(manifest: Manifest, contents: dict[str, bytes]) -> None:
        if name == "manifest.json":
            manifest.otklik = " " * 200_000
        else:
            contents[name] = b"x"

    made = rewritten(saved, worse)
    if name == "link":
        plain = made.with_name("linked.tar.gz")
        with tarfile.open(made) as tar, tarfile.open(plain, "w:gz") as linked:
            for member in tar:
                if member.name == name:
                    member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
                linked.addfile(member, tar.extractfile(member) if member.isreg() else None)
        plain.replace(made)
    there = tree(tmp_path)
    with pytest.raises(BadInput, match="копия повреждена"):
        await restored(made, tmp_path / "new")
    assert tree(tmp_path) == there
    assert not (tmp_path / "new").exists()


async def test_interrupted_it_leaves_the_place_empty(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("bot.privacy.restoring._go_on_counting", stop)
        with pytest.raises(KeyboardInterrupt):
            await restored(saved, tmp_path / "new")
    assert tree(tmp_path / "new") == {}
    shutil.rmtree(tmp_path / "new/recordings")
    await restored(saved, tmp_path / "new")
    assert verified(saved).rows["attempts"] == 3
    assert tree(tmp_path / "new") == tree(tmp_path / "var")


async def test_a_backup_never_takes_the_place_of_another_file(saved: Path, tmp_path: Path) -> None:
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/var/otklik.sqlite")) as db:
        with pytest.raises(BadInput, match="уже есть"):
            await back_up(db, places(tmp_path / "var"), saved, ManualClock(START), quiet)
