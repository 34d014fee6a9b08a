from __future__ import annotations

import errno
import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.errors import DiskFull, ModelMissing, SettingsInvalid
from bot.speech import unpacking
from bot.speech.models import ensure_model, find_entry, read_manifest, verify_model
from tests.speech.sounds import MODELS

Fill = Callable[[tarfile.TarFile], None]


def add_file(tar: tarfile.TarFile, name: str, content: bytes = b"x") -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def good(tar: tarfile.TarFile) -> None:
    add_file(tar, "top/am/final.mdl", b"weights")
    add_file(tar, "top/conf/model.conf", b"rules")


def make_models(folder: Path, fill: Fill = good, sha256: str | None = None, extra: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / "tiny.tgz", "w:gz") as tar:
        fill(tar)
    content = (folder / "tiny.tgz").read_bytes()
    (folder / "manifest.toml").write_text(
        f"""
        [[model]]
        name = "tiny"
        kind = "asr"
        language = "ru"
        file = "tiny.tgz"
        shipped = true
        source = "here"
        licence = "Apache-2.0"
        size = {len(content)}
        sha256 = "{sha256 or hashlib.sha256(content).hexdigest()}"
        {extra}
        """,
        encoding="utf-8",
    )
    return folder


def test_the_manifest_of_the_project_is_whole() -> None:
    entries = read_manifest(MODELS)
    assert {"vosk-model-otklik-demo-ru", "vosk-model-small-ru-0.22", "v5_cis_base_nostress"} <= set(entries)
    assert {entry.kind for entry in entries.values()} == {"asr", "tts", "vad"}
    for entry in entries.values():
        if entry.shipped:
            content = (MODELS / entry.file).read_bytes()
            assert (entry.size, entry.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        elif not entry.package:
            assert entry.source.startswith("https://")
            assert entry.source.endswith(f"/{entry.file}")
            assert entry.sha256 or "no SHA-256 is published" in entry.note
            assert entry.commercial == ("NC" not in entry.licence)
            assert entry.voice or entry.kind == "asr"
    kinds = {(entry.kind, entry.language) for entry in entries.values() if not entry.shipped}
    assert {("asr", "ru"), ("asr", "en"), ("tts", "ru"), ("tts", "en")} <= kinds


def test_a_shipped_model_is_unpacked_once(tmp_path: Path) -> None:
    folder = make_models(tmp_path / "models")
    path = ensure_model("tiny", folder, tmp_path / "var")
    assert path == tmp_path / "var" / "models" / "tiny"
    assert (path / "am" / "final.mdl").read_bytes() == b"weights"
    made = (path / "am" / "final.mdl").stat().st_ino
    (folder / "tiny.tgz").unlink()  # not read any more
    assert ensure_model("tiny", folder, tmp_path / "var") == path
    assert (path / "am" / "final.mdl").stat().st_ino == made


def test_a_damaged_copy_is_unpacked_again(tmp_path: Path) -> None:
    folder = make_models(tmp_path / "models")
    path = ensure_model("tiny", folder, tmp_path / "var")
    (path / "am" / "final.mdl").write_bytes(b"short")
    assert (ensure_model("tiny", folder, tmp_path / "var") / "am" / "final.mdl").read_bytes() == b"weights"


def test_another_version_of_the_archive_replaces_the_copy(tmp_path: Path) -> None:
    ensure_model("tiny", make_models(tmp_path / "models"), tmp_path / "var")
    newer = make_models(tmp_path / "models", lambda tar: add_file(tar, "top/new", b"2"))
    (tmp_path / "var/models/.tiny.ab_12345/am").mkdir(parents=True)  # an unpacking was killed,
    (tmp_path / "var/models/.tiny.old.ab_12345/was").mkdir(parents=True)  # and so was another
    path = ensure_model("tiny", newer, tmp_path / "var")
    assert sorted(p.name for p in path.parent.iterdir()) == [".tiny.lock", "tiny"]
    assert sorted(p.name for p in path.iterdir() if not p.name.startswith(".")) == ["new"]


@pytest.mark.parametrize(
    ("fill", "held"),
    [
        (lambda tar: add_file(tar, "top/../../out"), "out"),
        (lambda tar: add_file(tar, "/top/out"), "out"),
        (lambda tar: add_file(tar, "out"), "out"),
        (lambda tar: tar.addfile(_link("top/out", "/etc/passwd", tarfile.SYMTYPE)), "out"),
        (lambda tar: tar.addfile(_link("top/out", "top/am", tarfile.LNKTYPE)), "out"),
        (lambda tar: tar.addfile(_link("top/out", "", tarfile.FIFOTYPE)), "out"),
    ],
    ids=["up", "absolute", "no top folder", "symbolic link", "hard link", "pipe"],
)
def test_an_archive_cannot_write_elsewhere(tmp_path: Path, fill: Fill, held: str) -> None:
    def bad(tar: tarfile.TarFile) -> None:
        good(tar)
        fill(tar)

    folder = make_models(tmp_path / "models", bad)
    with pytest.raises(ModelMissing, match=held):
        ensure_model("tiny", folder, tmp_path / "var")
    assert [p.name for p in (tmp_path / "var" / "models").iterdir()] == [".tiny.lock"]
    assert not list(tmp_path.rglob("out"))


def _link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_a_wrong_checksum_is_refused_and_nothing_is_unpacked(tmp_path: Path) -> None:
    folder = make_models(tmp_path / "models", sha256="0" * 64)
    with pytest.raises(ModelMissing, match=r"испорчен.*нужна") as caught:
        ensure_model("tiny", folder, tmp_path / "var")
    assert "верните" in caught.value.hint
    assert not (tmp_path / "var" / "models" / "tiny").exists()


def test_what_is_missing_is_told_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="нет списка моделей"):
        read_manifest(tmp_path)
    folder = make_models(tmp_path / "models")
    with pytest.raises(ModelMissing, match="модели 'huge' нет") as unknown:
        find_entry("huge", folder)
    assert "tiny" in unknown.value.hint
    (folder / "tiny.tgz").unlink()
    with pytest.raises(ModelMissing, match="нет архива модели tiny"):
        ensure_model("tiny", folder, tmp_path / "var")
    with pytest.raises(ModelMissing, match="не установлена") as absent:
        ensure_model("vosk-model-small-ru-0.22", MODELS, tmp_path / "var")
    assert "https://alphacephei.com" in absent.value.hint
    with pytest.raises(ModelMissing, match="пакет Python"):
        ensure_model("silero-vad", MODELS, tmp_path / "var")


