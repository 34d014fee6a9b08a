"""What callers say over prompts that ask nothing: lead-ins, thanks, fillers, the consent, the farewell.

None of it is lost. What the dialogue can do something with it is told at once, in place of the question
that was to follow; the rest is written down, and the question is put.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.call.listening import Heard
from bot.call.turns import Turns, turn_of
from bot.core.answer import Answer
from bot.core.clock import Clock
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Ask, Directive, Expectation, Offer, OpenExpected
from bot.core.errors import Unavailable
from bot.core.ports import Dialogue
from bot.speech.grammar_words import INTERRUPTIONS
from bot.surveys.answers import parse
from bot.surveys.cues import wants_no_recording
from bot.surveys.offering import expected_at
from bot.surveys.understanding import as_understood
from bot.surveys.wishes import FINAL_WISHES, wish_of

log = structlog.get_logger()


FAREWELLS = frozenset(
    ("до", "свидания", "всего", "доброго", "хорошего", "дня", "пока", "и", "вам", "вас", "тоже", "большое")
)
"""What people say while they are taken leave of: no answer is corrected by it."""


class Asides:
    """`ahead` is what the next question of this reply expects, and `heard_before` whether the caller
    knows that question: only then do words over the sentence before it answer it. `waiting` is what the
    dialogue is to be told next."""

    def __init__(self, call_id: str, dialogue: Dialogue, turns: Turns, clock: Clock) -> None:
        self._call_id = call_id
        self._dialogue = dialogue
        self._turns = turns
        self._clock = clock
        self.ahead: Expectation | None = None
        self.heard_before = False
        self.waiting: Heard | None = None

    @property
    def expected(self) -> Expectation | None:
        """What words over a lead-in may answer."""
        return self.ahead if self.heard_before else None

    def coming(self, directives: Sequence[Directive]) -> None:
        """These are about to be performed, with a question among them or none."""
        question = next((each for each in directives if isinstance(each, Ask | Offer)), None)
        self.heard_before = question is not None and question.attempt > 1
        if question is None:
            self.ahead = None
        else:
            self.ahead = question.expectation if isinstance(question, Ask) else expected_at(question.offer)

    def taken(self) -> Heard | None:
        """What the dialogue is to be told in place of an answer to the question that is due, once."""
        waiting, self.waiting = self.waiting, None
        return waiting

    async def take(self, heard: Sequence[Heard], *, over: bool = False) -> None:
        """These turns were said over a prompt, the last one perhaps behind it. `over` where nothing but
        the farewell is left: then only a wish that does not end with the survey is more than a remark."""
        for turn in heard:
            if self.waiting is None and await self._counts(turn, over=over):
                self.waiting = turn
            else:
                await self._turns.remarked(turn)

    async def drop(self) -> None:
        """Nobody asks anything any more: what waits is written down."""
        waiting = self.taken()
        if waiting is not None:
            await self._turns.remarked(waiting)

    async def _counts(self, heard: Heard, *, over: bool) -> bool:
        if heard.source is not TurnSource.SPEECH:
            return not over
        turn = turn_of(heard, self._clock.now())
        if over:
            if wants_no_recording(turn.text) or wish_of(turn) in FINAL_WISHES:
                return True
            return wish_of(await self._understood(turn)) in FINAL_WISHES
        if self._turns.adds(heard) or is_interruption(heard.text) or wants_no_recording(heard.text):
            return True
        if self.expected is not None and isinstance(parse(self.expected, turn), Answer):
            return True
        open_question = isinstance(self.ahead, OpenExpected)
        return wish_of(await self._understood(turn), open_question=open_question) is not None

    async def _understood(self, turn: UserTurn) -> UserTurn:
        try:
            return as_understood(turn, await self._dialogue.parse(turn.text))
        except Unavailable as error:
            # The next turn will meet the same trouble, and the caller is told then.
            log.info("remark not understood", call_id=self._call_id, reason=error.message)
            return turn


def is_interruption(text: str) -> bool:
    """Whether it does not bear to wait for the question that follows: «не звоните», «позовите человека»,
    «кто это»."""
    return any(f" {phrase} " in f" {text} " for phrase in INTERRUPTIONS)
