"""A survey as data: what is asked, in which words, what triggers a human, how a call closes.

A `Survey` is complete in itself: the wordings that its author left out are filled in from the
defaults of its language when it is read, so that its content hash covers every sentence it can say.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from bot.core.intents import Topic
from bot.surveys import references
from bot.surveys.conditions import Condition
from bot.surveys.dictionary import Dictionary
from bot.surveys.problems import refusal
from bot.surveys.promising import By
from bot.surveys.questions import (
    Branch,
    ChoiceQuestion,
    CsatQuestion,
    Id,
    NpsQuestion,
    OpenQuestion,
    Question,
    Spoken,
    YesNoQuestion,
    expectation_of,
    first_twice,
)
from bot.surveys.texts import Closings, Texts, with_defaults
from bot.surveys.voicemail import Voicemail

__all__ = [
    "Branch",
    "Calling",
    "ChoiceQuestion",
    "CsatQuestion",
    "Listening",
    "NpsQuestion",
    "OpenQuestion",
    "Question",
    "Survey",
    "TriageRule",
    "YesNoQuestion",
    "expectation_of",
]

PUBLISHED = "published"
"""The validation context of a survey that was published: no wording of today is put into it."""

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""What Otklik speaks and understands."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TriageRule(_Model):
    """What to do when a condition holds: an `offer` to the caller, or something to `do` without asking.

    The rule's signal is raised as soon as `when` holds. An offer is made once the call is past the
    question `after` (answered, skipped or not due), or at once where `after` is left out; each kind of
    offer once a call. `by` is when a callback is promised for. A case or a note is made at once; `text`
    is then one sentence to say, or nothing. Whoever declines an offer whose rule says `declined: case`
    has a case. `target` is `responsible`, `department:NAME`, `skill:NAME` or an agent's id. Wordings
    left out are the survey's `texts`.
    """

    id: Id
    when: Condition
    after: str | None = None
    offer: Literal["human", "callback"] | None = None
    do: Literal["case", "note"] | None = None
    by: By | None = None
    declined: Literal["case"] | None = None
    target: str = Field(default="responsible", min_length=1)
    text: Spoken | None = None
    reask: Spoken | None = None
    text_by_topic: dict[Topic, Spoken] = Field(default_factory=dict)


class Listening(_Model):
    """What makes a signal of how a call goes: `misunderstood` after so many turns that were not
    understood, `angry` after so many interruptions that answered nothing."""

    misunderstood_after: int = Field(ge=1, le=20)
    interruptions: int = Field(ge=2, le=20)


class Calling(_Model):
    """How customers may be rung for a survey; times of day are the customer's own.

    `max_attempts` is how often one customer is rung in all, `hours_between` the least time between
    two attempts.
    """

    max_attempts: int = Field(default=3, ge=1, le=20)
    hours_between: float = Field(default=4.0, ge=0.25, le=720.0)
    earliest: TimeOfDay = "10:00"
    latest: TimeOfDay = "20:00"
    days: tuple[Day, ...] = Field(default=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), min_length=1)

    @model_validator(mode="after")
    def _there_is_time(self) -> Self:
        if self.earliest >= self.latest:
            raise ValueError("earliest должно быть раньше latest")
        if twice := first_twice(list(self.days)):
            raise ValueError(f"days: день «{twice}» назван дважды")
        return self


class Survey(_Model):
    """One version of a survey.

    `patience` is how many fruitless turns (silence, not understood) a caller is asked to bear in
    the whole call. `record` says whether the call's sound is kept, from the end of `consent` on.
    `dictionaries` raise signals from words; they and `signals` are empty in versions from before there
    were any.
    """

    id: Id
    version: int = Field(ge=1)
    language: Language
    voice: str = ""
    title: str = Field(min_length=1)
    company: str = Field(min_length=1)
    consent: Spoken
    introduction: Spoken
    record: bool = False
    patience: int = Field(default=6, ge=1, le=50)
    calling: Calling = Calling()
    questions: tuple[Question, ...] = Field(min_length=1, max_length=50)
    triage: tuple[TriageRule, ...] = Field(default=(), max_length=50)
    dictionaries: tuple[Dictionary, ...] = ()
    signals: Listening | None = None
    texts: Texts
    closings: Closings
    voicemail: Voicemail | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in_wordings(cls, data: Any, info: ValidationInfo) -> Any:
        """A published survey is complete: what it lacks is newer than it, and not its own."""
        return data if info.context == PUBLISHED else with_defaults(data)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        found = tuple(references.faults(self))
        if found:
            raise refusal(found)
        return self

    def question(self, question_id: str) -> Question:
        """Raises KeyError where there is none of this id."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)

    def position(self, question_id: str) -> int:
        """The question's place in the order of asking, from 0. Raises KeyError."""
        return self.questions.index(self.question(question_id))

    def rule(self, rule_id: str) -> TriageRule:
        """Raises KeyError where there is none of this id."""
        for rule in self.triage:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)
