"""One of several options from spoken words: by its synonyms in any form, or by its number."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.directives import ChoiceOption
from bot.surveys.numerals import Form, Mention, mentions
from bot.surveys.phrases import Hit, find
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.words import Token, table

CORRECTS = table("ой точнее вернее тьфу хотя лучше скорее нет погодите стоп sorry actually wait no")
"""Between two options these take the first one back."""

_DENIED = table("не ни кроме not except")
_BETWEEN = table("на в во с за по из про the a")
"""May stand between a denial and the option: «не на сайте»."""

_NUMBERED = table("вариант варианта номер пункт ответ цифра нажимаю option number")
_FRAME = table(
    "ну наверное наверно пожалуй думаю я бы мы пусть будет скажем это мой моя ответ да вот а э м эм ой на",
    "спасибо пожалуйста точно конечно так давайте и все же выбираю вариант варианты номер номера пункт",
    "пункты цифра под тогда только первый второй i the and option number options numbers please say it",
)
"""Beside these a bare number is an option; in a longer sentence it may count something else."""


def read_choice(tokens: Sequence[Token], options: Sequence[ChoiceOption]) -> Reading | Unclear:
    """The id of the one option that was named, or why none."""
    words = [token.text for token in tokens]
    hits = named(words, options) or numbered(tokens, options)
    kept, dropped = standing(words, hits)
    found = list(dict.fromkeys(hit.value for hit in kept))
    if not found:
        return Unclear(UnclearReason.NO_MATCH)
    if len(found) > 1:
        return Unclear(UnclearReason.AMBIGUOUS, tuple(found))
    hit = kept[0]
    others = tuple(dict.fromkeys(other.value for other in dropped if other.value != hit.value))
    return Reading(
        hit.value,
        " ".join(words[hit.start : hit.end]),
        min(token.confidence for token in tokens[hit.start : hit.end]),
        alternatives=others,
        corrected=bool(others),
    )


def named(words: Sequence[str], options: Sequence[ChoiceOption]) -> list[Hit[str]]:
    """Where synonyms of options stand."""
    return find(words, [(phrase, option.id) for option in options for phrase in option.say])


def numbered(tokens: Sequence[Token], options: Sequence[ChoiceOption]) -> list[Hit[str]]:
    """«Второй», «вариант два», or a bare «два»."""
    return [
        Hit(number.start, number.end, options[number.value - 1].id)
        for number in mentions(tokens)
        if 1 <= number.value <= len(options) and _counts_options(tokens, number)
    ]


def _counts_options(tokens: Sequence[Token], number: Mention) -> bool:
    if number.form in (Form.COLLECTIVE, Form.FRACTION):
        return False
    before = tokens[number.start - 1].text if number.start else ""
    if number.form is Form.ORDINAL or before in _NUMBERED:
        following = tokens[number.end].text if number.end < len(tokens) else ""
        return following not in ("раз", "раза", "день", "год", "месяц", "неделю", "час")
    spoken = {place for other in mentions(tokens) for place in range(other.start, other.end)}
    return all(token.text in _FRAME | CORRECTS for place, token in enumerate(tokens) if place not in spoken)


def standing(words: Sequence[str], hits: Sequence[Hit[str]]) -> tuple[list[Hit[str]], list[Hit[str]]]:
    """What stands and what was taken back, of options in the order they were said."""
    kept: list[Hit[str]] = []
    dropped: list[Hit[str]] = []
    last = 0
    for hit in hits:
        if kept and not CORRECTS.isdisjoint(words[last : hit.start]):
            dropped += kept
            kept = []
        last = hit.end
        if denied(words, hit.start):
            kept = [other for other in kept if other.value != hit.value]
        else:
            kept.append(hit)
    return kept, dropped


def denied(words: Sequence[str], start: int) -> bool:
    """«Не магазин», «не на сайте», «кроме цены»."""
    while start and words[start - 1] in _BETWEEN:
        start -= 1
    return start > 0 and words[start - 1] in _DENIED
