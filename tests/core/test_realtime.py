"""The precedence of sound: each thread here is one that ends with its test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.core.realtime import (
    DIALOGUE,
    HELPERS,
    LINES,
    behind_the_helpers,
    behind_the_lines,
    lines_first,
    may_go_first,
)
from dialogue.launch import FOLDER, rasa_python

Place = tuple[int, int]


def place() -> Place:
    """The class and the priority of this thread."""
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


def in_a_thread(work: Callable[[], Place]) -> Place:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def among_lines() -> tuple[Place, Place, Place]:
    lines_first()
    with ThreadPoolExecutor(1, initializer=behind_the_lines) as helpers:
        return place(), in_a_thread(place), helpers.submit(place).result()


def test_lines_go_first_and_their_helpers_next() -> None:
    with ThreadPoolExecutor(1) as pool:
        line, started, helper = pool.submit(among_lines).result()
    granted = may_go_first()
    assert line == started == ((os.SCHED_RR, LINES) if granted else (os.SCHED_OTHER, 0))
    assert helper == ((os.SCHED_RR, HELPERS) if granted else (os.SCHED_OTHER, 0))
    assert LINES > HELPERS > DIALOGUE > 0
    assert place() == (os.SCHED_OTHER, 0), "whoever asks whether it is granted stays as he was"


def test_another_process_is_below_the_lines() -> None:
    with ThreadPoolExecutor(1) as pool:
        granted = pool.submit(behind_the_helpers).result()
        assert granted == may_go_first()
        assert pool.submit(place).result() == ((os.SCHED_RR, DIALOGUE) if granted else (os.SCHED_OTHER, 0))


BEFORE = """
import os, threading
from bot.core.realtime import lines_first, others_behind_the_lines
done = threading.Event()
before = threading.Thread(target=done.wait)
before.start()
if lines_first():
    others_behind_the_lines()
print(os.sched_getparam(0).sched_priority, os.sched_getparam(before.native_id).sched_priority)
done.set()
"""


def test_threads_that_were_there_before_are_helpers() -> None:
    """None of them may keep the interpreter's lock from a line for want of a processor."""
    done = subprocess.run([sys.executable, "-c", BEFORE], capture_output=True, text=True, timeout=60)
    assert list(map(int, done.stdout.split())) == ([LINES, HELPERS] if may_go_first() else [0, 0]), (
        done.stderr
    )


RASA = """
import os, threading
import precedence
precedence.RESTLESS_S = 1
done = threading.Event()
other = threading.Thread(target=done.wait)
other.start()
precedence.go_first()
print(os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, os.sched_getscheduler(other.native_id))
while os.sched_getscheduler(0) != os.SCHED_OTHER:
    pass
print(os.sched_getscheduler(other.native_id))
done.set()
"""


def test_rasa_is_below_the_lines_with_all_its_threads_and_steps_back_when_it_does_not_rest() -> None:
    python = [str(rasa_python()), "-c", RASA]
    done = subprocess.run(
        python, cwd=FOLDER / "server", env={"PYTHONPATH": "."}, capture_output=True, text=True, timeout=60
    )
    first = [os.SCHED_RR, DIALOGUE, os.SCHED_RR] if may_go_first() else [os.SCHED_OTHER, 0, os.SCHED_OTHER]
    assert list(map(int, done.stdout.split())) == [*first, os.SCHED_OTHER], done.stderr


def test_where_it_is_not_granted_everything_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    assert not may_go_first()
    with ThreadPoolExecutor(1, initializer=behind_the_lines) as helpers:
        assert helpers.submit(place).result() == (os.SCHED_OTHER, 0)


RESTLESS = """
import os, threading
from bot.core.realtime import lines_first, unless_restless
lines_first()
unless_restless(0.2)
done = threading.Event()
other = threading.Thread(target=done.wait)
other.start()
while os.sched_getscheduler(0) != os.SCHED_OTHER:
    pass
print(os.sched_getscheduler(0), os.sched_getscheduler(other.native_id))
done.set()
"""


def test_what_runs_on_and_on_gives_its_precedence_up() -> None:
    done = subprocess.run([sys.executable, "-c", RESTLESS], capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[-2:] == [str(os.SCHED_OTHER)] * 2
    assert ("gives its precedence up" in done.stdout + done.stderr) == may_go_first()
