"""Real time, on machines that are sometimes not there.

A virtual machine whose host takes its processors away proves nothing about a call that was going on
in that moment: packets come late, words are torn, limits run out. So a test of real time that failed
WHILE the machine was seen to be held up is run again (`tests/conftest.py`); a failure on a machine
that was there stands at once, and so does one of `no_second_try` on any machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

STEP_S = 0.01
LAG_S = 0.06
"""A sleeper that wakes so much later than it asked for was held up: three packets' time."""

STOLEN = 0.02
"""So large a share of the time that the host took from us is a hold-up as well."""


class Fallen(AssertionError):
    """A process died, or a call or a committed answer was lost: a late machine is no excuse for that."""


@contextmanager
def no_second_try() -> Iterator[None]:
    """What is asserted within fails for good: raises Fallen for whatever goes wrong."""
    try:
        yield
    except Exception as error:
        raise Fallen(f"{type(error).__name__}: {error}") from error


def stolen_s() -> float:
    """Processor time that the host took from this machine since it started, all processors together:
    the 8th figure of /proc/stat's first line (proc(5)), in hundredths of a second."""
    return int(Path("/proc/stat").read_text().split()[8]) / 100


class Watch:
    """Was the machine held up since this was made."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, stolen: Callable[[], float] = stolen_s
    ) -> None:
        self._clock, self._stolen = clock, stolen
        self._began, self._stolen_before = clock(), stolen()
        self._worst = 0.0
        self._over = threading.Event()
        self._sleeper = threading.Thread(target=self._run, daemon=True)
        self._sleeper.start()

    def close(self) -> None:
        self._over.set()
        self._sleeper.join()

    def _run(self) -> None:
        before = self._clock()
        while not self._over.wait(STEP_S):
            now = self._clock()
            self._worst = max(self._worst, now - before - STEP_S)
            before = now

    @property
    def _taken_s(self) -> float:
        return self._stolen() - self._stolen_before

    @property
    def held_up(self) -> bool:
        return self._worst > LAG_S or self._taken_s > STOLEN * (self._clock() - self._began)

    def __str__(self) -> str:
        return f"woke {self._worst:.2f} s late, the host took {self._taken_s:.2f} s"
