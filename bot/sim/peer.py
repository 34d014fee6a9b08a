"""One simulated phone in a process of its own (`bot.sim.nursery`), led by JSON lines over a socket.

It reads its `PeerSpec` and then `ToPeer` messages, and writes `Ready` and a `Report` per call. The end of
what it reads ends it: it hangs up and goes, so no phone outlives its parent.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog
import uvloop

from bot.core.endings import EndCause
from bot.core.errors import DialFailed, LegClosed
from bot.sim.caller import Conversation
from bot.sim.g711 import RATE
from bot.sim.messages import (
    Dial,
    FromPeer,
    HangUp,
    ListeningCue,
    PeerSpec,
    Perform,
    PromptCue,
    PromptOver,
    Ready,
    Transferred,
    from_peer,
    to_peer,
)
from bot.sim.network import lost
from bot.sim.report import report_of
from bot.sim.rtp import RtpSession
from bot.sim.script import REFUSALS, OnInvite
from bot.sim.sip_agent import SipAgent
from bot.sim.sip_call import SipCall
from bot.sim.sounds import noise

log = structlog.get_logger()

NOISE_S = 7
"""Of noise, before it comes round again: longer than anything that looks at noise remembers."""


class Peer:
    """A phone that has one call at a time: a second one finds it busy."""

    def __init__(self, spec: PeerSpec, tell: Callable[[FromPeer], None]) -> None:
        self._spec, self._tell = spec, tell
        self._line: SipCall | None = None
        self._talk: Conversation | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._performing: asyncio.Task[None] | None = None
        self.agent = SipAgent(
            spec.user,
            self._rung,
            codecs=spec.codecs,
            refer=spec.refer,
            replaces=spec.replaces,
            on_transferred=self._moved,
        )

    async def open(self) -> None:
        """Raises PortInUse."""
        await self.agent.open(self._spec.host)
        self._tell(Ready(uri=self.agent.uri))

    async def take(self, line: bytes) -> None:
        """One message of the parent."""
        match to_peer.validate_json(line):
            case Dial(target=target, headers=headers):
                self._dialling = asyncio.create_task(self._dial(target, headers))
            case HangUp():
                if self._line is not None:
                    await self._line.hang_up()
            case Perform(steps=steps):
                if self._talk is not None:
                    self._performing = asyncio.create_task(self._talk.perform(steps))
            case Transferred():
                if self._talk is not None:
                    self._talk.transferred()
            case (PromptCue() | PromptOver() | ListeningCue()) as cue:
                if self._talk is not None:
                    self._talk.cue(cue)

    async def close(self) -> None:
        """Hang up; a call that was running is still reported."""
        await self.agent.close()
        if self._dialling is not None:
            await self._dialling

    # The call ---------------------------------------------------------------------------------

    async def _rung(self, call: SipCall) -> None:
        if self._line is not None:
            call.reject(486)
            return
        self._line = call
        rtp = RtpSession.open(self._spec.host)
        talk = self._conversation(rtp)
        try:
            await self._answer(call, rtp)
            await self._talk_through(call, rtp, talk)
        finally:
            self._line = None
            await rtp.close()

    async def _answer(self, call: SipCall, rtp: RtpSession) -> None:
        """Do with a ringing call what the script says; the call has ended where it was not answered."""
        policy = self._spec.on_invite
        if policy not in (OnInvite.BUSY, OnInvite.NOT_FOUND):  # these refuse without ringing
            call.ring()
            patience = None if policy is OnInvite.NO_ANSWER else self._spec.ring_s
            await asyncio.wait((call.ended,), timeout=patience)
        if call.ended.done():
            return
        if policy in REFUSALS:
            call.reject(REFUSALS[policy])
            return
        try:
            await call.answer(rtp)
        except LegClosed as error:
            log.info("call was not confirmed", reason=error.message)

    async def _dial(self, target: str, headers: dict[str, str]) -> None:
        rtp = RtpSession.open(self._spec.host)
        talk = self._conversation(rtp)
        call = self._line = self.agent.prepare(target)
        try:
            await call.dial(rtp, headers.items())
        except DialFailed as error:
            log.info("call was not answered", reason=error.message)
        try:
            await self._talk_through(call, rtp, talk)
        finally:
            self._line = None
            await rtp.close()

    def _moved(self, call: SipCall) -> None:
        """A REFER was followed: the talk goes on in another call."""
        self._line = call
        if self._talk is not None:
            self._talk.transferred()

    def _conversation(self, rtp: RtpSession) -> Conversation:
        """Made before the call is up: the first cue may be here before the ACK."""
        network = self._spec.network
        if not network.perfect:
            rtp.outgoing, rtp.incoming = network.to_node(), network.to_phone()
        if self._spec.noise_dbfs is not None:
            rtp.noise = noise(self._spec.noise_dbfs, NOISE_S * RATE, network.seed)
        self._talk = Conversation(self._spec, rtp, self)
        return self._talk

    async def _talk_through(self, call: SipCall, rtp: RtpSession, talk: Conversation) -> None:
        talking = asyncio.create_task(talk.run()) if call.answered else None
        try:
            cause = await self._over(call, talking)
        finally:
            ended_at = time.monotonic()
            self._talk = None
            if talking is not None:
                talking.cancel()
                await asyncio.wait((talking,))
        self._tell(report_of(self._spec, call, rtp, talk.done, cause, ended_at))

    async def _over(self, call: SipCall, talking: asyncio.Task[None] | None) -> EndCause:
        """The end of the call, or of the one that a REFER led to."""
        while True:
            waited: list[asyncio.Future[Any]] = [call.ended, *([talking] if talking else [])]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if talking is not None and talking.done() and not talking.cancelled() and talking.exception():
                await self.hang_up()
                await talking
            if call.ended.done():
                if self._line is None or self._line is call:
                    return call.ended.result()
                call = self._line
            else:
                talking = None

    # What its caller does to the call ------------------------------------------------------------

    async def hang_up(self) -> None:
        if self._line is not None:
            await self._line.hang_up()

    async def send_info(self, key: str) -> object:
        assert self._line is not None
        return await self._line.send_info_key(key)

    async def renegotiate(self, direction: str = "sendrecv") -> None:
        assert self._line is not None
        await self._line.renegotiate(direction)

    def vanish(self) -> None:
        """Nobody is told: nothing is sent, heard or answered from now on."""
        self.agent.transactions.gone = True
        if self._line is not None and self._line.rtp is not None:
            self._line.rtp.outgoing = self._line.rtp.incoming = lost


def live(line: socket.socket) -> None:
    """This process is a phone from now on, until the other end of `line` has nothing more to say."""
    # Whatever goes wrong is said on stderr.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    uvloop.run(_live(line))


async def _live(line: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=line)

    def tell(message: FromPeer) -> None:
        writer.write(from_peer.dump_json(message) + b"\n")

    peer = Peer(PeerSpec.model_validate_json(await reader.readline()), tell)
    await peer.open()
    async for order in reader:
        await peer.take(order)
    await peer.close()
    writer.close()
    await writer.wait_closed()
