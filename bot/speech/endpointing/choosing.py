"""Which strategy belongs to which expectation."""

from __future__ import annotations

from typing import assert_never

from bot.core.directives import (
    ChoiceExpected,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.speech.endpointing.choice import ChoiceTurns
from bot.speech.endpointing.confirm import ConfirmTurns
from bot.speech.endpointing.date import DateTurns
from bot.speech.endpointing.listing import ListingTurns
from bot.speech.endpointing.number import NumberTurns
from bot.speech.endpointing.open import OpenTurns
from bot.speech.endpointing.scale import ScaleTurns
from bot.speech.endpointing.strategy import FixedSilence, TurnStrategy
from bot.speech.endpointing.yes_no import YesNoTurns
from bot.speech.settings import EndpointingSettings


class EitherTurns:
    """What is said may answer this question or still the one before («…ой нет, девять»): over as soon as
    it is whole as either."""

    def __init__(self, this: TurnStrategy, before: Expectation, settings: EndpointingSettings) -> None:
        self._this = this
        self._before = before
        self._strategy_before = strategy_for(before, settings)
        self._whole_s = settings.complete_silence_s

    def silence_s(self, expectation: Expectation | None, partial: str, spoken_s: float) -> float:
        if self._strategy_before.silence_s(self._before, partial, spoken_s) <= self._whole_s:
            return self._whole_s
        return self._this.silence_s(expectation, partial, spoken_s)


def strategy_for(expectation: Expectation | None, settings: EndpointingSettings) -> TurnStrategy:
    """The strategy of a question; a fixed silence where nothing in particular is expected."""
    match expectation:
        case None:
            return FixedSilence(settings.likely_silence_s)
        case ScaleExpected():
            return ScaleTurns(settings)
        case YesNoExpected():
            return YesNoTurns(settings)
        case ChoiceExpected():
            return ChoiceTurns(settings)
        case MultiChoiceExpected():
            return ListingTurns(settings)
        case NumberExpected():
            return NumberTurns(settings)
        case DateExpected():
            return DateTurns(settings)
        case ConfirmExpected():
            return ConfirmTurns(settings)
        case OpenExpected():
            return OpenTurns(settings)
        case _:
            assert_never(expectation)
