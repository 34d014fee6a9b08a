"""How long the kinds of questions wait whose answers grow: lists, counts, times, and the confirming one."""

from __future__ import annotations

import pytest

from bot.core.directives import (
    ChoiceOption,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    ScaleExpected,
)
from bot.speech.endpointing import strategy_for
from bot.speech.settings import EndpointingSettings

SETTINGS = EndpointingSettings()
LIST = MultiChoiceExpected(
    options=(ChoiceOption(id="price", say=("цена",)), ChoiceOption(id="speed", say=("скорость",)))
)
COUNT = NumberExpected(low=0, high=100)
WHEN = DateExpected(horizon_days=7)
SEVEN = ConfirmExpected(of=ScaleExpected(low=0, high=10), candidates=(7,))


def waits(expectation: Expectation, partial: str) -> float:
    return strategy_for(expectation, SETTINGS).silence_s(expectation, partial, 1.0)


@pytest.mark.parametrize(
    ("expectation", "partial", "seconds"),
    [
        (LIST, "цена", SETTINGS.open_silence_s),
        (LIST, "цена и", SETTINGS.incomplete_silence_s),
        (COUNT, "двадцать", SETTINGS.likely_silence_s),
        (COUNT, "ну наверное", SETTINGS.incomplete_silence_s),
        (WHEN, "завтра", SETTINGS.likely_silence_s),
        (WHEN, "завтра утром в", SETTINGS.incomplete_silence_s),
        (SEVEN, "да", SETTINGS.complete_silence_s),
        (SEVEN, "восемь", SETTINGS.complete_silence_s),
        (SEVEN, "нет", SETTINGS.open_silence_s),
        (SEVEN, "нет восемь", SETTINGS.complete_silence_s),
    ],
)
def test_it_waits_for_what_may_follow(expectation: Expectation, partial: str, seconds: float) -> None:
    assert waits(expectation, partial) == seconds
