"""The end of an answer that names any of several options."""

from __future__ import annotations

from bot.core.directives import Expectation, MultiChoiceExpected
from bot.speech.endpointing.completeness import Completeness, completeness, silence_of
from bot.speech.settings import EndpointingSettings


class ListingTurns:
    """Patient after each option: another may follow. Nobody knows that a list is whole but who makes it."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, MultiChoiceExpected)
        found = completeness(expectation, partial)
        return silence_of(Completeness.EXPLAINED if found is Completeness.COMPLETE else found, self._settings)
