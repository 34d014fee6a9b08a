"""One try: a message is signed and posted, and what became of it is told; nothing is raised for it.

The signature is that of Standard Webhooks: HMAC-SHA-256 over `webhook-id.webhook-timestamp.body`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Self

import aiohttp
from standardwebhooks.webhooks import Webhook

from bot.core.clock import Clock
from bot.core.errors import BadInput
from bot.delivery.addresses import PrivateAddress, PublicResolver, checked, public_socket
from bot.delivery.endpoints import Endpoint
from bot.delivery.queue import HEAD, Tried

READ = 4 * HEAD
"""Bytes of an answer that are read: a letter has up to four in UTF-8."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for the connection with its TLS, and for the whole try."""

    connect_s: float = 5.0
    whole_s: float = 15.0


class Postman:
    """`async with Postman(clock) as postman: await postman.post(endpoint, message_id, body)`."""

    def __init__(self, clock: Clock, limits: Limits | None = None) -> None:
        self._clock = clock
        self.limits = limits or Limits()

    async def __aenter__(self) -> Self:
        self._public = self._session(
            aiohttp.TCPConnector(resolver=PublicResolver(), socket_factory=public_socket)
        )
        self._private = self._session(aiohttp.TCPConnector())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._public.close()
        await self._private.close()

    def _session(self, connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
        limits = self.limits
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=limits.whole_s, connect=limits.connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Nothing is unpacked: a few kilobytes of an answer may hold gigabytes.
            auto_decompress=False,
            headers={
                "User-Agent": f"otklik/{version('otklik')}",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    async def post(self, endpoint: Endpoint, message_id: str, body: str) -> Tried:
        """Redirects are not followed: they count as an answer that is no yes."""
        began = self._clock.monotonic()

        def tried(status: int | None = None, **fields: str | float | None) -> Tried:
            return Tried(self._clock.monotonic() - began, status, **fields)  # type: ignore[arg-type]

        session = self._private if endpoint.private else self._public
        try:
            url = checked(endpoint.url, private=endpoint.private)
            headers = signed(endpoint, message_id, body, self._clock.now())
            async with session.post(
                url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                head = (await answer.content.read(READ)).decode(errors="replace")
                wait_s = retry_after_s(answer.headers.get("Retry-After", ""), self._clock.now)
                return tried(answer.status, body_head=head[:HEAD], retry_after_s=wait_s)
        except BadInput as error:
            return tried(error=f"address: {error.message}")
        except TimeoutError:
            return tried(error="timeout")
        except aiohttp.ClientConnectorCertificateError as error:
            return tried(error=f"certificate: {error.certificate_error}")
        except aiohttp.ClientConnectorError as error:
            return tried(error=_connection(error))
        except (aiohttp.ClientError, ssl.SSLError, ConnectionError, ValueError) as error:
            # ValueError: an answer that is no HTTP, or a URL that aiohttp cannot take.
            return tried(error=f"{type(error).__name__}: {error}")


def signed(endpoint: Endpoint, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    moment = now.astimezone(UTC).replace(microsecond=0)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(endpoint.secret.get_secret_value()).sign(message_id, moment, body),
    }


def retry_after_s(written: str, now: Callable[[], datetime]) -> float | None:
    """Seconds of a `Retry-After` (RFC 9110, 10.2.3: a number, or a date); None where it says nothing."""
    if written.strip().isdecimal():
        return float(written)
    try:
        moment = parsedate_to_datetime(written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now()).total_seconds())


def _connection(error: aiohttp.ClientConnectorError) -> str:
    reason = error.os_error
    if isinstance(reason, PrivateAddress):
        return "address: the name stands for an address within a private network (--private allows it)"
    if isinstance(reason, asyncio.TimeoutError):
        return "timeout"
    return f"connection: {reason.strerror or reason}"
