"""The end of an answer that names any of several options."""

from __future__ import annotations

from bot.core.answer import Answer
from bot.core.directives import Expectation, MultiChoiceExpected
from bot.speech.endpointing.completeness import Completeness, completeness, reading_of, silence_of
from bot.speech.settings import EndpointingSettings
from bot.surveys.words import split

_THAT_IS_ALL = (
    "больше ничего",
    "ничего больше",
    "и все",
    "это все",
    "that's all",
    "nothing else",
)
"""Who ends with this adds nothing."""


class ListingTurns:
    """Patient after each option: another may follow, unless as many are named as may be, or the caller says
    that these are all."""

    def __init__(self, settings: EndpointingSettings) -> None:
        self._settings = settings

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        assert isinstance(expectation, MultiChoiceExpected)
        found = completeness(expectation, partial)
        if found in (Completeness.COMPLETE, Completeness.EXPLAINED):
            whole = _is_whole(expectation, partial)
            found = Completeness.COMPLETE if whole else Completeness.EXPLAINED
        return silence_of(found, self._settings)


def _is_whole(expectation: MultiChoiceExpected, partial: str) -> bool:
    said = f" {' '.join(split(partial))}"
    if any(said.endswith(f" {phrase}") for phrase in _THAT_IS_ALL):
        return True
    reading = reading_of(expectation, partial)
    named = reading.value if isinstance(reading, Answer) else None
    most = len(expectation.options) if expectation.at_most is None else expectation.at_most
    if not isinstance(named, list):
        return False
    return len(named) >= most or (said.endswith(" все") and len(named) < len(expectation.options))
