"""A call's script: perform what the dialogue directs, listen, and tell the dialogue what was heard.

The script decides nothing about the survey. It ends by itself when the line does: a play raises
LegClosed and the ear hears no more, so words spoken just before a hang-up still become an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import assert_never

from bot.call.asides import Asides
from bot.call.coming_back import open_matter
from bot.call.exchange import OFFER, Exchange
from bot.call.handing_over import HandingOver
from bot.call.handover_parts import Parts
from bot.call.joining import Joining
from bot.call.journal import Journal
from bot.call.listening import Ear
from bot.call.matters import Matters
from bot.call.measures import ReplyTimer
from bot.call.outcome import Progress
from bot.call.plan import CallPlan, CallRoom
from bot.call.silence import Silence
from bot.call.speaking import Speaker
from bot.call.speculation import Speculation
from bot.call.tape import Tape
from bot.call.turns import Turns
from bot.call.waiting import end, first_of
from bot.core.answer import AnswerStatus
from bot.core.context import UserTurn
from bot.core.directives import (
    Ask,
    Callback,
    Directive,
    End,
    Note,
    Offer,
    OfferAnswered,
    OpenCase,
    OptOut,
    Record,
    Say,
    Signal,
    StopRecording,
    Transfer,
    TurnReply,
    WithdrawMatter,
    WithdrawSignal,
)
from bot.core.endings import Disposition
from bot.core.errors import DiskFull, LegClosed, StoreUnavailable
from bot.core.events import (
    AnswerRecorded,
    OfferDecided,
    OfferMade,
    OptedOut,
    SignalRaised,
    SignalWithdrawn,
    TurnUnderstood,
)
from bot.core.ports import VoiceActivity
from bot.surveys.offering import expected_at
from telephony.leg import CallLeg


class Script:
    """The talk on one line that is up. `handing_over` is set while the caller is, or is being, passed
    on to a human; `handing` is how. `opening` is what the dialogue begins with. `before_greeting` is waited
    for before the first word: whoever took the call may speak first."""

    def __init__(
        self,
        leg: CallLeg,
        plan: CallPlan,
        room: CallRoom,
        journal: Journal,
        tape: Tape,
        opening: asyncio.Future[TurnReply],
        agents_vad: Callable[[int], VoiceActivity] | None = None,
    ) -> None:
        self._leg = leg
        self._opening = opening
        self._plan = plan
        self._room = room
        self._journal = journal
        self._tape = tape
        self._timer = ReplyTimer(journal, room.clock)
        self.ear = Ear(leg, room.recogniser, room.vad(leg.rate), room.settings, tape)
        self.speaker = self._voice_on(leg)
        self.speaker.on_sound = self._timer.sounded
        self.speaker.on_started = self._timer.write
        self.speaker.tape = tape
        sign = room.listening_sign(leg.rate)
        self.silence = Silence(leg, self.ear, self.speaker, room.settings, sign, plan.texts.filler)
        self._foresight = (
            Speculation(plan.survey, plan.context, room.dialogue, self.speaker.sound)
            if plan.survey is not None
            else None
        )
        self.ear.on_words = self._foresee
        self.progress = Progress()
        vad = agents_vad or room.vad
        parts = Parts(leg, self.ear, self.speaker, tape, self._voice_on, vad, journal, plan, room)
        self.handing = HandingOver(parts)
        self._turns = Turns(self.ear, journal, self._timer, room.clock)
        self._matters = Matters(journal, plan.context.department)
        self._asides = Asides(plan.context.call_id, room.dialogue, self._turns, room.clock)
        self._exchange = Exchange(parts, self.silence, self._turns, self._asides)
        self._joining = Joining(parts, self.handing, self._exchange, self.silence, self._timer, self._advance)
        self.before_greeting: Callable[[], Awaitable[None]] | None = None

    def _voice_on(self, leg: CallLeg) -> Speaker:
        return Speaker(leg, self._room.prompts, self._journal, self._plan.voice, self.ear)

    def _advance(self, step: Callable[[Progress], Progress]) -> None:
        self.progress = step(self.progress)

    @property
    def handing_over(self) -> bool:
        return self.handing.now is not None

    async def run(self) -> None:
        """The whole talk. Raises LegClosed, DialogueUnavailable or DiskFull."""
        self.silence.prepare()
        try:
            matter = await open_matter(self._plan, self._room, self._leg)
            if matter is None:
                await self._talk()
            else:
                self.ear.unheard()  # an «алло» answers nothing here, either
                await self._joining.come_back(matter)
        finally:
            await self._matters.close()

    async def _talk(self) -> None:
        reply = await self._patiently(self._opening)
        if self._foresight is not None:
            self._foresight.started(reply)
        if self.before_greeting is not None:
            await self.before_greeting()
        self.ear.unheard()  # an «алло» answers nothing
        following = await self._perform(reply)
        while following is not None:
            following = await self._take(following)

    async def _take(self, turn: UserTurn) -> UserTurn | None:
        """The dialogue takes this turn, and its reply is performed; the turn that follows, or None.

        A reply that is foreseen is performed while the dialogue is being asked; where it says otherwise
        (which nothing but a fault explains) that is broken off.
        """
        self.silence.attend()
        self._timer.asked()
        asking = asyncio.ensure_future(self._room.dialogue.turn(self._plan.context.call_id, turn))
        foreseen = self._foresight.foreseen(turn) if self._foresight is not None else None
        performing: asyncio.Task[UserTurn | None] | None = None
        held = self._matters.kept()
        try:
            if foreseen is not None:
                self._timer.replied()
                performing = asyncio.create_task(self._perform(foreseen))
                await first_of(performing, asking)
            reply = await self._patiently(asking)
            if self._foresight is not None:
                self._foresight.committed(turn, reply)
            if performing is not None and reply == foreseen:
                return await performing
        finally:
            await end(asking, performing)
        if performing is not None:
            self._matters.back_to(held)
        self._timer.replied()
        return await self._perform(reply)

    def _foresee(self, text: str, started_s: float) -> None:
        if self._foresight is not None:
            heard_out = self._turns.question_heard(started_s)
            self._foresight.guess(text, None if heard_out else self._turns.after_s(started_s))

    async def _patiently(self, reply: asyncio.Future[TurnReply]) -> TurnReply:
        """Wait for the dialogue; a caller who waits with us is told so."""
        self.silence.waiting(True)
        try:
            return await reply
        finally:
            self.silence.waiting(False)
            reply.cancel()

    # Directives ------------------------------------------------------------------------------

    async def _perform(self, reply: TurnReply) -> UserTurn | None:
        """Everything the dialogue ordered; the turn that follows, or None when the talk is over.

        A caller who is gone cannot be spoken to, but what the dialogue notes, promises and decides
        behind a sentence that he missed holds all the same.
        """
        if reply.understood is not None:
            await self._journal.write(TurnUnderstood, **reply.understood.model_dump())
        directives, self._exchange.unsaid = reply.directives or self._exchange.unsaid, ()
        await self._matters.settle(directives)
        given = (each.answer for each in directives if isinstance(each, Record))
        self._exchange.corrigible = any(answer.status is AnswerStatus.ANSWERED for answer in given)
        self._asides.coming(directives)
        if any(isinstance(each, Ask | Offer | Transfer) for each in directives):
            self.progress = self.progress.going_on()
        turn: UserTurn | None = None
        for directive in directives:
            try:
                turn = await self._do(directive)
            except LegClosed:
                turn = None
        await self._asides.drop()
        return turn

    async def _do(self, directive: Directive) -> UserTurn | None:
        write = self._journal.write
        match directive:
            case Say():
                await self._exchange.say(directive)
            case Ask(question_id=question_id, expectation=expectation):
                return await self._exchange.ask(directive, question_id, expectation)
            case Offer(offer=offer, topic=topic, rule=rule):
                await write(OfferMade, offer=offer, topic=topic, rule=rule)
                return await self._exchange.ask(directive, OFFER, expected_at(offer))
            case Record(answer=answer):
                await write(
                    AnswerRecorded,
                    question_id=directive.question_id,
                    question_kind=directive.question_kind,
                    answer=answer,
                )
                if answer.status is AnswerStatus.ANSWERED:
                    self.progress = self.progress.with_answer()
            case Signal():
                self.handing.about = directive
                await write(SignalRaised, **directive.model_dump(exclude={"kind"}))
            case WithdrawSignal():
                await write(SignalWithdrawn, **directive.model_dump(exclude={"kind"}))
            case OpenCase() | Note():
                self._matters.hold(directive)
            case WithdrawMatter():
                pass  # it was not yet written down: `_perform` has settled it
            case OfferAnswered(offer=offer, accepted=accepted):
                await write(OfferDecided, offer=offer, accepted=accepted)
            case Transfer():
                return await self._joining.transfer(directive)
            case Callback():
                if directive.by == "agent" and self.handing.failed is not None:
                    await self.handing.owe(self.handing.failed, directive.when, due=directive.due)
                else:
                    await self._matters.promise(directive)
                self.progress = self.progress.promising()
            case StopRecording(words=words):
                await self._tape.refuse(words)
            case OptOut(words=words):
                await write(OptedOut, words=words)
            case End():
                self.progress = self.progress.ending(directive.disposition)
                if directive.text:
                    return await self._exchange.close(directive)
            case _:
                assert_never(directive)
        return None

    # The ways out ----------------------------------------------------------------------------

    async def close(self) -> None:
        """Lets go of the line; what was said on it is written down."""
        await self.ear.rest()
        await self.silence.close()
        await self.speaker.close()

    async def apologise(self) -> None:
        """Our own fault: say so. The caller of this hangs up afterwards."""
        self.silence.rest()
        if self.progress.decided is None and not self.progress.callback:
            ours = Disposition.PARTIAL if self.progress.answers else Disposition.INTERRUPTED
            self.progress = self.progress.ending(ours)
        text = self._plan.texts.error
        try:
            await self.speaker.say(text, purpose="apology", protected=True)
        except (DiskFull, StoreUnavailable):  # it cannot be written down, but it can be said
            await self._leg.play(await self.speaker.sound(text)).done()