@pytest.mark.parametrize("extra", ["surprise = 1", "kind = 'asr'", "]["], ids=["unknown", "twice", "syntax"])
def test_a_broken_manifest_is_refused_with_its_name(tmp_path: Path, extra: str) -> None:
    folder = make_models(tmp_path / "models", extra=extra)
    with pytest.raises(SettingsInvalid, match=r"manifest\.toml"):
        read_manifest(folder)


def test_a_model_that_the_user_installed_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "var" / "models" / "vosk-model-small-ru-0.22"
    own.mkdir(parents=True)
    assert ensure_model("vosk-model-small-ru-0.22", MODELS, tmp_path / "var") == own
    assert "не закреплена" in verify_model("vosk-model-small-ru-0.22", MODELS, tmp_path / "var")


def test_verify_reads_every_byte(tmp_path: Path) -> None:
    folder = make_models(tmp_path / "models")
    assert verify_model("tiny", folder, tmp_path / "var") == "архив и распакованные файлы"
    file = tmp_path / "var" / "models" / "tiny" / "am" / "final.mdl"
    file.write_bytes(b"weighty")  # the same size
    with pytest.raises(ModelMissing, match="испорчен"):
        verify_model("tiny", folder, tmp_path / "var")


def test_several_at_once_unpack_it_once(tmp_path: Path) -> None:
    folder = make_models(tmp_path / "models")
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(ensure_model("tiny", folder, tmp_path / "var")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tmp_path / "var" / "models" / "tiny"] * 8
    assert {p.name for p in (tmp_path / "var" / "models").iterdir()} == {".tiny.lock", "tiny"}


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = make_models(tmp_path / "models")
    monkeypatch.setattr(unpacking.os, "fsync", full)
    with pytest.raises(DiskFull, match="не хватило места"):
        ensure_model("tiny", folder, tmp_path / "var")
    assert [p.name for p in (tmp_path / "var" / "models").iterdir()] == [".tiny.lock"]
