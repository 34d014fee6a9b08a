from __future__ import annotations

import asyncio
import errno
import os
import shutil
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.core import files
from bot.core.audio import Pcm
from bot.core.errors import DiskFull, SynthesiserUnavailable
from bot.core.ports import Prompts
from bot.speech.prompts import PromptCache, decode, encode
from bot.speech.settings import PromptSettings


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


RU = {"voice": "ru", "language": "ru", "rate": 8000}


class Voice:
    """A synthesiser that counts, waits when told to, and fails when told to."""

    def __init__(self, name: str = "voice-1") -> None:
        self.name = name
        self.spoken: list[str] = []
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.fault: Exception | None = None

    async def speak(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        self.spoken.append(text)
        self.asked.set()
        await self.go.wait()
        if self.fault is not None:
            raise self.fault
        return Pcm(f"{text}{voice}{language}".encode("utf-16-le") * 10, rate)


def cache(folder: Path, voice: Voice, memory_mb: int = 64) -> PromptCache:
    return PromptCache(voice, PromptSettings(folder=folder, memory_mb=memory_mb))


async def test_a_prepared_prompt_is_there_at_once_and_from_memory(tmp_path: Path) -> None:
    voice = Voice()
    made = cache(tmp_path, voice)
    port: Prompts = made
    await port.prepare(("Здравствуйте", "До свидания"), voice="ru", language="ru", rate=8000)
    shutil.rmtree(tmp_path)  # no disk is needed any more
    with capture_logs() as logs:
        pcm = await port.get("Здравствуйте", voice="ru", language="ru", rate=8000)
    assert pcm == await voice.speak("Здравствуйте", voice="ru", language="ru", rate=8000)
    assert voice.spoken == ["Здравствуйте", "До свидания", "Здравствуйте"]
    assert logs == []


async def test_another_process_finds_it_on_disk(tmp_path: Path) -> None:
    await cache(tmp_path, Voice()).prepare(("Да",), **RU)
    later = Voice()
    with capture_logs() as logs:
        pcm = await cache(tmp_path, later).get("Да", **RU)
    assert pcm.data
    assert later.spoken == []
    assert logs == []


async def test_a_miss_is_synthesised_kept_and_logged_without_its_words(tmp_path: Path) -> None:
    voice = Voice()
    made = cache(tmp_path, voice)
    with capture_logs() as logs:
        first = await made.get("Анна, добрый день", **RU)
    assert first == await made.get("Анна, добрый день", **RU)
    assert voice.spoken == ["Анна, добрый день"]
    (entry,) = logs
    assert entry["log_level"] == "warning"
    assert "Анна" not in str(entry)


async def test_whatever_shapes_the_sound_is_part_of_the_key(tmp_path: Path) -> None:
    made = cache(tmp_path, Voice())
    keys = {
        made.key("да", voice="ru", language="ru", rate=8000),
        made.key("да.", voice="ru", language="ru", rate=8000),
        made.key("да", voice="ru+f3", language="ru", rate=8000),
        made.key("да", voice="ru", language="en", rate=8000),
        made.key("да", voice="ru", language="ru", rate=16000),
        cache(tmp_path, Voice("voice-2")).key("да", voice="ru", language="ru", rate=8000),
    }
    assert len(keys) == 6
    assert cache(tmp_path, Voice()).key("да", **RU) in keys


async def test_several_who_want_the_same_share_one_synthesis(tmp_path: Path) -> None:
    voice = Voice()
    voice.go.clear()
    made = cache(tmp_path, voice)
    asked = [asyncio.create_task(made.get("да", **RU)) for _ in range(5)]
    await voice.asked.wait()
    asked[0].cancel()  # a caller who hangs up does not take it from the others
    voice.go.set()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert len({pcm.data for pcm in found[1:] if isinstance(pcm, Pcm)}) == 1
    assert voice.spoken == ["да"]


async def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    made = cache(tmp_path, Voice())
    await made.prepare(("раз", "два"), **RU, progress=lambda done, of, text: seen.append((done, of, text)))
    assert seen == [(1, 2, "раз"), (2, 2, "два")]


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "other"])
async def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    first = cache(tmp_path, Voice())
    whole = await first.get("да", **RU)
    path = first.path(first.key("да", **RU))
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(
        {"cut": content[:-20], "bit": content, "empty": b"", "other": b"RIFF" + bytes(200)}[damage]
    )
    voice = Voice()
    with capture_logs() as logs:
        assert await cache(tmp_path, voice).get("да", **RU) == whole
    assert voice.spoken == ["да"]
    assert "damaged" in logs[0]["event"]
    assert decode(path.read_bytes()) == whole


async def test_memory_is_bounded_and_the_oldest_goes_first(tmp_path: Path) -> None:
    class Long(Voice):
        async def speak(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
            self.spoken.append(text)
            return Pcm(bytes(400_000), rate)

    voice = Long()
    made = cache(tmp_path, voice, memory_mb=1)
    await made.prepare(("а", "б"), **RU)
    await made.get("а", **RU)
    await made.prepare(("в",), **RU)
    assert list(made._memory) == [made.key(text, **RU) for text in ("а", "в")]
    assert (await made.get("б", **RU)).seconds == 25.0  # from disk
    assert voice.spoken == ["а", "б", "в"]


async def test_a_full_disk_is_told_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made = cache(tmp_path, Voice())
    with monkeypatch.context() as broken:
        broken.setattr(files.os, "fsync", full)
        with pytest.raises(DiskFull, match="не хватило места"):
            await made.prepare(("да",), **RU)
    assert files_in(tmp_path) == []
    await made.prepare(("да",), **RU)  # once there is space again


async def test_a_failed_synthesis_is_told_to_all_and_tried_again(tmp_path: Path) -> None:
    voice = Voice()
    voice.fault = SynthesiserUnavailable("gone", hint="start it")
    made = cache(tmp_path, voice)
    for _ in range(2):
        with pytest.raises(SynthesiserUnavailable):
            await made.prepare(("да",), **RU)
    voice.fault = None
    assert (await made.get("да", **RU)).data
    assert voice.spoken == ["да"] * 3


async def test_any_player_can_play_the_files(tmp_path: Path) -> None:
    made = cache(tmp_path, Voice())
    pcm = await made.get("да", **RU)
    with wave.open(str(made.path(made.key("да", **RU))), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.readframes(file.getnframes()) == pcm.data


@given(st.binary(max_size=200).map(lambda data: data[: len(data) // 2 * 2]), st.sampled_from([8000, 16000]))
def test_files_keep_every_sound(data: bytes, rate: int) -> None:
    assert decode(encode(Pcm(data, rate))) == Pcm(data, rate)


@given(st.binary(max_size=300), st.data())
def test_one_changed_bit_is_noticed(data: bytes, draw: st.DataObject) -> None:
    content = bytearray(encode(Pcm(data[: len(data) // 2 * 2], 8000)))
    place = draw.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << draw.draw(st.integers(0, 7))
    assert decode(bytes(content)) is None


@given(st.binary(max_size=100))
def test_what_is_no_prompt_is_noticed(content: bytes) -> None:
    assert decode(content) is None
