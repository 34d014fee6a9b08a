"""The end of an answer that counts something."""

from __future__ import annotations

from bot.core.directives import Expectation, NumberExpected
from bot.speech.endpointing.completeness import Completeness, completeness, silence_of
from bot.speech.settings import EndpointingSettings


class NumberTurns:
    """Patient after every number: «двадцать…» may become twenty-five, and «два…» two hundred or two days."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, NumberExpected)
        found = completeness(expectation, partial)
        return silence_of(Completeness.LIKELY if found is Completeness.COMPLETE else found, self._settings)
