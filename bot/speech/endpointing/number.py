"""The end of an answer that counts something."""

from __future__ import annotations

from bot.core.directives import Expectation, NumberExpected
from bot.speech.endpointing.completeness import Completeness, completeness, silence_of
from bot.speech.endpointing.growing import may_grow
from bot.speech.settings import EndpointingSettings
from bot.surveys.words import split


class NumberTurns:
    """Quick after «двадцать пять», «два раза» and, where a hundred is the most, after «сто»; patient after
    «двадцать…», and after «два…» where thousands are counted."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, NumberExpected)
        found = completeness(expectation, partial)
        if found is Completeness.COMPLETE and may_grow(split(partial), expectation.high):
            found = Completeness.LIKELY
        return silence_of(found, self._settings)
