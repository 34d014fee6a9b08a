"""Which keys make an answer: DTMF collected for one question. Pure, on media time."""

from __future__ import annotations

from bot.core.directives import (
    ChoiceExpected,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
)

ENTER = "#"
_LAST_HOUR = 23
"""A date is keyed as the hour of the day."""


class KeyPad:
    """Collects the keys of one answer.

    A key that could be the first of two (the 1 of 10 on a scale to 10) waits `gap_s` seconds for
    the second; `#` ends the wait. At a multiple choice each key is an option, and the wait starts
    anew with each. At an open question `#` alone means "I have finished".
    """

    def __init__(self, expectation: Expectation, gap_s: float) -> None:
        self._expectation = expectation.of if isinstance(expectation, ConfirmExpected) else expectation
        self._gap_s = gap_s
        self._keys = ""
        self._last_s = 0.0
        self._entered = False

    @property
    def keys(self) -> str:
        return self._keys

    @property
    def last_s(self) -> float:
        """Media time of the last key that counted."""
        return self._last_s

    @property
    def started(self) -> bool:
        return bool(self._keys) or self._entered

    def press(self, key: str, at: float) -> None:
        """Take a key that was pressed at media time `at`. An open question takes `#` alone."""
        if key == ENTER:
            self._entered = True
        elif isinstance(self._expectation, OpenExpected):
            return
        else:
            self._keys += key
        self._last_s = at

    def complete(self, now: float) -> bool:
        """Is the answer whole at media time `now`?"""
        if self._entered:
            return True
        if not self._keys:
            return False
        return len(self._keys) >= self._longest() or now - self._last_s >= self._gap_s or self._decided()

    def _longest(self) -> int:
        if isinstance(self._expectation, MultiChoiceExpected):
            return len(self._expectation.options)
        highest = self._highest()
        return 1 if highest is None else len(str(highest))

    def _decided(self) -> bool:
        """No second key could make it another valid answer."""
        if isinstance(self._expectation, MultiChoiceExpected):
            return False
        highest = self._highest()
        if highest is None:
            return True
        return not self._keys.isdigit() or int(self._keys) == 0 or int(self._keys) * 10 > highest

    def _highest(self) -> int | None:
        """The highest number that can be keyed; None where one key is the answer."""
        match self._expectation:
            case ScaleExpected(high=high) | NumberExpected(high=high):
                return high
            case ChoiceExpected(options=options):
                return len(options)
            case DateExpected():
                return _LAST_HOUR
            case _:
                return None
