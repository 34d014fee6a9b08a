"""Calls that the stack began and could not make: without a cure each of them would hold a line for ever.

An INVITE without a Contact (RFC 4475 has two) is answered 500, but the stack's binding has taken note of the
call by then, for it tells of its offer. The note keeps the call among the stack's calls though its owner has
dropped it: nothing ends it, it counts against the limit of calls, and as the stack stops it is freed twice.
`max_calls` such packets would make a node answer 486 to everybody.

The cure gives back to such a call the reference that its owner dropped, and then hangs up: it is freed once,
as any other. It reads the stack's own lists under the stack's own lock.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator

from baresip._native import lib
from baresip.runtime import Runtime

from telephony.siplib import STACK, stack_held


class _Element(ctypes.Structure):
    """`struct le` of libre."""


_Element._fields_ = [
    ("prev", ctypes.POINTER(_Element)),
    ("next", ctypes.POINTER(_Element)),
    ("list", ctypes.c_void_p),
    ("data", ctypes.c_void_p),
]


class _List(ctypes.Structure):
    """`struct list` of libre."""

    _fields_ = [
        ("head", ctypes.POINTER(_Element)),
        ("tail", ctypes.POINTER(_Element)),
        ("count", ctypes.c_size_t),
    ]


for _name in ("uag_list", "ua_calls"):
    getattr(STACK, _name).restype = ctypes.POINTER(_List)
for _name in ("ua_calls", "mem_nrefs", "mem_ref"):
    getattr(STACK, _name).argtypes = [ctypes.c_void_p]
STACK.mem_nrefs.restype = ctypes.c_uint32
STACK.mem_ref.restype = ctypes.c_void_p


def _items(found: ctypes._Pointer[_List]) -> Iterator[int]:
    element = found.contents.head
    while element:
        yield element.contents.data
        element = element.contents.next


def _own_again() -> None:
    """Every call that only the binding knows gets its owner's reference back."""
    with stack_held():
        for agent in _items(STACK.uag_list()):
            for call in _items(STACK.ua_calls(agent)):
                if STACK.mem_nrefs(call) == 1:
                    STACK.mem_ref(call)


async def end_unmade(runtime: Runtime, handles: set[int]) -> int:
    """Hang up on calls that were never made; how many there were. A handle that means nothing any more is of
    a call that the stack has ended itself. Raises BaresipError."""
    _own_again()
    answers = [await runtime.cmd(lib.BP_CMD_CALL_HANGUP, args=str(handle)) for handle in handles]
    return sum(event != lib.BP_EV_STALE_HANDLE for event, _ in answers)


async def all_told(runtime: Runtime) -> None:
    """Returns when every event of the stack up to now has been handed on. Raises BaresipError."""
    await runtime.cmd(lib.BP_CMD_PING)


async def counted(runtime: Runtime) -> int:
    """How many calls the stack counts against its limit. Raises BaresipError."""
    _, payload = await runtime.cmd(lib.BP_CMD_CALL_COUNT)
    return int(json.loads(payload)["calls"])
