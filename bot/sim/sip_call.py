"""One call of a simulated phone: a dialog with its media (RFC 3261, 12-15; RFC 3515)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal, Protocol

import structlog

from bot.core.endings import EndCause, EndKind
from bot.core.errors import DialFailed, LegClosed
from bot.sim.rtp import RtpSession
from bot.sim.sdp import Audio
from bot.sim.sip_address import NameAddr, SipUri, Via, new_branch
from bot.sim.sip_cause import cause_of
from bot.sim.sip_message import REASONS, Headers, Request, Response, response_to
from bot.sim.sip_transactions import Address, Transactions

log = structlog.get_logger()

SUPPORTED = "replaces"
"""An INVITE may take the place of a call (RFC 3891)."""

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER, NOTIFY"
USER_AGENT = "otklik-sim"


class Phone(Protocol):
    """What a call needs of the phone it belongs to."""

    @property
    def transactions(self) -> Transactions: ...

    @property
    def contact(self) -> SipUri: ...

    @property
    def codecs(self) -> tuple[str, ...]: ...

    def send(self, request: Request, destination: Address) -> None: ...


class SipCall:
    """`ended` resolves once with the cause; `rtp` is lent by the caller and never closed here."""

    def __init__(
        self,
        phone: Phone,
        *,
        direction: Literal["inbound", "outbound"],
        id: str,
        local: NameAddr,
        remote: NameAddr,
        target: str,
        routes: tuple[str, ...] = (),
        invite: Request | None = None,
    ) -> None:
        self.id, self.direction = id, direction
        self.local, self.remote = local, remote
        self.invite = invite
        self.rtp: RtpSession | None = None
        self.answered_at: float | None = None
        self.ended: asyncio.Future[EndCause] = asyncio.get_running_loop().create_future()
        self.on_refer: Callable[[Request], None] | None = None
        self.on_key: Callable[[str], None] = lambda key: None
        self._phone = phone
        self._target, self._routes = target, routes
        self._sequence = secrets.randbelow(1000) + 1
        self._session = secrets.randbelow(1 << 31)
        self._confirmed = asyncio.Event()
        self._cancelling = False
        self._ringing = False
        self._sent_invite: Request | None = None

    # As the one who is rung -------------------------------------------------------------------

    def ring(self) -> None:
        self._respond(180)

    def reject(self, status: int) -> None:
        self._respond(status)
        self._end(EndCause(EndKind.REJECTED, status))

    async def answer(self, rtp: RtpSession) -> None:
        """200 with our media, then wait for the ACK. Raises LegClosed."""
        assert self.invite is not None
        if self.ended.done():
            raise LegClosed("the call has ended")
        ours = self._accept(self.invite, rtp)
        if ours is None:
            self.reject(488)
            raise LegClosed("no codec in common")
        self.rtp = rtp
        self.answered_at = time.monotonic()
        self._respond(200, ours.to_bytes(self._session))
        confirmed = asyncio.create_task(self._confirmed.wait())
        await asyncio.wait((confirmed, self.ended), return_when=asyncio.FIRST_COMPLETED)
        confirmed.cancel()
        if not self._confirmed.is_set():
            raise LegClosed("the call ended before it was confirmed")

    def _accept(self, request: Request, rtp: RtpSession) -> Audio | None:
        """Our description for an offer (or, to an INVITE without one, our own offer)."""
        if not request.body:
            return Audio.offering(rtp.host, rtp.port, self._phone.codecs)
        offer = Audio.parse(request.body)
        ours = offer.answering(rtp.host, rtp.port, self._phone.codecs)
        if ours is not None:
            rtp.connect(Audio(offer.host, offer.port, ours.formats, offer.direction))
        return ours

    def _respond(self, status: int, body: bytes = b"") -> None:
        assert self.invite is not None
        self._reply(self.invite, status, body)

    def _reply(self, request: Request, status: int, body: bytes = b"") -> None:
        extra = [("User-Agent", USER_AGENT), ("Allow", ALLOW), ("Supported", SUPPORTED)]
        if 100 < status < 300 and request.method == "INVITE":
            extra += [("Contact", f"<{self._phone.contact}>")]
            extra += [("Record-Route", value) for value in request.headers.all("Record-Route")]
        if body:
            extra.append(("Content-Type", "application/sdp"))
        response = response_to(request, status, tag=self.local.tag, extra=extra, body=body)
        self._phone.transactions.respond(request, response)

    # As the one who rings ---------------------------------------------------------------------

    async def dial(self, rtp: RtpSession, headers: Iterable[tuple[str, str]] = ()) -> None:
        """INVITE, and wait for the answer. Raises DialFailed."""
        offer = Audio.offering(rtp.host, rtp.port, self._phone.codecs)
        extra = [*headers, ("Content-Type", "application/sdp"), ("Contact", f"<{self._phone.contact}>")]
        invite = self._request("INVITE", extra, offer.to_bytes(self._session))
        self._sent_invite = invite
        response = await self._phone.transactions.request(invite, self._destination, self._on_progress)
        if response is None or response.status >= 300:
            cause = cause_of(response)
            self._end(cause)
            raise DialFailed(f"{self._target}: {cause.status or ''} {cause.text}".strip(), cause=cause)
        self._take_answer(invite, response)
        self.rtp, self.answered_at = rtp, time.monotonic()
        if self._cancelling:  # the CANCEL crossed the answer
            await self.hang_up()
            raise DialFailed("hung up while it rang", cause=EndCause(EndKind.CANCELLED))
        rtp.connect(Audio.parse(response.body))

    def _on_progress(self, response: Response) -> None:
        self._ringing = True
        if self._cancelling:
            self._send_cancel()

    def _take_answer(self, invite: Request, response: Response) -> None:
        self.remote = response.recipient
        if response.contact is not None:
            self._target = str(response.contact.uri)
        self._routes = tuple(reversed(response.headers.all("Record-Route")))
        ack = self._request("ACK", number=invite.cseq[0])
        self._phone.transactions.acknowledge(invite, ack, self._destination)
        self._confirmed.set()

    def _send_cancel(self) -> None:
        """CANCEL has the INVITE's own branch, target and number (RFC 3261, 9.1)."""
        assert self._sent_invite is not None
        invite = self._sent_invite
        kept = [(name, invite.headers.get(name)) for name in ("Via", "Max-Forwards", "From", "To", "Call-ID")]
        kept += [("Route", value) for value in invite.headers.all("Route")]
        headers = Headers([*kept, ("CSeq", f"{invite.cseq[0]} CANCEL")])
        self._phone.send(Request(headers, method="CANCEL", uri=invite.uri), self._destination)

    # Both -------------------------------------------------------------------------------------

    @property
    def answered(self) -> bool:
        return self.answered_at is not None

    async def hang_up(self) -> None:
        """BYE, CANCEL or 480, whatever the state asks for; returns when the call has ended."""
        if self.ended.done():
            return
        if self.answered:
            # For the one who hangs up it is over at once, whether the far end confirms it or not.
            self._phone.send(self._request("BYE"), self._destination)
            self._end(EndCause(EndKind.LOCAL_HANGUP))
        elif self.direction == "inbound":
            self.reject(480)
        elif self._sent_invite is None:
            self._end(EndCause(EndKind.CANCELLED, text="never dialled"))
        else:
            self._cancelling = True
            if self._ringing:
                self._send_cancel()
            await asyncio.wait((self.ended,))

    async def request(
        self, method: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Response | None:
        """A request within the call; its final response, None where none came."""
        request = self._request(method, headers, body)
        return await self._phone.transactions.request(request, self._destination)

    async def renegotiate(self, direction: str = "sendrecv") -> None:
        """A re-INVITE with our media as they are now; `sendonly` holds the far end (RFC 3264, 8.4), and no
        music is played to it. Raises LegClosed where it is refused."""
        assert self.rtp is not None
        rtp = self.rtp
        offer = replace(Audio.offering(rtp.host, rtp.port, self._phone.codecs), direction=direction)
        self._session += 1
        extra = [("Content-Type", "application/sdp"), ("Contact", f"<{self._phone.contact}>")]
        invite = self._request("INVITE", extra, offer.to_bytes(self._session))
        response = await self._phone.transactions.request(invite, self._destination)
        if response is None or response.status >= 300:
            raise LegClosed(f"re-INVITE: {response.status if response is not None else 'no answer'}")
        ack = self._request("ACK", number=invite.cseq[0])
        self._phone.transactions.acknowledge(invite, ack, self._destination)
        rtp.connect(Audio.parse(response.body))
        rtp.sending = direction == "sendrecv"

    async def send_info_key(self, key: str) -> Response | None:
        """A key as SIP INFO, the way of phones without telephone events."""
        body = f"Signal={key}\r\nDuration=100\r\n".encode()
        return await self.request("INFO", [("Content-Type", "application/dtmf-relay")], body)

    async def notify(self, status: int, *, last: bool) -> Response | None:
        """How a REFER gets on (RFC 3515, 2.4.4)."""
        state = "terminated;reason=noresource" if last else "active;expires=60"
        headers = [("Event", "refer"), ("Subscription-State", state)]
        headers += [
            ("Contact", f"<{self._phone.contact}>"),
            ("Content-Type", "message/sipfrag;version=2.0"),
        ]
        return await self.request(
            "NOTIFY", headers, f"SIP/2.0 {status} {REASONS.get(status, 'Status')}\r\n".encode()
        )

    def reply(self, request: Request, status: int) -> None:
        """Answer a request that was handed out (REFER)."""
        self._reply(request, status)

    def take(self, request: Request) -> None:
        """A request within this call. Raises BadInput."""
        match request.method:
            case "ACK":
                if request.body and self.rtp is not None and self.invite is not None and not self.invite.body:
                    self.rtp.connect(Audio.parse(request.body))
                self._confirmed.set()
            case "BYE":
                self._reply(request, 200)
                self._end(EndCause(EndKind.REMOTE_HANGUP))
            case "INVITE":
                self._take_reinvite(request)
            case "REFER" if self.on_refer is not None:
                self.on_refer(request)
            case "INFO":
                self._reply(request, 200)
                self._take_info(request)
            case "OPTIONS" | "NOTIFY":
                self._reply(request, 200)
            case _:
                self._reply(request, 405)

    def _take_reinvite(self, request: Request) -> None:
        if self.rtp is None:
            self._reply(request, 491)
            return
        if request.contact is not None:
            self._target = str(request.contact.uri)
        ours = self._accept(request, self.rtp)
        if ours is None:
            self._reply(request, 488)
        else:
            self._session += 1
            self._reply(request, 200, ours.to_bytes(self._session))

    def _take_info(self, request: Request) -> None:
        for line in request.body.decode(errors="replace").splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == "signal":
                self.on_key(value.strip())

    def cancelled(self) -> None:
        """The far end took its INVITE back before we answered."""
        self._respond(487)
        self._end(EndCause(EndKind.CANCELLED, 487))

    def unacknowledged(self) -> None:
        self._phone.send(self._request("BYE"), self._destination)
        self._end(EndCause(EndKind.NEVER_ACKED, text="200 without ACK"))

    def _end(self, cause: EndCause) -> None:
        if not self.ended.done():
            self.ended.set_result(cause)

    @property
    def _destination(self) -> Address:
        first = NameAddr.parse(self._routes[0]).uri if self._routes else SipUri.parse(self._target)
        return first.address

    def _request(
        self,
        method: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        number: int | None = None,
    ) -> Request:
        if number is None:
            self._sequence += 1
            number = self._sequence
        host, port = self._phone.transactions.local
        via = Via(host, port, {"branch": new_branch(), "rport": ""})
        lines = [("Via", str(via)), ("Max-Forwards", "70")]
        lines += [("Route", value) for value in self._routes]
        lines += [("From", str(self.local)), ("To", str(self.remote)), ("Call-ID", self.id)]
        lines += [("CSeq", f"{number} {method}"), ("User-Agent", USER_AGENT), ("Allow", ALLOW)]
        lines += [("Supported", SUPPORTED), *headers]
        return Request(Headers(lines), body, method=method, uri=self._target)
