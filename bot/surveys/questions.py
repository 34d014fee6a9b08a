"""The kinds of question, each with what it expects for an answer."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    ScaleLabel,
    YesNoExpected,
)
from bot.surveys.question_base import (
    Audio,
    BaseQuestion,
    Branch,
    Id,
    Model,
    Recorded,
    Spoken,
    first_twice,
    one_or_many,
)

__all__ = [
    "Audio",
    "Branch",
    "CesQuestion",
    "ChoiceQuestion",
    "CsatQuestion",
    "DateQuestion",
    "Id",
    "MultiChoiceQuestion",
    "NpsQuestion",
    "NumberQuestion",
    "OpenQuestion",
    "Option",
    "Question",
    "Recorded",
    "ScoreQuestion",
    "Spoken",
    "YesNoQuestion",
    "expectation_of",
    "first_twice",
]


class NpsQuestion(BaseQuestion):
    """How likely to recommend, 0-10 (Reichheld, The One Number You Need to Grow, HBR 2003)."""

    kind: Literal["nps"]

    @property
    def expectation(self) -> ScaleExpected:
        return ScaleExpected(low=0, high=10)


class CsatQuestion(BaseQuestion):
    """Satisfaction on 1-3 or 1-5; `positive` are the codes that count as satisfied."""

    kind: Literal["csat"]
    points: Literal[3, 5]
    positive: tuple[int, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _positive_codes_exist(self) -> Self:
        if not set(self.positive) < set(range(1, self.points + 1)):
            raise ValueError(f"positive: коды от 1 до {self.points}, но не все сразу")
        return self

    @property
    def expectation(self) -> ScaleExpected:
        return ScaleExpected(low=1, high=self.points)


class _RangeQuestion(BaseQuestion):
    low: int = Field(ge=0, le=100)
    high: int = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low должно быть меньше high")
        return self

    @property
    def expectation(self) -> ScaleExpected:
        return ScaleExpected(low=self.low, high=self.high)


class CesQuestion(_RangeQuestion):
    """Customer effort (Dixon, Freeman, Toman, Stop Trying to Delight Your Customers, HBR 2010)."""

    kind: Literal["ces"]
    low: int = Field(default=1, ge=0, le=100)
    high: int = Field(default=7, ge=0, le=100)
    direction: Literal["higher_is_easier", "lower_is_easier"]


class ScoreQuestion(_RangeQuestion):
    """A scale of the author's own; `labels` name its codes, in reports and by callers."""

    kind: Literal["score"]
    labels: dict[int, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _labels_are_on_the_scale(self) -> Self:
        if any(not self.low <= code <= self.high for code in self.labels):
            raise ValueError(f"labels: коды от {self.low} до {self.high}")
        return self

    @property
    def expectation(self) -> ScaleExpected:
        labels = tuple(ScaleLabel(code=code, say=(label,)) for code, label in self.labels.items())
        return ScaleExpected(low=self.low, high=self.high, labels=labels)


class YesNoQuestion(BaseQuestion):
    kind: Literal["yes_no"]

    @property
    def expectation(self) -> YesNoExpected:
        return YesNoExpected()


class Option(Model):
    """One option of a choice: its id in reports and what callers say for it."""

    id: Id
    say: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(one_or_many), Field(min_length=1)
    ]


class _OptionsQuestion(BaseQuestion):
    """Options have no keys that a caller could guess, so the hint to the keys is the author's duty."""

    options: tuple[Option, ...] = Field(min_length=2, max_length=9)
    dtmf_hint: Spoken

    @model_validator(mode="after")
    def _options_differ(self) -> Self:
        ids = [option.id for option in self.options]
        words = [" ".join(word.lower().split()) for option in self.options for word in option.say]
        for what in (ids, words):
            if twice := first_twice(what):
                raise ValueError(f"options: «{twice}» встречается дважды")
        return self

    def choices(self) -> tuple[ChoiceOption, ...]:
        return tuple(ChoiceOption(id=option.id, say=option.say) for option in self.options)


class ChoiceQuestion(_OptionsQuestion):
    """One of several options."""

    kind: Literal["choice"]

    @property
    def expectation(self) -> ChoiceExpected:
        return ChoiceExpected(options=self.choices())


class MultiChoiceQuestion(_OptionsQuestion):
    """Any of several options, `at_most` of them where that is given."""

    kind: Literal["multi_choice"]
    at_most: int | None = Field(default=None, ge=2, le=9)

    @model_validator(mode="after")
    def _there_are_so_many_options(self) -> Self:
        if self.at_most is not None and self.at_most > len(self.options):
            raise ValueError(f"at_most: вариантов всего {len(self.options)}")
        return self

    @property
    def expectation(self) -> MultiChoiceExpected:
        return MultiChoiceExpected(options=self.choices(), at_most=self.at_most)


class NumberQuestion(BaseQuestion):
    """How many: a whole number that is no score.

    `unit` are the forms of its noun for 1, 2 and 5 («раз», «раза», «раз»), or for one and many in
    English; they may be said with the number and are said when it is read back.
    """

    kind: Literal["number"]
    low: int = Field(default=0, ge=0, le=1_000_000)
    high: int = Field(ge=1, le=1_000_000)
    unit: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=(), max_length=3)

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low должно быть меньше high")
        if len(self.unit) == 1:
            raise ValueError("unit: нужны все формы слова, например [раз, раза, раз]")
        return self

    @property
    def expectation(self) -> NumberExpected:
        return NumberExpected(low=self.low, high=self.high)


class DateQuestion(BaseQuestion):
    """When: a day, a time of day or both, from now to `horizon_days` ahead; for callbacks."""

    kind: Literal["date"]
    horizon_days: int = Field(default=14, ge=1, le=366)

    @property
    def expectation(self) -> DateExpected:
        return DateExpected(horizon_days=self.horizon_days)


class OpenQuestion(BaseQuestion):
    """Free speech; recorded, and transcribed as well as the recogniser can."""

    kind: Literal["open"]
    max_s: float = Field(default=30.0, ge=3.0, le=180.0)

    @property
    def expectation(self) -> OpenExpected:
        return OpenExpected(max_s=self.max_s)


Question = Annotated[
    NpsQuestion
    | CsatQuestion
    | CesQuestion
    | ScoreQuestion
    | YesNoQuestion
    | ChoiceQuestion
    | MultiChoiceQuestion
    | NumberQuestion
    | DateQuestion
    | OpenQuestion,
    Field(discriminator="kind"),
]


def expectation_of(question: Question) -> Expectation:
    """What answer a question expects."""
    return question.expectation
