"""Scales: the numbers that are spoken are the numbers of the scale, and they mean what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from bot.core.directives import ScaleExpected
from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.lint.written import Written, plain, question_texts
from bot.surveys.numerals import LEXICON, Form, mentions
from bot.surveys.problems import Problem
from bot.surveys.questions import CesQuestion, CsatQuestion, NpsQuestion, Question, ScoreQuestion
from bot.surveys.words import Token, split

MISMATCH = error(
    "scale-mismatch",
    "в тексте названа не та шкала, что у вопроса",
    "назовите края шкалы вопроса",
)
NPS = error(
    "nps-wording",
    "вопрос NPS не называет свою шкалу, ноль и десять",
    "добавьте «от нуля до десяти»: иначе отвечают по пятибалльной, и NPS не сравнить",
)
UNNAMED = warning(
    "scale-not-named",
    "вопрос с оценкой не называет края шкалы",
    "скажите в ask, от какого числа до какого отвечать",
)
LABELS = error(
    "scale-labels",
    "подписи не подходят шкале: край без подписи, одна у двух оценок или подпись — другое число",
    "подпишите оба края, каждую оценку по-своему и словами, которые не число",
)
POSITIVE = error(
    "csat-positive",
    "довольными считаются не верхние оценки",
    "в positive — верхние оценки подряд: [4, 5] или [5], для трёх точек [3]",
)
DIRECTION = error(
    "ces-direction",
    "direction говорит одно, а слова вопроса другое",
    "higher_is_easier, если большая оценка значит «легко», иначе lower_is_easier",
)

RULES = (MISMATCH, NPS, UNNAMED, LABELS, POSITIVE, DIRECTION)

_POINTS = re.compile(r"\b(трех|четырех|пяти|шести|семи|восьми|девяти|десяти)(?:балльн|бальн|точечн)\w+")
_POINTS_EN = re.compile(r"\b(three|four|five|six|seven|eight|nine|ten)[ -]point\b")
_FROM_TO = {("от", "до"), ("с", "до"), ("from", "to"), ("between", "and")}
_EASY = re.compile(r"\b(?:легк|легч|прост(?!о не)|easy|easier|simple|effortless|без усилий|no effort)")
_HARD = re.compile(
    r"\b(?:трудн|сложн|тяжел|усили|непрост|нелегк|hard|difficult|effort\b)"
    r"|\b(?:(?:not|wasn't) easy|не (?:очень )?легк)"
)


_CLAUSES = re.compile(
    r"[.;!?]|,\s+(?=[^\s,—–:][^,—–:]*\s[—–:-]\s)|,\s+(?:где|а|и|where|and)\s+|\s+and\s+(?=\w+\s+(?:is|means)\s)"
)
_DASH = re.compile(r"\s[—–-]\s")
_MEANS = re.compile(r":\s|\s(?:is|means|значит|это)\s")


@dataclass(frozen=True, slots=True)
class Label:
    """«один — совсем не довольны»: what a number is said to mean."""

    value: int
    meaning: str


def labels_in(text: str) -> Iterator[Label]:
    """The clauses that say what a number means; commas, semicolons and full stops part them."""
    for clause in _CLAUSES.split(text):
        name, dash, meaning = _halves(clause)
        if not dash:
            continue
        numbers = mentions([Token(word) for word in split(name)])
        words = split(meaning)
        if numbers and numbers[-1].end == len(split(name)) and words:
            yield Label(numbers[-1].value, " ".join(words))


def _halves(clause: str) -> tuple[str, str, str]:
    for parts in (_DASH, _MEANS):
        if match := parts.search(clause):
            return clause[: match.start()], match.group(), clause[match.end() :]
    return clause, "", ""


def ends_in(text: str) -> Iterator[tuple[int, int]]:
    """The ranges that a text names: «от одного до пяти», «по пятибалльной шкале»."""
    words = split(plain(text))
    found = mentions([Token(word) for word in words])
    for first, second in pairwise(found):
        between = words[first.end : second.start]
        before = words[first.start - 1] if first.start else ""
        if (
            len(between) == 1
            and (before, between[0]) in _FROM_TO
            and Form.ORDINAL not in (first.form, second.form)
        ):
            yield first.value, second.value
    for match in (*_POINTS.finditer(" ".join(words)), *_POINTS_EN.finditer(plain(text).casefold())):
        yield (1, LEXICON[match.group(1)][0])


def _scaled(sheet: Sheet) -> Iterator[tuple[int, Question, ScaleExpected]]:
    for index, question in enumerate(sheet.survey.questions):
        expected = question.expectation
        if isinstance(expected, ScaleExpected):
            yield index, question, expected


def spoken(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    """Ranges and labels that are said, against the scale that is stored."""
    for index, question, expected in _scaled(sheet):
        scale = f"от {expected.low} до {expected.high}"
        for found in question_texts(sheet, index):
            wrong = _wrong_number(found, expected)
            if wrong:
                message = f"вопрос «{question.id}»: сказано «{wrong}», а шкала {scale}"
                yield sheet.problem(MISMATCH, found.loc, message)


def _wrong_number(found: Written, expected: ScaleExpected) -> str:
    for low, high in ends_in(found.text):
        if (low, high) not in ((expected.low, expected.high), (expected.high, expected.low)):
            return f"от {low} до {high}"
    for label in labels_in(plain(found.text)):
        if not expected.low <= label.value <= expected.high:
            return f"{label.value} — {label.meaning}"
    return ""


def named(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    """A caller who is not told the scale answers on one of his own."""
    for index, question, expected in _scaled(sheet):
        said = {found.value for found in mentions([Token(word) for word in split(plain(question.ask))])}
        points = {high for _, high in ends_in(question.ask)}
        if {expected.low, expected.high} <= said or expected.high in points:
            continue
        rule = NPS if isinstance(question, NpsQuestion) else UNNAMED
        scale = f"от {expected.low} до {expected.high}"
        message = f"вопрос «{question.id}» не называет свою шкалу, {scale}"
        yield sheet.problem(rule, ("questions", index, "ask"), message)


def labels(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        if not isinstance(question, ScoreQuestion) or not question.labels:
            continue
        given = question.labels
        bare = [code for code in (question.low, question.high) if code not in given]
        meanings = [meaning.casefold().strip() for meaning in given.values()]
        twice = next((text for place, text in enumerate(meanings) if text in meanings[:place]), "")
        where = ("questions", index, "labels")
        for code, meaning in given.items():
            number = _bare_number(meaning)
            if number is not None and number != code:
                message = f"вопрос «{question.id}»: оценка {code} подписана «{meaning}», а это {number}"
                yield sheet.problem(LABELS, (*where, code), message)
        if bare:
            message = f"вопрос «{question.id}»: край шкалы {bare[0]} без подписи"
            yield sheet.problem(LABELS, where, message)
        if twice:
            yield sheet.problem(LABELS, where, f"вопрос «{question.id}»: подпись «{twice}» у двух оценок")


def _bare_number(label: str) -> int | None:
    """The number that is all of a label: a caller who says it means the number."""
    words = [Token(word) for word in split(label)]
    found = mentions(words)
    return found[0].value if len(found) == 1 and (found[0].start, found[0].end) == (0, len(words)) else None


def positive(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        if not isinstance(question, CsatQuestion):
            continue
        codes = sorted(set(question.positive))
        if codes != list(range(codes[0], question.points + 1)) or codes[0] * 2 <= question.points:
            message = f"вопрос «{question.id}»: довольными считаются {codes} из {question.points}"
            yield sheet.problem(POSITIVE, ("questions", index, "positive"), message)


def direction(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        if not isinstance(question, CesQuestion):
            continue
        easier = _higher_is_easier(sheet, index, question)
        if easier is not None and easier != (question.direction == "higher_is_easier"):
            better = "higher_is_easier" if easier else "lower_is_easier"
            message = f"вопрос «{question.id}»: direction {question.direction}, а по словам вопроса {better}"
            yield sheet.problem(DIRECTION, ("questions", index, "direction"), message)


def _higher_is_easier(sheet: Sheet, index: int, question: CesQuestion) -> bool | None:
    """What the words say: a label of an end of the scale first, else the ask; None where they do not tell."""
    for found in question_texts(sheet, index):
        for label in labels_in(plain(found.text)):
            easy = _is_easy(label.meaning)
            if easy is not None and label.value in (question.low, question.high):
                return easy == (label.value == question.high)
    return _is_easy(" ".join(split(plain(question.ask))))


def _is_easy(words: str) -> bool | None:
    easy, hard = bool(_EASY.search(words)), bool(_HARD.search(words))
    if "без усилий" in words or "no effort" in words:
        return True
    return easy if easy != hard else None


CHECKS: tuple[Check, ...] = (spoken, named, labels, positive, direction)
