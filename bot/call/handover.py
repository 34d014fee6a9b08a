"""The live transfer of a caller to the agent who is responsible.

                  dial        answered          whisper over          either hangs up
    ANNOUNCED ──────────► RINGING ────► WHISPERING ────────► TALKING ──────────────► OVER
        │                    │               │                  ▲
        │ no such target     │ busy, no      │ agent drops      │ blind REFER: NOTIFY 200
        ▼                    ▼ answer …      ▼                  │
      FAILED ◄───────────────┴───────────────┘      ANNOUNCED ──┘ (202 and silence: FAILED, and
                                                                 nobody is rung a second time)

The caller hears hold music, and a word every so often, until the agent is there. A caller who
hangs up while it rings stops the agent's phone at once. Targets are names in the agents' table:
what a caller says, or a header, can never choose a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal, Protocol

import structlog

from bot.call.journal import Journal
from bot.call.settings import CallSettings
from bot.call.speaking import Speaker
from bot.call.waiting import first_of
from bot.core.audio import Pcm
from bot.core.clock import Clock
from bot.core.directives import Transfer
from bot.core.errors import DialFailed, LegClosed, SynthesiserUnavailable, TransferFailed, Unavailable
from bot.core.events import (
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverStarted,
)
from telephony.bridge import Bridge
from telephony.leg import CallLeg, TransferOutcome

log = structlog.get_logger()

Reason = Literal[
    "no_target",
    "busy",
    "declined",
    "no_answer",
    "unreachable",
    "caller_left",
    "agent_left",
    "refused",
    "unknown",
]
"""Why no human and caller were joined: `unknown` is a REFER whose outcome was never told."""


@dataclass(frozen=True, slots=True)
class HandoverResult:
    """`reason` is empty where the caller and a human were joined."""

    joined: bool
    reason: Reason | None = None


class Dial(Protocol):
    """Rings a URI for so many seconds and gives the line that answered. Raises DialFailed.

    `placed` is told the line as soon as it is there: its early media can be heard before the answer.
    """

    def __call__(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None, /
    ) -> Awaitable[CallLeg]: ...


"""Rings a SIP URI for at most so many seconds; the established line, or DialFailed. Cancelling
the call cancels the ringing (CANCEL)."""

SpeakerFor = Callable[[CallLeg], Speaker]
"""A voice for the agent's line."""


