"""RTP longer than any phone sends: without a cure one datagram of it overwrites the stack's heap.

The stack decodes into room for 5760 samples, libre takes datagrams of up to 8192 bytes, and the decoder of
G.722, which makes two samples of each byte, is the one codec that does not ask whether they fit: up to 21 kB
are written behind the end, and the process dies of it some time later. Any call can be hit that was offered
G.722, whatever it settled on: a packet's payload type alone changes the decoder.

The cure lets the system cut such a datagram: the stack's own calls for that (baresip's `bevent_register`,
libre's `udp_rxsz_set`) are no part of its binding. A call is told of by an event in the stack's thread, in
which all RTP is read too, so its socket is limited before anything can be read from it.
"""

from __future__ import annotations

import ctypes
import os

from bot.core.errors import RuntimeDied
from telephony.siplib import AT_ONCE, STACK, stack_held

MOST = 2048
"""Bytes of a datagram that are read: more than an Ethernet frame holds, and as G.722 4072 samples."""

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
"""`bevent_h` of baresip: kind of event, event, argument."""


STACK.bevent_register.argtypes = [_Handler, ctypes.c_void_p]
for _name in ("bevent_get_call", "call_audio", "audio_strm", "stream_rtp_sock", "rtp_sock"):
    getattr(AT_ONCE, _name).argtypes = [ctypes.c_void_p]
    getattr(AT_ONCE, _name).restype = ctypes.c_void_p
AT_ONCE.udp_rxsz_set.argtypes, AT_ONCE.udp_rxsz_set.restype = [ctypes.c_void_p, ctypes.c_size_t], None


def _limit(_kind: int, event: int, _argument: int | None) -> None:
    """STACK THREAD. Each function of the stack answers NULL with NULL: an event may be of no call."""
    stream = AT_ONCE.audio_strm(AT_ONCE.call_audio(AT_ONCE.bevent_get_call(event)))
    AT_ONCE.udp_rxsz_set(AT_ONCE.rtp_sock(AT_ONCE.stream_rtp_sock(stream)), MOST)


_HANDLER = _Handler(_limit)
"""The stack keeps its address for good."""


def limit_rtp() -> None:
    """From now on, for every call of the stack, which must be running. Raises RuntimeDied."""
    with stack_held():
        code = STACK.bevent_register(_HANDLER, None)
    if code:
        raise RuntimeDied(f"the SIP stack takes no handler of its events: {os.strerror(code)}")
