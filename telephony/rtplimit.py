"""RTP longer than any phone sends: without a cure one datagram of it overwrites the stack's heap.

The stack decodes into room for 5760 samples, libre takes datagrams of up to 8192 bytes, and the decoder of
G.722, which makes two samples of each byte, is the one codec that does not ask whether they fit: up to 21 kB
are written behind the end, and the process dies of it some time later. Any call can be hit that was offered
G.722, whatever it settled on: a packet's payload type alone changes the decoder.

The cure lets the system cut such a datagram: the stack's own calls for that (baresip's `bevent_register`,
libre's `udp_rxsz_set`) are no part of its binding, but of the same library; the functions are those of the
version that is pinned. A call is told of by an event in the stack's thread, in which all RTP is read too, so
its socket is limited before anything can be read from it.
"""

from __future__ import annotations

import ctypes
import os

import baresip._native

from bot.core.errors import RuntimeDied

MOST = 2048
"""Bytes of a datagram that are read: more than an Ethernet frame holds, and as G.722 4072 samples."""

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
"""`bevent_h` of baresip: kind of event, event, argument."""


def _getters() -> ctypes.PyDLL:
    # They return at once: to let go of the GIL for each would only make the stack wait to have it back.
    stack = ctypes.PyDLL(baresip._native.__file__)
    for name in ("bevent_get_call", "call_audio", "audio_strm", "stream_rtp_sock", "rtp_sock"):
        getattr(stack, name).argtypes = [ctypes.c_void_p]
        getattr(stack, name).restype = ctypes.c_void_p
    stack.udp_rxsz_set.argtypes, stack.udp_rxsz_set.restype = [ctypes.c_void_p, ctypes.c_size_t], None
    return stack


_STACK = _getters()


def _limit(_kind: int, event: int, _argument: int | None) -> None:
    """STACK THREAD. Each function of the stack answers NULL with NULL: an event may be of no call."""
    stream = _STACK.audio_strm(_STACK.call_audio(_STACK.bevent_get_call(event)))
    _STACK.udp_rxsz_set(_STACK.rtp_sock(_STACK.stream_rtp_sock(stream)), MOST)


_HANDLER = _Handler(_limit)
"""The stack keeps its address for good."""


def limit_rtp() -> None:
    """From now on, for every call of the stack, which must be running. Raises RuntimeDied."""
    stack = ctypes.CDLL(baresip._native.__file__)
    stack.bevent_register.argtypes = [_Handler, ctypes.c_void_p]
    stack.re_thread_enter()
    try:
        code = stack.bevent_register(_HANDLER, None)
    finally:
        stack.re_thread_leave()
    if code:
        raise RuntimeDied(f"the SIP stack takes no handler of its events: {os.strerror(code)}")
