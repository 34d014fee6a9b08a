"""What a call knows at one moment: all that a condition may ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.core.answer import Answer, AnswerStatus, AnswerValue
from bot.core.context import Person
from bot.core.intents import Intent, Topic


class RaisedSignal(BaseModel):
    """A triage signal that has been raised in this call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rule: str
    topic: Topic | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Answers by question id, signals raised, intents and topics heard so far, and the people."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    signals: tuple[RaisedSignal, ...] = ()
    intents: tuple[Intent, ...] = ()
    topics: tuple[Topic, ...] = ()
    customer: Person = field(default_factory=Person)
    agent: Person = field(default_factory=Person)

    def value(self, question_id: str) -> AnswerValue:
        """None where the question was not asked, not answered or refused."""
        answer = self.answers.get(question_id)
        return answer.value if answer is not None and answer.status is AnswerStatus.ANSWERED else None

    def known(self) -> Mapping[str, Any]:
        """As expressions see it."""
        return {
            "answer": {question_id: self.value(question_id) for question_id in self.answers},
            "customer": self.customer.model_dump(),
            "agent": self.agent.model_dump(),
            "intents": {intent.value for intent in self.intents},
            "topics": {topic.value for topic in self.topics},
            "signals": {signal.name for signal in self.signals},
        }
