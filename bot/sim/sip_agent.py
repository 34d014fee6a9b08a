"""A small SIP user agent on one UDP socket: rings, is rung, and follows a REFER as it is told to."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any, Self
from urllib.parse import unquote

import structlog

from bot.core.errors import BadInput, DialFailed
from bot.sim.rtp import RtpSession
from bot.sim.sip_address import NameAddr, SipUri, new_tag
from bot.sim.sip_call import ALLOW, Phone, SipCall
from bot.sim.sip_message import Request, response_to
from bot.sim.sip_transactions import T1, Address, Transactions

log = structlog.get_logger()


FAREWELL_S = 1.0
"""How long a closing phone waits for the answers to its last requests."""


class ReferPolicy(StrEnum):
    """What a phone does with a REFER."""

    DIAL = "dial"  # 202, dials the target with the same media socket, NOTIFY says how it went
    REFUSE = "refuse"  # 603
    SILENT = "silent"  # 202, and nothing more
    BYE = "bye"  # 202, then BYE without a NOTIFY


class SipAgent:
    """`on_invite` is run for every new call; `on_transferred` hears of the call a REFER led to."""

    def __init__(
        self,
        user: str,
        on_invite: Callable[[SipCall], Awaitable[None]],
        *,
        codecs: tuple[str, ...] = ("PCMA",),
        refer: ReferPolicy = ReferPolicy.DIAL,
        replaces: bool = True,
        on_transferred: Callable[[SipCall], None] = lambda call: None,
        t1: float = T1,
    ) -> None:
        self.user, self.codecs, self.refer = user, codecs, refer
        self._replaces = replaces
        self.transactions = Transactions(self._take, self._unacknowledged, t1=t1)
        self.calls: dict[tuple[str, str], SipCall] = {}
        self._on_invite, self._on_transferred = on_invite, on_transferred
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen; a free port where `port` is 0. Raises PortInUse."""
        await self.transactions.open(host, port)
        return self

    @property
    def contact(self) -> SipUri:
        host, port = self.transactions.local
        return SipUri(host, self.user, port)

    @property
    def uri(self) -> str:
        """The address at which this phone can be rung."""
        return str(self.contact)

    async def call(self, target: str, rtp: RtpSession, headers: Iterable[tuple[str, str]] = ()) -> SipCall:
        """Ring somebody and wait for the answer. Raises DialFailed, BadInput."""
        call = self.prepare(target)
        await call.dial(rtp, headers)
        return call

    def prepare(self, target: str) -> SipCall:
        """A call that can be dialled, and hung up while it rings. Raises BadInput."""
        call = outgoing(self, self.uri, target)
        self._register(call)
        return call

    async def close(self) -> None:
        """Hang up whatever is left and close the socket."""
        await asyncio.gather(*(call.hang_up() for call in tuple(self.calls.values())))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FAREWELL_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.transactions.close()

    def send(self, request: Request, destination: Address) -> None:
        """Send a request whose outcome nobody waits for."""
        self._spawn(self.transactions.request(request, destination))

    def _register(self, call: SipCall) -> None:
        key = (call.id, call.local.tag)
        self.calls[key] = call
        call.on_refer = lambda request: self._spawn(self._follow(call, request))
        call.ended.add_done_callback(lambda _: self.calls.pop(key, None))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("simulated phone failed", user=self.user, exc_info=task.exception())

    def _take(self, request: Request) -> None:
        call = self.calls.get((request.call_id, request.recipient.tag))
        if call is not None:
            call.take(request)
        elif request.method == "INVITE" and not request.recipient.tag:
            self._take_invite(request)
        elif request.method == "CANCEL":
            self._take_cancel(request)
        elif request.method == "OPTIONS":
            self.transactions.respond(request, response_to(request, 200, extra=[("Allow", ALLOW)]))
        elif request.method != "ACK":
            self.transactions.respond(request, response_to(request, 481))

    def _take_invite(self, request: Request) -> None:
        try:
            call = incoming(self, request)
        except BadInput:
            self.transactions.respond(request, response_to(request, 400))
            raise
        self.transactions.respond(request, response_to(request, 100))
        self._register(call)
        replaced = self._replaced_by(request)
        if replaced is not None:
            self._spawn(self._take_over(replaced, call))
        else:
            self._spawn(_awaited(self._on_invite(call)))

    def _replaced_by(self, invite: Request) -> SipCall | None:
        """The call of ours that an INVITE is to take the place of (RFC 3891): `id;to-tag=…;from-tag=…`."""
        if not self._replaces:
            return None
        call_id, *params = invite.headers.get("Replaces", "").split(";")
        tags = dict(param.strip().partition("=")[::2] for param in params)
        return self.calls.get((call_id.strip(), tags.get("to-tag", "")))

    async def _take_over(self, old: SipCall, call: SipCall) -> None:
        """Go on with the new party where the old one was, on the same media."""
        if old.rtp is None:
            call.reject(481)
            return
        await call.answer(old.rtp)
        self._on_transferred(call)
        await old.hang_up()

    def _take_cancel(self, request: Request) -> None:
        for call in self.calls.values():
            invite = call.invite
            if invite is not None and not call.answered and invite.via.branch == request.via.branch:
                self.transactions.respond(request, response_to(request, 200, tag=call.local.tag))
                call.cancelled()
                return
        self.transactions.respond(request, response_to(request, 481))

    def _unacknowledged(self, invite: Request) -> None:
        for call in tuple(self.calls.values()):
            if call.invite is not None and call.invite.call_id == invite.call_id:
                call.unacknowledged()

    async def _follow(self, call: SipCall, request: Request) -> None:
        """Carry out a REFER by the policy (RFC 3515)."""
        if self.refer is ReferPolicy.REFUSE:
            call.reply(request, 603)
            return
        target = NameAddr.parse(request.headers.get("Refer-To")).uri
        replaces = unquote(target.headers.partition("Replaces=")[2].partition("&")[0])
        call.reply(request, 202)
        if self.refer is ReferPolicy.BYE:
            await call.hang_up()
        elif self.refer is ReferPolicy.DIAL and call.rtp is not None:
            await self._dial_referred(call, replace(target, headers=""), replaces, call.rtp)

    async def _dial_referred(self, call: SipCall, target: SipUri, replaces: str, rtp: RtpSession) -> None:
        await call.notify(100, last=False)
        try:
            transferred = await self.call(str(target), rtp, [("Replaces", replaces)] if replaces else ())
        except DialFailed as error:
            await call.notify(error.cause.status or 503, last=True)
            return
        self._on_transferred(transferred)
        await call.notify(200, last=True)


def outgoing(phone: Phone, sender: str, target: str) -> SipCall:
    """A call that is yet to be dialled. Raises BadInput for an address that is none."""
    return SipCall(
        phone,
        direction="outbound",
        id=f"{secrets.token_hex(8)}@{phone.contact.host}",
        local=NameAddr(SipUri.parse(sender)).tagged(new_tag()),
        remote=NameAddr(SipUri.parse(target)),
        target=target,
    )


def incoming(phone: Phone, invite: Request) -> SipCall:
    """The call that an INVITE asks for. Raises BadInput."""
    contact = invite.contact
    if contact is None or not invite.sender.tag:
        raise BadInput("an INVITE without Contact or tag")
    return SipCall(
        phone,
        direction="inbound",
        id=invite.call_id,
        local=invite.recipient.tagged(new_tag()),
        remote=invite.sender,
        target=str(contact.uri),
        routes=tuple(invite.headers.all("Record-Route")),
        invite=invite,
    )


async def _awaited(work: Awaitable[None]) -> None:
    await work
