"""Whether the word at a place is denied, or only wished or supposed.

In Russian «не» denies the word right behind it, over words that only weigh or point («не очень долго»);
a noun in the genitive is denied from behind («грубости не было»), an infinitive too («ждать не
пришлось»). «Но» and the like end the reach of a denial.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.surveys.morphology import can_be, lemmas
from bot.surveys.words import table

DENIES = table(
    "не ни без безо нет нету нельзя никогда никакой никакого никакая никакие никаких никакую",
    "not no never without dont don't didn't doesn't isn't wasn't",
    "weren't wouldn't hasn't haven't aren't cannot can't couldn't nobody nothing",
)
_TRANSPARENT = table(
    "единой единого одной одного одну один one",
    "очень так такой такого такая особо особенно слишком совсем сильно прям прямо уж уже то чтобы чтоб что",
    "бы мне меня нам нас вам вас на было были был была быть будет это этого какой то там здесь тут у к",
    "могу сказать скажу сказал сказала назвать думаю считаю собираюсь хочу буду всё все",
    "вообще даже ничего долго себе",
    "very really so too that this any a an the at all to have had been be was were is are it say think would",
    "long especially particularly anybody anyone was",
)
"""Words that a denial passes over on its way to the one it denies."""

_REACH = 5
_BEHIND = 3

_WAS_NOT = {
    "быть",
    "заметить",
    "замечать",
    "встретить",
    "видеть",
    "увидеть",
    "услышать",
    "слышать",
    "почувствовать",
    "чувствовать",
    "иметь",
    "иметься",
    "возникнуть",
    "возникать",
    "прийтись",
    "приходиться",
    "стать",
    "хотеть",
    "собираться",
}
"""«Грубости не заметил», «претензий не имею», «ждать не пришлось», «жаловаться не буду»."""

_EXPECTED = table("думал думала боялся боялась опасался опасалась ожидал ожидала")

_BREAKS = table("но а зато однако потому поэтому but because although")
_AFFIRMS_TWICE = ("мочь", "смочь")
"""«Не могли не нахамить» says that they did."""


def is_denied(words: Sequence[str], place: int) -> bool:
    return _from_before(words, place) or _from_behind(words, place) or _is_supposed(words, place)


def _from_before(words: Sequence[str], place: int) -> bool:
    for back in range(1, _REACH + 1):
        at = place - back
        if at < 0 or words[at] in _BREAKS:
            return False
        if words[at] in DENIES:
            return not _is_twice(words, at)
        if words[at] not in _TRANSPARENT:
            return False
    return False


def _is_twice(words: Sequence[str], at: int) -> bool:
    """«Не могли не …», «нельзя не …»: the second denial takes the first one back."""
    if words[at] != "не" or at == 0:
        return False
    if words[at - 1] == "нельзя":
        return True
    return at > 1 and words[at - 2] == "не" and not lemmas(words[at - 1]).isdisjoint(_AFFIRMS_TWICE)


def _from_behind(words: Sequence[str], place: int) -> bool:
    word = words[place]
    genitive = any(can_be(word, sort, case) for sort in ("NOUN", "ADJF") for case in ("gent", "accs"))
    if not genitive and not can_be(word, "INFN"):
        return False
    for at in range(place + 1, min(len(words), place + 1 + _BEHIND)):
        if words[at] in _BREAKS:
            return False
        if words[at] in ("нет", "нету", "никаких", "никакой"):
            return genitive
        if list(words[at : at + 2]) == ["не", "на"]:
            return True  # «жаловаться не на что»
        if words[at] == "не":
            return at + 1 < len(words) and not lemmas(words[at + 1]).isdisjoint(_WAS_NOT)
    return False


def _is_supposed(words: Sequence[str], place: int) -> bool:
    """«Хотелось бы меньше ждать», «если бы нахамили», «боялась, что нахамят»; «как будто бы» is only
    cautious."""
    if not _EXPECTED.isdisjoint(words[max(0, place - 3) : place]):
        return True
    for at in range(max(0, place - 3), min(len(words), place + 2)):
        if words[at] in ("бы", "б") and (at == 0 or words[at - 1] not in ("будто", "вроде", "как")):
            return True
    return False
