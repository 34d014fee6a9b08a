"""A call's script: perform what the dialogue directs, listen, and tell the dialogue what was heard.

The script decides nothing about the survey. It ends by itself when the line does: a play raises
LegClosed and the ear hears no more, so words spoken just before a hang-up still become an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import cycle
from typing import assert_never

from bot.call.coming_back import ask_again, open_matter, order_for
from bot.call.handing_over import HandingOver
from bot.call.handover_parts import Parts, Reason
from bot.call.journal import Journal
from bot.call.listening import Ear, Heard
from bot.call.matters import Matters
from bot.call.measures import ReplyTimer
from bot.call.outcome import Progress
from bot.call.plan import CallPlan, CallRoom
from bot.call.speaking import Speaker
from bot.call.speculation import Speculation
from bot.call.talking_over import TalkOver
from bot.call.tape import Tape
from bot.call.turns import Turns
from bot.call.waiting import end, first_of
from bot.core.answer import AnswerStatus
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import (
    Ask,
    Callback,
    Directive,
    End,
    Expectation,
    Note,
    Offer,
    OfferAnswered,
    OpenCase,
    OptOut,
    Record,
    Say,
    Signal,
    Transfer,
    TurnReply,
    WithdrawMatter,
    WithdrawSignal,
    YesNoExpected,
)
from bot.core.endings import Disposition
from bot.core.errors import DiskFull, LegClosed, StoreUnavailable
from bot.core.events import (
    AnswerRecorded,
    ConsentHeard,
    ListeningStarted,
    OfferDecided,
    OfferMade,
    OptedOut,
    SignalRaised,
    SignalWithdrawn,
    TurnUnderstood,
)
from bot.core.ports import VoiceActivity
from bot.core.returning import OpenMatter
from bot.speech.grammar import INTERRUPTIONS
from bot.surveys.offering import expected_at
from telephony.leg import CallLeg

OFFER = "offer"
"""The `question_id` under which an offer is put and listened to."""


_QUIET_S = 1.9
"""No silence on a line lasts longer than two seconds: by then a filler has begun."""

_FAREWELLS = frozenset(
    ("до", "свидания", "всего", "доброго", "хорошего", "дня", "пока", "и", "вам", "вас", "тоже", "большое")
)
"""What people say while they are taken leave of: no answer is corrected by it."""

_INTERJECTION_S = 1.0
"""Who spoke over a prompt that asks nothing is waited for no longer than this."""


class Script:
    """The talk on one line that is up. `handing_over` is set while the caller is, or is being, passed
    on to a human; `handing` is how. `before_greeting` is waited for before the first word: whoever took
    the call may speak first."""

    def __init__(
        self,
        leg: CallLeg,
        plan: CallPlan,
        room: CallRoom,
        journal: Journal,
        tape: Tape,
        agents_vad: Callable[[int], VoiceActivity] | None = None,
    ) -> None:
        self._leg = leg
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
        self._sign = room.listening_sign(leg.rate)
        self.ear.on_waiting = self._still_here
        self._foresight = (
            Speculation(plan.survey, plan.context, room.dialogue, self.speaker.sound)
            if plan.survey is not None
            else None
        )
        self.ear.on_words = self._foresee
        self.progress = Progress()
        self.handing = HandingOver(
            Parts(
                leg=leg,
                ear=self.ear,
                speaker=self.speaker,
                tape=tape,
                agent_speaker=self._voice_on,
                new_vad=agents_vad or room.vad,
                journal=journal,
                plan=plan,
                room=room,
            )
        )
        self._interjection: Heard | None = None
        self._turns = Turns(self.ear, journal, self._timer, room.clock)
        self._matters = Matters(journal, plan.context.department)
        self._unsaid: tuple[Directive, ...] = ()
        self._corrigible = False
        self.before_greeting: Callable[[], Awaitable[None]] | None = None

    def _voice_on(self, leg: CallLeg) -> Speaker:
        return Speaker(leg, self._room.prompts, self._journal, self._plan.voice, self.ear)

    @property
    def handing_over(self) -> bool:
        return self.handing.now is not None

    async def run(self) -> None:
        """The whole talk. Raises LegClosed, DialogueUnavailable or DiskFull."""
        try:
            if (matter := await open_matter(self._plan, self._room, self._leg)) is not None:
                await self._come_back(matter)
            else:
                await self._talk()
        finally:
            await self._matters.close()

    async def _talk(self) -> None:
        reply = await self._patiently(asyncio.ensure_future(self._room.dialogue.start(self._plan.context)))
        if self._foresight is not None:
            self._foresight.started(reply)
        if self.before_greeting is not None:
            await self.before_greeting()
        following = await self._perform(reply)
        while following is not None:
            following = await self._take(following)

    async def _take(self, turn: UserTurn) -> UserTurn | None:
        """The dialogue takes this turn, and its reply is performed; the turn that follows, or None.

        A reply that is foreseen is performed while the dialogue is being asked; where it says otherwise
        (which nothing but a fault explains) that is broken off.
        """
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
        """Wait for the dialogue; a caller who waits with us is told so, again and again."""
        fillers = cycle(self._plan.texts.filler)
        try:
            wait_s = min(self._room.settings.filler_after_s, max(_QUIET_S - self._turns.silent_s, 0.0))
            while True:
                done, _ = await asyncio.wait({reply}, timeout=wait_s)
                wait_s = self._room.settings.filler_after_s
                if done or self._leg.ended.done():
                    return await reply
                with suppress(LegClosed):  # he left this moment: what he said last still counts
                    await self.speaker.say(next(fillers), purpose="filler")
                self.ear.unheard()  # the filler, perhaps, and not the caller
        finally:
            reply.cancel()

    def _still_here(self) -> None:
        """A quiet sign for a caller who thinks: the line is alive."""
        with suppress(LegClosed):
            self._leg.play(self._sign)

    # Directives ------------------------------------------------------------------------------

    async def _perform(self, reply: TurnReply) -> UserTurn | None:
        """Everything the dialogue ordered; the turn that follows, or None when the talk is over.

        A caller who is gone cannot be spoken to, but what the dialogue notes, promises and decides
        behind a sentence that he missed holds all the same.
        """
        if reply.understood is not None:
            await self._journal.write(TurnUnderstood, **reply.understood.model_dump())
        directives, self._unsaid = reply.directives or self._unsaid, ()
        await self._matters.settle(directives)
        given = (each.answer for each in directives if isinstance(each, Record))
        self._corrigible = any(answer.status is AnswerStatus.ANSWERED for answer in given)
        self.progress = self.progress.going_on()
        turn: UserTurn | None = None
        for directive in directives:
            try:
                turn = await self._do(directive)
            except LegClosed:
                turn = None
        return turn

    async def _do(self, directive: Directive) -> UserTurn | None:
        write = self._journal.write
        match directive:
            case Say():
                await self._say(directive)
            case Ask(question_id=question_id, expectation=expectation):
                return await self._ask(directive, question_id, expectation)
            case Offer(offer=offer, topic=topic, rule=rule):
                await write(OfferMade, offer=offer, topic=topic, rule=rule)
                return await self._ask(directive, OFFER, expected_at(offer))
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
                return await self._transfer(directive)
            case Callback(when=when, by=by):
                if by == "agent" and self.handing.failed is not None:
                    await self.handing.owe(self.handing.failed, when)
                else:
                    await self._matters.promise(directive)
                self.progress = self.progress.promising()
            case OptOut(words=words):
                await write(OptedOut, words=words)
            case End():
                self.progress = self.progress.ending(directive.disposition)
                if directive.text:
                    return await self._close(directive)
            case _:
                assert_never(directive)
        return None

    async def _say(self, say: Say) -> None:
        over = TalkOver(self.ear, None, _INTERJECTION_S)
        heard_out = await self.speaker.say(say.text, purpose=say.purpose, protected=say.protected, guard=over)
        if over.turn:
            heard = await over.heard()
            adds = heard is not None and self._turns.adds(heard)
            self._interjection = heard if adds else _interruption(heard)
        if say.purpose == "consent" and heard_out and not self._leg.ended.done():
            await self._journal.write(ConsentHeard, media_s=self.ear.media_s)
            if self._plan.record:
                await self._tape.start()

    async def _ask(self, ask: Ask | Offer, question_id: str, expectation: Expectation) -> UserTurn | None:
        over = TalkOver(self.ear, expectation, ask.no_input_s)
        interjection, self._interjection = self._interjection, None
        self._turns.asking()
        if interjection is None:
            heard_out = await self.speaker.say(
                ask.text,
                purpose="question" if isinstance(ask, Ask) else "offer",
                question_id=question_id,
                attempt=ask.attempt,
                interrupt=self.ear.expect_keys(expectation),
                guard=over,
            )
            if heard_out:
                self._turns.asked()
        await self._journal.write(
            ListeningStarted,
            media_s=self.ear.media_s,
            question_id=question_id,
            expects=expectation.kind,
        )
        heard = interjection or await over.heard()
        if heard is None:  # the line ended, and nothing had been said
            return None
        return await self._turns.taken(heard, question_id, expectation)

    async def _close(self, end: End) -> UserTurn | None:
        """The closing words. Where an answer was said last they give way to what is added to it in time:
        that turn is returned, and the closing said anew unless the dialogue has something else to say."""
        spoken = self._turns.spoken
        if spoken is None or not self._corrigible:
            await self.speaker.say(end.text, purpose="closing")
            return None
        self._turns.asking()  # nothing was put that might have been heard
        over = TalkOver(self.ear, spoken[1], _INTERJECTION_S, until_s=self._turns.adds_until, nods=_FAREWELLS)
        try:
            heard_out = await self.speaker.say(end.text, purpose="closing", guard=over)
        except LegClosed:  # he corrected himself and left
            if not over.turn:
                raise
            heard_out = False
        heard = await over.heard() if over.turn else None
        if heard is not None and over.is_meant(heard) and self._turns.adds(heard):
            self._unsaid = (end,)
            return await self._turns.taken(heard, *spoken)
        if not heard_out:
            await self.speaker.say(end.text, purpose="closing")
        return None

    async def _transfer(self, order: Transfer) -> UserTurn | None:
        """To a human, to their talk's end. Where nobody takes him the dialogue is told; where that is for
        no want of people, we tell the caller ourselves, and he is owed a call back."""
        failed = await self._hand_over(order)
        if failed is None:
            return None
        closing = self.handing.closing()
        if not closing and not self._leg.ended.done():
            return UserTurn(source=TurnSource.HANDOVER_FAILED, text=failed)
        await self.handing.owe(failed)
        await self._promise(closing)
        return None

    async def _hand_over(self, order: Transfer) -> Reason | None:
        """Why it came to nothing; None where they have talked, and he was taken leave of."""
        try:
            result = await self.handing.over(order)
        except asyncio.CancelledError:
            self.progress = self.progress.promising()
            raise
        finally:
            if self.handing.joined:  # also where the talk was cut off
                self.progress = self.progress.joined()
        if result.reason is None and not self._leg.ended.done():
            await self.speaker.say(self._plan.texts.farewell, purpose="closing")
        return result.reason

    async def _come_back(self, matter: OpenMatter) -> None:
        """No survey: to his agent, or the promise once more."""
        words = self._plan.texts.handover
        self.progress = self.progress.promising()  # it was before, and holds if he leaves
        accepted = await ask_again(self._ask_yes_no, matter, words, self._journal)
        if accepted:
            failed = await self._hand_over(order_for(matter, words))
            if failed is None:
                return
            await self.handing.owe(failed, matter=matter)
        await self._promise(self.handing.closing() or words.promise)

    async def _ask_yes_no(self, offer: Offer) -> UserTurn | None:
        turn = await self._ask(offer, OFFER, YesNoExpected())
        self._timer.asked()
        return turn

    async def _promise(self, closing: str) -> None:
        self.progress = self.progress.promising()
        if not self._leg.ended.done():
            await self.speaker.say(closing, purpose="closing")

    # The ways out ----------------------------------------------------------------------------

    async def apologise(self) -> None:
        """Our own fault: say so. The caller of this hangs up afterwards."""
        if self.progress.decided is None and not self.progress.callback:
            ours = Disposition.PARTIAL if self.progress.answers else Disposition.INTERRUPTED
            self.progress = self.progress.ending(ours)
        text = self._plan.texts.error
        try:
            await self.speaker.say(text, purpose="apology", protected=True)
        except (DiskFull, StoreUnavailable):  # it cannot be written down, but it can be said
            await self._leg.play(await self.speaker.sound(text)).done()


def _interruption(heard: Heard | None) -> Heard | None:
    """What was said over a prompt that asks nothing, where it does not bear to wait for the question that
    follows: «не звоните», «позовите человека», «кто это»."""
    words = f" {heard.text} " if heard is not None else ""
    return heard if any(f" {phrase} " in words for phrase in INTERRUPTIONS) else None
