"""Where a message may go: HTTPS, and no address within the company's network unless that was meant.

A name is looked at where it counts, at every connection: what it stood for when the endpoint was added
may have changed since (DNS rebinding). The address that was looked at is the one that is connected to, and
the socket asks once more (`public_socket`). Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from urllib.parse import urlsplit

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from bot.core.errors import BadInput
from bot.core.hosts import is_loopback
from bot.words import words

LONGEST = 2000
"""Characters of a URL; RFC 9110, 4.1 asks for 8000 at least of servers, proxies take less."""


class PrivateAddress(OSError):
    """The name stands only for addresses that are not public."""


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA gives to the world of IPv6; what is outside it (site-local, SRv6) is somebody's own."""
_NOBODYS = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")))
"""For protocols, relays and books (RFC 6890, 7526, 9637): no company answers there."""

_NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")


def is_public(address: str) -> bool:
    """Neither private, loopback, link-local, shared, multicast nor reserved; of an IPv4 address within
    IPv6 (mapped, 6to4, NAT64) the inner one counts. What is no address at all is not public either."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is None and ip not in _UNICAST:
            return False
        ip = inner or ip
    return ip.is_global and not ip.is_multicast and not any(ip in each for each in _NOBODYS)


def _literal(host: str) -> str | None:
    """The host as an address, where it is one."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _is_odd_number(host: str) -> bool:
    """A host that only a C library takes for an address (`2130706433`, `0x7f.1`, `①②⑦.0.0.1`): its last part
    is a number (WHATWG URL, 3.5). No resolver of ours would be asked for it."""
    return _literal(host) is None and _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def _plain(host: str) -> str:
    """As it will be connected to: letters of other widths are the same ones, and a last dot says nothing."""
    return unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()


def checked(url: str, *, private: bool) -> str:
    """The URL as it is kept. Raises BadInput for one that messages may not go to."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = _plain(parts.hostname or ""), parts.port
    except ValueError:
        host = ""
    sensible = url.isprintable() and len(url) <= LONGEST
    if not host or not sensible or parts.scheme not in ("http", "https"):
        raise BadInput(
            words(f"«{url}» не адрес для сообщений", f"«{url}» is no address for messages"),
            hint=words("нужен вида https://crm.example.ru/hook", "such as https://crm.example.ru/hook"),
        )
    if _is_odd_number(host):
        raise BadInput(
            words(f"«{host}» пишут как адрес, а это не он", f"«{host}» is written as an address and is none"),
            hint=words("нужно имя или четыре числа: 203.0.113.7", "a name, or four numbers: 203.0.113.7"),
        )
    if parts.username or parts.password or parts.fragment:
        raise BadInput(
            words("в адресе не должно быть пароля и #", "no password and no # in the address"),
            hint=words("подлинность доказывает подпись", "the signature proves who sends"),
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise BadInput(
            words(f"{host}: нужен https", f"{host}: https is needed"),
            hint=words(
                "без TLS можно только на эту же машину (127.0.0.1)", "without TLS only to this very machine"
            ),
        )
    literal = _literal(host)
    inside = is_loopback(host) if literal is None else not is_public(literal)
    if inside and not private:
        raise BadInput(
            words(f"{host} стоит во внутренней сети", f"{host} is within the private network"),
            hint=words("если так и надо, добавьте --private", "if that is meant, add --private"),
        )
    return url


def public_socket(found: AddrInfoType) -> socket.socket:
    """The socket of a connection, the last to be asked: an address in the place of a name never comes to the
    resolver. Raises PrivateAddress."""
    family, kind, protocol, _, address = found
    if not is_public(str(address[0])):
        raise PrivateAddress(None, f"{address[0]}: within a private network")
    return socket.socket(family, kind, protocol)


class PublicResolver(AbstractResolver):
    """Gives only public addresses of a name."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises PrivateAddress where none is left, OSError where there is no such name."""
        found = await self._inner.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if found and not public:
            raise PrivateAddress(None, f"{host}: only addresses within a private network")
        return public

    async def close(self) -> None:
        await self._inner.close()
