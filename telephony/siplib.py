"""The SIP stack's library itself, for functions of baresip and libre that the binding does not hand on.

They are those of the version that is pinned. Whoever calls one tells its types (`argtypes`, `restype`) first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import baresip._native

STACK = ctypes.CDLL(baresip._native.__file__)

AT_ONCE = ctypes.PyDLL(baresip._native.__file__)
"""For functions that return at once: to let go of the GIL for each would only make the stack wait for it."""


@contextmanager
def stack_held() -> Iterator[None]:
    """Under the stack's own lock: its thread waits meanwhile."""
    STACK.re_thread_enter()
    try:
        yield
    finally:
        STACK.re_thread_leave()
