"""The end of an answer that names a day or a time."""

from __future__ import annotations

from bot.core.directives import DateExpected, Expectation
from bot.speech.endpointing.completeness import Completeness, completeness, silence_of
from bot.speech.settings import EndpointingSettings


class DateTurns:
    """Patient after each part: «завтра…» may become «завтра утром», and that «завтра утром, в десять»."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, DateExpected)
        found = completeness(expectation, partial)
        return silence_of(Completeness.LIKELY if found is Completeness.COMPLETE else found, self._settings)
