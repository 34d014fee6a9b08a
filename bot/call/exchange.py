"""One prompt to the caller, and what he says over it or after it."""

from __future__ import annotations

from contextlib import suppress
from math import inf

from bot.call.asides import FAREWELLS, Asides
from bot.call.handover_parts import Parts
from bot.call.silence import Silence
from bot.call.talking_over import TalkOver
from bot.call.turns import Turns
from bot.core.context import UserTurn
from bot.core.directives import Ask, Directive, End, Expectation, Offer, OpenExpected, Say
from bot.core.errors import LegClosed
from bot.core.events import ConsentHeard, ListeningStarted
from bot.surveys.cues import wants_no_recording

OFFER = "offer"
"""The `question_id` under which an offer is put and listened to."""

_NOTHING_ASKED = ("", OpenExpected())
"""What was said last where no question was put."""

_INTERJECTION_S = 1.0
"""Who spoke over a prompt that asks nothing is waited for no longer than this."""


class Exchange:
    """Says, asks, takes leave. `corrigible` is set while the last answer may still be corrected; `unsaid` are
    the closing words that gave way to a turn, to be said anew. Each raises LegClosed, DiskFull."""

    def __init__(self, parts: Parts, silence: Silence, turns: Turns, asides: Asides) -> None:
        self._leg = parts.leg
        self._ear = parts.ear
        self._speaker = parts.speaker
        self._tape = parts.tape
        self._journal = parts.journal
        self._plan = parts.plan
        self._silence = silence
        self._turns = turns
        self._asides = asides
        self.unsaid: tuple[Directive, ...] = ()
        self.corrigible = False

    async def say(self, say: Say) -> None:
        if not say.protected and (self._asides.waiting is not None or self._ear.keyed):
            return  # he has said already what he wants
        ahead = self._asides.ahead
        over = TalkOver(
            self._ear,
            self._asides.expected,
            _INTERJECTION_S,
            keys=ahead,
            until_s=-inf if say.protected else inf,
        )
        heard_out = await self._speaker.say(
            say.text,
            purpose=say.purpose,
            protected=say.protected,
            interrupt=self._ear.expect_keys(ahead) if ahead is not None and not say.protected else None,
            guard=over,
        )
        self._silence.greeted = True
        heard = await over.turns()
        await self._asides.take(heard)
        if say.purpose == "consent" and heard_out and not self._leg.ended.done():
            await self._journal.write(ConsentHeard, media_s=self._ear.media_s)
            refusal = next((each.text for each in heard if wants_no_recording(each.text)), None)
            if refusal is not None:
                await self._tape.refuse(refusal)
            elif self._plan.record:
                await self._tape.start(self._ear.media_s)

    async def ask(self, ask: Ask | Offer, question_id: str, expectation: Expectation) -> UserTurn | None:
        over = TalkOver(self._ear, expectation, ask.no_input_s)
        aside = self._asides.taken()
        self._turns.asking()
        if aside is None and not self._ear.keyed:
            heard_out = await self._speaker.say(
                ask.text,
                purpose="question" if isinstance(ask, Ask) else "offer",
                question_id=question_id,
                attempt=ask.attempt,
                interrupt=self._ear.expect_keys(expectation),
                guard=over,
            )
            self._silence.greeted = True
            if heard_out:
                self._turns.asked()
        await self._journal.write(
            ListeningStarted,
            media_s=self._ear.media_s,
            question_id=question_id,
            expects=expectation.kind,
        )
        heard = aside or await over.heard()
        if heard is None:  # the line ended, and nothing had been said
            return None
        return await self._turns.taken(heard, question_id, expectation)

    async def close(self, end: End) -> UserTurn | None:
        """The closing words. Where an answer was said last they give way to what is added to it in time:
        that turn is returned, and the closing said anew unless the dialogue has something else to say.
        Whoever speaks later does not hold them up, and is heard: he may never want to be rung again."""
        aside = self._asides.taken()
        if aside is not None:
            self.unsaid = (end,)
            return await self._turns.taken(aside, *(self._turns.spoken or _NOTHING_ASKED))
        self._silence.rest()
        spoken = self._turns.spoken if self.corrigible else None
        self._turns.asking()  # nothing was put that might have been heard
        expected, until_s = (spoken[1], self._turns.adds_until) if spoken is not None else (None, -inf)
        over = TalkOver(self._ear, expected, _INTERJECTION_S, until_s=until_s, nods=FAREWELLS)
        heard_out = False
        with suppress(LegClosed):  # he corrected himself and left
            heard_out = await self._speaker.say(end.text, purpose="closing", guard=over)
        heard = await over.turns()
        if spoken is not None and heard and self._turns.adds(heard[0]):
            self.unsaid = (end,)
            await self._asides.take(heard[1:], over=True)
            return await self._turns.taken(heard[0], *spoken)
        await self._asides.take(heard, over=True)
        wish = self._asides.taken()
        if wish is not None:
            return await self._turns.taken(wish, *_NOTHING_ASKED)
        if not heard_out:
            await self._speaker.say(end.text, purpose="closing")
        return None