class Handover:
    """One transfer of one caller. `run` is called once; `joined` is set once a human has the caller."""

    def __init__(
        self,
        *,
        leg: CallLeg,
        speaker: Speaker,
        agent_speaker: SpeakerFor,
        journal: Journal,
        dial: Dial,
        address: str | None,
        hold_words: tuple[str, ...],
        hold_music: Pcm,
        settings: CallSettings,
        clock: Clock,
    ) -> None:
        self._leg = leg
        self._speaker = speaker
        self._agent_speaker = agent_speaker
        self._journal = journal
        self._dial = dial
        self._address = address
        self._hold_words = cycle(hold_words)
        self._hold_music = hold_music
        self._settings = settings
        self._clock = clock
        self.joined = False

    async def run(self, order: Transfer) -> HandoverResult:
        """Raises LegClosed or DiskFull; everything else that can happen is in the result."""
        await self._speaker.say(order.text, purpose="handover")
        form = self._settings.handover_form
        await self._journal.write(
            HandoverStarted, target=order.target, form=form, reason=order.reason, whisper=order.whisper
        )
        if self._address is None:
            return await self._failed(order, "no_target")
        if form == "blind":
            return await self._refer(order, self._address)
        return await self._consult(order, self._address)

    async def _failed(self, order: Transfer, reason: Reason) -> HandoverResult:
        await self._journal.write(HandoverFailed, target=order.target, reason=reason)
        return HandoverResult(False, reason)

    # Blind -----------------------------------------------------------------------------------

    async def _refer(self, order: Transfer, address: str) -> HandoverResult:
        hold = asyncio.create_task(self._hold())  # until his own telephone plays him something else
        try:
            outcome = await self._leg.transfer(address, self._settings.handover_ring_s)
        except TransferFailed as error:
            return await self._failed(order, _refer_reason(error.status))
        finally:
            await _stop(hold)
        if outcome is TransferOutcome.UNKNOWN:
            return await self._failed(order, "unknown")
        self.joined = True
        await self._journal.write(HandoverConnected, target=order.target)
        return HandoverResult(True)

    # Consult leg and bridge ------------------------------------------------------------------

    async def _consult(self, order: Transfer, address: str) -> HandoverResult:
        hold = asyncio.create_task(self._hold())
        # Made while it rings: the agent must not wait for his whisper.
        ready = asyncio.create_task(self._speaker.sound(order.whisper))
        try:
            await self._journal.write(HandoverRinging, target=order.target)
            agent = await self._ring(address)
            if isinstance(agent, str):
                return await self._failed(order, agent)
            try:
                reason = await self._whisper(agent, order.whisper)
                if reason is not None:
                    return await self._failed(order, reason)
                await _stop(hold)
                return await self._talk(order, agent)
            finally:
                await agent.hang_up()
        finally:
            await _stop(ready)
            await _stop(hold)

    async def _ring(self, address: str) -> CallLeg | Reason:
        """The agent's line, or why there is none. Never leaves a phone ringing for nobody."""
        dialling = asyncio.ensure_future(self._dial(address, self._settings.handover_ring_s))
        try:
            await first_of(dialling, self._leg.ended)
            if not dialling.done():
                return "caller_left"
            return dialling.result()
        except DialFailed as error:
            return _dial_reason(error)
        except asyncio.CancelledError:
            if dialling.done() and not dialling.cancelled() and dialling.exception() is None:
                await dialling.result().hang_up()  # answered in the very moment in which we were stopped
            raise
        finally:
            if not dialling.done():
                dialling.cancel()
                with suppress(asyncio.CancelledError, DialFailed):
                    late = await dialling
                    await late.hang_up()

    async def _whisper(self, agent: CallLeg, text: str) -> Reason | None:
        """Tell the agent who and why, while the caller still hears music; None when all is well."""
        whispering = asyncio.ensure_future(self._agent_speaker(agent).say(text, purpose="whisper"))
        try:
            await first_of(whispering, self._leg.ended, agent.ended)
            if self._leg.ended.done():
                return "caller_left"
            if agent.ended.done():
                return "agent_left"
            await whispering
        except LegClosed:
            return "agent_left"
        except SynthesiserUnavailable as error:
            # He is there, and so is the caller: better joined without a word than not at all.
            log.warning("agent joined without a whisper", reason=error.message)
        finally:
            await _stop(whispering)
        return None

    async def _talk(self, order: Transfer, agent: CallLeg) -> HandoverResult:
        self.joined = True
        began = self._clock.monotonic()
        by: Literal["caller", "agent", "bot"] = "bot"
        talking = asyncio.ensure_future(Bridge(self._leg, agent).run())
        try:
            await self._journal.write(HandoverConnected, target=order.target)
            await talking
            by = "caller" if self._leg.ended.done() else "agent"
        finally:
            await _stop(talking)
            talk_s = round(self._clock.monotonic() - began, 3)
            await self._journal.write(HandoverEnded, target=order.target, talk_s=talk_s, by=by)
        return HandoverResult(True)

    async def _hold(self) -> None:
        """Music for the caller, and a word every so often, until cancelled or the line ends."""
        with suppress(LegClosed):
            while True:
                music_s = 0.0
                while music_s < self._settings.handover_word_s:
                    music = self._leg.play(self._hold_music)
                    try:
                        music_s += await music.done()
                    except asyncio.CancelledError:
                        await music.stop()
                        raise
                    if self._leg.ended.done():
                        return
                try:
                    await self._speaker.say(next(self._hold_words), purpose="hold")
                except Unavailable as error:
                    log.warning("hold words not said", reason=error.message)  # the music goes on


def _refer_reason(status: int | None) -> Reason:
    """Without a status nobody told how it went: the target may be ringing still."""
    if status is None:
        return "unknown"
    return "busy" if status == 486 else "refused"


def _dial_reason(error: DialFailed) -> Reason:
    kind = error.cause.kind.value
    if kind == "busy":
        return "busy"
    if kind == "declined":
        return "declined"
    return "no_answer" if kind == "no_answer" else "unreachable"


async def _stop(task: asyncio.Future[Any]) -> None:
    """Whoever waits for its result hears of its failure; where nobody does, the log has it."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        log.info("part of a handover ended early", reason=type(error).__name__)
