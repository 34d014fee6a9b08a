"""What processes took, counted from looks at them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

from bot.sim.bench.load import Meter, Watched
from bot.sim.bench.processes import (
    CpuBook,
    Process,
    everybody,
    family,
    look,
    look_main_thread,
    machine,
    open_files,
)


def process(pid: int, parent: int = 1, cpu_s: float = 0.0) -> Process:
    return Process(pid=pid, parent=parent, cpu_s=cpu_s, rss_mb=1.0)


def test_a_family_is_all_that_a_process_started_and_no_more() -> None:
    of = {each.pid: each for each in (process(5), process(6, 5), process(7, 6), process(8, 1))}
    assert family(5, of) == {5, 6, 7}
    assert family(99, of) == set()


def test_what_a_process_took_before_the_count_is_left_out_and_who_ended_keeps_his() -> None:
    book = CpuBook()
    book.take([process(5, cpu_s=10.0)], before={5})
    book.take([process(5, cpu_s=11.5), process(6, cpu_s=0.5)], before={5})
    book.take([process(5, cpu_s=12.0)], before={5})  # 6 has ended
    assert book.of(5) == 2.0
    assert book.of(6) == 0.5
    assert book.of(7) == 0.0
    assert book.total_s == 2.5


def test_this_process_and_its_child_are_seen_as_they_are() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert child.pid in family(os.getpid(), everybody())
        assert open_files(os.getpid()) >= 3
    finally:
        child.communicate(b"\n")
    assert look(child.pid) is None
    assert open_files(child.pid) == 0
    ours = look(os.getpid())
    assert ours is not None
    assert ours.cpu_s > 0
    assert ours.rss_mb > 5
    seen = machine()
    assert 0 < seen.busy_s < seen.all_s
    assert 0 < seen.free_mb < seen.total_mb


async def test_what_other_threads_of_a_process_take_is_none_of_its_event_loops() -> None:
    program = """
import threading, time
def work():
    while time.thread_time() < 0.5: pass
input()
other = threading.Thread(target=work)
other.start()
other.join()
print(flush=True)
input()
"""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with Meter(Watched(child.pid, {"worker-0": child.pid})) as meter:
            child.stdin.write(b"\n")
            assert await child.stdout.readline() == b"\n"
        taken = meter.taken
        assert taken.parts_s["worker-0"] >= 0.4
        assert taken.threads_s["worker-0"] <= taken.parts_s["worker-0"] - 0.4
        assert 0 < taken.free_mb < taken.total_mb
    finally:
        await child.communicate(b"\n")
    assert look_main_thread(child.pid) is None
