"""Every way through a survey: what can be asked, which branches are taken, how long it gets.

Ways are walked with the flow's own `way_on`, once for each class of answers that some condition
tells apart. People's data are what they are for a whole call. What is heard besides answers (signals,
intents, topics) only grows, by anything that a condition names, at any moment of the call: more ways
are walked than callers can go, never fewer, so what is found to be out of reach is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from bot.core.answer import Answer, AnswerStatus, AnswerValue
from bot.core.context import Person
from bot.core.intents import Intent, Topic
from bot.surveys.answer_classes import answer_classes, comparisons_of, text_classes
from bot.surveys.branching import Way, way_on
from bot.surveys.conditions import Condition, Facts, RaisedSignal, comparisons, holds
from bot.surveys.questions import Question
from bot.surveys.schema import Survey

MOST_STEPS = 20_000
"""Steps after which the walk is given up: half a second's work. A step is a state that is looked at or
a comparison that is made in it; surveys that people bear have some hundreds."""

DEEPEST = 300
"""Moments on one way: questions put and things heard. 50 questions are all that a survey may have, and a
branch back goes 5 times."""

Answers = tuple[tuple[str, AnswerValue | tuple[str, ...]], ...]
Taken = tuple[tuple[str, int], ...]
Heard = frozenset[tuple[str, str]]
"""What was heard besides answers: `("topics", "billing")`, `("signals", "complaint")`."""


@dataclass(slots=True)
class Explored:
    """What the walk has met; `complete` is False where it was given up, and nothing is known of the rest.

    `passed` are the questions that some way came to while their `when` did not hold, `branches`
    question ids and places in their `then`, `rules` the triage rules that held, `longest` the most
    questions on one way, `steps` the work done.
    """

    asked: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    branches: set[tuple[str, int]] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    longest: int = 0
    steps: int = 0
    complete: bool = True


class _TooFar(Exception):
    """The walk is given up."""


def explore(survey: Survey) -> Explored:
    explored = Explored()
    walk = _Walk(survey, explored)
    try:
        for customer, agent in _people(survey):
            explored.longest = max(explored.longest, walk.from_start(customer, agent))
    except _TooFar:
        explored.complete = False
    return explored


class _Walk:
    def __init__(self, survey: Survey, explored: Explored) -> None:
        self._survey = survey
        self._explored = explored
        told = {
            found for comparison in comparisons_of(survey) for found in (comparison.symbol, comparison.other)
        }
        self._values: dict[str, tuple[AnswerValue, ...]] = {
            question.id: (None, *(found.value for found in answer_classes(survey, question)))
            if f"answer.{question.id}" in told
            else ()
            for question in survey.questions
        }
        self._named = tuple(_named(survey))
        self._raised = {(kind, name): _raised(name) for kind, name in self._named if kind == "signals"}
        self._customer = self._agent = Person()
        self._put = 0  # questions on the present way: what is known where the walk is given up
        self._known: dict[tuple[str | None, Answers, Taken, Heard], int] = {}

    def from_start(self, customer: Person, agent: Person) -> int:
        """Walks all ways of callers of one kind; the most questions on one of them."""
        self._customer, self._agent = customer, agent
        self._known.clear()
        return self._longest(None, (), (), frozenset(), 0)

    def _longest(self, after: str | None, answers: Answers, taken: Taken, heard: Heard, depth: int) -> int:
        """The most questions from here on, whether or not something else is heard before the next one."""
        key = (after, answers, taken, heard)
        if key in self._known:
            return self._known[key]
        self._spend(1)
        if depth > DEEPEST:
            raise _TooFar
        facts = self._facts(answers, heard)
        self._note_rules(facts)
        way = self._way(after, facts, dict(taken))
        longest = 0
        if way.question is not None:
            self._explored.asked.add(way.question.id)
            counted = _counted(taken, way.branch)
            self._put += 1
            self._explored.longest = max(self._explored.longest, self._put)
            longest = 1 + max(
                self._longest(way.question.id, said, counted, heard, depth + 1)
                for said in self._answered(way.question, answers)
            )
            self._put -= 1
        for more in self._named:
            if more not in heard:
                longest = max(longest, self._longest(after, answers, taken, heard | {more}, depth + 1))
        self._known[key] = longest
        return longest

    def _spend(self, steps: int) -> None:
        self._explored.steps += steps
        if self._explored.steps > MOST_STEPS:
            raise _TooFar

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

    def _facts(self, answers: Answers, heard: Heard) -> Facts:
        found = {
            name: Answer(
                status=AnswerStatus.ANSWERED, value=list(value) if isinstance(value, tuple) else value
            )
            for name, value in answers
        }
        return Facts(
            answers=found,
            signals=tuple(raised for each in heard for raised in self._raised.get(each, ())),
            intents=tuple(Intent(name) for kind, name in heard if kind == "intents"),
            topics=tuple(Topic(name) for kind, name in heard if kind == "topics"),
            customer=self._customer,
            agent=self._agent,
        )

    def _note_rules(self, facts: Facts) -> None:
        """The rules that hold here for the first time."""
        for rule in self._survey.triage:
            if rule.id not in self._explored.rules:
                self._spend(_size(rule.when))
                if holds(rule.when, facts):
                    self._explored.rules.add(rule.id)

    def _way(self, after: str | None, facts: Facts, taken: Mapping[str, int]) -> Way:
        """The way on, with the branch that is taken and the questions that are passed noted."""
        survey = self._survey
        start = 0
        if after is not None:
            start = survey.position(after) + 1
            for place, branch in enumerate(survey.question(after).then):
                self._spend(_size(branch.when))
                used_up = branch.at_most is not None and taken.get(f"{after}/{place}", 0) >= branch.at_most
                if not used_up and holds(branch.when, facts):
                    self._explored.branches.add((after, place))
                    start = survey.position(branch.goto) if branch.goto else len(survey.questions)
                    break
        way = way_on(survey, after, facts, taken)
        until = survey.position(way.question.id) if way.question else len(survey.questions)
        self._spend(sum(_size(question.when) for question in survey.questions[start : until + 1]))
        self._explored.passed |= {question.id for question in survey.questions[start:until]}
        return way


def _size(condition: Condition | None) -> int:
    """What it costs to look at a condition, in steps."""
    return len(comparisons(condition))


def _counted(taken: Taken, branch: str) -> Taken:
    """How often branches were taken, with this one."""
    if not branch:
        return taken
    counted = dict(taken)
    counted[branch] = counted.get(branch, 0) + 1
    return tuple(sorted(counted.items()))


def _constants(survey: Survey) -> dict[str, set[str]]:
    """What each symbol is compared with."""
    constants: dict[str, set[str]] = {}
    for comparison in comparisons_of(survey):
        for symbol in (comparison.symbol, comparison.other):
            constants.setdefault(symbol, set()).update(str(value) for value in comparison.values)
    return constants


def _named(survey: Survey) -> Iterator[tuple[str, str]]:
    """Everything that conditions listen for besides answers."""
    constants = _constants(survey)
    for kind in ("intents", "topics", "signals"):
        for name in sorted(constants.get(kind, ())):
            if kind == "signals" or name in (set(Intent) if kind == "intents" else set(Topic)):
                yield kind, name


def _people(survey: Survey) -> Iterator[tuple[Person, Person]]:
    """Every customer and agent whom some condition tells apart."""
    constants = _constants(survey)
    symbols = sorted(symbol for symbol in constants if symbol.startswith(("customer.", "agent.")))
    fields = [
        [(symbol, str(value)) for value in ("", *(found.value for found in text_classes(constants[symbol])))]
        for symbol in symbols
    ]
    for given in product(*fields):
        yield _person("customer.", given), _person("agent.", given)


def _raised(name: str) -> tuple[RaisedSignal, ...]:
    """A signal with no topic and with every topic: a condition may name one."""
    return tuple(RaisedSignal(name=name, rule=name, topic=topic) for topic in (None, *Topic))


def _person(prefix: str, fields: tuple[tuple[str, str], ...]) -> Person:
    return Person.model_validate(
        {symbol.removeprefix(prefix): value for symbol, value in fields if symbol.startswith(prefix)}
    )
