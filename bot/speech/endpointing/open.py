"""The end of an open answer: people think while they tell something."""

from __future__ import annotations

from bot.core.directives import Expectation
from bot.speech.endpointing.completeness import hangs
from bot.speech.settings import EndpointingSettings
from bot.surveys.words import UNKNOWN, split


class OpenTurns:
    """Longer after «потому что…», «э…» and sounds without words than after a finished sentence."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        words = split(partial)
        known = [word for word in words if word != UNKNOWN]
        if not known or hangs(words):
            return self._settings.incomplete_silence_s
        return self._settings.open_silence_s
