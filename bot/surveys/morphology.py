"""Russian word forms: what a word can be grammatically, and its dictionary forms (pymorphy3).

The dictionary is loaded at the first question, once a process; `warm` does it beforehand, so that
no caller waits for it. Every word is analysed once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import pymorphy3

_RUSSIAN = re.compile(r"[а-яё]+")
_KEPT = 20_000
"""Words whose analysis is kept: more than callers use."""


@dataclass(frozen=True, slots=True)
class Parse:
    """One way to read a word: its dictionary form, OpenCorpora grammemes and how likely it is, 0..1."""

    lemma: str
    grammemes: frozenset[str]
    score: float


def warm() -> None:
    """Load the dictionary now."""
    parses("слово")


@lru_cache(maxsize=_KEPT)
def parses(word: str) -> tuple[Parse, ...]:
    """Every way to read a word, the likeliest first; unknown words are read by their endings.

    Only Russian words have any: pymorphy3 raises on letters that Unicode has no name for.
    """
    if not _RUSSIAN.fullmatch(word):
        return ()
    return tuple(
        Parse(found.normal_form.replace("ё", "е"), frozenset(found.tag.grammemes), float(found.score))
        for found in _analyser().parse(word)
    )


def lemmas(word: str) -> frozenset[str]:
    """The dictionary forms a word can belong to, ё as е; the word itself among them."""
    return frozenset((word, *(parse.lemma for parse in parses(word))))


@lru_cache(maxsize=_KEPT)
def forms(word: str) -> frozenset[str]:
    """Every form of every word that this one can be a form of, ё as е; the word itself among them."""
    if not _RUSSIAN.fullmatch(word):
        return frozenset((word,))
    lexemes = (found.lexeme for found in _analyser().parse(word) if found.is_known)
    every = (form.word.replace("ё", "е") for lexeme in lexemes for form in lexeme)
    return frozenset((word.replace("ё", "е"), *every))


def can_be(word: str, *grammemes: str, least: float = 0.0) -> bool:
    """Whether a word can have all these grammemes at once, with a joint likelihood above `least`."""
    wanted = frozenset(grammemes)
    return sum(parse.score for parse in parses(word) if wanted <= parse.grammemes) > least


@cache
def _analyser() -> Any:
    return pymorphy3.MorphAnalyzer()
