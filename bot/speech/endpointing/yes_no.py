"""The end of an answer to a yes-or-no question."""

from __future__ import annotations

from bot.core.directives import Expectation, YesNoExpected
from bot.speech.endpointing.completeness import Completeness, completeness, silence_of
from bot.speech.settings import EndpointingSettings
from bot.surveys.words import split
from bot.surveys.yes_no_words import HUMS


class YesNoTurns:
    """Quick after «да», «нет, не решили»; patient after «да, но…» and «не до конца…». «Угу» waits a little:
    a «ну…» sounds like it."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, YesNoExpected)
        found = completeness(expectation, partial)
        if found is Completeness.COMPLETE and HUMS.issuperset(split(partial)):
            found = Completeness.LIKELY
        return silence_of(found, self._settings)
