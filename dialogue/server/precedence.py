"""Rasa goes before other programs where the lines' sound does (bot/core/realtime.py, which this environment
cannot import): the calls' own threads would leave it no time for the answer that a caller waits for."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

DIALOGUE = 1
"""Real-time priority: below that of the lines, and of the threads that decode for them."""

RESTLESS_S = 2


def go_first() -> None:
    """All threads that there are, and those that they start. Where the system does not allow it, nothing.
    From the first one on that runs for so long without a rest, all are ordinary ones again."""
    try:
        _all_become(os.SCHED_RR, DIALOGUE)
    except OSError:
        return  # the worker has it in the log, and doctor tells of it
    signal.signal(signal.SIGXCPU, lambda *_: _all_become(os.SCHED_OTHER, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    resource.setrlimit(resource.RLIMIT_RTTIME, (RESTLESS_S * 1_000_000, hard))


def _all_become(policy: int, priority: int) -> None:
    for thread in Path("/proc/self/task").iterdir():
        try:
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))
        except ProcessLookupError:
            continue  # it has ended meanwhile
