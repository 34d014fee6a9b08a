from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.call.recording import Recording
from bot.core.audio import Frame, Pcm
from bot.core.errors import DiskFull, OtklikError, StoreUnavailable
from tests.disk import no_file_beyond

RATE = 8000
FRAME = 160


def caller(number: int, level: int = 1000, start: float = 0.0) -> Frame:
    """The `number`-th frame of a caller who sounds at a constant level."""
    return Frame(np.full(FRAME, level, np.int16).tobytes(), RATE, start + number * 0.02)


def sound(seconds: float, level: int) -> Pcm:
    return Pcm(np.full(round(seconds * RATE), level, np.int16).tobytes(), RATE)


def tracks(path: Path) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    return samples[:, 0], samples[:, 1]


async def test_caller_is_left_and_bot_is_right_at_their_media_times(tmp_path: Path) -> None:
    recording = await Recording.open(tmp_path / "calls" / "a.wav", RATE)
    for number in range(150):
        recording.write_caller(caller(number, start=12.34))
        if number == 120:  # heard from 13.34 to 13.84, known when it was over
            recording.write_bot(sound(0.5, -700), 13.34)
    assert await recording.close() == 3.0
    left, right = tracks(recording.path)
    assert len(left) == 3 * RATE
    assert (left == 1000).all()
    assert (right[8000:12000] == -700).all()
    assert not right[:8000].any()
    assert not right[12000:].any()


async def test_sound_from_before_the_start_is_cut_off(tmp_path: Path) -> None:
    recording = await Recording.open(tmp_path / "a.wav", RATE)
    recording.write_caller(caller(0, start=5.0))
    recording.write_bot(sound(1.0, 300), 4.25)
    recording.write_bot(sound(1.0, 999), 1.0)
    assert await recording.close() == 0.25
    _, right = tracks(recording.path)
    assert (right == 300).all()


async def test_overlapping_sound_is_mixed_and_does_not_wrap_round(tmp_path: Path) -> None:
    recording = await Recording.open(tmp_path / "a.wav", RATE)
    recording.write_caller(caller(0))
    recording.write_bot(sound(0.02, 20_000), 0.0)
    recording.write_bot(sound(0.01, 20_000), 0.0)
    await recording.close()
    _, right = tracks(recording.path)
    assert (right[:80] == 32767).all()
    assert (right[80:] == 20_000).all()


async def test_what_nobody_sent_is_silence(tmp_path: Path) -> None:
    recording = await Recording.open(tmp_path / "a.wav", RATE)
    recording.write_caller(caller(0))
    recording.write_caller(caller(100))
    assert await recording.close() == 2.02
    left, _ = tracks(recording.path)
    assert (left[:160] == 1000).all()
    assert not left[160:16000].any()
    assert (left[16000:] == 1000).all()


async def test_another_rate_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    recording = await Recording.open(tmp_path / "a.wav", RATE)
    with pytest.raises(ValueError, match="16000"):
        recording.write_bot(Pcm(b"\0\0", 16000), 0.0)
    assert await recording.close() == 0.0
    assert len(tracks(recording.path)[0]) == 0


async def test_a_recording_is_for_nobody_else(tmp_path: Path) -> None:
    recording = await Recording.open(tmp_path / "calls" / "a.wav", RATE)
    await recording.close()
    assert recording.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreUnavailable, match="File exists"):
        await Recording.open(recording.path, RATE)


async def test_a_full_disk_is_told_once_and_the_call_goes_on(tmp_path: Path) -> None:
    told: list[OtklikError] = []
    recording = await Recording.open(tmp_path / "a.wav", RATE, on_failure=told.append)
    for number in range(25):
        recording.write_caller(caller(number))
    await recording.flush()
    with no_file_beyond(20_001):
        for number in range(25, 200):
            recording.write_caller(caller(number))
            recording.write_bot(sound(0.02, 5), number * 0.02)
            await asyncio.sleep(0)
        seconds = await recording.close()
    assert [type(error) for error in told] == [DiskFull]
    assert recording.failure is told[0]
    assert seconds == 0.5
    left, _ = tracks(recording.path)
    assert len(left) == RATE / 2
    assert (left == 1000).all()


CHILD = """
import asyncio, sys
from pathlib import Path
from bot.call.recording import Recording
from tests.call.test_recording import RATE, caller, sound

async def main():
    recording = await Recording.open(Path(sys.argv[1]), RATE)
    recording.write_bot(sound(1.0, 77), 0.0)
    for number in range(60):
        recording.write_caller(caller(number))
        await asyncio.sleep(0.002)
    print("1.2 s written", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_killed_worker_leaves_a_sound_file_up_to_the_last_flush(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "1.2 s written\n"
        os.kill(child.pid, signal.SIGKILL)
    left, right = tracks(path)
    assert len(left) in (RATE // 2 * 2, RATE)
    assert (left == 1000).all()
    assert (right == 77).all()
