"""Corrections as a small recogniser hears them: «ой нет, девять» comes as «он нет девять» or «не девять»."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.answer import Answer, AnswerValue
from bot.core.context import UserTurn, Word
from bot.core.directives import Expectation, NumberExpected, ScaleExpected
from bot.surveys.answers import parse
from bot.surveys.company import FRAME, GIVING, POINTS
from bot.surveys.morphology import can_be
from bot.surveys.words import split, table

_OPENS = table("ой ай он о ну но а э ээ м нет")
"""What a correction begins with, as it is heard."""

_DENIES = table("не ни")
"""What «нет» is heard as before a number."""


def beside(words: Sequence[str], heard: str) -> list[str]:
    """The words beside those that a value was heard in and those that only frame it."""
    frame = FRAME.union(split(heard))
    return [
        word
        for word in words
        if word not in frame and not POINTS.fullmatch(word) and GIVING.match(word) is None
    ]


def without_opening(turn: UserTurn) -> UserTurn:
    """«Ой нет, плохо» without what it begins with."""
    return _from(turn, _opening(turn, _OPENS))


def as_meant(expected: Expectation, turn: UserTurn, before: AnswerValue) -> UserTurn | None:
    """«Не девять» behind «восемь» denies what nobody said: it is «нет, девять». So is «он нет девять».

    None where it is neither. Only of numbers is that so: «…не в чате» behind «по телефону» may well be a
    contrast.
    """
    denied = _denied(expected, turn)
    if denied is None or denied[1] == before:
        return None
    rest = _from(turn, denied[0])
    no = tuple(word.model_copy(update={"text": "нет"}) for word in turn.words[:1])
    return rest.model_copy(update={"text": f"нет {rest.text}", "words": (*no, *rest.words) if no else ()})


def is_withdrawn(expected: Expectation, turn: UserTurn, before: AnswerValue) -> bool:
    """«Не восемь» behind «восемь», and nothing else."""
    denied = _denied(expected, turn)
    return denied is not None and denied[1] == before and not _DENIES.isdisjoint(split(turn.text))


def _denied(expected: Expectation, turn: UserTurn) -> tuple[int, AnswerValue] | None:
    """The number that is all of a turn behind its opening, which is so many words long and says no."""
    if not isinstance(expected, ScaleExpected | NumberExpected):
        return None
    words, length = split(turn.text), _opening(turn, _OPENS | _DENIES)
    if ({"нет"} | _DENIES).isdisjoint(words[:length]):
        return None
    reading = parse(expected, _from(turn, length))
    if not isinstance(reading, Answer):
        return None
    other = beside(words[length:], reading.heard)
    counted = isinstance(expected, NumberExpected) and len(other) == 1 and can_be(other[0], "NOUN")
    return None if other and not counted else (length, reading.value)  # «не три», «не три раза»


def _opening(turn: UserTurn, opens: frozenset[str]) -> int:
    words = split(turn.text)
    return next((place for place, word in enumerate(words) if word not in opens), len(words))


def _from(turn: UserTurn, place: int) -> UserTurn:
    """The turn without its first words."""
    words = turn.text.split()
    if len(words) != len(split(turn.text)):  # a recogniser's words are whole; what is typed may not be
        words = list(split(turn.text))
    known: tuple[Word, ...] = turn.words if len(turn.words) == len(words) else ()
    return turn.model_copy(update={"text": " ".join(words[place:]), "words": known[place:]})
