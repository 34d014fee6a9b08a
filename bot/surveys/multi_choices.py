"""Any of several options from spoken words: «первое и третье», «всё, кроме цены», «ничего из этого»."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.core.directives import ChoiceOption
from bot.surveys.choices import CORRECTS, denied, named, numbered, standing
from bot.surveys.numerals import Form, mentions
from bot.surveys.phrases import Hit
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.words import Token, table

_ALL = table("все всё всем всех всеми all everything")
_BOTH = table("оба обе обоими обеими both")
_NONE = table("ничего ничто никакой никакие никакого никакое никакая none nothing neither")
_NOT_ONE = table("одного один одно одной одна то")
_NOT_HEARD = table("понял поняла понимаю слышу слышно знаю помню разобрал разобрала")
_NOT_ALL_OF = table("равно время еще ли же таки это")
"""After «всё» these make another word of it: «всё равно», «всё время», «всё-таки»."""

_EXCEPT = table("кроме except")
_ENDS = {"первые": 1, "последние": -1, "first": 1, "last": -1}


def read_choices(
    tokens: Sequence[Token], options: Sequence[ChoiceOption], at_most: int | None = None
) -> Reading | Unclear:
    """The ids of all options that were named, in the order of the options; empty for none of them.

    More than `at_most` are TOO_MANY, two set against each other («цена или качество») AMBIGUOUS.
    """
    words = [token.text for token in tokens]
    hits = sorted(_hits(tokens, options), key=lambda hit: hit.start)
    whole = _whole(words, options, hits)
    if _either_or(words, hits):
        return Unclear(UnclearReason.AMBIGUOUS, tuple(dict.fromkeys(hit.value for hit in hits)))
    if whole is not None and not _narrowed(words, hits, whole):
        return _all_of(tokens, options, hits, whole, at_most)
    kept, dropped = standing(words, hits)
    chosen = {hit.value for hit in kept}
    if not chosen:
        if _none(words, hits):
            return _reading(tokens, [], [place for place, word in enumerate(words) if word in _NONE | {"ни"}])
        return Unclear(UnclearReason.NO_MATCH)
    ids = [option.id for option in options if option.id in chosen]
    if at_most is not None and len(ids) > at_most:
        return Unclear(UnclearReason.TOO_MANY, tuple(ids))
    others = tuple(dict.fromkeys(hit.value for hit in dropped if hit.value not in chosen))
    places = [place for hit in kept for place in range(hit.start, hit.end)]
    return _reading(tokens, ids, places, others)


def _hits(tokens: Sequence[Token], options: Sequence[ChoiceOption]) -> list[Hit[str]]:
    """Options by name and, beside names, by ordinals alone: «цена и третье»."""
    words = [token.text for token in tokens]
    if ends := _first_or_last(tokens, options):
        return ends
    by_name = named(words, options)
    by_number = numbered(tokens, options)
    if by_name:
        ordinals = {number.start for number in mentions(tokens) if number.form is Form.ORDINAL}
        by_number = [hit for hit in by_number if hit.start in ordinals]
    taken = {place for hit in by_name for place in range(hit.start, hit.end)}
    return [*by_name, *(hit for hit in by_number if hit.start not in taken)]


def _first_or_last(tokens: Sequence[Token], options: Sequence[ChoiceOption]) -> list[Hit[str]]:
    """«Первые два», «последние три»."""
    for number in mentions(tokens):
        side = _ENDS.get(tokens[number.start - 1].text) if number.start else None
        if side is not None and 1 < number.value <= len(options) and number.form is Form.CARDINAL:
            some = options[: number.value] if side > 0 else options[-number.value :]
            return [Hit(number.start - 1, number.end, option.id) for option in some]
    return []


def _whole(words: Sequence[str], options: Sequence[ChoiceOption], hits: Sequence[Hit[str]]) -> int | None:
    """The place of «всё», or of «оба» where there are two."""
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if (word in _ALL and following not in _NOT_ALL_OF) or (word in _BOTH and len(options) == 2):
            before = words[place - 1] if place else ""
            if before in ("не", "not", "вот", "и", "это"):
                return None
            if not following and _EXCEPT.isdisjoint(words) and any(hit.end <= place for hit in hits):
                return None  # «цена, скорость, всё»: these are all
            return place
    return None


def _narrowed(words: Sequence[str], hits: Sequence[Hit[str]], whole: int) -> bool:
    """«Всё… нет, только цена»: options behind «всё» that are not left out of it."""
    return any(
        hit.start > whole and not denied(words, hit.start) and _EXCEPT.isdisjoint(words[: hit.start])
        for hit in hits
    )


def _all_of(
    tokens: Sequence[Token],
    options: Sequence[ChoiceOption],
    hits: Sequence[Hit[str]],
    whole: int,
    at_most: int | None,
) -> Reading | Unclear:
    """«Всё», less what comes behind «кроме»."""
    words = [token.text for token in tokens]
    excepted = next((place for place, word in enumerate(words) if word in _EXCEPT), len(words))
    left_out = {hit.value for hit in hits if hit.start > excepted or denied(words, hit.start)}
    if excepted < len(words) and not left_out:
        return Unclear(UnclearReason.NO_MATCH)
    ids = [option.id for option in options if option.id not in left_out]
    if at_most is not None and len(ids) > at_most:
        return Unclear(UnclearReason.TOO_MANY, tuple(ids))
    out_of = [place for hit in hits if hit.value in left_out for place in range(hit.start, hit.end)]
    return _reading(tokens, ids, [whole, *out_of])


def _none(words: Sequence[str], hits: Sequence[Hit[str]]) -> bool:
    """«Ничего из этого», «ни то ни другое», «ни одного»."""
    if hits and not any(denied(words, hit.start) for hit in hits):
        return False
    if any(first == "ни" and second in _NOT_ONE for first, second in pairwise(words)):
        return True
    nothing = [place for place, word in enumerate(words) if word in _NONE]
    if not nothing:
        return False
    after = words[nothing[0] + 1 : nothing[0] + 3]
    return not after or (after[0] not in ("страшного", "себе") and after[-1] not in _NOT_HEARD)


def _either_or(words: Sequence[str], hits: Sequence[Hit[str]]) -> bool:
    return any(
        first.value != second.value
        and not {"или", "либо", "or"}.isdisjoint(words[first.end : second.start])
        and CORRECTS.isdisjoint(words[first.end : second.start])
        for first, second in pairwise(hits)
    )


def _reading(
    tokens: Sequence[Token], ids: list[str], places: Sequence[int], others: tuple[str, ...] = ()
) -> Reading:
    said = sorted(set(places))
    return Reading(
        ids,
        " ".join(tokens[place].text for place in said),
        min((tokens[place].confidence for place in said), default=1.0),
        alternatives=others,
        corrected=bool(others),
    )
