"""Who gives a score: the caller, or somebody else («жена сказала восемь», «сын бы десять поставил»)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.surveys.company import Company
from bot.surveys.morphology import can_be, parses
from bot.surveys.words import table

_GIVES = table(
    "поставить ставить дать давать сказать говорить оценить оценивать влепить просить попросить велеть",
    "требовать советовать посоветовать предлагать предложить уговаривать настаивать хотеть",
)
"""What one does who names a score, by dictionary form; «заслужить» and «получить» are what an agent does."""

_ORDERED = table("поставь поставьте ставь ставьте дай дайте поставить ставить")
_BESIDE = table(
    "бы б мне нам тоже всегда обычно уже сразу вчера там вон наверное наверно просто сам сама вот так всем и",
    "на за вам ему только бывало точно конечно лично что то нибудь этот эта оценку оценка балл баллов",
)
"""What may stand between the giver, the giving and the score."""

_OTHERS = table("он она они кто")
_MINE = table("я мы")
_REACH = 6
"""Words that are looked at before a score."""


def is_anothers(company: Company) -> bool:
    """Whether somebody else gives this score; a score without a giver is the caller's own."""
    before = list(company.since)[-_REACH:]
    until = list(company.until)
    if before and before[-1] in _ORDERED:  # «начальник говорит, поставь десять»
        before = before[:-1]
    behind = next((word for word in until[:2] if word not in _BESIDE), "")
    if before and _gives(behind) and _given_by_another(before):
        return True
    place = len(before) - 1
    while place >= 0 and before[place] in _BESIDE:
        place -= 1
    return place > 0 and _gives(before[place]) and _given_by_another(before[:place])


def _gives(word: str) -> bool:
    """A verb of giving or naming a score that another may be the subject of."""
    return any(
        parse.lemma in _GIVES and ("past" in parse.grammemes or "3per" in parse.grammemes)
        for parse in parses(word)[:2]
    )


def _given_by_another(before: Sequence[str]) -> bool:
    """Whether the nearest word that can be the subject is another person."""
    if not _MINE.isdisjoint(before):
        return False
    subject = next((word for word in reversed(before) if word not in _BESIDE), "")
    return subject in _OTHERS or can_be(subject, "NOUN", "anim", "nomn", least=0.3)
