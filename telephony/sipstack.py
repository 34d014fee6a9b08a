"""One call of the SIP stack, in the names and errors that the leg speaks; and what the stack tells of it.

Beside `telephony/sip.py`, which places and takes the calls, and `telephony/sipconfig.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import structlog
from baresip.call import Call
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError
from baresip.errors import TransferFailed as StackTransferFailed
from baresip.events import Event, StackEvent

from bot.core.errors import LegClosed, TransferFailed
from telephony.orphans import DialogKeeper
from telephony.sipleg import SipLeg, StackCall
from telephony.siptrace import Sighting, sighting
from telephony.soundpath import WireState

log = structlog.get_logger()

_READ_BYTES = 4096


class StackWire:
    """A call's sound in the stack. Both of its errors mean that streams went away: at the end of a
    call either may come."""

    def __init__(self, call: Call) -> None:
        self._audio = call.audio
        self._restarted = False

    def probe(self) -> WireState | None:
        try:
            info = self._audio.info()
        except AudioNotActive:
            return None
        if not (info.tx_ready and info.rx_ready):
            return None
        return WireState(info.rx_sample_rate, info.tx_sample_rate, info.tx_buffered)

    def read(self) -> bytes:
        parts = []
        try:
            while part := self._audio.read(_READ_BYTES):
                parts.append(part)
                if len(part) < _READ_BYTES:
                    break
        except (AudioNotActive, AudioRestarted):
            self._restarted = True
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        try:
            taken = self._audio.write(data)
        except (AudioNotActive, AudioRestarted):
            self._restarted = True
        else:
            if taken < len(data):
                log.warning("line is full", lost_bytes=len(data) - taken)

    def flush(self) -> None:
        try:
            self._audio.flush_tx()
        except (AudioNotActive, AudioRestarted):
            self._restarted = True

    def take_restart(self) -> bool:
        restarted, self._restarted = self._restarted, False
        return restarted


class SipStackCall:
    """A call of the stack behind the names and errors that the leg speaks."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.wire = StackWire(call)

    @property
    def call_id(self) -> str:
        return self.call.call_id or ""

    async def answer(self) -> None:
        try:
            await self.call.answer()
        except BaresipError as error:
            raise LegClosed(f"the call could not be answered: {error}") from error

    async def hang_up(self) -> None:
        try:
            await self.call.hangup()
        except BaresipError as error:
            log.info("call was not there to hang up", reason=str(error), sip_call_id=self.call_id)

    async def transfer(self, target: str, timeout_s: float) -> None:
        try:
            await self.call.transfer(target, timeout=timeout_s)
        except StackTransferFailed as error:
            raise TransferFailed(f"the transfer to {target} failed: {error}", status=error.status) from error
        except (BaresipError, ValueError) as error:
            raise TransferFailed(f"the transfer to {target} was not sent: {error}") from error

    async def transfer_to(self, other: StackCall, timeout_s: float) -> None:
        assert isinstance(other, SipStackCall)
        try:
            await self.call.attended_transfer(other.call, timeout=timeout_s)
        except StackTransferFailed as error:
            await self._resume_with(other)
            raise TransferFailed(f"the attended transfer failed: {error}", status=error.status) from error
        except (BaresipError, ValueError) as error:
            await self._resume_with(other)
            raise TransferFailed(f"the attended transfer was not sent: {error}") from error

    async def _resume_with(self, other: SipStackCall) -> None:
        """The stack holds both calls before it refers, and leaves them so."""
        for call in (self.call, other.call):
            try:
                await call.resume()
            except BaresipError as error:
                log.info("call was not there to resume", reason=str(error))

    async def send_digits(self, keys: str) -> None:
        try:
            await self.call.send_dtmf(keys)
        except BaresipError as error:
            raise LegClosed(f"keys were not sent: {error}") from error


def tell(leg: SipLeg, event: StackEvent) -> None:
    """One event of the stack, in the leg's words."""
    if event.stats:
        leg.on_stats(event.stats)
    match event.event:
        case Event.CALL_RINGING:
            leg.on_ringing()
        case Event.CALL_PROGRESS:
            leg.on_early_media()
        case Event.CALL_ESTABLISHED:
            leg.on_established()
        case Event.CALL_DTMF_START if event.text:
            leg.on_digit(event.text)
        case Event.CALL_CLOSED:
            leg.on_closed(event.text or "")


class TraceHandler(logging.Handler):
    """Hands every traced SIP message to `seen` and to the keeper of dialogs, in the stack's log thread."""

    def __init__(self, seen: Callable[[Sighting], None], keeper: DialogKeeper | None) -> None:
        super().__init__(logging.DEBUG)
        self._seen = seen
        self._keeper = keeper

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if self._keeper is not None:
            self._keeper.see(message)
        found = sighting(message)
        if found is not None:
            self._seen(found)
