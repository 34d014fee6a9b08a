"""SIP over one UDP socket: retransmission, matching, absorbing duplicates (RFC 3261, 17 and 18)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from bot.core.errors import BadInput, PortInUse
from bot.sim.sip_address import Via
from bot.sim.sip_message import Headers, Request, Response, parse

log = structlog.get_logger()

T1 = 0.5
"""Round-trip estimate in seconds; everything is given up after 64 times this (RFC 3261, 17.1.1.1)."""

T2_FACTOR = 8
"""The longest interval between retransmissions, in T1."""

Address = tuple[str, int]
_Key = tuple[str, str]


@dataclass(slots=True)
class _Client:
    request: Request
    destination: Address
    final: asyncio.Future[Response | None]
    on_provisional: Callable[[Response], None]
    provisional: bool = False
    ack: bytes = b""


@dataclass(slots=True)
class _Server:
    destination: Address
    last: bytes = b""
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)


class Transactions(asyncio.DatagramProtocol):
    """Hands every new request to `on_request`, answers its repetitions, and repeats what is lost.

    An ACK is handed on too (it may carry an answer). `on_unacknowledged` hears of a 2xx to an INVITE
    that nobody confirmed.
    """

    def __init__(
        self,
        on_request: Callable[[Request], None],
        on_unacknowledged: Callable[[Request], None],
        *,
        t1: float = T1,
    ) -> None:
        self.local: Address = ("", 0)
        self.gone = False
        """Nothing is sent or taken any more, as by a phone that is switched off."""
        self._on_request = on_request
        self._on_unacknowledged = on_unacknowledged
        self._t1 = t1
        self._clients: dict[_Key, _Client] = {}
        self._servers: dict[_Key, _Server] = {}
        self._unacknowledged: dict[tuple[str, int], _Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, host: str, port: int) -> None:
        """Raises PortInUse."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        except OSError as error:
            raise PortInUse(f"cannot listen on {host}:{port} for SIP: {error}") from error
        self._transport = transport
        self.local = transport.get_extra_info("sockname")[:2]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for client in self._clients.values():
            if not client.final.done():
                client.final.set_result(None)
        if self._transport is not None:
            self._transport.close()

    # Client side ------------------------------------------------------------------------------

    async def request(
        self,
        request: Request,
        destination: Address,
        on_provisional: Callable[[Response], None] = lambda response: None,
    ) -> Response | None:
        """The final response, or None where none came in 64 T1. A failed INVITE is acknowledged here."""
        loop = asyncio.get_running_loop()
        key = (request.via.branch, request.method)
        client = _Client(request, destination, loop.create_future(), on_provisional)
        self._clients[key] = client
        repeating = asyncio.create_task(self._repeat_request(client))
        try:
            return await client.final
        finally:
            repeating.cancel()
            loop.call_later(64 * self._t1, self._clients.pop, key, None)

    def acknowledge(self, invite: Request, ack: Request, destination: Address) -> None:
        """Confirm a 2xx, and again whenever it is repeated."""
        client = self._clients.get((invite.via.branch, "INVITE"))
        if client is not None:
            client.ack, client.destination = ack.to_bytes(), destination
        self._send(ack.to_bytes(), destination)

    async def _repeat_request(self, client: _Client) -> None:
        data, interval, waited = client.request.to_bytes(), self._t1, 0.0
        invite = client.request.method == "INVITE"
        while waited < 64 * self._t1:
            if not (invite and client.provisional):
                self._send(data, client.destination)
            await asyncio.sleep(interval)
            waited += 0 if invite and client.provisional else interval
            longest = T2_FACTOR * self._t1
            interval = interval * 2 if invite else min(interval * 2, longest)
            if client.provisional:
                interval = longest
        if not client.final.done():
            client.final.set_result(None)

    def _take_response(self, response: Response) -> None:
        client = self._clients.get((response.via.branch, response.cseq[1]))
        if client is None:
            log.debug("sip response without a request", status=response.status)
        elif response.status < 200:
            client.provisional = True
            if not client.final.done():
                client.on_provisional(response)
        else:
            if client.request.method == "INVITE" and response.status >= 300 and not client.ack:
                client.ack = _ack_of_failure(client.request, response).to_bytes()
            if client.ack:
                self._send(client.ack, client.destination)
            if not client.final.done():
                client.final.set_result(response)

    # Server side ------------------------------------------------------------------------------

    def respond(self, request: Request, response: Response) -> None:
        """Answer a request that came in; a final answer to an INVITE is repeated until its ACK."""
        server = self._servers.get(_key(request))
        if server is None:
            return
        server.last = response.to_bytes()
        self._send(server.last, server.destination)
        if request.method == "INVITE" and response.status >= 200:
            self._unacknowledged[(request.call_id, request.cseq[0])] = server
            task = asyncio.create_task(self._repeat_response(request, response.status, server))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _repeat_response(self, request: Request, status: int, server: _Server) -> None:
        interval, waited = self._t1, 0.0
        while waited < 64 * self._t1:
            try:
                async with asyncio.timeout(interval):
                    await server.acknowledged.wait()
                return
            except TimeoutError:
                self._send(server.last, server.destination)
            waited += interval
            interval = min(interval * 2, T2_FACTOR * self._t1)
        if status < 300:
            self._on_unacknowledged(request)

    def _take_request(self, request: Request, source: Address) -> None:
        if request.method == "ACK":
            server = self._unacknowledged.get((request.call_id, request.cseq[0]))
            if server is not None and not server.acknowledged.is_set():
                server.acknowledged.set()
                self._on_request(request)
            return
        known = self._servers.get(_key(request))
        if known is not None:
            if known.last:
                self._send(known.last, known.destination)
            return
        via = request.via
        port = source[1] if "rport" in via.params else via.port or 5060
        server = self._servers[_key(request)] = _Server((source[0], port))
        loop = asyncio.get_running_loop()
        loop.call_later(
            128 * self._t1, self._forget, _key(request), (request.call_id, request.cseq[0]), server
        )
        self._on_request(_with_source(request, via, source))

    def _forget(self, key: _Key, pending: tuple[str, int], server: _Server) -> None:
        self._servers.pop(key, None)
        if self._unacknowledged.get(pending) is server:
            del self._unacknowledged[pending]

    # The socket -------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self.gone or not data.strip(b"\r\n\0 "):
            return  # the second is keep-alive
        try:
            message = parse(data)
            if isinstance(message, Response):
                self._take_response(message)
            else:
                self._take_request(message, addr[:2])
        except BadInput as error:
            log.warning("broken sip message dropped", reason=error.message, source=addr)

    def error_received(self, exc: Exception) -> None:
        log.warning("sip socket error", reason=str(exc))

    def _send(self, data: bytes, destination: Address) -> None:
        if self._transport is not None and not self._transport.is_closing() and not self.gone:
            self._transport.sendto(data, destination)


def _key(request: Request) -> _Key:
    via = request.via
    return f"{via.branch}|{via.host}|{via.port}", request.method


def _with_source(request: Request, via: Via, source: Address) -> Request:
    """The request with its true source in the top Via (RFC 3261, 18.2.1; RFC 3581, 4)."""
    marked = {**via.params}
    if "rport" in marked:
        marked |= {"received": source[0], "rport": str(source[1])}
    elif via.host != source[0]:
        marked["received"] = source[0]
    values = [str(replace(via, params=marked)), *request.headers.all("Via")[1:]]
    return replace(request, headers=request.headers.replacing("Via", *values))


def _ack_of_failure(invite: Request, response: Response) -> Request:
    """The ACK of a final answer that is no 2xx: same branch, same target (RFC 3261, 17.1.1.3)."""
    lines = [("Via", str(invite.via)), ("Max-Forwards", "70")]
    lines += [("Route", value) for value in invite.headers.all("Route")]
    lines += [("From", invite.headers.get("From")), ("To", response.headers.get("To"))]
    lines += [("Call-ID", invite.call_id), ("CSeq", f"{invite.cseq[0]} ACK")]
    return Request(Headers(lines), method="ACK", uri=invite.uri)
