"""Who may call in: this machine itself, the trunks, and the networks that are named.

The stack has no hook before it rings, and cannot challenge an INVITE: the doorman is asked about a call that
rings already, by the address that its INVITE came from. A firewall or the edge keeps such calls away from
the stack altogether; this is what holds where neither is there.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Iterable

import structlog

log = structlog.get_logger()

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str], Awaitable[tuple[Address, ...]]]

KEPT_S = 60.0
"""How long the addresses of a trunk's name are believed: a provider moves, and says so in the DNS."""


async def resolved(host: str) -> tuple[Address, ...]:
    """All addresses of a name, or the address itself. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return tuple(dict.fromkeys(_address(str(sockaddr[0])) for *_, sockaddr in found))


def _address(text: str) -> Address:
    """Raises ValueError. An IPv4 address in IPv6's clothes is the IPv4 address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def host_of(where: str) -> str:
    """The host in `host`, `host:port`, `[v6]:port` or a sip: URI with parameters; "" where there is none."""
    bare = where.strip().strip("<>")
    if bare.lower().startswith(("sip:", "sips:")):
        bare = bare.partition(":")[2].rpartition("@")[2]
    bare = bare.partition(";")[0]
    if bare.startswith("["):
        return bare[1:].partition("]")[0]
    return bare.partition(":")[0] if bare.count(":") == 1 else bare


def hosts_of(wheres: Iterable[str]) -> tuple[str, ...]:
    """The host of each that has one, each host once."""
    return tuple(dict.fromkeys(filter(None, map(host_of, wheres))))


class Doorman:
    """Raises ValueError on construction for what is no network."""

    def __init__(
        self,
        networks: Iterable[str],
        trunks: Iterable[str],
        *,
        resolve: Resolve = resolved,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(each) for each in networks)
        self._trunks = hosts_of(trunks)
        self._resolve = resolve
        self._now = now
        self._known: dict[str, tuple[float, tuple[Address, ...]]] = {}

    async def admits(self, source: str) -> bool:
        """Whether a call from this address is taken. An address that nobody knows is nobody's."""
        try:
            address = _address(source)
        except ValueError:
            return False
        if address.is_loopback or any(address in network for network in self._networks):
            return True
        for host in self._trunks:
            if address in await self._addresses(host):
                return True
        return False

    async def _addresses(self, host: str) -> tuple[Address, ...]:
        asked, known = self._known.get(host, (float("-inf"), ()))
        if self._now() - asked < KEPT_S:
            return known
        try:
            known = await self._resolve(host)
        except OSError as error:  # what was known holds: a trunk does not vanish with a name server
            log.warning("trunk's name not resolved", host=host, reason=error.strerror or str(error))
        self._known[host] = (self._now(), known)
        return known
