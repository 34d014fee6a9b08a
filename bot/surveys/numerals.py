"""Number words: every form that a caller may use for a whole number, generated from stems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.surveys.words import Token

TOO_BIG = 10**9
"""What any number with more digits is read as: far off every scale."""


class Form(Enum):
    CARDINAL = auto()  # «девять», «девяти», «9»
    NOUN = auto()  # «девятка», «девяточку»
    ONE = auto()  # «один», «одного»: a number, a pronoun or «alone»
    ORDINAL = auto()  # «девятый», «9-й»: counts options and days, never points
    COLLECTIVE = auto()  # «двое», «пятеро»: counts people
    FRACTION = auto()  # «полтора», «8,5»: `value` is the whole part


@dataclass(frozen=True, slots=True)
class Mention:
    """A number in an utterance: `start` and `end` are places in the list of tokens, end excluded."""

    value: int
    start: int
    end: int
    form: Form
    heard: str
    confidence: float


# Declined by hand: these words follow no rule worth writing.
_CARDINALS = {
    0: "ноль ноля нолю нолем ноле нуль нуля нулю нулем нуле нолик нолика нолику ноликом нулик зеро zero",
    2: "два две двух двум двумя two",
    3: "три трех трем тремя three",
    4: "четыре четырех четырем четырьмя four",
    5: "пять пяти пятью five",
    6: "шесть шести шестью six",
    7: "семь семи семью seven",
    8: "восемь восьми восемью восьмью eight",
    9: "девять девяти девятью nine",
    10: "десять десяти десятью ten",
    40: "сорок сорока forty",
    90: "девяносто девяноста ninety",
    100: "сто ста сотня сотню hundred",
    200: "двести двухсот двумстам",
    300: "триста трехсот тремстам",
    400: "четыреста четырехсот четыремстам",
    500: "пятьсот пятисот пятистам",
    600: "шестьсот шестисот шестистам",
    700: "семьсот семисот семистам",
    800: "восемьсот восьмисот восьмистам",
    900: "девятьсот девятисот девятистам",
}
_THOUSAND = "тысяча тысячу тысячи тысяч тысяче тысячам thousand"
_MILLION = "миллион миллиона миллионов миллиону million"
_ONE = "один одна одно одну одного одной одному одним одном one"
_TEENS = (
    "один две три четыр пят шест сем восем девят",
    "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
)
_TENS = {20: "двадцат", 30: "тридцат"}
_TENS_OF = {50: "пят", 60: "шест", 70: "сем", 80: "восем"}
_ENGLISH_TENS = {20: "twenty", 30: "thirty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty"}

# The school marks: «двойка», with affection «двоечка», in slang «двояк», «пятёра».
_NOUN_STEMS = {
    2: "двойк двоечк",
    3: "тройк троечк",
    4: "четверк четверочк",
    5: "пятерк пятерочк пятер",
    6: "шестерк шестерочк",
    7: "семерк семерочк",
    8: "восьмерк восьмерочк",
    9: "девятк девяточк",
    10: "десятк десяточк",
}
_NOUN_ENDINGS = ("а", "и", "е", "у", "ой", "ою")
_MASCULINE_STEMS = {2: "двояк двойбан", 3: "трояк тройбан", 5: "пятак", 10: "червонец чирик"}
_MASCULINE_ENDINGS = ("", "а", "у", "ом", "е")
_UNITS = "единица единицы единице единицу единицей единичка единички единичке единичку единичкой кол кола"
_MORE_NOUNS = {0: "дырка", 1: _UNITS, 10: "червонца червонцем"}

_COLLECTIVES = {2: "двое двоих", 3: "трое троих", 4: "четверо четверых", 5: "пятеро", 6: "шестеро"}
_FRACTIONS = {1: "полтора полторы полутора"}

_ORDINAL_STEMS = {
    1: "перв first", 2: "втор second", 4: "четверт fourth", 5: "пят fifth", 6: "шест sixth",
    7: "седьм seventh", 8: "восьм eighth", 9: "девят ninth", 10: "десят tenth",
    11: "одиннадцат eleventh", 12: "двенадцат twelfth", 13: "тринадцат thirteenth",
    14: "четырнадцат fourteenth", 15: "пятнадцат fifteenth", 16: "шестнадцат sixteenth",
    17: "семнадцат seventeenth", 18: "восемнадцат eighteenth", 19: "девятнадцат nineteenth",
    20: "двадцат twentieth", 30: "тридцат thirtieth",
}  # fmt: skip
_ORDINAL_ENDINGS = ("ый", "ой", "ая", "ое", "ую", "ого", "ому", "ым", "ом", "ые", "ых")
_THIRD = "третий третья третье третью третьего третьему третьим третьем третьей третьи third"


def _lexicon() -> dict[str, tuple[int, Form]]:
    table: dict[str, tuple[int, Form]] = {}

    def add(words: str | Iterable[str], value: int, form: Form) -> None:
        for word in words.split() if isinstance(words, str) else words:
            table[word] = (value, form)

    for value, stems in _ORDINAL_STEMS.items():
        stem, english = stems.split()
        add((stem + ending for ending in _ORDINAL_ENDINGS), value, Form.ORDINAL)
        add(english, value, Form.ORDINAL)
    add(_THIRD, 3, Form.ORDINAL)
    for value, stems in _NOUN_STEMS.items():
        for stem in stems.split():
            add((stem + ending for ending in _NOUN_ENDINGS), value, Form.NOUN)
    for value, stems in _MASCULINE_STEMS.items():
        for stem in stems.split():
            add((stem + ending for ending in _MASCULINE_ENDINGS), value, Form.NOUN)
    for value, words in _MORE_NOUNS.items():
        add(words, value, Form.NOUN)
    for value, words in _COLLECTIVES.items():
        add(words, value, Form.COLLECTIVE)
    for value, words in _FRACTIONS.items():
        add(words, value, Form.FRACTION)
    russian, english_teens = (row.split() for row in _TEENS)
    for value, (stem, english) in enumerate(zip(russian, english_teens, strict=True), start=11):
        add((f"{stem}надцат{ending}" for ending in ("ь", "и", "ью")), value, Form.CARDINAL)
        add(english, value, Form.CARDINAL)
    for value, stem in _TENS.items():
        add((stem + ending for ending in ("ь", "и", "ью")), value, Form.CARDINAL)
    for value, stem in _TENS_OF.items():
        add(f"{stem}ьдесят {stem}идесяти", value, Form.CARDINAL)
    for value, english in _ENGLISH_TENS.items():
        add(english, value, Form.CARDINAL)
    for value, words in {**_CARDINALS, 1000: _THOUSAND, 1_000_000: _MILLION}.items():
        add(words, value, Form.CARDINAL)
    add(_ONE, 1, Form.ONE)
    return table


LEXICON = _lexicon()
"""Folded word -> value and form."""

_DECIMAL = re.compile(r"(\d+)[.,](\d+)")
_NTH = re.compile(r"(\d+)-?[^\W\d_]+")


def mentions(tokens: Sequence[Token]) -> list[Mention]:
    """The numbers of an utterance, in order; «двадцать пять» is one, «девять десять» are two."""
    found: list[Mention] = []
    for mention in _words(tokens):
        last = found[-1] if found else None
        whole = _joined(last, mention) if last is not None and last.end == mention.start else None
        if whole is None:
            found.append(mention)
        else:
            found[-1] = whole
    return found


def _words(tokens: Sequence[Token]) -> Iterator[Mention]:
    for place, token in enumerate(tokens):
        value, form = _value(token.text)
        if value is not None:
            yield Mention(value, place, place + 1, form, token.text, token.confidence)


def _value(word: str) -> tuple[int | None, Form]:
    if word in LEXICON:
        return LEXICON[word]
    if not word[:1].isdecimal():
        return None, Form.CARDINAL
    if word.isdecimal():
        return _whole(word), Form.CARDINAL
    if (decimal := _DECIMAL.fullmatch(word)) is not None:
        return _whole(decimal.group(1)), Form.FRACTION
    if (nth := _NTH.fullmatch(word)) is not None:
        return _whole(nth.group(1)), Form.ORDINAL
    return None, Form.CARDINAL


def _whole(digits: str) -> int:
    return int(digits) if len(digits) <= 9 else TOO_BIG


def _joined(last: Mention, word: Mention) -> Mention | None:
    """Both as one number, where the word adds to it: hundreds, tens, a unit; «три тысячи»."""
    if last.form not in (Form.CARDINAL, Form.ONE) or word.form not in (Form.CARDINAL, Form.ONE, Form.ORDINAL):
        return None
    big = word.value in (1000, 1_000_000) and not word.heard.isdecimal()
    if big and 0 < last.value < 1000:
        value = last.value * word.value
    elif last.heard.isdecimal() or word.heard.isdecimal() or last.form is Form.ONE:
        return None
    elif word.value == 100 and word.heard == "hundred" and 0 < last.value < 10:
        value = last.value * 100
    elif _adds(last.value, word.value):
        value = last.value + word.value
    else:
        return None
    form = Form.ORDINAL if word.form is Form.ORDINAL else Form.CARDINAL
    return replace(
        last,
        value=value,
        end=word.end,
        form=form,
        heard=f"{last.heard} {word.heard}",
        confidence=min(last.confidence, word.confidence),
    )


def _adds(sum_so_far: int, value: int) -> bool:
    if value == 0:
        return False
    tens = sum_so_far % 100
    if value < 10:
        return (tens >= 20 and tens % 10 == 0) or (sum_so_far >= 100 and tens == 0)
    if value < 100:
        return sum_so_far >= 100 and tens == 0
    return sum_so_far >= 1000 and sum_so_far % 1000 == 0 and value < 1000
