"""How punctual the system wakes the threads that a library starts (Linux: prctl(2), PR_SET_TIMERSLACK)."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SET_SLACK, _GET_SLACK = 29, 30


@contextmanager
def lenient(slack_s: float) -> Iterator[None]:
    """A thread that is started meanwhile, and those that it starts, may be woken so much later than they
    asked for: the system then wakes many of them at once. The calling thread is as punctual as before
    behind it. Does nothing where the system knows no such thing."""
    before_ns = _slack_ns()
    if before_ns is None:
        yield
        return
    _prctl(_SET_SLACK, round(slack_s * 1e9))
    try:
        yield
    finally:
        _prctl(_SET_SLACK, before_ns)


def _slack_ns() -> int | None:
    """Of this thread; None where the system does not say."""
    if sys.platform != "linux":
        return None
    told = _prctl(_GET_SLACK, 0)
    return told if told >= 0 else None


def _prctl(what: int, value: int) -> int:
    call = ctypes.CDLL(None).prctl
    call.argtypes, call.restype = [ctypes.c_int, *[ctypes.c_ulong] * 4], ctypes.c_int
    return int(call(what, value, 0, 0, 0))
