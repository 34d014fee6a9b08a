"""The end of an answer to «Вы сказали семь, верно?»."""

from __future__ import annotations

from bot.core.directives import ConfirmExpected, Expectation
from bot.speech.endpointing.completeness import completeness, silence_of
from bot.speech.settings import EndpointingSettings
from bot.surveys.words import split


class ConfirmTurns:
    """Quick after «да» and after another value; after a bare «нет» the right value is waited for."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, ConfirmExpected)
        if split(partial) and set(split(partial)) <= {"нет", "no"}:
            return self._settings.open_silence_s
        return silence_of(completeness(expectation, partial), self._settings)
