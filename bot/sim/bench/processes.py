"""What the processes of a node and its callers take of this machine (Linux: proc(5)).

A process that has ended keeps what it was last seen with, so whoever looks often enough counts the
telephones of calls that are over.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One look at one process. `rss_mb` counts what it shares with others as well."""

    pid: int
    parent: int
    cpu_s: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Machine:
    """Seconds of all processors since the start, and of those the ones in which they worked for somebody
    whom real-time calls would have to wait for; memory that is to be had, and all there is."""

    all_s: float
    busy_s: float
    free_mb: float
    total_mb: float


def look(pid: int) -> Process | None:
    """None for a process that is gone."""
    return _look(_PROC / str(pid))


def look_main_thread(pid: int) -> Process | None:
    """The same, but with the time of its first thread alone: in it runs the event loop of ours. None for a
    process that is gone."""
    return _look(_PROC / str(pid) / "task" / str(pid))


def _look(folder: Path) -> Process | None:
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The fields behind the name: the 3rd of proc(5) is the first one here.
    return Process(
        pid=int(folder.name),
        parent=int(fields[1]),
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
        rss_mb=int(fields[21]) * _PAGE_MB,
    )


def machine() -> Machine:
    with (_PROC / "stat").open() as file:
        figures = [int(figure) / _TICKS for figure in file.readline().split()[1:9]]
    memory = dict(line.split(":") for line in (_PROC / "meminfo").read_text().splitlines())
    spare_s = figures[1] + figures[3] + figures[4]  # low priority, idle, waiting for a disk
    return Machine(
        all_s=sum(figures),
        busy_s=sum(figures) - spare_s,
        free_mb=int(memory["MemAvailable"].split()[0]) / 1024,
        total_mb=int(memory["MemTotal"].split()[0]) / 1024,
    )


def open_files(pid: int) -> int:
    """File descriptors; 0 for a process that is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return sum(1 for _ in (_PROC / str(pid) / "fd").iterdir())
    return 0


def everybody() -> dict[int, Process]:
    """Every process that runs."""
    seen = (look(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdecimal())
    return {process.pid: process for process in seen if process is not None}


def family(root: int, of: dict[int, Process]) -> set[int]:
    """A process and all that it started. Pure."""
    children: dict[int, list[int]] = {}
    for process in of.values():
        children.setdefault(process.parent, []).append(process.pid)
    found, waiting = set[int](), [root]
    while waiting:
        pid = waiting.pop()
        if pid in of and pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


class CpuBook:
    """Core-seconds of processes that come and go, from looks at them."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}
        self._first: dict[int, float] = {}

    def take(self, processes: Iterable[Process], before: Collection[int] = ()) -> None:
        """`before` are those that ran already when the count began: what they took till then does not count.
        All others began since, and all that they took does."""
        for process in processes:
            if process.pid not in self._first:
                self._first[process.pid] = process.cpu_s if process.pid in before else 0.0
            self._last[process.pid] = process.cpu_s

    def of(self, pid: int) -> float:
        return self._last[pid] - self._first[pid] if pid in self._last else 0.0

    @property
    def total_s(self) -> float:
        return sum(self._last.values()) - sum(self._first.values())
