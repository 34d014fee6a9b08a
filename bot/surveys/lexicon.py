"""Where the phrases of a dictionary stand in an utterance, and where they are denied.

A phrase is found when its words stand near each other, in any order and form, and in one clause. What
is denied («не хамили», «грубости не было», «без хамства», «я не жалуюсь»), only wished or supposed
(«хотелось бы меньше ждать») is not found, unless the phrase itself denies it («не перезвонить»).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.surveys.denying import DENIES, is_denied
from bot.surveys.dictionary import ANY_END, NOT, ONLY_SO, Dictionary, WordList
from bot.surveys.morphology import parses
from bot.surveys.words import split

GAP = 2
"""So many other words may stand among those of a phrase."""

_LEAST_SCORE = 0.15
"""A reading of a word that is less likely than this is none: «стали» is no steel."""

_CONTRASTS = frozenset(("но", "зато", "однако", "but"))


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase that was said: the list it is of, its rule id, and the words as they were said."""

    dictionary: str
    list: WordList
    phrase: str
    words: str

    @property
    def rule(self) -> str:
        """By what name events know it: «complaints.waiting»."""
        return f"{self.dictionary}.{self.list.id}"


@dataclass(frozen=True, slots=True)
class _Unit:
    """One word of a phrase: its forms, or its beginning; `denied` where the phrase denies it.

    `heeds`: the word does not count where it is denied. In a phrase that denies something itself
    («списать без спроса», «nobody helped») no word does.
    """

    forms: frozenset[str]
    beginning: str
    denied: bool
    heeds: bool
    only_so: bool

    def matches(self, word: str) -> bool:
        if self.beginning:
            return word.startswith(self.beginning)
        if self.only_so:
            return word in self.forms
        return word in self.forms or not _forms(word).isdisjoint(self.forms)


def find(dictionaries: Sequence[Dictionary], text: str, *, denied: bool = False) -> tuple[Found, ...]:
    """At most one phrase of each list, in the order of the dictionaries.

    `denied` finds what is not counted, too, because it is denied or only wished: for those who wonder.
    """
    words = split(text)
    forms = frozenset(form for word in words for form in _forms(word))
    search = _Search(words, heed=not denied)
    return tuple(
        found
        for dictionary in dictionaries
        for each in dictionary.lists
        if (found := search.first(dictionary.id, each, forms)) is not None
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """The words of one turn; `heed` says whether denials count."""

    words: tuple[str, ...]
    heed: bool

    def first(self, dictionary: str, wanted: WordList, forms: frozenset[str]) -> Found | None:
        possible = _index(wanted.words).possible(self.words, forms)
        if not possible:
            return None
        void = {place for phrase in wanted.but for places in self.places(phrase) for place in places}
        for phrase in possible:
            for places in self.places(phrase):
                if void.isdisjoint(places):
                    said = " ".join(self.words[min(places) : max(places) + 1])
                    return Found(dictionary, wanted, phrase, said)
        return None

    def places(self, phrase: str) -> Iterator[tuple[int, ...]]:
        """Every place of a phrase: the places of its words, with the «не» that is its own."""
        units = _units(phrase)
        first, *others = units
        for start in range(len(self.words)):
            if not self._stands(first, start):
                continue
            taken = [start]
            for unit in others:
                near = self._nearest(unit, taken, len(units))
                if near is None:
                    break
                taken.append(near)
            else:
                own = [place - 1 for unit, place in zip(units, taken, strict=True) if unit.denied]
                yield tuple(sorted({*taken, *own}))

    def _nearest(self, unit: _Unit, taken: list[int], size: int) -> int | None:
        """The nearest place for the next word of a phrase that keeps all of them together in one clause."""
        reach = size - 1 + GAP
        low, high = max(0, max(taken) - reach), min(len(self.words) - 1, min(taken) + reach)
        for place in sorted(range(low, high + 1), key=lambda each: (abs(each - taken[-1]), each)):
            if place in taken or not self._stands(unit, place):
                continue
            between = self.words[min(*taken, place) : max(*taken, place)]
            if _CONTRASTS.isdisjoint(between):
                return place
        return None

    def _stands(self, unit: _Unit, place: int) -> bool:
        if not unit.matches(self.words[place]):
            return False
        if unit.denied:
            return place > 0 and self.words[place - 1] in NOT
        return not (self.heed and unit.heeds and is_denied(self.words, place))


class _Index:
    """The phrases of a list by the first of their words, so that a turn is compared with a few of them."""

    def __init__(self, phrases: tuple[str, ...]) -> None:
        self._phrases = phrases
        self._by_form: dict[str, list[int]] = {}
        self._by_beginning: list[tuple[str, int]] = []
        for place, phrase in enumerate(phrases):
            first = _units(phrase)[0]
            if first.beginning:
                self._by_beginning.append((first.beginning, place))
            for form in first.forms:
                self._by_form.setdefault(form, []).append(place)

    def possible(self, words: Sequence[str], forms: frozenset[str]) -> list[str]:
        """The phrases whose first word was said, in the order of the list."""
        places = {place for form in forms for place in self._by_form.get(form, ())}
        for beginning, place in self._by_beginning:
            if any(word.startswith(beginning) for word in words):
                places.add(place)
        return [self._phrases[place] for place in sorted(places)]


@lru_cache(maxsize=512)
def _index(phrases: tuple[str, ...]) -> _Index:
    return _Index(phrases)


@lru_cache(maxsize=8192)
def _units(phrase: str) -> tuple[_Unit, ...]:
    units: list[_Unit] = []
    denied = False
    heeds = DENIES.isdisjoint(phrase.split())
    for word in phrase.split():
        if word in NOT:
            denied = True
            continue
        any_end = word.endswith(ANY_END)
        only_so = word.startswith(ONLY_SO)
        bare = word.removesuffix(ANY_END).removeprefix(ONLY_SO)
        forms = frozenset((bare,)) if only_so else frozenset() if any_end else _forms(bare)
        units.append(_Unit(forms, bare if any_end else "", denied, heeds, only_so))
        denied = False
    return tuple(units)


@lru_cache(maxsize=20_000)
def _forms(word: str) -> frozenset[str]:
    """The word and its likely dictionary forms."""
    likely = (parse.lemma for parse in parses(word) if parse.score >= _LEAST_SCORE)
    return frozenset((word, *likely))
