"""The end of an answer that names a day or a time."""

from __future__ import annotations

from bot.core.directives import DateExpected, Expectation
from bot.speech.endpointing.completeness import SOME_DAY, Completeness, completeness, silence_of
from bot.speech.settings import EndpointingSettings
from bot.surveys.date_parts import Days, Delay, Times, parts
from bot.surveys.words import Token, split, table

_CLOSES = table("утра дня вечера am pm полдень")
"""Behind one of these no minutes follow, and no half of the day."""


class DateTurns:
    """Quick after a day and a whole time («завтра в десять утра») and after «через двадцать минут»; patient
    after each part: «завтра…» may become «завтра утром», and that «завтра утром, в десять»."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, DateExpected)
        found = completeness(expectation, partial)
        if found is Completeness.COMPLETE and not _is_whole(split(partial)):
            found = Completeness.LIKELY
        return silence_of(found, self._settings)


def _is_whole(words: tuple[str, ...]) -> bool:
    """Whether nothing that could follow would make it another moment."""
    said = [part.what for part in parts([Token(word) for word in words], SOME_DAY.date())]
    if any(isinstance(what, Delay) for what in said):
        return words[-1] != "час"  # «через час… полтора»
    on_a_day = any(isinstance(what, Days) for what in said)
    at_a_time = any(isinstance(what, Times) and what.relation == "at" for what in said)
    return on_a_day and at_a_time and not _CLOSES.isdisjoint(words)
