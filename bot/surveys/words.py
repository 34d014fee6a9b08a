"""Words as the tables of this room compare them: lower case, ё as е, no punctuation, whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.core.context import UserTurn

UNKNOWN = "[unk]"
"""How a word that the recogniser does not know stands in a text."""

_ORDINAL_END = r"(?:-?(?:ый|ой|ая|ое|ую|ого|ому|ым|ом|й|я|е|ю|го|му|м|st|nd|rd|th)(?![^\W\d_]))"
_WORD = re.compile(
    r"\[unk\]"
    r"|\d{1,2}:\d{2}(?!\d)"  # a time of day
    rf"|\d+(?:[.,]\d+|{_ORDINAL_END})?"
    r"|[^\W\d_]+(?:'[^\W\d_]+)?"
    r"|(?<![\w\])-])[-−–](?=\d)|[%№]"
)
_SIGNS = {"-": "минус", "−": "минус", "–": "минус", "%": "процентов", "№": "номер"}
_OUT_OF = re.compile(r"(?<=\d)\s*/\s*(?=\d)")


@dataclass(frozen=True, slots=True)
class Token:
    """One word ready for comparison; `confidence` 0..1 is 1 where the source does not tell."""

    text: str
    confidence: float = 1.0


def fold(text: str) -> str:
    """`Четвёрка` -> `четверка`: the form that tables hold."""
    return text.lower().replace("ё", "е").replace("’", "'")


def split(text: str) -> tuple[str, ...]:
    """The folded words of a text; numbers in digits stay whole, hyphens part words.

    Signs become the words they stand for: `9/10` is «9 из 10», `-1` is «минус 1».
    """
    words = _WORD.findall(_OUT_OF.sub(" из ", fold(text)))
    return tuple(_SIGNS.get(word, word) for word in words)


def tokens(turn: UserTurn) -> tuple[Token, ...]:
    """A turn's words with their confidences; the text alone where it came without words."""
    if not turn.words:
        return tuple(Token(word) for word in split(turn.text))
    return tuple(Token(part, word.confidence) for word in turn.words for part in split(word.text))


def table(*lines: str) -> frozenset[str]:
    """A set of words, written as lines of text."""
    return frozenset(word for line in lines for word in line.split())
