"""The end of an answer to a choice between options."""

from __future__ import annotations

from bot.core.directives import ChoiceExpected, Expectation
from bot.speech.endpointing.completeness import Completeness, completeness, silence_of
from bot.speech.settings import EndpointingSettings
from bot.surveys.words import split


class ChoiceTurns:
    """Quick after an option, patient while another option begins with the same words."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, ChoiceExpected)
        found = completeness(expectation, partial)
        if found is Completeness.COMPLETE and _may_become_another(expectation, split(partial)):
            found = Completeness.LIKELY
        return silence_of(found, self._settings)


def _may_become_another(expectation: ChoiceExpected, words: tuple[str, ...]) -> bool:
    """«интернет…», where «интернет и телевидение» is to be had as well."""
    phrases = (split(phrase) for option in expectation.options for phrase in option.say)
    return any(words[-length:] == phrase[:length] for phrase in phrases for length in range(1, len(phrase)))
