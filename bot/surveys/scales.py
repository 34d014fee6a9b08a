"""A number on a scale from spoken words.

Every number of the utterance is looked at in its company (`scale_roles`): some are not the answer,
some are denied, some are only a hint. What is left must be one value; a correction («восемь, ой,
нет, девять») drops what stands before it. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bot.core.directives import ScaleLabel
from bot.surveys.company import Company
from bot.surveys.counting import counts
from bot.surveys.denials import MORE
from bot.surveys.numerals import Form, Mention, mentions
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.scale_labels import read_label
from bot.surveys.scale_roles import Role, role
from bot.surveys.words import Token, table

_SCALE_OF = re.compile(r"(.+)(балл?ьн\w+)")
_SCALE_STEMS = {
    "двух": 2, "трех": 3, "четырех": 4, "пяти": 5, "шести": 6, "семи": 7, "десяти": 10,
    "двенадцати": 12, "двадцати": 20, "сто": 100, "ста": 100,
}  # fmt: skip

_CORRECTS = table(
    "нет ой точнее вернее тьфу хотя лучше пусть таки исправлюсь поправлюсь поправка ошибся ошиблась",
    "оговорился оговорилась перепутал перепутала передумал передумала скорее ладно тогда поэтому значит",
    "итого окончательно даже давайте погодите погоди стоп подожди подождите простите извините теперь",
    "сейчас сегодня no sorry actually rather oops",
    "mean wait",
)
"""Between two numbers these take the first one back («все-таки» by its last word)."""

_BETWEEN_ENDS = table("ну может вот э ээ эээ м мм с половиной половинкой")
"""A number and one less sure with no more than these between them are the ends of a range."""

_WAVERS = table("или может возможно либо maybe or")
_MINE = {("а", "я"), ("а", "мы"), ("но", "я"), ("но", "мы"), ("а", "моя"), ("but", "i")}
"""«Муж сказал два, а я поставлю четыре»: the caller's own stands against another's."""

_TAKEN_BACK = table("нет ой а хотя погодите подождите стоп не no sorry wait")
"""Where nothing else follows the value, the caller has begun to take it back."""


@dataclass(slots=True)
class _Heard:
    """What stands after every number was looked at. `dropped` was said and taken back."""

    kept: list[Mention] = field(default_factory=list)
    vague: list[Mention] = field(default_factory=list)
    dropped: list[Mention] = field(default_factory=list)

    def take_back(self) -> None:
        self.dropped += [*self.kept, *self.vague]
        self.kept, self.vague = [], []

    def deny(self, value: int) -> None:
        """«Семь, нет, не семь»: what was denied does not stand."""
        self.dropped += [mention for mention in self.kept if mention.value == value]
        self.kept = [mention for mention in self.kept if mention.value != value]


def read_scale(
    tokens: Sequence[Token], low: int, high: int, labels: Sequence[ScaleLabel] = ()
) -> Reading | Unclear:
    """One whole number from `low` to `high`, or why not; a declared label counts as its code."""
    words = [token.text for token in tokens]
    spoken = [
        number
        for number in mentions(tokens)
        if number.form not in (Form.ORDINAL, Form.COLLECTIVE) or _is_variant(words, number)
    ]
    heard = _Heard()
    for place, number in enumerate(spoken):
        part = role(Company(words, spoken, place), low, high)
        if part is Role.NOT_MEANT:
            continue
        if part is Role.DENIED:
            heard.deny(number.value)
            continue
        if taken_back(words, [*heard.kept, *heard.vague], number) or _decides(words, heard.kept, number):
            heard.take_back()
        (heard.kept if part is Role.ANSWER else heard.vague).append(number)
    if labels and not heard.kept and not heard.vague:
        return read_label(tokens, labels)
    return _verdict(words, heard, foreign=_foreign_scale(words, spoken, high), low=low, high=high)


def _verdict(words: list[str], heard: _Heard, *, foreign: bool, low: int, high: int) -> Reading | Unclear:
    def on_scale(numbers: Sequence[Mention]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(number.value for number in numbers if low <= number.value <= high))

    kept, vague = heard.kept, heard.vague
    values = list(dict.fromkeys(number.value for number in kept))
    below_zero = vague and not kept and all(_negative(words, number) for number in vague)
    if below_zero and not foreign:
        return Unclear(UnclearReason.OUT_OF_RANGE, tuple(-number.value for number in vague))
    if foreign or len(values) > 1 or (vague and not kept) or _or_less_sure(words, kept, vague):
        return Unclear(UnclearReason.AMBIGUOUS, () if foreign else on_scale([*kept, *vague]))
    if not values:
        return Unclear(UnclearReason.NO_MATCH)
    value = values[0]
    if not low <= value <= high:
        return Unclear(UnclearReason.OUT_OF_RANGE, (value,))
    after = words[kept[-1].end :]
    bounded = kept[-1].start > 0 and words[kept[-1].start - 1] in MORE  # «больше двух нет»
    if after and set(after) <= _TAKEN_BACK and not bounded:
        return Unclear(UnclearReason.AMBIGUOUS, (value,))
    surest = max(kept, key=lambda number: number.confidence)
    others = tuple(other for other in on_scale(heard.dropped) if other != value)
    return Reading(value, surest.heard, surest.confidence, alternatives=others, corrected=bool(others))


def _is_variant(words: list[str], number: Mention) -> bool:
    """«Второй вариант»: an ordinal that names a point of the scale."""
    near = (*words[max(0, number.start - 1) : number.start], *words[number.end : number.end + 1])
    return number.form is Form.ORDINAL and not {"вариант", "пункт", "option"}.isdisjoint(near)


def _or_less_sure(words: list[str], kept: list[Mention], vague: list[Mention]) -> bool:
    """«Восемь или восемь с половиной», «шесть, шесть с половиной»."""
    pairs = ((one, other) if one.end <= other.start else (other, one) for one in kept for other in vague)
    gaps = [set(words[first.end : second.start]) for first, second in pairs]
    return any("или" in gap or gap <= _BETWEEN_ENDS for gap in gaps)


def _decides(words: list[str], earlier: list[Mention], later: Mention) -> bool:
    """«Между семью и восемью… поставлю семь»: of several one is named again, with words in between."""
    values = {number.value for number in earlier}
    return len(values) > 1 and later.value in values and later.start > earlier[-1].end


def _negative(words: list[str], number: Mention) -> bool:
    return number.start > 0 and words[number.start - 1] in ("минус", "minus")


def taken_back(words: list[str], earlier: list[Mention], later: Mention) -> bool:
    """Whether the words since the number before take it back."""
    if not earlier:
        return False
    between = words[max(number.end for number in earlier) : later.start]
    if not _WAVERS.isdisjoint(between):
        between = [word for word in between if word != "даже"]  # «шесть или даже семь»
    if any(pair in _MINE for pair in pairwise(between)):
        return True
    return not _CORRECTS.isdisjoint(between) or "то есть" in " ".join(between)


def _foreign_scale(words: list[str], numbers: list[Mention], high: int) -> bool:
    """«Четыре из пяти» on 0-10, «по пятибалльной» on 0-10: measured on another scale."""
    for place, number in enumerate(numbers):
        out_of = number.start > 0 and words[number.start - 1] in ("из", "of")
        points = number.end < len(words) and words[number.end].startswith(("балльн", "бальн"))
        if (out_of or points) and number.value != high and not counts(Company(words, numbers, place)):
            return True
    scales = (_SCALE_OF.fullmatch(word) for word in words)
    named = (_SCALE_STEMS.get(match.group(1)) for match in scales if match)
    return any(top is not None and top != high for top in named)
