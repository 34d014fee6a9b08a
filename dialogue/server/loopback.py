"""Keeps a process of Rasa on loopback and by itself: what reaches for another machine, and what would start
another process, gets PermissionError.

Python tells its audit hooks of every socket's address and of every child (PEP 578) before it acts. uvloop,
which Sanic serves with, looks names up, connects and forks in C and tells nobody, so its loop asks here
first; three packages that open connections of their own in C or Rust are not to be imported. This keeps
in what packages do as they were written: telemetry, downloads, look-ups of names. It is no wall against
native code that makes system calls itself: that is the firewall's.
Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

import _posixsubprocess
import errno
import ipaddress
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import uvloop

CONNECT_BY_THEMSELVES = frozenset(("confluent_kafka", "hf_xet", "psycopg2"))
"""Packages whose connections no audit hook hears of. Rasa imports them for brokers, stores and hubs that
nobody here has."""


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
    sys.addaudithook(_ask)
    _posixsubprocess.fork_exec = _refuse_child  # multiprocessing and loky call it without an event
    uvloop.Loop = KeptIn  # what `uvloop.new_event_loop` and its policy make


def _ask(event: str, arguments: tuple[Any, ...]) -> None:
    question = _QUESTIONS.get(event)
    if question is not None:
        question(*arguments)


def _address(_: object, address: Any) -> None:
    """Of a socket. A path is a socket of this machine, None a datagram to whom it was connected before."""
    if isinstance(address, tuple) and address:
        _only_loopback(address[0])


def _name(host: object, *_: object) -> None:
    """To be looked up; None or "" is an address of this machine."""
    if host:
        _only_loopback(host)


def _only_loopback(host: object) -> None:
    if not is_loopback(host):
        # Of a network's refusal whoever runs the node should know; many callers swallow it.
        words = f"Rasa is kept on loopback: {host!r} is refused"
        logging.getLogger(__name__).warning(words)
        raise PermissionError(errno.EACCES, words)


def _refuse_child(*_: object, **__: object) -> NoReturn:
    """It would be free of all this. Rasa itself asks `git` of a project's origin, and does without."""
    raise PermissionError(errno.EACCES, "Rasa is kept by itself: another process is refused")


def _imported(name: str, *_: object) -> None:
    if name.partition(".")[0] in CONNECT_BY_THEMSELVES:
        raise ImportError(f"Rasa is kept on loopback: {name} connects by itself", name=name)


_QUESTIONS: dict[str, Callable[..., None]] = {
    **dict.fromkeys(("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"), _address),
    **dict.fromkeys(("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"), _name),
    "socket.getnameinfo": lambda address: _only_loopback(address[0]),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"), _refuse_child),
    **dict.fromkeys(("os.fork", "os.forkpty"), _refuse_child),
    "import": _imported,
}
"""By the names of Python's audit events (docs.python.org/3.10/library/audit_events), with their arguments."""


class KeptIn(uvloop.Loop):
    """uvloop's loop for those who name hosts of loopback alone, or bring a socket, of which Python told."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        _name(host)
        return await super().getaddrinfo(host, port, **options)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        _only_loopback(sockaddr[0])
        return await super().getnameinfo(sockaddr, flags)

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if options.get("sock") is None:
            _only_loopback(host)
        if local := options.get("local_addr"):
            _only_loopback(local[0])
        return await super().create_connection(protocol_factory, host, port, **options)

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if options.get("sock") is None:
            # None, "" and an empty list are all addresses of this machine: no loopback.
            several = isinstance(host, Iterable) and not isinstance(host, (str, bytes))
            host = list(host) if several else [host]
            for each in host or [None]:
                _only_loopback(each)
        return await super().create_server(protocol_factory, host, port, **options)

    async def create_datagram_endpoint(self, *_: Any, **__: Any) -> NoReturn:
        """Its transport's `sendto` goes to any address, in C. Nothing in Rasa sends datagrams."""
        raise PermissionError(errno.EACCES, "Rasa is kept on loopback: a datagram endpoint is refused")

    async def subprocess_exec(self, *_: Any, **__: Any) -> NoReturn:
        _refuse_child()

    async def subprocess_shell(self, *_: Any, **__: Any) -> NoReturn:
        _refuse_child()
