"""A word as a decoder heard it, and how much of what was heard is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from bot.core.context import Word
from bot.surveys.words import UNKNOWN

_MOSTLY_UNKNOWN = 0.5
"""From this share of unknown words on, what was heard by a grammar is heard again without one."""


class HeardWord(BaseModel):
    """`start` and `end` are seconds from the first sample that the decoder was given."""

    word: str
    start: float
    end: float
    conf: float = 0.0
    """0 to 1; alternatives have none of their own (bot/speech/alternatives.py gives them one)."""

    def later(self, seconds: float) -> HeardWord:
        """The same word on a scale of time that began so much sooner."""
        return self.model_copy(update={"start": self.start + seconds, "end": self.end + seconds})

    def placed(self, media_time: Callable[[float], float]) -> Word:
        """The word on another scale of time; Kaldi's confidence may exceed 1 by rounding."""
        return Word(
            text=self.word,
            start=round(media_time(self.start), 3),
            end=round(media_time(self.end), 3),
            confidence=min(max(self.conf, 0.0), 1.0),
        )


def mostly_unknown(words: Sequence[HeardWord]) -> bool:
    """Whether words were heard, and most of them not recognised. Silence is known well enough."""
    return bool(words) and _unknown(words) >= _MOSTLY_UNKNOWN * len(words)


def better_known(openly: Sequence[HeardWord], by_grammar: list[HeardWord]) -> list[HeardWord]:
    """What was heard without the grammar, where more of it is known; else what was heard by it."""
    if not openly or _unknown(openly) * len(by_grammar) >= _unknown(by_grammar) * len(openly):
        return by_grammar
    return list(openly)


def _unknown(words: Sequence[HeardWord]) -> int:
    return sum(word.word == UNKNOWN for word in words)
