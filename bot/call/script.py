"""A call's script: perform what the dialogue directs, listen, and tell the dialogue what was heard.

The script decides nothing about the survey. It ends by itself when the line does: a play raises
LegClosed and the ear hears no more, so words spoken just before a hang-up still become an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from typing import assert_never

from bot.call.asides import Asides
from bot.call.coming_back import ask_again, open_matter, order_for
from bot.call.handing_over import HandingOver
from bot.call.handover_parts import Parts, Reason
from bot.call.journal import Journal
from bot.call.listening import Ear
from bot.call.matters import Matters
from bot.call.measures import ReplyTimer
from bot.call.outcome import Progress
from bot.call.plan import CallPlan, CallRoom
from bot.call.silence import Silence
from bot.call.speaking import Speaker
from bot.call.speculation import Speculation
from bot.call.talking_over import TalkOver
from bot.call.tape import Tape
from bot.call.turns import FAREWELLS, Turns
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
    OpenExpected,
    OptOut,
    Record,
    Say,
    Signal,
    StopRecording,
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
from bot.surveys.cues import wants_no_recording
from bot.surveys.offering import expected_at
from telephony.leg import CallLeg

OFFER = "offer"
"""The `question_id` under which an offer is put and listened to."""


_NOTHING_ASKED = ("", OpenExpected())
"""What was said last where no question was put."""

_INTERJECTION_S = 1.0
"""Who spoke over a prompt that asks nothing is waited for no longer than this."""


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
        self.handing = HandingOver(
            Parts(leg, self.ear, self.speaker, tape, self._voice_on, vad, journal, plan, room)
        )
        self._turns = Turns(self.ear, journal, self._timer, room.clock)
        self._matters = Matters(journal, plan.context.department)
        self._asides = Asides(plan.context.call_id, room.dialogue, self._turns, room.clock)
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
            matter = await open_matter(self._plan, self._room, self._leg)
            await (self._talk() if matter is None else self._come_back(matter))
        finally:
            await self._matters.close()

    async def _talk(self) -> None:
        self.silence.prepare()
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
        directives, self._unsaid = reply.directives or self._unsaid, ()
        await self._matters.settle(directives)
        given = (each.answer for each in directives if isinstance(each, Record))
        self._corrigible = any(answer.status is AnswerStatus.ANSWERED for answer in given)
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
                    return await self._close(directive)
            case _:
                assert_never(directive)
        return None

    async def _say(self, say: Say) -> None:
        if not say.protected and (self._asides.waiting is not None or self.ear.keyed):
            return  # he has said already what he wants
        ahead = self._asides.ahead
        over = TalkOver(
            self.ear,
            self._asides.expected,
            _INTERJECTION_S,
            keys=ahead,
            until_s=-inf if say.protected else inf,
        )
        heard_out = await self.speaker.say(
            say.text,
            purpose=say.purpose,
            protected=say.protected,
            interrupt=self.ear.expect_keys(ahead) if ahead is not None and not say.protected else None,
            guard=over,
        )
        self.silence.greeted = True
        heard = await over.turns()
        await self._asides.take(heard)
        if say.purpose == "consent" and heard_out and not self._leg.ended.done():
            await self._journal.write(ConsentHeard, media_s=self.ear.media_s)
            refusal = next((each.text for each in heard if wants_no_recording(each.text)), None)
            if refusal is not None:
                await self._tape.refuse(refusal)
            elif self._plan.record:
                await self._tape.start()

    async def _ask(self, ask: Ask | Offer, question_id: str, expectation: Expectation) -> UserTurn | None:
        over = TalkOver(self.ear, expectation, ask.no_input_s)
        aside = self._asides.taken()
        self._turns.asking()
        if aside is None and not self.ear.keyed:
            heard_out = await self.speaker.say(
                ask.text,
                purpose="question" if isinstance(ask, Ask) else "offer",
                question_id=question_id,
                attempt=ask.attempt,
                interrupt=self.ear.expect_keys(expectation),
                guard=over,
            )
            self.silence.greeted = True
            if heard_out:
                self._turns.asked()
        await self._journal.write(
            ListeningStarted,
            media_s=self.ear.media_s,
            question_id=question_id,
            expects=expectation.kind,
        )
        heard = aside or await over.heard()
        if heard is None:  # the line ended, and nothing had been said
            return None
        return await self._turns.taken(heard, question_id, expectation)

    async def _close(self, end: End) -> UserTurn | None:
        """The closing words. Where an answer was said last they give way to what is added to it in time:
        that turn is returned, and the closing said anew unless the dialogue has something else to say.
        Whoever speaks later does not hold them up, and is heard: he may never want to be rung again."""
        aside = self._asides.taken()
        if aside is not None:
            self._unsaid = (end,)
            return await self._turns.taken(aside, *(self._turns.spoken or _NOTHING_ASKED))
        self.silence.rest()
        spoken = self._turns.spoken if self._corrigible else None
        self._turns.asking()  # nothing was put that might have been heard
        expected, until_s = (spoken[1], self._turns.adds_until) if spoken is not None else (None, -inf)
        over = TalkOver(self.ear, expected, _INTERJECTION_S, until_s=until_s, nods=FAREWELLS)
        heard_out = False
        with suppress(LegClosed):  # he corrected himself and left
            heard_out = await self.speaker.say(end.text, purpose="closing", guard=over)
        heard = await over.turns()
        if spoken is not None and heard and self._turns.adds(heard[0]):
            self._unsaid = (end,)
            await self._asides.take(heard[1:], over=True)
            return await self._turns.taken(heard[0], *spoken)
        await self._asides.take(heard, over=True)
        wish = self._asides.taken()
        if wish is not None:
            return await self._turns.taken(wish, *_NOTHING_ASKED)
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
            return UserTurn(source=TurnSource.HANDOVER_FAILED, text=failed, due=self.handing.due_at)
        await self.handing.owe(failed)
        await self._promise(closing)
        return None

    async def _hand_over(self, order: Transfer) -> Reason | None:
        """Why it came to nothing; None where they have talked, and he was taken leave of."""
        self.silence.rest()
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

    async def close(self) -> None:
        """Lets go of the line; what was said on it is written down."""
        await self.ear.rest()
        await self.silence.close()
        await self.speaker.close()

    async def apologise(self) -> None:
        """Our own fault: say so. The caller of this hangs up afterwards."""
        self.silence.rest()
        if self.progress.decided is None:
            ours = Disposition.PARTIAL if self.progress.answers else Disposition.INTERRUPTED
            self.progress = self.progress.ending(ours)
        text = self._plan.texts.error
        try:
            await self.speaker.say(text, purpose="apology", protected=True)
        except (DiskFull, StoreUnavailable):  # it cannot be written down, but it can be said
            await self._leg.play(await self.speaker.sound(text)).done()
