"""Keys: what a hint says of a key is what the key does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from bot.core.directives import ChoiceExpected, MultiChoiceExpected, YesNoExpected
from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.lint.scales import Label, labels_in
from bot.surveys.lint.written import plain, question_texts
from bot.surveys.problems import Problem
from bot.surveys.questions import Question
from bot.surveys.words import split

MISMATCH = error(
    "keys-mismatch",
    "подсказка о клавишах говорит не то, что клавиши значат",
    "вариант под номером N — N-й в options; у да/нет один — да, два — нет",
)
UNOFFERED = warning(
    "option-not-offered",
    "вариант есть, но вопрос нигде его не называет, и о нём не узнают",
    "назовите вариант в ask, help или dtmf_hint одним из его слов say",
)

RULES = (MISMATCH, UNOFFERED)

_YES = {"да", "yes"}
_NO = {"нет", "no"}
_STEM = 4
_ENDING = 3
"""Letters: two words with a common beginning of four or more, and at most three after it, are taken for
forms of one: «в магазине» offers «магазин»."""


def hints(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        meanings = _meanings(question)
        if not meanings:
            continue
        for found in question_texts(sheet, index):
            wrong = next(
                (label for label in labels_in(plain(found.text)) if _is_wrong(label, meanings)), None
            )
            if wrong is not None:
                message = f"вопрос «{question.id}»: сказано «{wrong.value} — {wrong.meaning}»"
                yield sheet.problem(MISMATCH, found.loc, message, _told(question))


def _is_wrong(label: Label, meanings: Sequence[tuple[str, ...]]) -> bool:
    """The key does something else, or nothing; words that name no key's meaning prove nothing."""
    if not 1 <= label.value <= len(meanings):
        return True
    said = set(label.meaning.split())
    named = [place for place, meaning in enumerate(meanings, start=1) if _names(said, meaning)]
    return bool(named) and label.value not in named


def _meanings(question: Question) -> list[tuple[str, ...]]:
    """What each key stands for, from key 1 on, in all its words."""
    expected = question.expectation
    if isinstance(expected, YesNoExpected):
        return [tuple(_YES), tuple(_NO)]
    if isinstance(expected, ChoiceExpected | MultiChoiceExpected):
        return [tuple(option.say) for option in expected.options]
    return []


def _told(question: Question) -> str:
    expected = question.expectation
    if isinstance(expected, ChoiceExpected | MultiChoiceExpected):
        keys = ", ".join(f"{key} — {option.say[0]}" for key, option in enumerate(expected.options, start=1))
        return f"на деле {keys}"
    return "на деле 1 — да, 2 — нет"


def _names(said: set[str], phrases: tuple[str, ...]) -> bool:
    return any(all(_among(word, said) for word in split(phrase)) for phrase in phrases)


def _among(word: str, said: set[str]) -> bool:
    return any(word == other or _same(word, other) for other in said)


def _same(word: str, other: str) -> bool:
    """Two forms of one word: they part near their ends."""
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))
    return common >= max(_STEM, len(word) - _ENDING, len(other) - _ENDING)


def offered(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, question in enumerate(sheet.survey.questions):
        expected = question.expectation
        if not isinstance(expected, ChoiceExpected | MultiChoiceExpected):
            continue
        said = {word for found in question_texts(sheet, index) for word in split(plain(found.text))}
        for place, option in enumerate(expected.options):
            if not _names(said, option.say):
                message = f"вопрос «{question.id}» нигде не называет вариант «{option.say[0]}»"
                yield sheet.problem(UNOFFERED, ("questions", index, "options", place), message)


CHECKS: tuple[Check, ...] = (hints, offered)
