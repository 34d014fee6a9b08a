"""When a question is due, a branch is taken and a triage rule holds.

A condition is an expression. Surveys that were published before there were any have tables of one
comparison instead (`{question: nps, at_most: 6}`, `{signal: complaint}`); they mean what they meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from bot.core.intents import Topic
from bot.surveys.expressions import Comparison, Expression
from bot.surveys.facts import Facts, RaisedSignal

__all__ = [
    "ANGRY",
    "COMPLAINT",
    "MISUNDERSTOOD",
    "AnswerIs",
    "Condition",
    "Facts",
    "RaisedSignal",
    "SignalIs",
    "comparisons",
    "holds",
    "written",
]

COMPLAINT = "complaint"
"""The signal that a complaint raises, whatever its topic."""

MISUNDERSTOOD = "misunderstood"
"""The signal of a caller who is not understood again and again."""

ANGRY = "angry"
"""The signal of anger, as far as words and timing show it."""


class AnswerIs(BaseModel):
    """Holds when a question was answered and its value compares as said; exactly one comparison.

    A question that was not asked, refused or not known makes every comparison false.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    at_most: int | None = None
    at_least: int | None = None
    equals: int | str | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        if sum(bound is not None for bound in (self.at_most, self.at_least, self.equals)) != 1:
            raise ValueError("нужно ровно одно сравнение: at_most, at_least или equals")
        return self

    def holds(self, facts: Facts) -> bool:
        value = facts.value(self.question)
        if value is None:
            return False
        if self.equals is not None:
            return value == self.equals
        if not isinstance(value, int | float):
            return False
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is not None and value >= self.at_least

    def comparisons(self) -> tuple[Comparison, ...]:
        symbol = f"answer.{self.question}"
        for operator, bound in (("<=", self.at_most), (">=", self.at_least), ("==", self.equals)):
            if bound is not None:
                return (Comparison(symbol, operator, (bound,), near=str(bound)),)
        raise AssertionError("a validated condition has one comparison")


class SignalIs(BaseModel):
    """Holds as soon as a signal of this name was raised, with this topic where one is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signal: str = Field(min_length=1)
    topic: Topic | None = None

    def holds(self, facts: Facts) -> bool:
        return any(
            raised.name == self.signal and (self.topic is None or raised.topic is self.topic)
            for raised in facts.signals
        )

    def comparisons(self) -> tuple[Comparison, ...]:
        return (Comparison("signals", "contains", (self.signal,), near=self.signal),)


def _shape(value: Any) -> str:
    if isinstance(value, str | Expression):
        return "expression"
    if isinstance(value, SignalIs) or (isinstance(value, Mapping) and "signal" in value):
        return "by_signal"
    return "by_answer"


Condition = Annotated[
    Annotated[AnswerIs, Tag("by_answer")]
    | Annotated[SignalIs, Tag("by_signal")]
    | Annotated[Expression, Tag("expression")],
    Discriminator(_shape),
]


def holds(condition: Condition | None, facts: Facts) -> bool:
    """Whether it holds; no condition always does."""
    if condition is None:
        return True
    return condition.holds(facts.known()) if isinstance(condition, Expression) else condition.holds(facts)


def comparisons(condition: Condition | None) -> tuple[Comparison, ...]:
    """All comparisons of a condition, in whatever form it is written."""
    if condition is None:
        return ()
    return condition.comparisons if isinstance(condition, Expression) else condition.comparisons()


def written(condition: Condition) -> str:
    """The condition in the language of expressions, for people."""
    if isinstance(condition, Expression):
        return condition.text
    if isinstance(condition, SignalIs):
        topic = f" ({condition.topic.value})" if condition.topic else ""
        return f'"{condition.signal}" in signals{topic}'
    (comparison,) = condition.comparisons()
    bound = comparison.values[0]
    value = f'"{bound}"' if isinstance(bound, str) else str(bound)
    return f"{comparison.symbol} {comparison.operator} {value}"
