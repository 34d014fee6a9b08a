"""Where a call stands in its survey: a value that lives in a slot of the dialogue between turns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from bot.core.answer import Answer, AnswerStatus, AnswerValue
from bot.core.context import CallContext, UserTurn
from bot.core.directives import Directive
from bot.core.intents import Intent, Topic
from bot.surveys.facts import Facts, RaisedSignal
from bot.surveys.promising import By


class Stage(StrEnum):
    QUESTION = "question"  # a question was put, and its answer is due
    OFFER = "offer"  # a human was offered, yes or no is due
    HANDOVER = "handover"  # the call is being handed over; only its failure is a turn
    ENDED = "ended"


class PendingOffer(BaseModel):
    """The offer that the caller has not answered yet; `by` is when a callback is offered for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    topic: Topic | None = None
    attempt: int = 1
    by: By | None = None


class Doubt(BaseModel):
    """A value, or one of two, that the caller is or was asked to confirm at the present question.

    `failures` says how many turns had led nowhere by then; `pending` is True while it waits for the
    caller's word.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: tuple[AnswerValue, ...]
    heard: str
    failures: int
    pending: bool


class FlowState(BaseModel):
    """Everything the flow remembers; serialises to JSON (`model_dump_json`, `model_validate_json`).

    `attempt` counts how often the present question was put, `failures` how many of its turns led
    nowhere, and `stumbles` how many for each reason, `variant` names the wording that was put last,
    `repeats` and `soothed` count the requests to repeat and the complaints without a value at this
    question. `silent` is True while
    this question has met nothing but silence, `silent_questions` counts questions in a row that
    ended so. `fruitless` counts wasted turns of the whole call. `used` says how often each pool of
    wordings was drawn from. `intents` and `topics` are those heard so far, each once. `taken` says how
    often each branch with a limit was taken, by its name (`Branching.name`). `doubt` is what was put
    to be confirmed at this question, once at most. `unrecorded` is True once the caller has refused to be
    recorded. `last` is the last turn, if it gave a value, to be taken again. `misheard` counts turns of the
    whole call that were not understood, `interruptions` those that began before the question was heard out
    and answered nothing. `acted` are the triage rules that opened a case or left a note; `grounds` are the
    words that each signal rests on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: CallContext
    stage: Stage = Stage.QUESTION
    question_id: str | None = None
    attempt: int = 0
    failures: int = 0
    stumbles: dict[str, int] = Field(default_factory=dict)
    variant: int = 0
    repeats: int = 0
    soothed: int = 0
    silent: bool = True
    silent_questions: int = 0
    refusals: int = 0
    fruitless: int = 0
    identified: int = 0
    answers: dict[str, Answer] = Field(default_factory=dict)
    signals: tuple[RaisedSignal, ...] = ()
    topic: Topic | None = None
    offer: PendingOffer | None = None
    offered: tuple[str, ...] = ()
    used: dict[str, int] = Field(default_factory=dict)
    intents: tuple[Intent, ...] = ()
    topics: tuple[Topic, ...] = ()
    taken: dict[str, int] = Field(default_factory=dict)
    doubt: Doubt | None = None
    misheard: int = 0
    interruptions: int = 0
    acted: tuple[str, ...] = ()
    grounds: dict[str, str] = Field(default_factory=dict)
    unrecorded: bool = False
    last: TakenTurn | None = None

    @property
    def confirming(self) -> bool:
        """Whether the confirming question waits for its answer."""
        return self.doubt is not None and self.doubt.pending

    @property
    def answered(self) -> int:
        """How many questions were answered with a value."""
        return sum(answer.status is AnswerStatus.ANSWERED for answer in self.answers.values())

    @property
    def facts(self) -> Facts:
        """What conditions may ask about."""
        return Facts(
            answers=self.answers,
            signals=self.signals,
            intents=self.intents,
            topics=self.topics,
            customer=self.context.customer,
            agent=self.context.agent,
        )


class TakenTurn(BaseModel):
    """A turn that gave a value: what was taken of it, and in which state (whose own `last` is None)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    state: FlowState
    turn: UserTurn
    answer: Answer


FlowState.model_rebuild()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the flow: the state to keep and what to do, in this order."""

    state: FlowState
    directives: tuple[Directive, ...]
