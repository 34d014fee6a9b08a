"""The live transfer of a caller to the agent who is responsible.

    ANNOUNCED ─► ROUTED ─► CLAIMED ─► RINGING ─► WHISPERING ─► ACCEPTED ─► JOINED ─► OVER
                  │  ▲       │          │            │            │          │
                  │  │       │ no place │ busy,      │ declines,  │ attended │ pass_on: ANNOUNCED again,
                  │  │       │ left     │ declined,  │ mailbox,   │ and      │ for that colleague
                  │  │       │          │ no answer  │ no word,   │ refused: │ agent lost: DROPPED
                  │  │       ▼          ▼            ▼ drops      ▼ bridge   ▼
                  │  └──── PASSED ◄─────┴────────────┘
                  ▼ nobody (left)
                FAILED ◄── at any moment before JOINED the caller hangs up, or says «не надо»:
                           the agent's telephone stops at once

    blind:     CLAIMED ─► REFER ─┬─ NOTIFY 200: JOINED, and we are out of it
                                 ├─ refused, or NOTIFY 486: PASSED
                                 └─ 202, and then BYE or silence: FAILED (unknown)
    attended:  ACCEPTED ─► REFER with Replaces ─┬─ NOTIFY 200: JOINED, and we are out of it
                                                ├─ both lines are still here: bridge
                                                └─ 202 and BYE: FAILED (unknown)
    dropped:   DROPPED ─► the caller is asked ─┬─ yes: ANNOUNCED again, for that agent first
                                               └─ no, no word, gone, or lost for good: a case

The agent's telephone begins to ring while the announcement is still being said. From then on the caller
hears hold music, and a word every so often, and is listened to, until a human has him. A candidate is
claimed before he is rung and released when he is done, whatever happens; nobody is rung twice, and after
an outcome that nobody told (`unknown`) nobody at all. Targets are names: every address that is rung
stands in the agents' table, and what a caller says, or a header, can never choose a number.

Every end is `joined`, or a reason; whoever called `run` makes a callback case of the latter.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import structlog

from bot.call.answering.watch import AnswerWatch
from bot.call.handover_accepting import Accepting, Decision
from bot.call.handover_forms import attend, refer
from bot.call.handover_hearing import SilentTape
from bot.call.handover_parts import FINAL, HandoverResult, Parts, Reason
from bot.call.handover_ringing import ring
from bot.call.handover_talk import Talk, TalkEnd
from bot.call.handover_waiting import Waiting, let_go
from bot.call.listening import Ear
from bot.core.directives import Transfer
from bot.core.errors import LegClosed, SynthesiserUnavailable, Unavailable
from bot.core.events import (
    Answered,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    HandoverRouted,
    HandoverStarted,
)
from bot.core.routing import DESK, Candidate, HandoverForm, Route, RouteOrder
from telephony.leg import CallLeg

log = structlog.get_logger()

PASSED_ON = "passed_on"
"""The reason of a handover that an agent asked for."""

_PAST_RINGING: frozenset[Reason] = FINAL | {"dropped"}


class Handover:
    """One transfer of one caller. `run` is called once; `joined` is set once a human has the caller;
    `route` is the last one, with the owner of the matter and its deadline. `talk` is set while caller
    and agent talk."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._write = parts.journal.write
        self._room = parts.room
        self._tried: set[str] = set()
        self._buttons: dict[str, asyncio.Future[bool]] = {}
        self.joined = False
        self.route = Route()
        self.talk: Talk | None = None

    async def run(self, order: Transfer, first: str = "") -> HandoverResult:
        """`first` is an agent who is rung before anybody whom the order's target stands for. Raises LegClosed
        or DiskFull; everything else that can happen is in the result."""
        result = await self._once(order, first)
        while result.pass_to:
            order = Transfer(
                target=result.pass_to,
                reason=PASSED_ON,
                text=self._parts.plan.texts.handover.passing_on,
                whisper=order.whisper,
            )
            self._tried.discard(result.pass_to)
            result = await self._once(order)
        return result

    def decided(self, agent_id: str, accepted: bool) -> bool:
        """An agent who is being rung pressed his button; False where it is not he who is rung."""
        button = self._buttons.get(agent_id)
        if button is None or button.done():
            return False
        button.set_result(accepted)
        return True

    async def _once(self, order: Transfer, first: str = "") -> HandoverResult:
        waiting = Waiting(self._parts, order.text)
        waiting.start()
        try:
            form = self._room.settings.handover_form
            await self._write(
                HandoverStarted, target=order.target, form=form, reason=order.reason, whisper=order.whisper
            )
            result = await self._find(order, waiting, form, first)
            if not result.joined:
                if waiting.over.done() and result.reason != "unknown":  # whatever else it came to
                    result = HandoverResult(False, waiting.over.result())
                await waiting.announced()
                if result.reason != "dropped":  # that one was joined, and it ended
                    await self._write(HandoverFailed, target=order.target, reason=result.reason)
            return result
        finally:
            await waiting.stop()

    # Whom --------------------------------------------------------------------------------------------

    async def _find(
        self, order: Transfer, waiting: Waiting, form: HandoverForm, first: str = ""
    ) -> HandoverResult:
        until = self._room.clock.monotonic() + self._room.settings.handover_limit_s
        result = HandoverResult(False, "no_target")
        for target in (first, order.target) if first else (order.target,):
            result = await self._find_among(target, order, waiting, form, until)
            if result.joined or result.reason in _PAST_RINGING or waiting.over.done():
                break
        return result

    async def _find_among(
        self, target: str, order: Transfer, waiting: Waiting, form: HandoverForm, until: float
    ) -> HandoverResult:
        """Whoever takes the caller of those whom `target` stands for."""
        route = await self._routed(target, order)
        if route is None:
            return HandoverResult(False, "unavailable")
        reason: Reason = "nobody" if route.skipped else "no_target"
        for candidate in route.candidates:
            if waiting.over.done() or self._room.clock.monotonic() >= until:
                break
            if candidate.agent_id in self._tried:
                continue
            self._tried.add(candidate.agent_id)
            result = await self._try(order, candidate, waiting, form)
            if result.joined or result.reason in _PAST_RINGING:
                return result
            assert result.reason is not None  # he was passed over for it
            reason = result.reason
            await self._write(HandoverPassed, target=order.target, agent_id=candidate.agent_id, reason=reason)
        return HandoverResult(False, reason)

    async def _routed(self, target: str, order: Transfer) -> Route | None:
        context = self._parts.plan.context
        survey = self._parts.plan.survey
        asked = RouteOrder(
            call_id=context.call_id,
            target=target,
            reason=order.reason,
            contact_id=self._parts.plan.contact_id,
            agent_id=context.agent.id,
            department=context.department,
            language=survey.language if survey is not None else "ru",
        )
        try:
            route = await self._room.router.route(asked)
        except Unavailable as error:
            log.error("nobody to hand over to", call_id=context.call_id, reason=error.message)
            return None
        # A colleague's route says who is rung next; whose matter it is was said before.
        if order.reason != PASSED_ON or not self.route.owner_id:
            self.route = route
        await self._write(HandoverRouted, target=target, route=route)
        return route

    async def _try(
        self, order: Transfer, candidate: Candidate, waiting: Waiting, form: HandoverForm
    ) -> HandoverResult:
        call_id, agent_id = self._parts.plan.context.call_id, candidate.agent_id
        try:
            try:
                claimed = await self._room.router.claim(call_id, agent_id)
            except Unavailable as error:
                log.error("agent not claimed", call_id=call_id, reason=error.message)
                return HandoverResult(False, "unavailable")
            if not claimed:
                return HandoverResult(False, "at_limit")
            if form == "blind" and not candidate.address.startswith(DESK):
                return await self._refer(order, candidate, waiting)
            return await self._consult(order, candidate, waiting, form)
        finally:
            # Also where the claim's answer never came: giving back what one has not is nothing.
            await asyncio.shield(asyncio.ensure_future(self._release(call_id, agent_id)))

    async def _release(self, call_id: str, agent_id: str) -> None:
        try:
            await self._room.router.release(call_id, agent_id)
        except Unavailable as error:
            log.error("agent's place not given back", call_id=call_id, reason=error.message)

    # Blind -------------------------------------------------------------------------------------------

    async def _refer(self, order: Transfer, candidate: Candidate, waiting: Waiting) -> HandoverResult:
        await waiting.announced()
        if waiting.over.done():
            return HandoverResult(False, waiting.over.result())
        await self._write(HandoverRinging, target=order.target, agent_id=candidate.agent_id)
        reason = await refer(self._parts, candidate.address)
        if reason is not None:
            return HandoverResult(False, reason)
        return await self._gone(order, candidate)

    async def _gone(self, order: Transfer, candidate: Candidate) -> HandoverResult:
        """The far ends talk without us."""
        self.joined = True
        await self._write(HandoverConnected, target=order.target, agent_id=candidate.agent_id)
        return HandoverResult(True)

    # Consult leg, then bridge or REFER with Replaces -------------------------------------------------

    async def _consult(
        self, order: Transfer, candidate: Candidate, waiting: Waiting, form: HandoverForm
    ) -> HandoverResult:
        vad = cache(self._parts.new_vad)  # one for all who listen to the agent's line
        watch = AnswerWatch(self._room.recogniser, vad, self._parts.journal, writes=False)
        button = self._buttons[candidate.agent_id] = asyncio.get_running_loop().create_future()
        # Made while it rings: the agent must not wait for his whisper.
        ready = asyncio.ensure_future(self._parts.speaker.sound(order.whisper))
        try:
            await self._write(HandoverRinging, target=order.target, agent_id=candidate.agent_id)
            address = candidate.address
            if address.startswith(DESK):  # a desk is told which call it is rung for
                address = f"{address}@{self._parts.plan.context.call_id}"
            agent = await ring(self._parts, address, waiting.over, button, watch.observe)
            if isinstance(agent, str):
                return HandoverResult(False, agent)
            ear = Ear(agent, self._room.recogniser, vad(agent.rate), self._room.settings, SilentTape())
            ear.attend()
            try:
                return await self._with_agent(
                    order, candidate, waiting, form, _Agent(agent, ear, watch, button)
                )
            finally:
                await ear.rest()
                await agent.hang_up()
        finally:
            del self._buttons[candidate.agent_id]
            await let_go(ready)
            await watch.close()

    async def _with_agent(
        self, order: Transfer, candidate: Candidate, waiting: Waiting, form: HandoverForm, at: _Agent
    ) -> HandoverResult:
        recorded = form == "bridge" and self._parts.tape.running
        decision = await self._decision(order, candidate, waiting, at, recorded=recorded)
        if decision.reason is not None:
            return HandoverResult(False, decision.reason)
        await at.watch.close()
        await self._write(HandoverAccepted, target=order.target, agent_id=candidate.agent_id, by=decision.by)
        await waiting.announced()
        if form == "attended" and not candidate.address.startswith(DESK):
            reason = await attend(self._parts, at.leg)
            if reason is None:
                return await self._gone(order, candidate)
            if reason != "refused":
                return HandoverResult(False, reason)
        if not await self._told_recorded(at):
            return HandoverResult(False, "agent_left")
        if waiting.over.done():
            return HandoverResult(False, waiting.over.result())
        await waiting.stop()
        return await self._talk(order, candidate, at)

    async def _decision(
        self, order: Transfer, candidate: Candidate, waiting: Waiting, at: _Agent, *, recorded: bool
    ) -> Decision:
        """Who takes calls in the browser decided there, before the line was made."""
        if candidate.address.startswith(DESK):
            return Decision("button")
        at.watch.saw(
            Answered(
                call_id=self._parts.journal.call_id,
                seq=0,
                at=self._room.clock.now(),
                codec=at.leg.codec,
                rate=at.leg.rate,
            )
        )
        accepting = Accepting(
            self._parts,
            at.leg,
            at.ear,
            at.watch,
            over=waiting.over,
            button=at.button,
            mailbox=candidate.voicemail,
        )
        told = self._parts.plan.texts.agent_recorded if recorded else ""
        decision = await accepting.decide((order.whisper, told))
        at.told |= accepting.told
        return decision

    async def _told_recorded(self, at: _Agent) -> bool:
        """Nobody is recorded without knowing it: who decided before he heard it hears it now. False where
        he has left."""
        recorded = self._parts.plan.texts.agent_recorded
        if not self._parts.tape.running or recorded in at.told:
            return True
        try:
            await self._parts.agent_speaker(at.leg).say(recorded, purpose="whisper", protected=True)
        except LegClosed:
            return False
        except SynthesiserUnavailable as error:
            log.error("agent not told that he is recorded", reason=error.message)
            await self._parts.tape.stop(error.code)
        return True

    async def _talk(self, order: Transfer, candidate: Candidate, at: _Agent) -> HandoverResult:
        who: dict[str, Any] = {"target": order.target, "agent_id": candidate.agent_id}
        talk = self.talk = Talk(self._parts, at.leg, at.ear)
        self.joined = True
        end: TalkEnd | None = None
        try:
            await self._write(HandoverConnected, **who)
            end = await talk.run()
        finally:
            self.talk = None
            by, talk_s = (end.by, end.talk_s) if end is not None else ("bot", talk.seconds)
            await self._write(HandoverEnded, talk_s=talk_s, by=by, **who)
        if end.dropped:
            self.joined = False
            return HandoverResult(False, "dropped", agent_id=candidate.agent_id)
        return HandoverResult(True, pass_to=end.pass_to)


class _Agent:
    """An agent who has picked up. `told` are the sentences that he has heard out."""

    def __init__(self, leg: CallLeg, ear: Ear, watch: AnswerWatch, button: asyncio.Future[bool]) -> None:
        self.leg = leg
        self.ear = ear
        self.watch = watch
        self.button = button
        self.told: set[str] = set()
