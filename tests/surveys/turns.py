"""Short ways to write a caller's turns and a call."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from bot.core.context import CallContext, Person, TurnSource, UserTurn, Word
from bot.core.directives import Directive
from bot.core.intents import Intent, Topic
from bot.surveys import flow
from bot.surveys.canonical import survey_hash
from bot.surveys.loader import load_survey
from bot.surveys.schema import Survey

SURVEYS = Path(__file__).parents[2] / "survey_defs"
NPS = load_survey(SURVEYS / "nps.yaml")
CSAT = load_survey(SURVEYS / "csat.yaml")

SILENCE = UserTurn(source=TurnSource.SILENCE)
HANDOVER_FAILED = UserTurn(source=TurnSource.HANDOVER_FAILED)

D = TypeVar("D", bound=Directive)


def say(
    text: str, intent: Intent | None = None, *, sure: float = 0.95, topic: Topic | None = None
) -> UserTurn:
    return UserTurn(
        source=TurnSource.SPEECH,
        text=text,
        intent=intent,
        intent_confidence=sure if intent else 0.0,
        topic=topic,
    )


def heard(*words: tuple[str, float]) -> UserTurn:
    """Speech with a confidence for each word."""
    return UserTurn(
        source=TurnSource.SPEECH,
        text=" ".join(word for word, _ in words),
        words=tuple(
            Word(text=word, start=place, end=place + 0.5, confidence=confidence)
            for place, (word, confidence) in enumerate(words)
        ),
    )


def keys(digits: str) -> UserTurn:
    return UserTurn(source=TurnSource.DTMF, digits=digits)


def context(survey: Survey, **people: Person) -> CallContext:
    return CallContext(call_id="call-1", survey_hash=survey_hash(survey), direction="outbound", **people)


class Talk:
    """One call: the state, and everything that was directed so far."""

    def __init__(self, survey: Survey = NPS, **people: Person) -> None:
        self.survey = survey
        self.context = context(survey, **people)
        step = flow.start(survey, self.context)
        self.state = step.state
        self.directives: list[Directive] = list(step.directives)
        self.last: tuple[Directive, ...] = step.directives

    def turn(self, *turns: UserTurn) -> Talk:
        for turn in turns:
            step = flow.next_step(self.survey, self.state, turn)
            self.state, self.last = step.state, step.directives
            self.directives += step.directives
        return self

    def of(self, kind: type[D]) -> list[D]:
        return [directive for directive in self.directives if isinstance(directive, kind)]

    def now(self, kind: type[D]) -> list[D]:
        """Of the last turn alone."""
        return [directive for directive in self.last if isinstance(directive, kind)]

    @property
    def values(self) -> dict[str, Any]:
        return {question: answer.value for question, answer in self.state.answers.items()}

    @property
    def statuses(self) -> dict[str, str]:
        return {question: answer.status.value for question, answer in self.state.answers.items()}

    @property
    def kinds(self) -> list[str]:
        return [directive.kind for directive in self.last]
