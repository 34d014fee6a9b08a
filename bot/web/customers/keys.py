"""Which keys a page shows for a question: every closed one can be answered without a word. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.call.keys import ENTER, KeyPad
from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)

MOST_NUMBERS = 12
"""A count with more values than these is typed on a keypad."""

Layout = Literal["scale", "list", "several", "pad", "done"]
"""`scale`: a row of numbers; `list`: one of several texts; `several`: any of them, then «Готово»; `pad`:
digits, then «Готово»; `done`: «Готово» alone, for free speech."""

YES_NO = {"ru": ("Да", "Нет"), "en": ("Yes", "No")}
NONE = {"ru": "Ничего из этого", "en": "None of these"}


@dataclass(frozen=True, slots=True)
class Key:
    """A button: what it says, what it presses, and a word beside a number («отлично» for 5)."""

    keys: str
    label: str
    word: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    layout: Layout
    keys: tuple[Key, ...] = ()
    at_most: int | None = None


def keys_for(expectation: Expectation, language: str) -> Keys:
    """The keys of a question, as DTMF would press them (bot/surveys/answers.py reads them)."""
    match expectation:
        case ConfirmExpected(of=of):
            return keys_for(of, language)
        case YesNoExpected():
            yes, no = YES_NO[language]
            return Keys("list", (Key("1", yes), Key("2", no)))
        case ScaleExpected(low=low, high=high, labels=labels):
            words = {label.code: label.say[0] for label in labels if label.say}
            numbers = [_number(expectation, value, words.get(value, "")) for value in range(low, high + 1)]
            return Keys("scale", tuple(numbers))
        case NumberExpected(low=low, high=high) if high - low < MOST_NUMBERS:
            return Keys("scale", tuple(_number(expectation, value) for value in range(low, high + 1)))
        case ChoiceExpected(options=options):
            return Keys("list", tuple(_options(expectation, options)))
        case MultiChoiceExpected(options=options, at_most=at_most):
            keys = tuple(Key(str(place), _text(option)) for place, option in enumerate(options, start=1))
            return Keys("several", (*keys, Key("0", NONE[language])), at_most)
        case OpenExpected():
            return Keys("done")
        case DateExpected() | NumberExpected():
            return Keys("pad")


def _number(expectation: Expectation, value: int, word: str = "") -> Key:
    return Key(_whole(expectation, str(value)), str(value), word)


def _options(expectation: Expectation, options: tuple[ChoiceOption, ...]) -> list[Key]:
    return [
        Key(_whole(expectation, str(place)), _text(option)) for place, option in enumerate(options, start=1)
    ]


def _text(option: ChoiceOption) -> str:
    said = option.say[0] if option.say else option.id
    return said[:1].upper() + said[1:]


def _whole(expectation: Expectation, keys: str) -> str:
    """With `#` only where a further key could follow: else it would be pressed at the next question."""
    pad = KeyPad(expectation, gap_s=1.0)
    for key in keys:
        pad.press(key, 0.0)
    return keys if pad.complete(0.0) else keys + ENTER
