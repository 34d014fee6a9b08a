"""Recordings put under another key: whole under one or the other, and none that was erased comes back."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.call.recording_files import read_recording
from bot.call.recording_keys import KeyRing
from bot.call.sealed import SealedFile, sealed_with
from bot.cli import recordings
from bot.core.errors import BadInput
from bot.privacy import resealing
from bot.privacy.files import CallFiles
from bot.privacy.resealing import keys_in_use, reseal
from tests.privacy.marked import sound

NOW = datetime.now(UTC)


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    made = KeyRing(tmp_path / "elsewhere" / "recording.keys", ()).with_new(NOW)
    made.save()
    return made


@pytest.fixture
def folder(tmp_path: Path, ring: KeyRing) -> Path:
    """Two recordings, one of them under a key."""
    made = tmp_path / "recordings"
    made.mkdir()
    plain = sound(made / "call-plain.wav")
    sealed = SealedFile.create(made / "call-sealed.wav", ring.newest)
    sealed.write(plain.read_bytes(), 0)
    sealed.settle()
    sealed.close()
    os.utime(plain, (1_700_000_000, 1_700_000_000))
    return made


def contents(folder: Path, ring: KeyRing) -> set[bytes]:
    found = set()
    for file in folder.glob("*.wav"):
        with read_recording(file, ring.file) as opened:
            found.add(opened.read())
    return found


def newer(ring: KeyRing) -> KeyRing:
    made = ring.with_new(NOW)
    made.save()
    return made


def quiet(done: int, of: int) -> None: ...


def test_everything_is_put_under_the_newest_key(folder: Path, ring: KeyRing) -> None:
    before, ring = contents(folder, ring), newer(ring)
    told: list[tuple[int, int]] = []
    counts, failed = reseal(folder, ring, lambda done, of: told.append((done, of)))
    assert (dict(counts), failed) == ({"done": 2}, [])
    assert told == [(1, 2), (2, 2)]
    assert keys_in_use(folder) == {ring.newest.id: 2}
    assert contents(folder, ring) == before
    assert (folder / "call-plain.wav").stat().st_mtime == 1_700_000_000, "its age is its retention"
    assert dict(reseal(folder, ring, quiet)[0]) == {"kept": 2}


def test_who_is_stopped_half_way_goes_on_where_he_was(
    folder: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kill would leave it: one is done, another one's passing file is there."""
    before, ring = contents(folder, ring), newer(ring)

    def killed(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reseal(folder, ring, killed)
    left = folder / f".call-sealed.wav{resealing.PASSING}"
    left.write_bytes(b"half")
    assert len(contents(folder, ring)) == len(before)
    counts, _ = reseal(folder, ring, quiet)
    assert dict(counts) == {"kept": 1, "done": 1}
    assert not left.exists()
    assert contents(folder, ring) == before


def test_what_fails_in_the_middle_leaves_the_old_one_whole(
    folder: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, ring = contents(folder, ring), newer(ring)

    def full(self: SealedFile) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SealedFile, "sync", full)
    with pytest.raises(OSError, match="No space"):
        reseal(folder, ring, quiet)
    assert contents(folder, ring) == before
    assert {file.name for file in folder.iterdir()} == {
        "call-plain.wav",
        "call-sealed.wav",
        resealing.LOCK,
    }


def test_a_recording_that_goes_on_waits(folder: Path, ring: KeyRing) -> None:
    with (folder / "call-plain.wav").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        assert dict(reseal(folder, ring, quiet)[0]) == {"kept": 1, "written": 1}
    assert sealed_with(folder / "call-plain.wav") is None


def test_one_that_is_erased_does_not_come_back(
    folder: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased between the look at it and its turn; and while it is at its turn the eraser waits."""
    looked = resealing.hold_alone
    erasing = CallFiles(folder, folder)

    def erased_first(descriptor: int) -> bool:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "call-plain.wav":
            assert erasing.remove(["call-plain.wav"]) == 1
        return looked(descriptor)

    monkeypatch.setattr(resealing, "hold_alone", erased_first)
    assert dict(reseal(folder, ring, quiet)[0]) == {"gone": 1, "kept": 1}
    assert [file.name for file in folder.glob("*.wav")] == ["call-sealed.wav"]


def test_one_that_is_put_under_another_key_while_it_is_opened_is_read(
    folder: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file takes the name between the look at the key's id and the reading of the keys."""
    read = KeyRing.read

    def resealed_first(file: Path) -> KeyRing:
        monkeypatch.setattr(KeyRing, "read", read)
        assert dict(reseal(folder, newer(ring), quiet)[0]) == {"done": 2}
        return read(file)

    monkeypatch.setattr(KeyRing, "read", resealed_first)
    with read_recording(folder / "call-sealed.wav", ring.file) as opened:
        content = opened.read()
    assert {content} == contents(folder, ring)


def test_what_a_killed_one_left_of_it_is_erased_too(folder: Path) -> None:
    left = resealing.passing_file(folder / "call-plain.wav")
    left.write_bytes(b"half")
    assert CallFiles(folder, folder).remove(["call-plain.wav"]) == 1
    assert [file.name for file in folder.iterdir()] == ["call-sealed.wav"]


def test_a_damaged_one_is_told_and_the_others_are_done(folder: Path, ring: KeyRing) -> None:
    damaged = folder / "call-sealed.wav"
    stands = bytearray(damaged.read_bytes())
    stands[-1] ^= 1
    damaged.write_bytes(stands)
    counts, failed = reseal(folder, newer(ring), quiet)
    assert dict(counts) == {"done": 1}
    assert [(path.name, error.code) for path, error in failed] == [(damaged.name, "recording_damaged")]
    assert damaged.read_bytes() == stands


def test_two_at_a_time_are_refused(folder: Path, ring: KeyRing) -> None:
    def again(done: int, of: int) -> None:
        with pytest.raises(BadInput):
            reseal(folder, ring, quiet)

    assert sum(reseal(folder, ring, again)[0].values()) == 2


# The commands --------------------------------------------------------------------------------


@pytest.fixture
def site(folder: Path, ring: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTKLIK_RECORDINGS", str(folder))
    monkeypatch.setenv("OTKLIK_PRIVACY__RECORDING_KEYS", str(ring.file))
    return folder


def told(*arguments: str) -> str:
    result = CliRunner().invoke(recordings.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> BadInput:
    result = CliRunner().invoke(recordings.app, arguments)
    assert isinstance(result.exception, BadInput), result.output
    return result.exception


def test_a_key_is_changed_and_the_old_one_retired(site: Path, ring: KeyRing, tmp_path: Path) -> None:
    old = ring.newest.id
    assert old in refused("key", "retire", old).message
    told("key", "new")
    assert json.loads(told("key", "list", "--json"))["plain"] == 1
    assert "rotate" in refused("key", "retire", old).hint
    assert json.loads(told("rotate", "--json"))["done"] == 2
    told("key", "retire", old)
    kept = json.loads(told("key", "list", "--json"))
    assert [(key["recordings"], key["newest"]) for key in kept["keys"]] == [(2, True)]
    assert (kept["plain"], kept["missing"]) == (0, {})
    told("save", "call-plain", str(tmp_path / "out.wav"))
    assert (tmp_path / "out.wav").read_bytes()[:4] == b"RIFF"


def test_one_sound_goes_nowhere_but_where_it_was_asked(site: Path, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_text("mine")
    assert "out.wav" in refused("save", "call-plain", str(tmp_path / "out.wav")).message
    sound(tmp_path / "outside.wav")
    assert "../outside" in refused("save", "../outside", str(tmp_path / "new.wav")).message
    assert not (tmp_path / "new.wav").exists()


def test_without_the_setting_it_is_said_how_to_encrypt(monkeypatch: pytest.MonkeyPatch, site: Path) -> None:
    monkeypatch.delenv("OTKLIK_PRIVACY__RECORDING_KEYS")
    assert "recording_keys" in refused("key", "new").hint
