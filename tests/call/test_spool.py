from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.call.spool import Spool, SpoolReader
from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.errors import DiskFull, StoreUnavailable
from bot.core.events import AnswerRecorded, CallEvent, OptedOut
from bot.processes import worker_of
from tests.disk import no_file_beyond

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def answer(seq: int, call_id: str = "call-1", heard: str = "девять") -> AnswerRecorded:
    return AnswerRecorded(
        call_id=call_id,
        seq=seq,
        at=AT,
        question_id="nps",
        question_kind="nps",
        answer=Answer(status=AnswerStatus.ANSWERED, value=9, source=AnswerSource.SPEECH, heard=heard),
    )


def stored(folder: Path) -> list[CallEvent]:
    return [spooled.event for spooled in SpoolReader(folder).read({}, 10_000)]


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


async def drain(reader: SpoolReader, offsets: dict[str, int]) -> list[CallEvent]:
    found = reader.read(offsets)
    offsets.update({spooled.segment: spooled.end for spooled in found})
    return [spooled.event for spooled in found]


async def test_a_committed_event_is_read_while_the_worker_lives(tmp_path: Path) -> None:
    async with Spool.open(tmp_path, "media-1") as spool:
        await spool.commit(answer(0))
        assert stored(tmp_path) == [answer(0)]


async def test_a_worker_is_named_with_its_node_as_leases_name_it(tmp_path: Path) -> None:
    async with Spool.open(tmp_path, "worker-0") as spool:
        await spool.commit(answer(0))
        (alone,), (among_others,) = SpoolReader(tmp_path).read({}), SpoolReader(tmp_path, "east").read({})
    assert (alone.worker, among_others.worker) == ("worker-0", worker_of("east", 0))


async def test_reading_goes_on_after_an_offset(tmp_path: Path) -> None:
    reader, offsets = SpoolReader(tmp_path), dict[str, int]()
    async with Spool.open(tmp_path, "media-1") as spool:
        await spool.commit(answer(0))
        assert await drain(reader, offsets) == [answer(0)]
        assert await drain(reader, offsets) == []
        await spool.commit(answer(1))
        await spool.commit(answer(2))
        assert [spooled.event for spooled in reader.read(offsets, 1)] == [answer(1)]
        assert await drain(reader, offsets) == [answer(1), answer(2)]


async def test_concurrent_commits_share_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = 0
    fdatasync = os.fdatasync

    def counted(descriptor: int) -> None:
        nonlocal synced
        synced += 1
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    async with Spool.open(tmp_path, "media-1") as spool:
        await asyncio.gather(*(spool.commit(answer(seq)) for seq in range(200)))
    assert 1 <= synced <= 3
    assert stored(tmp_path) == [answer(seq) for seq in range(200)]


async def test_segments_rotate_and_go_when_they_are_drained(tmp_path: Path) -> None:
    reader, offsets = SpoolReader(tmp_path), dict[str, int]()
    async with Spool.open(tmp_path, "media-1", segment_bytes=1000) as spool:
        for seq in range(20):
            await spool.commit(answer(seq))
        made = len(segments(tmp_path))
        assert made > 3
        assert reader.drained(offsets) == []
        assert await drain(reader, offsets) == [answer(seq) for seq in range(20)]
        gone = reader.drained(offsets)
        assert len(gone) == made - 1, "all but the one that is being written"
        for name in gone:
            reader.remove(name)
        with pytest.raises(ValueError, match="still being written"):
            reader.remove(segments(tmp_path)[-1].name)
        await spool.commit(answer(20))
        assert await drain(reader, offsets) == [answer(20)]
    for name in reader.drained(offsets):
        reader.remove(name)
    assert files(tmp_path) == []


