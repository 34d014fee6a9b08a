"""What all questions share: wordings, recordings of them, when they are due and where they lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.surveys.conditions import Condition
from bot.surveys.piping import Text
from bot.surveys.problems import fault

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Spoken = Annotated[Text, Field(min_length=1, max_length=600)]


def one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Wordings = Annotated[tuple[Spoken, ...], BeforeValidator(one_or_many), Field(min_length=1)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Branch(Model):
    """Where a survey goes on after a question: to another one, or to its end.

    `at_most` is how often the branch may be taken in a call; going back needs it, so that every
    call ends. A branch that is used up does not hold any more.
    """

    when: Condition | None = None
    goto: Id | None = None
    skip_to_end: Literal[True] | None = None
    at_most: int | None = Field(default=None, ge=1, le=5)

    @model_validator(mode="after")
    def _leads_to_one_place(self) -> Self:
        if (self.goto is None) == (self.skip_to_end is None):
            raise ValueError("нужно ровно одно: goto или skip_to_end")
        return self


class Recorded(Model):
    """A prompt that a person recorded: its file, relative to the survey's, and its content's SHA-256.

    An author writes the file's name alone; whoever reads the survey's file fills in the digest, so
    that the survey's content hash covers every sound that it can play.
    """

    file: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Audio(Model):
    """Recorded prompts in place of synthesis, wording by wording; what is left out is synthesised.

    `help` stands for the last wording, help and hint to the keys together.
    """

    ask: Recorded | None = None
    reask: tuple[Recorded, ...] = ()
    help: Recorded | None = None


def _first_ask(value: Any) -> Any:
    """A lone recording is that of the first ask."""
    return (
        {"ask": value} if isinstance(value, str) or (isinstance(value, dict) and "file" in value) else value
    )


class BaseQuestion(Model):
    """What all questions share.

    A wording for every attempt, when it is due, where it leads (`then`, the first branch that
    holds), and whether its answer is read back to the caller: `unsure` where there are doubts.
    """

    id: Id
    ask: Spoken
    reask: Wordings
    help: Text = ""
    dtmf_hint: Text = ""
    audio: Annotated[Audio | None, BeforeValidator(_first_ask)] = None
    when: Condition | None = None
    then: tuple[Branch, ...] = Field(default=(), max_length=10)
    confirm: Literal["unsure", "always", "never"] = "unsure"
    no_input_s: float = Field(default=5.0, ge=1.0, le=20.0)

    def wordings(self) -> Iterator[str]:
        yield self.ask
        yield from self.reask
        if self.help:
            yield self.help

    @model_validator(mode="after")
    def _recordings_fit_their_wordings(self) -> Self:
        audio = self.audio
        if audio is None:
            return self
        if len(audio.reask) > len(self.reask):
            raise fault("bad-audio", "audio: записей reask больше, чем текстов reask")
        recorded = (audio.ask and self.ask, *self.reask[: len(audio.reask)], audio.help and self.help)
        if any("{" in text for text in recorded if text):
            message = "audio: в тексте с полями {…} запись всегда говорила бы одно и то же"
            raise fault("bad-audio", message, hint="уберите поля или запись")
        if audio.help and not (self.help or self.dtmf_hint):
            raise fault("bad-audio", "audio: записан help, а текста help нет", hint="напишите help словами")
        return self


def first_twice(items: list[str]) -> str | None:
    """The first item that has been in the list before."""
    return next((item for place, item in enumerate(items) if item in items[:place]), None)
