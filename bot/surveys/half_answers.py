"""Half an answer to a yes/no question: «частично», «не всё», «один из двух», «не то чтобы нет»."""

from __future__ import annotations

from itertools import pairwise

from bot.surveys.morphology import can_be, parses
from bot.surveys.numerals import LEXICON, Form
from bot.surveys.outcome_words import NOBODY, PARTLY_DENIED, SOLVED
from bot.surveys.outcomes import outcomes
from bot.surveys.yes_no_words import EMPHATIC, NO, ONE_AND_OTHER, PARTLY, YES


def is_partly(words: list[str]) -> bool:
    """Half an answer: «частично», «да, но не до конца», «не всё», «то работает, то нет»."""
    if any(word in PARTLY and _halves(words, place) for place, word in enumerate(words)):
        return True
    pairs = set(pairwise(words))
    if not pairs.isdisjoint((("более", "менее"), ("большую", "часть"))) or "кроме" in words:
        return True
    if any(first in words and second in words for first, second in ONE_AND_OTHER):
        return True
    if _either(words) > 1 or any(words.count(word) > 1 for word in ("вроде", "часть", "может")):
        return True
    if _so_much(words) or _hedged(words):
        return True
    wholly_no = words[0] in NO and YES.isdisjoint(words)  # «нет, не до конца» is a no all the same
    return not wholly_no and any(_not_wholly(words, place) for place in range(len(words) - 1))


def _hedged(words: list[str]) -> bool:
    """«Не то чтобы нет», «нельзя сказать, что да»: the word itself is not said."""
    for place, word in enumerate(words):
        if word not in YES and word not in NO:
            continue
        back = words[max(0, place - 5) : place]
        if back[-1:] and back[-1] in EMPHATIC | {"прям", "прямо", "совсем", "уж"}:
            back.pop()
        hedge = back[-2:] in (["то", "чтобы"], ["то", "чтоб"])
        said = back[-1:] == ["что"] and back[-2:-1] and back[-2] in ("сказать", "скажу", "сказал", "сказала")
        if (hedge or said) and not {"не", "нельзя"}.isdisjoint(back):
            return True
    return False


def _so_much(words: list[str]) -> bool:
    """«На девяносто процентов», «один из двух», «только один вопрос», «один решили»."""
    numbers = [LEXICON.get(word, (None, Form.CARDINAL))[0] for word in words]
    percent = any(word.startswith("процент") for word in words)
    if percent and any(number is not None and number < 100 for number in numbers):
        return "сто" not in words
    for place, (word, number) in enumerate(zip(words, numbers, strict=True)):
        if number is None:
            continue
        after = (
            numbers[place + 2] if words[place + 1 : place + 2] == ["из"] and place + 2 < len(words) else None
        )
        if after is not None and number < after:
            return True
        following = words[place + 1] if place + 1 < len(words) else ""
        only = place > 0 and words[place - 1] in ("только", "лишь")
        if word in ("один", "одну", "одно") and (
            (only and following in ("", "вопрос", "проблему", "из"))
            or any(parse.lemma in SOLVED and "plur" in parse.grammemes for parse in parses(following))
        ):
            return True
    return False


def _halves(words: list[str], place: int) -> bool:
    """«Почти решили», but not «почти сразу», «почти ничего» or «половину дня»."""
    following = words[place + 1] if place + 1 < len(words) else ""
    if following in NOBODY or following in ("дня", "часа", "года", "месяца"):
        return False
    return words[place] not in ("почти", "практически") or not can_be(following, "ADVB", least=0.5)


def _not_wholly(words: list[str], place: int) -> bool:
    """«Не всё», «не совсем», «не до конца»; in «не очень быстро» it is the speed that is denied."""
    if words[place] not in ("не", "not"):
        return False
    if words[place + 1 : place + 3] == ["до", "конца"]:
        return True
    if words[place + 1] not in PARTLY_DENIED:
        return False
    following = words[place + 2] if place + 2 < len(words) else ""
    of_another = any(can_be(following, part, least=0.5) for part in ("ADVB", "ADJF", "ADJS", "COMP"))
    liked = can_be(following, "VERB", least=0.5) and not outcomes([following])
    return not of_another and not liked


def _either(words: list[str]) -> int:
    """How often «то» sets things against each other: «то работает, то нет», «что-то решили, что-то нет»."""
    return sum(
        word == "то" and previous not in ("наконец", "как", "общем") and following != "есть"
        for previous, word, following in zip(["", *words], words, [*words[1:], ""], strict=False)
    )
