"""Where declared phrases stand in an utterance: as written, or in another form of the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from bot.surveys.morphology import can_be, lemmas
from bot.surveys.words import split

V = TypeVar("V")

_GENTLE = 4
"""Shorter words are compared as written: too many forms of others look like them."""


@dataclass(frozen=True, slots=True)
class Hit(Generic[V]):
    """A phrase found: `start` and `end` are places in the list of words, end excluded."""

    start: int
    end: int
    value: V


def find(words: Sequence[str], phrases: Sequence[tuple[str, V]]) -> list[Hit[V]]:
    """The phrases that were said, from left to right, the longest at each place.

    A word matches in any of its forms («магазине» for «магазин»); prepositions inside a phrase may
    be left out.
    """
    wanted = [(_content(phrase), value) for phrase, value in phrases]
    wanted.sort(key=lambda pair: len(pair[0]), reverse=True)
    found: list[Hit[V]] = []
    place = 0
    while place < len(words):
        for phrase, value in wanted:
            end = _match(words, place, phrase)
            if end is not None:
                found.append(Hit(place, end, value))
                place = end
                break
        else:
            place += 1
    return found


def _match(words: Sequence[str], start: int, phrase: Sequence[str]) -> int | None:
    place = start
    for number, wanted in enumerate(phrase):
        while number and place < len(words) and _is_small(words[place]) and words[place] != wanted:
            place += 1
        if place >= len(words) or not _same(words[place], wanted):
            return None
        place += 1
    return place if phrase else None


@lru_cache(maxsize=4096)
def _content(phrase: str) -> tuple[str, ...]:
    """The words of a phrase without its prepositions, unless there is nothing else."""
    words = split(phrase)
    return tuple(word for word in words if not _is_small(word)) or words


def _is_small(word: str) -> bool:
    return word.isalpha() and len(word) <= 4 and can_be(word, "PREP", least=0.5)


def _same(word: str, wanted: str) -> bool:
    if word == wanted:
        return True
    if min(len(word), len(wanted)) < _GENTLE or not word.isalpha() or word.isascii():
        return False
    return not lemmas(word).isdisjoint(lemmas(wanted))