async def test_a_drained_segment_goes_without_being_held_in_memory(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)
    async with Spool.open(tmp_path, "media-1") as spool:
        await asyncio.gather(*(spool.commit(answer(seq)) for seq in range(3000)))
    [segment] = segments(tmp_path)
    size = segment.stat().st_size
    tracemalloc.start()
    try:
        reader.remove(segment.name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 5
    assert files(tmp_path) == []


async def test_a_torn_last_line_is_ignored(tmp_path: Path) -> None:
    async with Spool.open(tmp_path, "media-1") as spool:
        await spool.commit(answer(0))
        await spool.commit(answer(1))
    [segment] = segments(tmp_path)
    whole = segment.read_bytes()
    second = whole.index(b"=\n") + 2
    for length in range(second, len(whole) - 3):
        segment.write_bytes(whole[:length])
        assert stored(tmp_path) == [answer(0)], length
    segment.write_bytes(whole[:-2])
    assert stored(tmp_path) == [answer(0), answer(1)], "whole, and only its mark is missing"


async def test_what_is_not_yet_durable_is_not_read_from_a_living_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-committed event may still be taken back, and its number given to another one."""
    seen: list[CallEvent] = []
    fdatasync = os.fdatasync

    def slow(descriptor: int) -> None:
        seen.extend(stored(tmp_path))
        fdatasync(descriptor)

    async with Spool.open(tmp_path, "media-1") as spool:
        await spool.commit(answer(0))
        monkeypatch.setattr(os, "fdatasync", slow)
        await spool.commit(answer(1))
    assert seen == [answer(0)]


async def test_damage_in_the_middle_loses_that_line_alone_and_keeps_the_file(tmp_path: Path) -> None:
    async with Spool.open(tmp_path, "media-1") as spool:
        for seq in range(3):
            await spool.commit(answer(seq))
    [segment] = segments(tmp_path)
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"nps", b"npc", 1)
    segment.write_bytes(b"".join(lines))
    reader, offsets = SpoolReader(tmp_path), dict[str, int]()
    assert await drain(reader, offsets) == [answer(0), answer(2)]
    assert reader.drained(offsets) == [segment.name]
    reader.remove(segment.name)
    assert [path.name for path in files(tmp_path)] == [segment.name + ".damaged"]


async def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    async with Spool.open(tmp_path, "media-1") as spool:
        await spool.commit(answer(0))
        [segment] = segments(tmp_path)
        before = segment.read_bytes()
        with no_file_beyond(len(before) + 100):  # a part of the next line fits
            with pytest.raises(DiskFull, match="disk is full") as failure:
                await spool.commit(answer(1, heard="это слово не поместилось"))
            assert failure.value.hint
            assert segment.read_bytes() == before
            assert stored(tmp_path) == [answer(0)]
        await spool.commit(answer(1, heard="место нашлось"))
        assert stored(tmp_path) == [answer(0), answer(1, heard="место нашлось")]


async def test_a_mark_that_finds_no_room_comes_with_the_next_event(tmp_path: Path) -> None:
    async with Spool.open(tmp_path, "media-1") as spool:
        await spool.commit(answer(0))
        [segment] = segments(tmp_path)
        size = len(segment.read_bytes())
        with no_file_beyond(2 * size - 1):  # the line and half of its mark
            await spool.commit(answer(1))
        await spool.commit(answer(2))
        assert stored(tmp_path) == [answer(0), answer(1), answer(2)]
        assert segment.stat().st_size == 3 * size


async def test_a_failed_fsync_takes_the_line_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    async with Spool.open(tmp_path, "media-1") as spool:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", broken)
            with pytest.raises(StoreUnavailable, match="Input/output error"):
                await spool.commit(answer(0))
        await spool.commit(OptedOut(call_id="call-1", seq=0, at=AT))
    assert stored(tmp_path) == [OptedOut(call_id="call-1", seq=0, at=AT)]


async def test_a_closed_spool_takes_nothing(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, "media-1")
    await spool.close()
    await spool.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await spool.commit(answer(0))


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        Spool.open(tmp_path / "file" / "spool", "media-1")


CHILD = """
import asyncio, sys
from pathlib import Path
from bot.call.spool import Spool
from tests.call.test_spool import answer

async def main():
    spool = Spool.open(Path(sys.argv[1]), "media-1")
    for seq in range(2):
        await spool.commit(answer(seq))
    print("two answers committed", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_killed_worker_leaves_both_answers(tmp_path: Path) -> None:
    child = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child:
        assert child.stdout.readline() == "two answers committed\n"
        reader = SpoolReader(tmp_path)
        offsets = dict[str, int]()
        assert await drain(reader, offsets) == [answer(0), answer(1)]
        assert reader.drained(offsets) == [], "its worker lives"
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    assert stored(tmp_path) == [answer(0), answer(1)]
    [segment] = reader.drained(offsets)
    async with Spool.open(tmp_path, "media-1") as spool:  # the worker comes back under its name
        await spool.commit(answer(0, call_id="call-2"))
        reader.remove(segment)
        assert stored(tmp_path) == [answer(0, call_id="call-2")]
