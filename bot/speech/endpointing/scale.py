"""The end of an answer to a scale question: a whole number that cannot grow any more."""

from __future__ import annotations

from bot.core.directives import Expectation, ScaleExpected
from bot.speech.endpointing.completeness import Completeness, completeness, silence_of
from bot.speech.endpointing.growing import may_grow
from bot.speech.settings import EndpointingSettings
from bot.surveys.numerals import mentions
from bot.surveys.words import UNKNOWN, Token, split


class ScaleTurns:
    """Quick after «девять», patient after «один…», «двадцать…», «десять из…» and «ну… наверное…»."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, ScaleExpected)
        found = completeness(expectation, partial)
        if _opens_range(partial):
            found = Completeness.INCOMPLETE
        elif found is Completeness.COMPLETE and may_grow(split(partial), expectation.high):
            found = Completeness.LIKELY
        return silence_of(found, self._settings)


def _opens_range(text: str) -> bool:
    """«Между шестью…», the second end of it not said, or not understood: no point of the scale yet."""
    words = split(text)
    numbers = mentions([Token(word) for word in words])
    if not numbers or "между" not in words[: numbers[-1].start]:
        return False
    if sum(number.start > words.index("между") for number in numbers) > 1:
        return False  # the second end, or the point that was settled on: what is read of them tells
    return all(word == UNKNOWN for word in words[numbers[-1].end :])
