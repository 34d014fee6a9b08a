"""Every way through a survey: what can be asked, which branches are taken, how long it gets.

Ways are walked with the flow's own `way_on`, once for each class of answers that some condition
tells apart. What the flow does not fix (people's data, what is heard besides answers) may be
anything, from the first question on: more ways are walked than callers can go, never fewer, so what
is found to be out of reach is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, product
from typing import TypeVar

from bot.core.answer import Answer, AnswerStatus, AnswerValue
from bot.core.context import Person
from bot.core.intents import Intent, Topic
from bot.surveys.answer_classes import answer_classes, comparisons_of, text_classes
from bot.surveys.branching import way_on
from bot.surveys.conditions import Facts, RaisedSignal, holds
from bot.surveys.questions import Question
from bot.surveys.schema import Survey

T = TypeVar("T")

MOST_STEPS = 3000
"""Steps from question to question after which the walk is given up: half a second's work. Surveys that
people bear have some tens."""

DEEPEST = 300
"""Questions on one way; 50 questions are all that a survey may have, and a branch back goes 5 times."""

Answers = tuple[tuple[str, AnswerValue | tuple[str, ...]], ...]
Taken = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Explored:
    """What the walk has met; `complete` is False where it was given up, and nothing is known of the rest.

    `branches` are question ids and places in their `then`, `rules` the triage rules that held,
    `longest` the most questions on one way.
    """

    asked: set[str] = field(default_factory=set)
    branches: set[tuple[str, int]] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    longest: int = 0
    complete: bool = True


class _TooFar(Exception):
    """The walk is given up."""


def explore(survey: Survey) -> Explored:
    explored = Explored()
    walk = _Walk(survey, explored)
    try:
        for around in _surroundings(survey):
            explored.longest = max(explored.longest, walk.from_start(around))
    except _TooFar:
        explored.complete = False
    return explored


class _Walk:
    def __init__(self, survey: Survey, explored: Explored) -> None:
        self._survey = survey
        self._explored = explored
        self._steps = 0
        told = {
            found for comparison in comparisons_of(survey) for found in (comparison.symbol, comparison.other)
        }
        self._values: dict[str, tuple[AnswerValue, ...]] = {
            question.id: (None, *(found.value for found in answer_classes(survey, question)))
            if f"answer.{question.id}" in told
            else ()
            for question in survey.questions
        }
        self._around = Facts()
        self._known: dict[tuple[str | None, Answers, Taken], int] = {}

    def from_start(self, around: Facts) -> int:
        """Walks all ways of callers of one kind; the most questions on one of them."""
        self._around = around
        self._known.clear()
        return self._longest(None, (), (), 0)

    def _longest(self, after: str | None, answers: Answers, taken: Taken, depth: int) -> int:
        key = (after, answers, taken)
        if key in self._known:
            return self._known[key]
        self._steps += 1
        if self._steps > MOST_STEPS or depth > DEEPEST:
            raise _TooFar
        facts = self._facts(answers)
        self._note(after, facts, dict(taken))
        way = way_on(self._survey, after, facts, dict(taken))
        if way.branch:
            counted = dict(taken)
            counted[way.branch] = counted.get(way.branch, 0) + 1
            taken = tuple(sorted(counted.items()))
        longest = 0
        if way.question is not None:
            self._explored.asked.add(way.question.id)
            longest = 1 + max(
                self._longest(way.question.id, said, taken, depth + 1)
                for said in self._answered(way.question, answers)
            )
        self._known[key] = longest
        return longest

    def _answered(self, question: Question, answers: Answers) -> Iterator[Answers]:
        values = self._values[question.id]
        if not values:
            yield answers
        for value in values:
            said = dict(answers)
            said.pop(question.id, None)
            if value is not None:
                said[question.id] = tuple(value) if isinstance(value, list) else value
            yield tuple(sorted(said.items()))

    def _facts(self, answers: Answers) -> Facts:
        found = {
            name: Answer(
                status=AnswerStatus.ANSWERED, value=list(value) if isinstance(value, tuple) else value
            )
            for name, value in answers
        }
        around = self._around
        return Facts(
            answers=found,
            signals=around.signals,
            intents=around.intents,
            topics=around.topics,
            customer=around.customer,
            agent=around.agent,
        )

    def _note(self, after: str | None, facts: Facts, taken: Mapping[str, int]) -> None:
        """The branch that is taken here, and the rules that hold here for the first time."""
        for rule in self._survey.triage:
            if rule.id not in self._explored.rules and holds(rule.when, facts):
                self._explored.rules.add(rule.id)
        if after is None:
            return
        for place, branch in enumerate(self._survey.question(after).then):
            used_up = branch.at_most is not None and taken.get(f"{after}/{place}", 0) >= branch.at_most
            if not used_up and holds(branch.when, facts):
                self._explored.branches.add((after, place))
                return


def _surroundings(survey: Survey) -> Iterator[Facts]:
    """Every combination of what conditions ask about besides answers."""
    named: dict[str, set[str]] = {}
    for comparison in comparisons_of(survey):
        for symbol in (comparison.symbol, comparison.other):
            named.setdefault(symbol, set()).update(str(value) for value in comparison.values)
    people = [
        [(symbol, str(value)) for value in ("", *(found.value for found in text_classes(named[symbol])))]
        for symbol in named
        if symbol.startswith(("customer.", "agent."))
    ]
    intents = [Intent(name) for name in sorted(named.get("intents", ())) if name in set(Intent)]
    topics = [Topic(name) for name in sorted(named.get("topics", ())) if name in set(Topic)]
    signals = sorted(named.get("signals", ()))
    for heard, about, raised in product(_subsets(intents), _subsets(topics), _subsets(signals)):
        for fields in product(*people):
            yield Facts(
                signals=tuple(_raised(raised)),
                intents=heard,
                topics=about,
                customer=_person("customer.", fields),
                agent=_person("agent.", fields),
            )


def _subsets(items: Sequence[T]) -> list[tuple[T, ...]]:
    return list(chain.from_iterable(combinations(items, size) for size in range(len(items) + 1)))


def _raised(names: Sequence[str]) -> Iterator[RaisedSignal]:
    """Each with no topic and with every topic: a condition may name one."""
    for name in names:
        for topic in (None, *Topic):
            yield RaisedSignal(name=name, rule=name, topic=topic)


def _person(prefix: str, fields: Sequence[tuple[str, str]]) -> Person:
    return Person.model_validate(
        {symbol.removeprefix(prefix): value for symbol, value in fields if symbol.startswith(prefix)}
    )
