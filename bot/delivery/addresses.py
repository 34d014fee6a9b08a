"""Where a message may go: HTTPS, and no address within the company's network unless that was meant.

A name is looked at where it counts, at every connection: what it stood for when the endpoint was added
may have changed since (DNS rebinding). Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from bot.core.errors import BadInput
from bot.words import words

LONGEST = 2000
"""Characters of a URL; RFC 9110, 4.1 asks for 8000 at least of servers, proxies take less."""


class PrivateAddress(OSError):
    """The name stands only for addresses that are not public."""


def is_public(address: str) -> bool:
    """Neither private, loopback, link-local, shared, multicast nor reserved; of an IPv4 address within
    IPv6 the inner one counts."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast


def _literal(host: str) -> str | None:
    """The host as an address, where it is one. Numbers that only a C library takes for one (`2130706433`,
    `0x7f.1`) are addresses as well: they are resolved, and then looked at."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return host.lower() == "localhost" or (literal is not None and ipaddress.ip_address(literal).is_loopback)


def checked(url: str, *, private: bool) -> str:
    """The URL as it is kept. Raises BadInput for one that messages may not go to."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or len(url) > LONGEST or parts.scheme not in ("http", "https"):
        raise BadInput(
            words(f"«{url}» не адрес для сообщений", f"«{url}» is no address for messages"),
            hint=words("нужен вида https://crm.example.ru/hook", "such as https://crm.example.ru/hook"),
        )
    if parts.username or parts.password or parts.fragment:
        raise BadInput(
            words("в адресе не должно быть пароля и #", "no password and no # in the address"),
            hint=words("подлинность доказывает подпись", "the signature proves who sends"),
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise BadInput(
            words(f"{host}: нужен https", f"{host}: https is needed"),
            hint=words(
                "без TLS можно только на эту же машину (127.0.0.1)", "without TLS only to this very machine"
            ),
        )
    literal = _literal(host)
    inside = _is_loopback(host) if literal is None else not is_public(literal)
    if inside and not private:
        raise BadInput(
            words(f"{host} стоит во внутренней сети", f"{host} is within the private network"),
            hint=words("если так и надо, добавьте --private", "if that is meant, add --private"),
        )
    return url


class PublicResolver(AbstractResolver):
    """Gives only public addresses of a name. An address in the place of a name never comes here:
    `checked` has seen it."""

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
