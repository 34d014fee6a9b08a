"""The lines' sound goes before everything else on the machine, where the system lets it (sched(7)).

A thread of the ordinary class waits for its turn among all others. Beside 20 calls, with a fifth of the
processors' time free, one that wanted to wake every 20 ms overslept by up to 227 ms, and one of the real-time
class never by 60 (both at once, beside other work). In a call-second the worker's own thread waited for a
processor for 9 ms, and 0.1 ms in that class; of a thousand packets 1.4 and 0.7 were late, and 0.09 (runs in
turn). Nobody is starved: a line asks for a millisecond in twenty, and the kernel keeps 5 % of each second for
the others (`sched_rt_runtime_us`). A thread that runs on and on gives its precedence up (`unless_restless`).
"""

from __future__ import annotations

import os
import resource
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

LINES = 3
"""Real-time priority of the threads that carry sound."""
HELPERS = 2
"""Of those that decode and write for them: below the lines, but before everything else. They hold the
interpreter's lock at times, and a line that waits for it would wait for whatever keeps its holder waiting."""
DIALOGUE = 1
"""Of other processes whose work a caller waits for, and of simulated callers. As equals of the helpers they
would keep a holder waiting: forty telephones for the time of forty packets, and one that computes for a tenth
of a second, which is what the kernel gives a thread before its equals (`sched_rr_timeslice_ms`)."""

RESTLESS_S = 2.0
"""The longest that a thread of that class may run without waiting for anything."""


def lines_first() -> bool:
    """This thread, and those that it starts from now on, carry the lines' sound. False, with a line in the
    log, where the system does not allow it: it takes root, CAP_SYS_NICE or a limit of real-time priority
    (RLIMIT_RTPRIO) of at least LINES."""
    refused = _refused(LINES)
    if refused:
        log.warning("sound has no precedence over other programs", reason=refused)
    return not refused


def behind_the_helpers() -> bool:
    """The same of another process, whose work a caller waits for; False where it may not."""
    return not _refused(DIALOGUE)


def _refused(priority: int) -> str:
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
    except (AttributeError, OSError) as error:
        return str(error)
    return ""


def behind_the_lines() -> None:
    """For the start of a thread that works for the lines. Where they have no precedence, nothing."""
    if hasattr(os, "SCHED_RR") and os.sched_getscheduler(0) == os.SCHED_RR:
        os.sched_setparam(0, os.sched_param(HELPERS))


def others_behind_the_lines() -> None:
    """The threads of this process that were there before, for a thread that carries lines: they loaded what
    the lines need, and work on for them. One that was left in the ordinary class got no processor for 0.1 s
    and more while it held the lock inside the interpreter's lock, and every line of the worker stood still
    for as long (seen with 40 calls: the spool's thread, and one of those that read files)."""
    _all_become(os.SCHED_RR, HELPERS, apart=threading.get_native_id())


def unless_restless(most_s: float = RESTLESS_S) -> None:
    """All threads of this process go back among the others when one of them runs for so long without a rest:
    a fault, or a machine that is too small, must not stop everything else there (setrlimit(2),
    RLIMIT_RTTIME). For the main thread."""
    _, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    signal.signal(signal.SIGXCPU, _step_back)
    resource.setrlimit(resource.RLIMIT_RTTIME, (round(most_s * 1e6), hard))


def _step_back(*_: object) -> None:
    _all_become(os.SCHED_OTHER, 0)
    log.error("sound gives its precedence up: a thread did not rest")


def _all_become(policy: int, priority: int, *, apart: int | None = None) -> None:
    """All threads of this process but that of id `apart`."""
    for thread in Path("/proc/self/task").iterdir():
        if (number := int(thread.name)) == apart:
            continue
        try:
            os.sched_setscheduler(number, policy, os.sched_param(priority))
        except ProcessLookupError:
            continue  # it has ended meanwhile


def may_go_first() -> bool:
    """Whether this user's processes may give their lines precedence: tried in a thread that ends with it."""
    with ThreadPoolExecutor(1) as trial:
        return trial.submit(lines_first).result()
