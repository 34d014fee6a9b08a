"""The bar that spoken answers are held to, on sets of utterances written apart from the parser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.answer import Answer
from bot.core.directives import Expectation, ScaleExpected, YesNoExpected
from bot.surveys.answers import parse
from tests.surveys.turns import say

SETS = Path(__file__).parents[1] / "data" / "answers"
SCALES: dict[str, Expectation] = {
    "0-10": ScaleExpected(low=0, high=10),
    "1-5": ScaleExpected(low=1, high=5),
    "1-3": ScaleExpected(low=1, high=3),
    "yes_no": YesNoExpected(),
}

LEAST_RIGHT = 0.98
MOST_WRONG = 0.005


@dataclass(frozen=True)
class Counts:
    """Utterances of a set, and how many gave the right value and a wrong one."""

    all: int
    right: int
    wrong: int


def counted(path: Path) -> Counts:
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    right = wrong = 0
    for line in lines:
        scale, text, value = line.split("\t")
        result = parse(SCALES[scale], say(text))
        read = str(result.value) if isinstance(result, Answer) else ""
        right += read == value
        wrong += read not in ("", value)
    return Counts(len(lines), right, wrong)


@pytest.mark.parametrize(
    ("name", "least"), [("dev", 300), ("dev_2", 300), ("dev_3", 100), ("held_out", 300), ("robust", 300)]
)
def test_values_are_right_and_hardly_ever_wrong(name: str, least: int) -> None:
    """Where no value should be taken, none is right. The held-out sentences stay unread: counts alone."""
    counts = counted(SETS / f"{name}.tsv")
    print(f"{name}: {counts}")  # noqa: T201
    assert counts.all >= least
    assert counts.right / counts.all >= LEAST_RIGHT, counts
    assert counts.wrong / counts.all <= MOST_WRONG, counts
