"""A step under construction: collects directives and the state that goes with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.core.answer import Answer
from bot.core.context import UserTurn
from bot.core.directives import Ask, Directive, End, Offer, Record, Say, Signal, Transfer
from bot.core.endings import Disposition
from bot.core.intents import Topic
from bot.surveys.conditions import COMPLAINT
from bot.surveys.facts import RaisedSignal
from bot.surveys.piping import piped_answers, render
from bot.surveys.schema import Question, Survey
from bot.surveys.spoken import spoken
from bot.surveys.state import FlowState, Stage, Step
from bot.surveys.wishes import LEAST_INTENT_CONFIDENCE

_LAST = (Ask, Offer, Transfer, End)
"""What comes last in a step: the caller's turn, a person's, or the end."""
_SAID_AGAIN = {"acknowledgement", "acknowledgement_low", "identity"}


class Draft:
    """Lives for one turn. The states it passes through are immutable; it only holds the latest."""

    def __init__(self, survey: Survey, state: FlowState, now: datetime | None = None) -> None:
        """`now` is when the turn was taken, where that is known."""
        self.survey = survey
        self.state = state
        self.now = None if now is None else now.astimezone(state.context.zone)
        self._directives: list[Directive] = []

    def step(self) -> Step:
        return Step(self.state, tuple(self._directives))

    def update(self, **changes: Any) -> None:
        self.state = self.state.model_copy(update=changes)

    def add(self, directive: Directive) -> None:
        self._directives.append(directive)

    def insert(self, directive: Directive) -> None:
        """Have it done before whatever the caller is asked or told last, and behind all else."""
        waits = (place for place, each in enumerate(self._directives) if isinstance(each, _LAST))
        self._directives.insert(next(waits, len(self._directives)), directive)

    def render(self, text: str) -> str:
        piped = {
            question_id: spoken(
                self.survey, self.survey.question(question_id), self.state.facts.value(question_id)
            )
            for question_id in piped_answers(text)
        }
        return render(text, self.state.context, self.survey.company, piped)

    def say(self, text: str, purpose: str, *, protected: bool = False) -> None:
        self.add(Say(text=self.render(text), purpose=purpose, protected=protected))

    def say_next(self, pool: str, purpose: str) -> None:
        """Say the next wording of a pool of `Texts`. Of one that is used up nothing is said: the question
        that follows says enough, and nobody hears the same sentence twice. Thanks, and who is calling, are
        said again."""
        wordings: tuple[str, ...] = getattr(self.survey.texts, pool)
        drawn = self.state.used.get(pool, 0)
        if drawn >= len(wordings) and pool not in _SAID_AGAIN:
            return
        self.update(used={**self.state.used, pool: drawn + 1})
        self.say(wordings[drawn % len(wordings)], purpose)

    def record(self, question: Question, answer: Answer) -> None:
        self.add(Record(question_id=question.id, question_kind=question.kind, answer=answer))
        self.update(answers={**self.state.answers, question.id: answer})

    def heard(self, turn: UserTurn) -> None:
        """Keep what a turn told, for conditions: its intent and topic, where they are sure enough."""
        if turn.intent is None or turn.intent_confidence < LEAST_INTENT_CONFIDENCE:
            return
        if turn.intent not in self.state.intents:
            self.update(intents=(*self.state.intents, turn.intent))
        if turn.topic is not None and turn.topic not in self.state.topics:
            self.update(topics=(*self.state.topics, turn.topic))

    def signal(self, name: str, rule: str, topic: Topic | None = None, words: str = "") -> None:
        """Raise a signal; the first topic named in a call stays its topic until a clearer one comes."""
        self.add(Signal(name=name, rule=rule, topic=topic, words=words))
        if topic is not None and topic not in self.state.topics and name == COMPLAINT:
            self.update(topics=(*self.state.topics, topic))
        raised = RaisedSignal(name=name, rule=rule, topic=topic)
        known = topic if topic not in (None, Topic.OTHER) else self.state.topic or topic
        grounds = {**self.state.grounds, name: words} if words else self.state.grounds
        self.update(signals=(*self.state.signals, raised), topic=known, grounds=grounds)

    def end(self, disposition: Disposition, closing: str) -> None:
        """The last directive of a call; `closing` is a field of `Closings`."""
        text: str = getattr(self.survey.closings, closing)
        self.add(End(disposition=disposition, text=self.render(text)))
        self.update(stage=Stage.ENDED, question_id=None, offer=None)
