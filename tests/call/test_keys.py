"""Which keys make an answer, and when it is whole."""

from __future__ import annotations

import pytest

from bot.call.keys import KeyPad
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

GAP_S = 1.5
TEN = ScaleExpected(low=0, high=10)
OPTIONS = tuple(ChoiceOption(id=name, say=(name,)) for name in ("a", "b", "c"))
SEVERAL = MultiChoiceExpected(options=OPTIONS)


def pad(expected: Expectation, *presses: str) -> KeyPad:
    """Keys pressed 0.1 s apart, from 0 s on."""
    keys = KeyPad(expected, GAP_S)
    for number, key in enumerate(presses):
        keys.press(key, number / 10)
    return keys


@pytest.mark.parametrize(
    ("expected", "presses"),
    [
        (TEN, "9"), (TEN, "0"), (TEN, "10"), (TEN, "1#"), (YesNoExpected(), "1"),
        (ChoiceExpected(options=OPTIONS), "2"), (SEVERAL, "13#"), (SEVERAL, "123"),
        (NumberExpected(low=0, high=100), "101"), (NumberExpected(low=0, high=100), "25#"),
        (DateExpected(horizon_days=3), "18"), (DateExpected(horizon_days=3), "9"), (OpenExpected(), "#"),
        (ConfirmExpected(of=TEN, candidates=(7,)), "8"),
    ],
)  # fmt: skip
def test_what_no_key_can_add_to_is_whole_at_once(expected: Expectation, presses: str) -> None:
    assert pad(expected, *presses).complete(len(presses) / 10)


@pytest.mark.parametrize(
    ("expected", "presses"),
    [
        (TEN, "1"), (SEVERAL, "1"), (SEVERAL, "13"), (NumberExpected(low=0, high=100), "2"),
        (DateExpected(horizon_days=3), "1"), (DateExpected(horizon_days=3), "2"),
        (ConfirmExpected(of=TEN, candidates=(7,)), "1"),
    ],
)  # fmt: skip
def test_what_may_go_on_waits(expected: Expectation, presses: str) -> None:
    keys = pad(expected, *presses)
    last = (len(presses) - 1) / 10
    assert not keys.complete(last + GAP_S - 0.1)
    assert keys.complete(last + GAP_S)
    assert keys.keys == presses


def test_an_open_question_takes_nothing_but_the_end() -> None:
    keys = pad(OpenExpected(), "1", "2")
    assert (keys.keys, keys.started, keys.complete(9.0)) == ("", False, False)
