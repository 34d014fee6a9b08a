"""What a number in an utterance is about: the answer, or something else in its company.

General rules over word classes (prepositions, counted nouns, verbs of giving, denials), with the
cases and numbers of pymorphy3 where Russian marks what is counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from itertools import pairwise

from bot.surveys.company import FRAME, GIVING, POINTS, Company
from bot.surveys.counting import counts, is_name
from bot.surveys.denials import all_points, bounded, is_denied, is_hint, is_nearest, is_unreal, names_a_point
from bot.surveys.givers import is_anothers
from bot.surveys.morphology import can_be
from bot.surveys.numerals import Form
from bot.surveys.words import UNKNOWN, table


class Role(Enum):
    ANSWER = auto()
    NOT_MEANT = auto()  # counts something else, or names the scale
    DENIED = auto()  # «не восемь», «десятку не поставлю»
    VAGUE = auto()  # about the answer, but not a point of the scale


_AWAY = table(
    "в во через после к ко спустя назад до с со за у при под над про о об обо без кроме вместо против по",
    "из at after until till for in by since within",
)
"""After these a number is a time, a place or an amount."""

_AT_HOUR = table("в во к ко с со до после около at by")

_NAMED_LOOSELY = table("договор заказ заявка тариф пакет канал год")
_ROUGHLY = table("около порядка районе")
"""«Около восьми»: as a score it is asked back, as a count (`numbers`) it will do."""

_THESE = table("эти те этих тех ваши наши мои последние другие остальные оставшиеся")
_BOUND = table("максимум минимум maximum minimum")
_QUALITY = re.compile(
    r"(хорош\w*|плох\w*|лучш\w*|худш\w*|хуже|отличн\w*|ужасн\w*|много|мало|максим\w*|миним\w*|норм\w*|как|что"
    r"|легк\w*|сложн\w*|трудн\w*|прост\w*|высш\w*|самы\w+|самая|самое|good|bad|best|worst|highest|lowest|top)"
)
_THIS_IS = table("это значит is means")
_SCALE_QUESTION = table("сколько скольки")


def role(company: Company, low: int, high: int) -> Role:
    """The part that one number plays in its utterance, on a scale from `low` to `high`."""
    if names_the_scale(company, low, high) or _asks_of_the_scale(company, high):
        return Role.NOT_MEANT
    if counts(company) or is_name(company):
        return Role.NOT_MEANT
    if company.prev() in _NAMED_LOOSELY or (company.prev() == "минус" and not _taken_off(company)):
        return Role.VAGUE
    if company.prev() in _THESE or (
        company.prev() in ("все", "всех") and company.after and not all_points(company)
    ):
        return Role.VAGUE
    if _is_paired(company):
        return Role.NOT_MEANT
    if bounded(company):
        return Role.ANSWER if names_a_point(company) else Role.VAGUE
    if is_denied(company):
        return Role.DENIED
    if is_anothers(company):
        return Role.NOT_MEANT
    if is_range(company):
        return Role.ANSWER
    if is_elsewhere(company):
        return Role.NOT_MEANT
    if company.number.form is Form.FRACTION or is_hint(company) or is_unreal(company):
        return Role.VAGUE
    if company.prev() in _ROUGHLY:
        return Role.VAGUE
    if company.number.form is Form.ONE:
        return _one(company)
    if company.number.heard == "семью" and "между" not in company.before and company.prev() != "на":
        return Role.NOT_MEANT
    return Role.ANSWER


def _is_paired(company: Company) -> bool:
    """«Два в одном», «пятьдесят на пятьдесят»."""
    if list(company.until) not in (["в"], ["на"], ["к"], ["за"]) or company.place + 1 >= len(company.numbers):
        return False
    return not counts(Company(company.words, company.numbers, company.place + 1))


def is_elsewhere(company: Company) -> bool:
    """After a preposition of time, place or amount: «в восемь», «после шести», «до девяти»."""
    prev = company.prev()
    if is_of_a_clock(company):
        return True
    if prev not in _AWAY or is_nearest(company):
        return False
    if POINTS.fullmatch(company.following()):
        return prev not in ("в", "во", "за", "с", "со", "до", "at", "in")
    return not any(word.startswith("оцен") for word in company.before[-4:])


def is_of_a_clock(company: Company) -> bool:
    """«В девять ноль ноль», «семь ноль ноль утра», «к десяти тридцати»: numbers in one breath."""
    numbers, first, last = company.numbers, company.place, company.place
    while first and numbers[first - 1].end == numbers[first].start:
        first -= 1
    while last + 1 < len(numbers) and numbers[last + 1].start == numbers[last].end:
        last += 1
    said = numbers[first : last + 1]
    if len(said) < 2 or not 0 <= said[0].value <= 24:
        return False
    opener = company.words[said[0].start - 1] if said[0].start else ""
    on_the_hour = len(said) == 3 and said[0].value > 0 and [each.value for each in said[1:]] == [0, 0]
    return on_the_hour or (opener in _AT_HOUR and (said[1].value == 0 or 10 <= said[1].value < 60))


def _taken_off(company: Company) -> bool:
    """«Пять минус один»: two numbers, not a number below zero."""
    return company.place > 0 and company.numbers[company.place - 1].end == company.number.start - 1


# The scale itself ---------------------------------------------------------------------------


def names_the_scale(company: Company, low: int, high: int) -> bool:
    """The ten of «из десяти», of «десять-балльная» and both ends of «от нуля до десяти»."""
    if company.prev() in ("из", "of") or company.following().startswith(("балльн", "бальн")):
        return True
    for first, second in pairwise(company.numbers):
        ends = {first.value, second.value} in ({low, high}, {1, high})
        if ends and company.number in (first, second) and company.words[second.start - 1] in ("до", "to"):
            return first.start > 0 and company.words[first.start - 1] in ("от", "с", "from")
    return False


def is_range(company: Company) -> bool:
    """One end of «от семи до восьми», «между семью и восемью»: two candidates, so to be asked back."""
    if company.prev() in ("между", "от", "between", "from"):
        later = company.place + 1 < len(company.numbers) and len(company.until) == 1
        return later and company.until[0] in ("и", "до", "and", "to")
    earlier = company.numbers[company.place - 1] if company.place else None
    opened = earlier is not None and earlier.start > 0
    opener = company.words[earlier.start - 1] if earlier is not None and opened else ""
    return opener in ("между", "от", "between", "from") and company.prev() in ("и", "до", "and", "to")


def _asks_of_the_scale(company: Company, high: int) -> bool:
    """«А десять это хорошо?», «это от нуля до скольки»."""
    if not _SCALE_QUESTION.isdisjoint(company.words):
        return True
    later = list(company.until)
    if later and later[0] in _THIS_IS:
        if any(word in _BOUND for word in later[1:3]):  # «двойка это максимум» is a bound
            return company.number.value == high or company.before[:1] == ["а"]
        return any(_QUALITY.fullmatch(word) for word in later[1:4])
    if "или" in later[1:3] and all(_QUALITY.fullmatch(later[at]) for at in (0, 2) if at < len(later)):
        return True
    if company.before[:2] == ["а", "можно"]:
        return True
    if list(company.before[-1:]) == ["а"] and len(company.before) == 1 and later[:1] == ["можно"]:
        return True
    if company.place and company.prev() == "значит":
        return False  # «пять это максимум, значит, пять»
    return company.prev() in _THIS_IS and _QUALITY.fullmatch(company.prev(2)) is not None


# One ----------------------------------------------------------------------------------------

_THEREFORE = table("поэтому значит итого следовательно короче ставлю поставлю therefore so")
_OTHER = re.compile(r"(друг\w+|втор\w+|another|other)")


def _one(company: Company) -> Role:
    """«Один»: a score where nothing but a frame stands before it and no noun or verb follows it."""
    word = company.number.heard
    if POINTS.fullmatch(company.following()):
        return Role.ANSWER
    if company.following() in ("из", "out"):
        return Role.ANSWER if _out_of_number(company) else Role.NOT_MEANT
    if any(_OTHER.fullmatch(other) for other in company.words) or company.following() == "of":
        return Role.NOT_MEANT
    if (
        company.following() == "в"
        or (company.following() == "и" and company.following(2) in ("тот", "то"))
        or company.prev() in ("я", "мы", "он", "она", "они", "i")
    ):
        return Role.VAGUE
    if word not in ("один", "одного", "одному", "одним", "одном", "one", "1"):
        return Role.NOT_MEANT
    frame = _since_conclusion(company.before if not company.place else company.since)
    if company.prev() in ("и", "еще", "там") or not all(_frames(word) for word in frame):
        return Role.NOT_MEANT if UNKNOWN in frame else Role.VAGUE
    following = company.following()
    if word == "one":
        return Role.ANSWER if set(company.after) <= FRAME | {"please", "sorry"} else Role.VAGUE
    if following and _acts(following):
        return Role.VAGUE
    return Role.ANSWER


def _since_conclusion(words: Sequence[str]) -> Sequence[str]:
    """What follows «так что», «поэтому», «значит»: the reasons are told before."""
    ends = [
        at + 1
        for at, word in enumerate(words)
        if word in _THEREFORE or (word == "что" and at and words[at - 1] == "так")
    ]
    return words[ends[-1] :] if ends else words


def _frames(word: str) -> bool:
    """A word that may stand before a score: a frame, a verb of giving, an adverb or a particle."""
    if word in FRAME or GIVING.match(word) is not None:
        return True
    return any(can_be(word, part, least=0.5) for part in ("ADVB", "PRCL", "INTJ", "CONJ", "PRED"))


def _out_of_number(company: Company) -> bool:
    """«Один из десяти», not «один из операторов»."""
    if company.place + 1 >= len(company.numbers):
        return False
    return company.numbers[company.place + 1].start - company.number.end <= 2


def _acts(word: str) -> bool:
    """What «один» could be the subject of: «один сказал», «один хороший»."""
    if word in FRAME or word == UNKNOWN or not word.isalpha():
        return word == UNKNOWN
    third = can_be(word, "VERB", "sing", "3per", least=0.3) or can_be(word, "VERB", "masc", "past", least=0.3)
    return third or can_be(word, "ADJF", "masc", "sing", "nomn", least=0.3)
