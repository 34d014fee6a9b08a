"""How many, from spoken words: «двадцать пять», «ни разу», «раза три»; «пару раз» is not told apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.surveys.company import Company
from bot.surveys.counting import is_name
from bot.surveys.denials import bounded, is_denied, is_hint, is_unreal, names_a_point
from bot.surveys.numerals import Form, Mention, mentions
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.scale_roles import is_elsewhere
from bot.surveys.scales import taken_back
from bot.surveys.words import Token, table

_TIMES = {"однажды": 1, "единожды": 1, "дважды": 2, "трижды": 3, "once": 1, "twice": 2, "thrice": 3}
_NOT_ONCE = {
    ("ни", "разу"), ("ни", "одного"), ("ни", "одной"), ("ни", "один"), ("ни", "разочка"), ("not", "once"),
}  # fmt: skip
_NONE = table("никогда нисколько none never")
_ROUGH = table(
    "пара пару парочку несколько немного много мало чуть десяток полчаса полгода куча часто редко иногда",
    "постоянно several few many some often couple",
)
_ABOUT = table("лишним лишком небольшим половиной половинкой хвостиком чем")


def read_number(tokens: Sequence[Token], low: int, high: int) -> Reading | Unclear:
    """One whole number from `low` to `high`, or why not."""
    words = [token.text for token in tokens]
    spoken = [*_in_figures(tokens), *_in_adverbs(tokens)]
    spoken.sort(key=lambda number: number.start)
    kept: list[Mention] = []
    vague: list[Mention] = []
    dropped: list[Mention] = []
    for place, number in enumerate(spoken):
        company = Company(words, spoken, place)
        if is_name(company):
            continue
        if is_denied(company) and not bounded(company):
            dropped += [other for other in kept if other.value == number.value]
            kept = [other for other in kept if other.value != number.value]
            continue
        if taken_back(words, [*kept, *vague], number):
            dropped += [*kept, *vague]
            kept, vague = [], []
        (vague if _is_vague(company) else kept).append(number)
    return _verdict(tokens, kept, vague, dropped, low=low, high=high)


def _verdict(
    tokens: Sequence[Token],
    kept: list[Mention],
    vague: list[Mention],
    dropped: list[Mention],
    *,
    low: int,
    high: int,
) -> Reading | Unclear:
    words = [token.text for token in tokens]
    values = list(dict.fromkeys(number.value for number in kept))
    spoken = dict.fromkeys(number.value for number in (*kept, *vague))
    candidates = tuple(value for value in spoken if low <= value <= high)
    rough = not _ROUGH.isdisjoint(words)
    if len(values) > 1 or (vague and not kept) or (rough and not kept):
        return Unclear(UnclearReason.AMBIGUOUS, candidates)
    if not values:
        return Unclear(UnclearReason.NO_MATCH)
    value = values[0]
    if kept[0].start and words[kept[0].start - 1] in ("минус", "minus"):
        return Unclear(UnclearReason.OUT_OF_RANGE, (-value,))
    if not low <= value <= high:
        return Unclear(UnclearReason.OUT_OF_RANGE, (value,))
    surest = max(kept, key=lambda number: number.confidence)
    others = tuple(dict.fromkeys(number.value for number in dropped if number.value != value))
    return Reading(value, surest.heard, surest.confidence, alternatives=others, corrected=bool(others))


def _in_figures(tokens: Sequence[Token]) -> list[Mention]:
    """Numbers, but for the «один» of «ни один» and of «один из»."""
    found = []
    for number in mentions(tokens):
        before = tokens[number.start - 1].text if number.start else ""
        following = tokens[number.end].text if number.end < len(tokens) else ""
        alone = number.form is Form.ONE and (before in ("ни", "не", "я") or following in ("из", "of"))
        if not alone and not (before in ("дважды", "трижды") and number.value == 2):
            found.append(number)
    return found


def _in_adverbs(tokens: Sequence[Token]) -> list[Mention]:
    """«Дважды», «ни разу», and «раз» where it stands for «один раз»."""
    found = []
    for place, token in enumerate(tokens):
        if token.text in _TIMES:
            found.append(_mention(_TIMES[token.text], tokens, place, place + 1))
        elif token.text in _NONE:
            found.append(_mention(0, tokens, place, place + 1))
    found += [
        _mention(0, tokens, place, place + 2)
        for place, (first, second) in enumerate(pairwise(tokens))
        if (first.text, second.text) in _NOT_ONCE
    ]
    words = [token.text for token in tokens]
    if not found and words and words[0] in ("раз", "разок") and len(words) <= 2 and not mentions(tokens):
        found.append(_mention(1, tokens, 0, 1))
    return found


def _mention(value: int, tokens: Sequence[Token], start: int, end: int) -> Mention:
    said = tokens[start:end]
    heard = " ".join(token.text for token in said)
    return Mention(value, start, end, Form.CARDINAL, heard, min(token.confidence for token in said))


def _is_vague(company: Company) -> bool:
    """An ordinal, a half, an open bound or an amount after a preposition: near the answer, not it."""
    if company.number.form in (Form.ORDINAL, Form.FRACTION):
        return True
    if company.following() in ("с", "and") and company.following(2) in _ABOUT:
        return True
    if bounded(company):
        return not names_a_point(company)
    return is_hint(company) or is_elsewhere(company) or is_unreal(company)
