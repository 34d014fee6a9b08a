"""The answers to a question, parted where some condition tells them apart.

A condition compares an answer with constants, so all answers between two constants fare alike: one
of them stands for all. Nothing here evaluates a condition; that is left to the flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import ceil, floor

from bot.core.answer import AnswerValue
from bot.surveys.conditions import Condition, comparisons
from bot.surveys.expressions import Comparison
from bot.surveys.questions import (
    ChoiceQuestion,
    MultiChoiceQuestion,
    Question,
    YesNoQuestion,
    expectation_of,
)
from bot.surveys.schema import Survey

SINGLY = 101
"""A range of so many numbers at most is taken number by number where two answers are compared."""

NONE_OF_THEM = "-"
"""What the name of a class of several choices has before an option that was not chosen."""


@dataclass(frozen=True, slots=True)
class Said:
    """A class of answers, or several that lead to the same.

    `ranges` are whole numbers from-to, both included; `names` are ids, `+id-id` for several choices
    (chosen and not chosen), `<text`, `text` and `>text` for dates and free text. `everything` means
    any answer at all, `nothing` that there was none. `heard` are words that are no answer, by intent
    (and topic), after which the question is often put again.
    """

    ranges: tuple[tuple[int, int], ...] = ()
    names: tuple[str, ...] = ()
    everything: bool = False
    nothing: bool = False
    heard: tuple[str, ...] = ()

    def or_(self, other: Said) -> Said:
        names = dict.fromkeys((*self.names, *other.names))
        return Said(
            _joined((*self.ranges, *other.ranges)),
            tuple(names),
            self.everything or other.everything,
            self.nothing or other.nothing,
            (*self.heard, *other.heard),
        )


NOTHING = Said(nothing=True)
EVERYTHING = Said(everything=True)


@dataclass(frozen=True, slots=True)
class AnswerClass:
    """Answers that no condition tells apart, and one of them, which stands for all."""

    said: Said
    value: AnswerValue


def conditions_of(survey: Survey) -> Iterator[Condition]:
    """Every condition of a survey: of questions, of branches, of triage rules."""
    for question in survey.questions:
        if question.when is not None:
            yield question.when
        for branch in question.then:
            if branch.when is not None:
                yield branch.when
    for rule in survey.triage:
        yield rule.when


def comparisons_of(survey: Survey) -> tuple[Comparison, ...]:
    return tuple(found for condition in conditions_of(survey) for found in comparisons(condition))


def answer_classes(survey: Survey, question: Question) -> tuple[AnswerClass, ...]:
    """Together they are every answer that the question can have; at least one."""
    symbol = f"answer.{question.id}"
    found = [found for found in comparisons_of(survey) if symbol in (found.symbol, found.other)]
    constants = [value for comparison in found for value in comparison.values]
    singly = any(comparison.other for comparison in found)
    if not found:
        return (AnswerClass(EVERYTHING, _any_of(question)),)
    if isinstance(question, YesNoQuestion):
        return tuple(AnswerClass(Said(names=(name,)), name) for name in ("yes", "no"))
    if isinstance(question, ChoiceQuestion):
        return tuple(AnswerClass(Said(names=(option.id,)), option.id) for option in question.options)
    if isinstance(question, MultiChoiceQuestion):
        return tuple(_choices(question, {str(value) for value in constants}))
    expected = expectation_of(question)
    if expected.kind in ("scale", "number"):
        numbers = [value for value in constants if not isinstance(value, str)]
        return tuple(_numbers(expected.low, expected.high, numbers, singly=singly))
    return text_classes(str(value) for value in constants)


def text_classes(constants: Iterable[str]) -> tuple[AnswerClass, ...]:
    """Any text that is not empty, in its order: before, at and after each constant."""
    cuts = sorted({constant for constant in constants if constant})
    if not cuts:
        return (AnswerClass(EVERYTHING, "…"),)
    classes = [AnswerClass(Said(names=(f"<{cuts[0]}",)), "\0")]
    for cut in cuts:
        classes.append(AnswerClass(Said(names=(cut,)), cut))
        # The very next text in the order: nothing is between a text and itself with a NUL behind.
        classes.append(AnswerClass(Said(names=(f">{cut}",)), f"{cut}\0"))
    return tuple(classes)


def _any_of(question: Question) -> AnswerValue:
    expected = expectation_of(question)
    match expected.kind:
        case "scale" | "number":
            return expected.high
        case "yes_no":
            return "yes"
        case "choice":
            return expected.options[0].id
        case "multi_choice":
            return [expected.options[0].id]
        case _:
            return "…"


def _numbers(low: int, high: int, cuts: Sequence[float], *, singly: bool) -> Iterator[AnswerClass]:
    starts = {low, high + 1, *(ceil(cut) for cut in cuts), *(floor(cut) + 1 for cut in cuts)}
    if singly and high - low < SINGLY:
        starts |= set(range(low, high + 1))
    for start, after in pairwise(sorted(start for start in starts if low <= start <= high + 1)):
        yield AnswerClass(Said(ranges=((start, after - 1),)), start)


def _choices(question: MultiChoiceQuestion, named: set[str]) -> Iterator[AnswerClass]:
    """Every set of the options that conditions name; others do not matter."""
    options = [option.id for option in question.options]
    told = [option for option in options if option in named]
    others = [option for option in options if option not in named]
    most = min(len(told), question.at_most or len(told))
    for size in range(most, -1, -1):
        for chosen in combinations(told, size):
            name = "".join(f"{'+' if option in chosen else NONE_OF_THEM}{option}" for option in told)
            yield AnswerClass(Said(names=(name,)), list(chosen) or others[:1])


def _joined(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Neighbouring ranges as one."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(set(ranges)):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)
