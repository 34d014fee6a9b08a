"""Encrypted recordings: the sound of a plain file whatever is written, and nothing once it was touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.call.recording import Recording
from bot.call.recording_files import read_recording
from bot.call.recording_keys import KeyRing
from bot.call.sealed import BEGINS, MAGIC, PIECE, Key, SealedFile, sealed_with
from bot.core.errors import OtklikError, RecordingDamaged, RecordingsLocked
from tests.call.test_recording import RATE, caller, sound
from tests.disk import no_file_beyond

KEY = Key("00112233445566ff", bytes(range(32)))
OTHER = Key("00112233445566ff", bytes(32))
SLOT = 12 + PIECE + 16
FIRST = 32 + 12 + 8 + 16


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys" / "recording.keys"
    KeyRing(file, ()).with_new(datetime.now(UTC)).save()
    return file


def sealed(path: Path, content: bytes, key: Key = KEY) -> Path:
    file = SealedFile.create(path, key)
    file.write(content, 0)
    file.settle()
    file.close()
    return path


def opened(path: Path, key: Key = KEY) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        file = SealedFile.open(path, descriptor, os.pread(descriptor, BEGINS, 0), key)
        return file.read(file.length, 0)
    finally:
        os.close(descriptor)


# The file ------------------------------------------------------------------------------------


WRITES = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 3 * PIECE), st.binary(max_size=300)),
        st.tuples(st.integers(0, 3 * PIECE), st.integers(0, 2 * PIECE + 1).map(lambda size: b"w" * size)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=WRITES, asked=st.tuples(st.integers(0, 5 * PIECE), st.integers(0, 3 * PIECE)))
def test_it_holds_what_a_plain_file_would(
    writes: list[tuple[int, bytes]], asked: tuple[int, int], tmp_path: Path
) -> None:
    path, plain = tmp_path / "a.wav", bytearray()
    path.unlink(missing_ok=True)
    file = SealedFile.create(path, KEY)
    for at, data in writes:
        file.write(data, at)
        plain.extend(bytes(max(0, at + len(data) - len(plain))) if data else bytes(max(0, at - len(plain))))
        plain[at : at + len(data)] = data
        file.settle()
    assert file.read(asked[1], asked[0]) == plain[asked[0] : asked[0] + asked[1]]
    file.close()
    assert opened(path) == plain


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(0, 3 * PIECE), length=st.integers(0, 3 * PIECE))
def test_what_is_cut_off_by_its_owner_is_gone(size: int, length: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.unlink(missing_ok=True)
    content = np.random.default_rng(size).bytes(size)
    file = SealedFile.create(path, KEY)
    file.write(content, 0)
    file.settle()
    file.cut(min(length, size))
    file.close()
    assert opened(path) == content[: min(length, size)]


def test_nothing_of_the_content_stands_in_the_file(tmp_path: Path) -> None:
    content = "девять из десяти".encode().ljust(64, b".") * 400
    stands = sealed(tmp_path / "a.wav", content).read_bytes()
    assert stands.startswith(MAGIC)
    assert content[:16] not in stands
    assert sealed(tmp_path / "b.wav", content).read_bytes()[FIRST:] != stands[FIRST:]


def test_no_nonce_is_used_twice(tmp_path: Path) -> None:
    file = SealedFile.create(tmp_path / "a.wav", KEY)
    seen = set()
    for _ in range(50):
        file.write(b"the same", 0)
        file.settle()
        stands = (tmp_path / "a.wav").read_bytes()
        seen |= {stands[32:44], stands[FIRST : FIRST + 12]}
    file.close()
    assert len(seen) == 100


# Tampering -----------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_bit_anywhere_is_found(where: float, bit: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.unlink(missing_ok=True)
    stands = bytearray(sealed(path, b"s" * (2 * PIECE + 100)).read_bytes())
    at = len(MAGIC) + int(where * (len(stands) - len(MAGIC)))
    stands[at] ^= 1 << bit
    path.write_bytes(stands)
    with pytest.raises(RecordingDamaged):
        opened(path)


def swapped(stands: bytes) -> bytes:
    one, two = stands[FIRST : FIRST + SLOT], stands[FIRST + SLOT : FIRST + 2 * SLOT]
    return stands[:FIRST] + two + one + stands[FIRST + 2 * SLOT :]


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(swapped, id="pieces swapped"),
        pytest.param(lambda stands: stands[:FIRST] + stands[FIRST : FIRST + SLOT] * 3, id="one repeated"),
        pytest.param(lambda stands: stands[:-SLOT], id="the last piece cut off"),
        pytest.param(lambda stands: stands[:-1], id="the last byte cut off"),
        pytest.param(lambda stands: stands[:50], id="nothing but its beginning"),
        pytest.param(lambda stands: stands[:20], id="not even that"),
        pytest.param(lambda stands: stands[:FIRST] + bytes(len(stands) - FIRST), id="zeros"),
    ],
)
def test_a_file_that_was_rearranged_or_cut_does_not_open(
    tamper: Callable[[bytes], bytes], tmp_path: Path, keys: Path
) -> None:
    path = sealed(tmp_path / "a.wav", os.urandom(3 * PIECE), KeyRing.read(keys).newest)
    path.write_bytes(tamper(path.read_bytes()))
    with pytest.raises(RecordingDamaged), read_recording(path, keys) as file:
        file.read()


def test_a_piece_of_another_file_does_not_fit(tmp_path: Path) -> None:
    one, two = sealed(tmp_path / "a.wav", b"1" * PIECE), sealed(tmp_path / "b.wav", b"2" * PIECE)
    one.write_bytes(one.read_bytes()[:FIRST] + two.read_bytes()[FIRST:])
    with pytest.raises(RecordingDamaged):
        opened(one)


def test_one_call_s_recording_does_not_pass_for_another_s(tmp_path: Path) -> None:
    path = sealed(tmp_path / "call-1.wav", b"yes")
    with pytest.raises(RecordingDamaged):
        opened(path.rename(tmp_path / "call-2.wav"))


def test_another_key_of_the_same_id_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecordingDamaged):
        opened(sealed(tmp_path / "a.wav", b"yes"), OTHER)


@pytest.mark.parametrize("begins", [b"OTKREC\x01\r", b"XTKREC\x01\n", b"", b"RIF"])
def test_what_is_neither_a_sound_nor_sealed_is_damaged(begins: bytes, tmp_path: Path, keys: Path) -> None:
    path = sealed(tmp_path / "a.wav", b"yes")
    path.write_bytes(begins + path.read_bytes()[len(MAGIC) :])
    with pytest.raises(RecordingDamaged):
        read_recording(path, keys)


# The keys ------------------------------------------------------------------------------------


def test_a_missing_key_is_told_by_its_id(tmp_path: Path, keys: Path) -> None:
    path = sealed(tmp_path / "a.wav", b"yes")
    with pytest.raises(RecordingsLocked, match=KEY.id):
        read_recording(path, keys)
    with pytest.raises(RecordingsLocked) as refused:
        read_recording(path, None)
    assert "privacy.recording_keys" in refused.value.hint


@pytest.mark.parametrize("content", [b"", b"{}", b'{"keys": [{"id": "x"}]}', b"\xff", b'{"keys": []}'])
def test_a_file_of_keys_that_is_damaged_or_empty_is_refused(content: bytes, keys: Path) -> None:
    keys.write_bytes(content)
    with pytest.raises(RecordingsLocked) as refused:
        _ = KeyRing.read(keys).newest
    assert str(keys) in refused.value.message


def test_keys_that_others_may_read_are_refused(keys: Path) -> None:
    assert keys.stat().st_mode & 0o777 == 0o600
    keys.chmod(0o640)
    with pytest.raises(RecordingsLocked, match="прочесть другой"):
        KeyRing.read(keys)


def test_a_key_is_never_shown(keys: Path) -> None:
    ring = KeyRing.read(keys)
    assert ring.entries[0].secret not in repr(ring)
    assert repr(ring.newest.secret) not in repr(ring.newest)
    keys.write_text(keys.read_text().replace('"made_at"', '"made"'))
    with pytest.raises(RecordingsLocked) as refused:
        KeyRing.read(keys)
    assert ring.entries[0].secret not in f"{refused.value}{refused.value.__cause__}"


# Recording -----------------------------------------------------------------------------------


def tracks(path: Path, keys: Path) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    with read_recording(path, keys) as file, wave.open(file, "rb") as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, RATE)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, 2)
        assert len(samples) == sound.getnframes()
    return samples[:, 0], samples[:, 1]


async def test_a_recording_sounds_the_same_encrypted_and_not(tmp_path: Path, keys: Path) -> None:
    plain = await Recording.open(tmp_path / "plain" / "a.wav", RATE)
    sealed_one = await Recording.open(tmp_path / "sealed" / "a.wav", RATE, keys=keys)
    for recording in (plain, sealed_one):
        for number in range(150):
            recording.write_caller(caller(number, level=number))
            if number == 100:
                recording.write_bot(sound(1.5, -700), 0.25)
        await recording.flush()
        recording.write_caller(caller(400))
        assert await recording.close() == 8.02
    assert sealed_with(sealed_one.path) == KeyRing.read(keys).newest.id
    assert sealed_one.path.stat().st_mode & 0o777 == 0o600
    with read_recording(sealed_one.path, keys) as file:
        assert file.read() == plain.path.read_bytes()


async def test_without_its_key_a_recording_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(RecordingsLocked):
        await Recording.open(tmp_path / "a.wav", RATE, keys=tmp_path / "none")
    assert not (tmp_path / "a.wav").exists()


async def test_a_full_disk_leaves_an_encrypted_recording_up_to_there(tmp_path: Path, keys: Path) -> None:
    told: list[OtklikError] = []
    recording = await Recording.open(tmp_path / "a.wav", RATE, keys=keys, on_failure=told.append)
    for number in range(25):
        recording.write_caller(caller(number))
    await recording.flush()
    with no_file_beyond(3 * PIECE):
        for number in range(25, 200):
            recording.write_caller(caller(number))
        seconds = await recording.close()
    assert len(told) == 1
    assert seconds == 0.5
    assert (tracks(recording.path, keys)[0] == 1000).all()


CHILD = """
import asyncio, sys
from pathlib import Path
from bot.call.recording import Recording
from tests.call.test_recording import RATE, caller, sound

async def main():
    recording = await Recording.open(Path(sys.argv[1]), RATE, keys=Path(sys.argv[2]))
    print("open", flush=True)
    for number in range(1_000_000):
        recording.write_caller(caller(number))
        recording.write_bot(sound(0.02, 77), max(0.0, number * 0.02 - 0.3))
        await asyncio.sleep(0.0001)

asyncio.run(main())
"""


def test_a_worker_that_is_killed_as_it_writes_leaves_what_can_be_heard(tmp_path: Path, keys: Path) -> None:
    path = tmp_path / "a.wav"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(keys)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        while path.stat().st_size < 20 * SLOT:
            assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
    left, _ = tracks(path, keys)
    assert len(left) * 4 > 15 * PIECE
    assert (left == 1000).all()
