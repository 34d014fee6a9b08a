"""What else may have been said: a recogniser's alternatives, weighed by the question that was asked.

This is for models that take no runtime grammar: they know nothing of the question, and offer several
readings of the same sound instead. Whoever is asked a closed question answers it, or wants something
instead, far more often than people say such words at large, so a reading that does either is preferred to a
somewhat likelier one that does neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.speech.heard import HeardWord
from bot.surveys.words import UNKNOWN

EXPECTED = 3.0
"""By how much (natural logarithm) what fits the question is likelier than the model of the language thinks:
e to the 3rd is twenty times. No reading is ever preferred to one that is likelier by more than this."""

Fits = Callable[[str], bool]
"""Whether words answer the question, or say what a caller may want instead."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """`score` is a logarithm of a likelihood, up to a constant that all alternatives share."""

    score: float
    words: tuple[HeardWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.word for word in self.words)


def likeliest(alternatives: Sequence[Alternative], fits: Fits) -> Alternative:
    """The alternative to be taken; each of its words is as sure as all that hold it are together.

    Where the likeliest is no known word at all (silence, a noise), it stays: an expectation makes no words.
    Of equals the first is taken. Raises ValueError where there is none.
    """
    first = max(alternatives, key=lambda each: each.score)
    wordless = all(word.word == UNKNOWN for word in first.words)
    weights = [each.score + (0.0 if wordless or not fits(each.text) else EXPECTED) for each in alternatives]
    best = weights.index(max(weights))
    chances = [math.exp(weight - weights[best]) for weight in weights]
    total = sum(chances)

    def sure(word: HeardWord) -> float:
        holding = (
            chance
            for chance, other in zip(chances, alternatives, strict=True)
            if any(each.word == word.word and _overlap(each, word) for each in other.words)
        )
        return sum(holding) / total

    chosen = alternatives[best]
    words = tuple(word.model_copy(update={"conf": sure(word)}) for word in chosen.words)
    return Alternative(chosen.score, words)


def _overlap(one: HeardWord, other: HeardWord) -> bool:
    return one is other or (one.start < other.end and other.start < one.end)
