"""Yes or no from spoken words.

A plain statement about the matter («решили», «не помогли», `outcomes`) outweighs «да» and «нет»,
and these outweigh words that mean yes or no only by themselves («можно», «неудобно»). What is half
an answer («частично», «и да и нет») is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.surveys.half_answers import is_partly
from bot.surveys.outcome_words import CONTRAST
from bot.surveys.outcomes import outcomes
from bot.surveys.reading import Reading, Unclear, UnclearReason
from bot.surveys.settling import Unit, settled
from bot.surveys.words import UNKNOWN, Token
from bot.surveys.yes_no_words import (
    ASKS_BACK,
    CORRECTS,
    EMPHATIC,
    FILLERS,
    GREETING,
    HOW_TO_SAY,
    IDIOMS,
    INTERJECTED,
    NO,
    NONE_OF,
    NOT_SAID,
    PERHAPS,
    UNSAYABLE,
    UNSURE,
    WEAK_NO,
    WEAK_YES,
    WHO,
    YES,
)


def read_yes_no(tokens: Sequence[Token]) -> Reading | Unclear:
    """«yes» or «no», or why neither."""
    words = [token.text for token in tokens]
    stated = _after_correction(words, outcomes(words))
    if not stated and _cannot_say(words):
        return Unclear(UnclearReason.NO_MATCH)
    spoken = _after_correction(words, _particles(words))
    if not stated and not GREETING.isdisjoint(words) and all(unit.yes for unit in spoken):
        return Unclear(UnclearReason.NO_MATCH)
    if spoken and all(unit.slight for unit in stated):
        stated = []  # «да, но не перезвонили»: the word stands
    both = Unclear(UnclearReason.AMBIGUOUS, ("yes", "no"))
    partly = bool(words) and (is_partly(words))
    if partly or _on_condition(words) or _perhaps(words):
        return both if stated or spoken or partly else Unclear(UnclearReason.NO_MATCH)
    chosen = settled(words, stated) if stated else settled(words, spoken or _weak(words))
    if not stated and any(word.startswith("обеща") for word in words) and all(u.yes for u in spoken):
        return both if spoken else Unclear(UnclearReason.NO_MATCH)
    if stated and not chosen.partly and _contradicted(words, stated, spoken):
        return both
    if chosen.partly:
        return both
    if not chosen.units:
        return Unclear(UnclearReason.NO_MATCH)
    units = chosen.units
    if stated and (last := _denied_at_last(words, stated, spoken)) is not None:
        units = (last,)
    places = sorted({place for unit in units for place in unit.rests_on})
    return Reading(
        "yes" if units[0].yes else "no",
        " ".join(words[place] for place in places),
        min(tokens[place].confidence for place in places),
        alternatives=_taken_back(words, units[0]),
        corrected=bool(_taken_back(words, units[0])),
    )


def has_outcome(tokens: Sequence[Token]) -> bool:
    """Whether the matter itself is named («решили»), not only yes or no said."""
    return bool(outcomes([token.text for token in tokens]))


# Statements and particles together ----------------------------------------------------------


def _contradicted(words: list[str], stated: list[Unit], spoken: list[Unit]) -> bool:
    """«Нет решили» may be «не решили» with a word half lost: only «всё» or «да» makes it a yes."""
    if not all(unit.yes for unit in stated) or not any(not unit.yes for unit in spoken):
        return False
    if _denied_at_last(words, stated, spoken) is not None:
        return False
    unsaid = {"все", "да", "ага", "угу", "уже", "спасибо"}.isdisjoint(words)
    return unsaid or (not spoken[-1].yes and spoken[-1].place > stated[-1].place)


def _denied_at_last(words: list[str], stated: list[Unit], spoken: list[Unit]) -> Unit | None:
    """«Решили, а на деле нет»: a «нет» that is set against what was stated before it."""
    last = spoken[-1] if spoken else None
    if last is None or last.yes or last.place < stated[-1].place or not stated[-1].yes:
        return None
    between = words[stated[-1].place : last.place]
    return last if not CONTRAST.isdisjoint(between) else None


def _on_condition(words: list[str]) -> bool:
    """«Если решили, то да», «решили или нет»; «если честно» is no condition."""
    if any(first == "или" and second in ("нет", "да", "не") for first, second in pairwise(words)):
        return True
    return any(
        first == "если" and second not in ("честно", "быть", "коротко", "можно", "откровенно")
        for first, second in pairwise(words[:4])
    )


def _perhaps(words: list[str]) -> bool:
    """«Может быть, да», «надеюсь, решили»; «не может решить» is no doubt."""
    return any(
        word in PERHAPS and previous not in ("не", "никто", "not")
        for previous, word in pairwise(["", *words])
    )


def _taken_back(words: list[str], unit: Unit) -> tuple[str, ...]:
    """What was said before a correction, where it differs from what stands."""
    before = [
        other
        for other in (*outcomes(words), *_particles(words))
        if other.yes != unit.yes
        and other.place < unit.place
        and not CORRECTS.isdisjoint(words[other.place : unit.place])
    ]
    return (("yes" if before[-1].yes else "no"),) if before else ()


# Particles ----------------------------------------------------------------------------------


def _particles(words: list[str]) -> list[Unit]:
    """«Да», «нет» and set phrases, from left to right."""
    units: list[Unit] = []
    place = 0
    while place < len(words):
        idiom = _idiom_at(words, place)
        if idiom is not None:
            size, yes = idiom
            units.append(Unit(yes, place, tuple(range(place, place + size))))
            place += size
            continue
        unit = _particle_at(words, place)
        if unit is not None:
            if not unit.yes and units and units[-1].yes:
                between = words[units[-1].place + 1 : place]
                if set(between) <= EMPHATIC:
                    units.pop()  # «да нет», «да конечно нет» are a no
            units.append(unit)
        place += 1
    return units


def _idiom_at(words: list[str], place: int) -> tuple[int, bool] | None:
    if place and words[place - 1] in ("не", "not"):
        return None
    for size in (4, 3, 2, 1):
        phrase = tuple(words[place : place + size])
        if len(phrase) == size and phrase in IDIOMS:
            return size, IDIOMS[phrase]
    return None


def _particle_at(words: list[str], place: int) -> Unit | None:
    word = words[place]
    previous = words[place - 1] if place else ""
    following = words[place + 1] if place + 1 < len(words) else ""
    if word not in YES and word not in NO:
        return None
    start = place + 2 if following == "ну" else place + 1
    if words[start : start + 2] in HOW_TO_SAY:
        return None
    if word in NO:
        if previous in ("больше", "пока", "тоже") and place > 1 and words[place - 2] in NONE_OF:
            return None  # «вопросов больше нет»
        if following in NONE_OF or previous in NONE_OF or previous in NOT_SAID - {"не"}:
            return None
        return Unit(False, place)
    if "толку" in words[place + 1 : place + 3]:
        return None  # «да толку-то», «да только толку»
    behind = next((other for other in words[place + 1 : place + 4] if other not in YES), "")
    if behind in INTERJECTED or previous in NOT_SAID or "или" in (following, previous):
        return None
    return Unit(True, place)


def _weak(words: list[str]) -> list[Unit]:
    if not set(words) - {UNKNOWN} <= WEAK_YES | WEAK_NO | FILLERS or UNKNOWN in words:
        return []
    units = []
    for previous, (place, word) in zip(["", *words], enumerate(words), strict=False):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word in WEAK_YES and following not in ("не", "not") and (previous, word) != ("да", "ладно"):
            denied = previous in ("не", "not")
            rests_on = (place - 1, place) if denied else (place,)
            units.append(Unit(not denied, place, rests_on, partly=previous in ("очень", "совсем", "так")))
        elif word in WEAK_NO and (word != "не" or len(words) == 1):
            denied = previous in ("не", "not")
            if not denied:
                units.append(Unit(False, place))
    return [unit for unit in units if not unit.yes] or units


def _after_correction(words: list[str], units: list[Unit]) -> list[Unit]:
    """What was said after the last «ой» or «точнее» stands, if anything was."""
    kept: list[Unit] = []
    for unit in units:
        if kept and (
            not CORRECTS.isdisjoint(words[kept[-1].place : unit.place])
            or "то есть" in " ".join(words[kept[-1].place : unit.place])
        ):
            kept = []
        kept.append(unit)
    return kept


def _cannot_say(words: list[str]) -> bool:
    """«Не знаю», «не расслышал», «не могу сказать», «сложно сказать»."""
    pairs = set(pairwise(words))
    if any(first in ("не", "not", "don't") and second in UNSURE for first, second in pairs):
        return True
    if not ASKS_BACK.isdisjoint(words) or not pairs.isdisjoint(WHO):
        return True
    hard = {"сложно", "трудно", "затрудняюсь", "могу", "буду", "хочу", "hard", "can't", "cannot"}
    return not UNSAYABLE.isdisjoint(words) and not hard.isdisjoint(words)
