"""A sentence's clauses, its words' dictionary forms, and which are denied: what a bag of words lacks.

Plain functions over folded words, without Rasa. Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

import re
from functools import lru_cache

import pymorphy3

_MORPHOLOGY = pymorphy3.MorphAnalyzer()

BREAK = "|"
"""Stands between words where punctuation was; a recogniser writes none."""

_CONJUNCTIONS = (
    *("потому что", "так что", "а вот", "а еще", "но", "однако", "зато", "только", "хотя", "поэтому"),
    *("ну", "да", "и", "а", "but", "and", "however", "though"),
)
_PARTS = re.compile(rf"\{BREAK}|\b(?:{'|'.join(_CONJUNCTIONS)})\b")
"""What parts one matter from the next: «девять но долго ждал», «семь и соедините с оператором»."""

_TURNS = re.compile(rf"\{BREAK}|\b(?:а|но|зато|однако|наоборот|оказалось|теперь|сейчас|but|now)\b")
_FEARED = re.compile(
    r"(?:(?:я|мы|ой|ну|а|и|сначала|уже) )*"
    r"(?:раньше|прежде|зря|дума(?:л|ла|ли)|боял(?:ся|ась|ись)|опасал\w+|ожида(?:л|ла|ли)|хоте(?:л|ла|ли)"
    r"|собирал\w+|счита(?:л|ла|ли)|пережива(?:л|ла|ли)|готовил\w+|i (?:thought|feared|expected)|before)\b"
)
"""How somebody begins who tells what did not come to pass, or is over."""

_DENIES_NEXT = re.compile(
    r"не|ни|без|никто|никогда|нисколько|никак(?:ой|ого|их|ие|ая|ое|ую|ому|ими)|not|no|never|without"
)
_DENIES_LAST = re.compile(r"нет|нету")
_WAS = frozenset(
    (
        *("было", "была", "был", "были", "имею", "имеется", "вижу"),
        *("пришлось", "приходится", "приходилось", "понадобилось", "потребовалось", "заставили"),
        *("возникло", "возникало", "случилось"),
    )
)
_FOUND = frozenset(
    (
        *("нашел", "нашла", "нашли", "нашёл", "заметил", "заметила", "замечал", "замечала", "обнаружил"),
        *("обнаружила", "увидел", "увидела", "встретил", "встретила"),
    )
)
"""«Ошибок в счёте не нашёл»: with the place where they were looked for."""

_NEVER_MARKED = frozenset(
    (
        *("не", "ни", "нет", "нету", "без", "никто", "было", "была", "был", "были", "разу"),
        *("мне", "меня", "я", "у", "к", "вам", "вы", "no", "not"),
    )
)
_STOPS = frozenset(("но", "а", "зато", "однако", "что", "потому", "только", "хотя", "и", "but", "and"))

_HEDGED = re.compile(
    r"(?:не|нельзя|трудно|сложно|язык не)(?: бы)? (?:(?:могу|можем|смогу|буду|повернется|повернётся) )?"
    r"(?:сказать|скажу|сказал|сказала|утверждать|думаю|считаю)(?: бы)? (?:что|чтобы|чтоб)$"
    r"|(?:can't|cannot|wouldn't) say(?: that)?$"
)
"""«Не могу сказать, что …»: all that follows is denied, up to the next turn of the sentence."""

_TURN = frozenset(("но", "а", "зато", "однако", BREAK, "but"))

_BACK = 2
"""«претензий к вам нет», «грубости не было»: what is missing stands up to so many words before."""

_NOBODY = frozenset(("никто", "нигде", "никогда", "никакая", "nobody", "never"))
_SO = frozenset(("так", "настолько", "столь", "such"))
_FAR = 6


def clauses(text: str) -> list[str]:
    """The parts of a sentence between its conjunctions and breaks, where there is more than one."""
    parts = [part.strip() for part in _PARTS.split(text)]
    parts = [part for part in parts if part]
    return parts if len(parts) > 1 else []


def outcome(text: str) -> str | None:
    """How it turned out, where the sentence begins with what was feared or used to be.

    «думала обманут, а сделали честно» -> «сделали честно».
    """
    first, *others = (part.strip() for part in _TURNS.split(text))
    return others[-1] or None if others and _FEARED.match(first) else None


def lemmas(text: str) -> str:
    """The words' dictionary forms, the denied ones in capitals: «не хамил» and «хамила» share none."""
    words = text.split()
    denied = {place for place in _denied(words) if words[place] not in _NEVER_MARKED}
    forms = (_lemma(word) for word in words)
    return " ".join(form.upper() if place in denied else form for place, form in enumerate(forms))


@lru_cache(maxsize=50_000)
def _lemma(word: str) -> str:
    form: str = _MORPHOLOGY.parse(word)[0].normal_form
    return form.replace("ё", "е")


def _denied(words: list[str]) -> set[int]:
    places: set[int] = set()
    for place, word in enumerate(words):
        following = words[place + 1 : place + 2]
        if word == "не" and _is_superlative(words[max(0, place - _FAR) : place]):
            continue
        if _DENIES_NEXT.fullmatch(word) and following and following[0] not in _STOPS:
            places.add(place + 1)
        if _DENIES_LAST.fullmatch(word) or (word == "не" and following and following[0] in _WAS | _FOUND):
            back = _BACK + 1 if following and following[0] in _FOUND else _BACK
            near = range(max(0, place - back), min(len(words), place + 2 + _BACK))
            places |= {other for other in near if words[other] not in _STOPS}
        if word in ("что", "чтобы", "чтоб", "say", "that") and _hedges(words[: place + 1]):
            places ^= set(_until_turn(words, place + 1))
    return places


def _hedges(words: list[str]) -> bool:
    return any(_HEDGED.match(" ".join(words[-length:])) is not None for length in range(2, 6))


def _until_turn(words: list[str], start: int) -> range:
    """Up to the next turn, or to the next denial that is joined by «и»."""
    for place in range(start, len(words)):
        if words[place] in _TURN or words[place : place + 2] == ["и", "не"]:
            return range(start, place)
    return range(start, len(words))


def _is_superlative(before: list[str]) -> bool:
    """«Никто так не помогал»: nobody did it as well; «никто так и не помог» denies."""
    so = [
        place for place, word in enumerate(before) if word in _SO and before[place + 1 : place + 2] != ["и"]
    ]
    return bool(so) and not _NOBODY.isdisjoint(before)
