"""The caller's turns in a call: what one is to the dialogue, and how it follows upon the one before."""

from __future__ import annotations

from datetime import datetime
from math import inf

from bot.call.journal import Journal
from bot.call.listening import Ear, Heard
from bot.call.measures import ReplyTimer
from bot.core.clock import Clock
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Expectation
from bot.core.events import TurnHeard
from bot.surveys.correcting import ADDED_S

_REACTION_S = 0.2
"""Nobody answers a question sooner after its last word: the gap between people who talk to each other."""


FAREWELLS = frozenset(
    ("до", "свидания", "всего", "доброго", "хорошего", "дня", "пока", "и", "вам", "вас", "тоже", "большое")
)
"""What people say while they are taken leave of: no answer is corrected by it."""


class Turns:
    """`spoken` is the question that the last turn was said at and what it expected; None where it was not
    said: keys are pressed while one goes on talking."""

    def __init__(self, ear: Ear, journal: Journal, timer: ReplyTimer, clock: Clock) -> None:
        self._ear = ear
        self._journal = journal
        self._timer = timer
        self._clock = clock
        self._spoke_until: float | None = None
        self._answerable_s = inf
        self.spoken: tuple[str, Expectation] | None = None

    def asking(self) -> None:
        """A question is about to be put: nobody has heard it yet."""
        self._answerable_s = inf

    def asked(self) -> None:
        """It was heard to its end."""
        self._answerable_s = self._ear.media_s + _REACTION_S

    @property
    def adds_until(self) -> float:
        """The media time by which a turn begins that may belong to the last one: «…ой нет, девять»."""
        return (self._spoke_until or 0.0) + ADDED_S

    def after_s(self, started_s: float | None) -> float | None:
        """How long after his own last words (or keys) the caller began to speak at this media time."""
        if started_s is None or self._spoke_until is None:
            return None
        return round(max(0.0, started_s - self._spoke_until), 3)

    def adds(self, heard: Heard) -> bool:
        """Whether it may belong to the answer before it."""
        after_s = self.after_s(heard.started_s)
        return bool(heard.text) and after_s is not None and after_s <= ADDED_S

    def question_heard(self, started_s: float | None) -> bool:
        """Whether the question had been heard out when the caller began to speak."""
        return started_s is not None and started_s >= self._answerable_s

    async def remarked(self, heard: Heard) -> None:
        """Writes down what was said, or keyed, where no question is concerned."""
        await self._write("", heard)

    async def _write(self, question_id: str, heard: Heard) -> None:
        await self._journal.write(
            TurnHeard,
            media_s=heard.decided_s,
            question_id=question_id,
            source=heard.source,
            text=heard.text,
            words=heard.words,
            digits=heard.digits,
            unknown_share=round(heard.unknown_share, 3),
            started_s=heard.started_s,
            ended_s=heard.ended_s,
        )

    async def taken(self, heard: Heard, question_id: str, expectation: Expectation) -> UserTurn:
        """Writes a turn down, and tells what the dialogue is to be told of it."""
        self._timer.heard(question_id, heard, self._clock.monotonic())
        await self._write(question_id, heard)
        turn = turn_of(
            heard,
            self._clock.now(),
            after_s=self.after_s(heard.started_s),
            question_heard=self.question_heard(heard.started_s),
        )
        self._spoke_until = heard.ended_s
        self.spoken = (question_id, expectation) if heard.source is TurnSource.SPEECH else None
        self._ear.took_turn(expectation, self.adds_until)
        return turn


def turn_of(
    heard: Heard, at: datetime, *, after_s: float | None = None, question_heard: bool = False
) -> UserTurn:
    """What the dialogue is told of what was heard, and that it was heard `at`."""
    return UserTurn(
        source=heard.source,
        text=heard.text,
        words=heard.words,
        digits=heard.digits,
        at=at,
        after_s=after_s,
        question_heard=question_heard,
    )
