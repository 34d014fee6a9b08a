"""An answer as it is spoken back: «девять», «да», «доставка и цена»."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

from bot.core.answer import AnswerValue
from bot.core.directives import ChoiceOption
from bot.surveys.questions import (
    ChoiceQuestion,
    DateQuestion,
    MultiChoiceQuestion,
    NumberQuestion,
    OpenQuestion,
    Question,
    YesNoQuestion,
)
from bot.surveys.spoken_dates import spoken_date

if TYPE_CHECKING:
    from bot.surveys.schema import Survey

MOST_SAYINGS = 101
"""Of how many an answer may be one to be said back: each is synthesised before a call begins. A scale
of 0-100 has so many."""

_YES_NO = {"ru": {"yes": "да", "no": "нет"}, "en": {"yes": "yes", "no": "no"}}
_AND = {"ru": "и", "en": "and"}


def spoken(survey: Survey, question: Question, value: AnswerValue) -> str:
    """The value in the survey's language; empty where there is none, or none that can be said back.

    A number is a word as far as the survey's `texts.numbers` go; digits are read out by the voice.
    """
    if value is None:
        return ""
    if isinstance(question, YesNoQuestion):
        return _YES_NO[survey.language].get(str(value), "")
    if isinstance(question, ChoiceQuestion | MultiChoiceQuestion):
        chosen = value if isinstance(value, list) else [str(value)]
        return _listed(survey, [option for option in question.choices() if option.id in chosen])
    if isinstance(question, DateQuestion):
        return spoken_date(str(value), survey.language)
    if isinstance(question, OpenQuestion) or not isinstance(value, int):
        return ""
    numbers = survey.texts.numbers
    number = numbers[value] if 0 <= value < len(numbers) else str(value)
    if isinstance(question, NumberQuestion) and question.unit:
        # «один минута» would be wrong: before a noun, digits are read in its gender by the voice
        return f"{value} {_form(question.unit, value)}"
    return number


def _form(unit: tuple[str, ...], value: int) -> str:
    """The noun's form after a number: three forms as Russian counts, two as English does."""
    if len(unit) < 3:
        return unit[0] if value == 1 else unit[-1]
    if value % 10 == 1 and value % 100 != 11:
        return unit[0]
    return unit[1] if value % 10 in (2, 3, 4) and value % 100 not in (12, 13, 14) else unit[2]


def sayings(survey: Survey, question: Question) -> tuple[str, ...] | None:
    """All that `spoken` can make of a question's answers; None where they cannot all be prepared."""
    if isinstance(question, OpenQuestion | DateQuestion):
        return None
    if isinstance(question, YesNoQuestion):
        return tuple(_YES_NO[survey.language].values())
    if isinstance(question, ChoiceQuestion):
        return tuple(option.say[0] for option in question.options)
    if isinstance(question, MultiChoiceQuestion):
        options = question.choices()
        most = question.at_most or len(options)
        if sum(comb(len(options), many) for many in range(1, most + 1)) > MOST_SAYINGS:
            return None
        chosen = (some for many in range(1, most + 1) for some in combinations(options, many))
        return tuple(_listed(survey, list(some)) for some in chosen)
    low, high = (
        (question.low, question.high)
        if isinstance(question, NumberQuestion)
        else (question.expectation.low, question.expectation.high)
    )
    if high - low >= MOST_SAYINGS:
        return None
    return tuple(spoken(survey, question, value) for value in range(low, high + 1))


def _listed(survey: Survey, options: list[ChoiceOption]) -> str:
    words = [option.say[0] for option in options]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {_AND[survey.language]} {words[-1]}"
