"""Words that say yes or no, and what remains of them where they contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.surveys.morphology import can_be
from bot.surveys.outcome_words import CONTRAST, FAILED, GOES, IN_TIME, SOLVED


@dataclass(frozen=True, slots=True)
class Unit:
    """Words that say yes or no at `place`; `partly` makes them half an answer.

    `rests_on` are the places of all words that it takes; `lemma` is a statement's verb. What is
    `slight` tells of the matter only where nothing plainer is said: «не перезвонили».
    """

    yes: bool
    place: int
    words_at: tuple[int, ...] = ()
    partly: bool = False
    lemma: str = ""
    slight: bool = False

    @property
    def rests_on(self) -> tuple[int, ...]:
        return self.words_at or (self.place,)


@dataclass(frozen=True, slots=True)
class Settled:
    """What remains of units that may contradict each other: all of one side, or half an answer."""

    units: tuple[Unit, ...] = ()
    partly: bool = False


def settled(words: Sequence[str], units: Sequence[Unit]) -> Settled:
    """One side, where contradicting units are set against each other: «не решили, а потом решили»."""
    plainer = [unit for unit in units if not (unit.partly and unit.slight)]
    if plainer and len(plainer) < len(units):  # «сам разобрался, всё работает»
        return settled(words, plainer)
    if any(unit.partly for unit in units):
        return Settled(partly=True)
    if len({unit.yes for unit in units}) <= 1:
        return Settled(tuple(units))
    last = units[-1]
    opposed = [unit for unit in units if unit.yes != last.yes][-1]
    if opposed.place > last.place:
        return Settled(partly=True)
    plain = [unit for unit in units if not unit.slight]
    if len(plain) < len(units) and plain:
        return settled(words, plain)
    between = words[opposed.place : last.place]
    before = words[: last.place]
    turned = not CONTRAST.isdisjoint(between)
    if turned and not IN_TIME.isdisjoint(between):  # «сначала нет, а потом да»
        return Settled((last,))
    chief = [unit for unit in units if unit.lemma in SOLVED]
    if (
        turned
        and last.lemma in GOES | FAILED
        and not last.yes
        and not last.slight
        and opposed.lemma in SOLVED
    ):
        return Settled(partly=True)  # «решили, но не работает»
    if turned and opposed.lemma == last.lemma and _of_two_things(words, opposed.place, last.place):
        return Settled(partly=True)
    if turned and chief and len({unit.yes for unit in chief}) == 1:  # «не решили, но объяснили»
        return Settled(tuple(chief))
    alike = opposed.lemma == last.lemma or not last.yes or not IN_TIME.isdisjoint(before)
    return Settled((last,)) if turned and alike and last.lemma else Settled(partly=True)


def _of_two_things(words: Sequence[str], first: int, second: int) -> bool:
    """«Интернет работает, а телевизор не работает»: each verb has a thing of its own."""
    turn = next(at for at in range(first, second) if words[at] in CONTRAST)
    return all(
        any(can_be(word, "NOUN", "inan", "nomn", least=0.2) for word in clause)
        for clause in (words[max(0, first - 2) : first], words[turn + 1 : second])
    )
