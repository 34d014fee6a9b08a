"""One call from ring to result: dial or answer, run the script, end politely, write the outcome.

outbound:  STARTED ─► dial ──► up ─► SCRIPT ─► closing ─► hang up ─► ENDED
                       │              └► a machine: message or farewell ─► …
                       └► busy, no answer … ─────────────────────────► ENDED
inbound:   STARTED ─► answer ► up ─► SCRIPT ─► …
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import cache

import structlog

from bot.call.answering.leaving import take_leave
from bot.call.answering.watch import AnswerWatch
from bot.call.handing_over import HandingOver
from bot.call.handover_talk import Side
from bot.call.journal import Journal
from bot.call.outcome import of_answered, of_unanswered
from bot.call.plan import CallPlan, CallRoom
from bot.call.script import Script
from bot.call.tape import Tape
from bot.call.waiting import end, first_of
from bot.core.audio import SAMPLE_BYTES, Pcm
from bot.core.directives import TurnReply
from bot.core.endings import Disposition, EndCause, EndKind
from bot.core.errors import BadInput, CallError, DialFailed, DiskFull, LegClosed, Unavailable
from bot.core.events import Answered, CallEnded, CallEvent, CallStarted, DialogueFailed, Ringing
from telephony.leg import CallLeg

log = structlog.get_logger()

_LAST_WORDS_S = 5.0
"""How long the script may go on after the line has ended, to commit what was said on it."""


_BREATH_S = 0.2
"""Silence between our last word and the hang-up: what a far end's jitter buffer still holds when the BYE
comes, and that is 40 to 200 ms, is never played."""


_RINGS_S = 2.0
"""A call that comes in rings until the dialogue has begun, but no longer than this."""


class CallSession:
    """One call. `outbound` or `inbound` is called once; `interrupt` at any time."""

    def __init__(self, plan: CallPlan, room: CallRoom) -> None:
        self._plan = plan
        self._room = replace(room, vad=cache(room.vad))  # one for all who listen to the line
        self._new_vad = room.vad  # an agent's line is another one
        self._journal = Journal(plan.context.call_id, room.sink, room.clock, self._written)
        self._watch: AnswerWatch | None = None
        self._script: Script | None = None
        self._leg: CallLeg | None = None
        self._dialling: asyncio.Future[CallLeg] | None = None
        self._talk: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[TurnReply] | None = None
        self._interrupted = False

    async def outbound(self, uri: str) -> Disposition:
        """Ring `uri` and run the call. Raises DiskFull where not even the outcome could be kept."""
        began = self._room.clock.monotonic()
        await self._started("outbound", uri)
        self._open()
        watch = self._watch = AnswerWatch(self._room.recogniser, self._room.vad, self._journal)
        try:
            leg = await self._ring(uri, watch)
            if leg is not None:
                return await self._talk_on(leg, began)
        except DialFailed as error:
            return await self._ended(error.cause, of_unanswered(error.cause, await watch.close()), began)
        finally:
            await watch.close()
            await end(self._opening)
        return await self._ended(EndCause(EndKind.CANCELLED), Disposition.INTERRUPTED, began)

    async def _ring(self, uri: str, watch: AnswerWatch) -> CallLeg | None:
        """The line, or None where `interrupt` came first. Raises DialFailed."""
        if self._interrupted:
            return None
        dialling = self._dialling = asyncio.ensure_future(
            self._room.dial(uri, self._room.settings.answer_timeout_s, watch.observe)
        )
        try:
            return await dialling
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # it is this call that is being cancelled, not its ringing alone
            return None

    async def inbound(self, leg: CallLeg) -> Disposition:
        """Answer `leg` and run the call. Raises DiskFull."""
        began = self._room.clock.monotonic()
        try:
            await self._started("inbound", leg.remote)
            await self._journal.write(Ringing)
            await first_of(self._open(), leg.ended, timeout_s=_RINGS_S)
            await leg.answer()
        except LegClosed:
            await end(self._opening)
            cause = leg.ended.result()
            return await self._ended(cause, of_unanswered(cause), began)
        except BaseException:
            await end(self._opening)
            await leg.hang_up()  # nobody is left to a telephone that nobody will answer
            raise
        try:
            return await self._talk_on(leg, began)
        finally:
            await end(self._opening)

    def _open(self) -> asyncio.Task[TurnReply]:
        """The dialogue begins while the telephone rings, so that nobody who takes it up waits for that."""
        self._opening = asyncio.create_task(self._room.dialogue.start(self._plan.context))
        return self._opening

    def interrupt(self) -> None:
        """The node must stop: the caller is told, and the call ends; a telephone that rings stops."""
        self._interrupted = True
        for task in (self._dialling, self._talk):
            if task is not None:
                task.cancel()

    # What an agent does, at his desk or from his telephone. Raises BadInput where it is not the time for it.

    def agent_decides(self, agent_id: str, accepted: bool) -> None:
        """The agent who is being rung presses his button."""
        self._handing.decided(agent_id, accepted)

    def hold(self) -> None:
        """The caller hears music until `unhold`."""
        self._handing.talk.hold()

    def unhold(self) -> None:
        self._handing.talk.unhold()

    def pass_on(self, to_agent_id: str) -> None:
        """The caller goes to a colleague: rung and asked as the first one was."""
        self._handing.talk.pass_on(to_agent_id)

    async def hang_up(self, side: Side) -> None:
        """The agent ends his part of a talk, or the caller the call."""
        if side == "agent":
            await self._handing.talk.hang_up("agent")
        elif self._leg is not None:
            await self._leg.hang_up()

    @property
    def _handing(self) -> HandingOver:
        if self._script is None:
            raise BadInput("в этом звонке ещё никто не ответил", hint="дождитесь ответа клиента")
        return self._script.handing

    def _written(self, event: CallEvent) -> None:
        self._room.watcher(event)
        if self._watch is not None:
            self._watch.saw(event)

    async def _started(self, direction: str, remote: str) -> None:
        context = self._plan.context
        await self._journal.write(
            CallStarted,
            direction=direction,
            remote=remote,
            survey_id=self._plan.survey_id,
            survey_hash=context.survey_hash,
            attempt_id=self._plan.attempt_id,
            contact_id=self._plan.contact_id,
            agent_id=context.agent.id,
            department=context.department,
            conversation_id=self._plan.conversation_id,
            phone=self._plan.phone,
            about=self._plan.about,
            attribution=self._plan.attribution,
        )

    async def _talk_on(self, leg: CallLeg, began: float) -> Disposition:
        self._leg = leg
        tape = Tape(self._plan.context.call_id, leg.rate, self._room.open_recording, self._journal)
        try:
            assert self._opening is not None  # it was begun before the line was up
            script = self._script = Script(
                leg, self._plan, self._room, self._journal, tape, self._opening, self._new_vad
            )
            try:
                script.ear.attend()
                await self._journal.write(Answered, codec=leg.codec, rate=leg.rate)
                if not self._interrupted:
                    if self._watch is not None:
                        script.before_greeting = self._watch.turn_to_speak
                    self._talk = asyncio.create_task(script.run())
                    await self._until_over(leg, self._talk, self._watch)
                    if script.progress.machine is not None and not self._interrupted:
                        self._talk = asyncio.create_task(self._take_leave(script))
                        await self._until_over(leg, self._talk)
                if self._interrupted:
                    await self._say_sorry(script)
                await _ring_out(leg)
            finally:
                await script.close()
        finally:
            await leg.hang_up()
            await tape.stop("end")
        if self._watch is not None:
            await self._watch.close()
            if self._watch.machine.done():  # perhaps by the very last sound
                script.progress = script.progress.met(self._watch.machine.result())
        cause = leg.ended.result()
        return await self._ended(cause, of_answered(script.progress, cause), began, leg)

    async def _until_over(
        self, leg: CallLeg, talk: asyncio.Task[None], watch: AnswerWatch | None = None
    ) -> None:
        """To the end of the talk, whoever ends it, whatever goes wrong in it; or until `watch` tells that
        nobody is there to be talked to, which `progress` then says."""
        script = self._script
        assert script is not None
        try:
            limit_s = self._room.settings.max_call_s
            machine = [watch.machine] if watch is not None else []
            await first_of(talk, leg.ended, *machine, timeout_s=limit_s)
            if watch is not None and watch.machine.done() and not talk.done():
                script.progress = script.progress.met(watch.machine.result())
                talk.cancel()
                await asyncio.wait({talk})
                return
            while script.handing_over and not talk.done() and not leg.ended.done():
                await first_of(talk, leg.ended, timeout_s=limit_s)  # people talk as long as they like
            if not talk.done():
                if leg.ended.done():
                    await asyncio.wait({talk}, timeout=_LAST_WORDS_S)
                if not talk.done():
                    log.warning("call cut", call_id=self._plan.context.call_id, limit_s=limit_s)
                    talk.cancel()
            await talk
        except asyncio.CancelledError:
            if not talk.cancelled():  # it is we who are being cancelled, not the talk
                talk.cancel()
                raise
            if not self._interrupted and not leg.ended.done():
                await self._say_sorry(script)
        except LegClosed:
            pass  # the caller left while we spoke: an ordinary end
        except (Unavailable, CallError) as error:
            log.error("call broken", call_id=self._plan.context.call_id, reason=error.message)
            await self._say_sorry(script)
            with suppress(DiskFull):
                await self._journal.write(DialogueFailed, reason=error.code)
        except Exception:
            # The border of a call: whatever the fault, this caller is told and no other is hurt.
            log.exception("call failed", call_id=self._plan.context.call_id)
            await self._say_sorry(script)

    async def _take_leave(self, script: Script) -> None:
        assert self._watch is not None
        script.silence.rest()  # a machine waits for nobody
        farewell = self._plan.texts.farewell
        await take_leave(self._watch, script.speaker, message=self._plan.message, farewell=farewell)

    async def _say_sorry(self, script: Script) -> None:
        try:
            await script.apologise()
        except (LegClosed, Unavailable) as error:
            log.info("apology not heard", call_id=self._plan.context.call_id, reason=error.message)

    async def _ended(
        self, cause: EndCause, disposition: Disposition, began: float, leg: CallLeg | None = None
    ) -> Disposition:
        if self._watch is not None:
            await self._watch.close()  # the end is the last event
        stats = leg.stats() if leg is not None else None
        await self._journal.write(
            CallEnded,
            cause=cause.kind,
            status=cause.status,
            disposition=disposition,
            duration_s=round(self._room.clock.monotonic() - began, 3),
            packets_received=stats.packets_received if stats else 0,
            packets_lost=stats.packets_lost if stats else 0,
            sounds_torn=stats.sounds_torn if stats else 0,
        )
        return disposition


async def _ring_out(leg: CallLeg) -> None:
    """Let the far end play our last word to its end."""
    with suppress(LegClosed):
        await leg.play(Pcm(bytes(SAMPLE_BYTES * round(_BREATH_S * leg.rate)), leg.rate)).done()
