"""How much silence ends a turn: what every strategy has in common."""

from __future__ import annotations

from typing import Protocol

from bot.core.directives import Expectation


class TurnStrategy(Protocol):
    """How much silence ends a turn."""

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        """Seconds of silence after which the turn is over, given what was said until now.

        `partial` is the recognised text so far, `spoken_s` the time from the first voice to the last.
        """


class FixedSilence:
    """The same silence whatever was said: where nothing is known of the answer, and as a peer does it."""

    def __init__(self, silence_s: float) -> None:
        self._silence_s = silence_s

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        return self._silence_s
