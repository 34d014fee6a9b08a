"""Keeps a process of Rasa on loopback: what reaches for another machine gets PermissionError.

Python tells its audit hooks of every socket's address (PEP 578) before it acts; uvloop, which Sanic
serves with, connects in C and tells nobody, so its loop is asked at its own door. This keeps in
what packages do as they were written: telemetry, downloads, look-ups of names. It is no wall
against native code that makes system calls itself: that is the firewall's.
Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

import functools
import ipaddress
import sys
from collections.abc import Callable
from typing import Any

import uvloop

_WITH_ADDRESS = frozenset(("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"))
"""Events of (socket, address)."""
_WITH_HOST = frozenset(("socket.getaddrinfo", "socket.gethostbyname"))
"""Events whose first argument is a name to be looked up; None or "" is an address of this machine."""


def is_loopback(host: object) -> bool:
    """Whether it is an address of loopback, or the one name that is looked up without asking anybody."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def stay_on_loopback() -> None:
    """For the rest of this process: an audit hook cannot be taken away again."""
    sys.addaudithook(_refuse_others)
    uvloop.Loop.create_connection = _guarded(uvloop.Loop.create_connection)
    uvloop.Loop.create_datagram_endpoint = _guarded(uvloop.Loop.create_datagram_endpoint)


def _refuse_others(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _WITH_ADDRESS:
        address = arguments[1]
        # A path is a socket of this machine, None a datagram to whom the socket was connected before.
        if isinstance(address, tuple) and address and not is_loopback(address[0]):
            raise _refusal(address[0])
    elif event in _WITH_HOST and arguments[0] and not is_loopback(arguments[0]):
        raise _refusal(arguments[0])


def _guarded(opens: Callable[..., Any]) -> Callable[..., Any]:
    """The loop's method for those who name a host of loopback, or bring a socket of their own."""

    @functools.wraps(opens)
    async def guarded(loop: Any, protocol: Any, *where: Any, **options: Any) -> Any:
        host = where[0] if where else options.get("host", options.get("remote_addr"))
        host = host[0] if isinstance(host, tuple) else host
        if options.get("sock") is None and not is_loopback(host):
            raise _refusal(host)
        return await opens(loop, protocol, *where, **options)

    return guarded


def _refusal(host: object) -> PermissionError:
    return PermissionError(f"Rasa is kept on loopback: {host!r} is refused")
