"""An answer: the value, how sure we are, and the words or keys that it came from."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

AnswerValue = int | float | str | list[str] | None


class AnswerStatus(StrEnum):
    ANSWERED = "answered"
    DONT_KNOW = "dont_know"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"  # asked to the end of the ladder, and nothing usable came


class AnswerSource(StrEnum):
    SPEECH = "speech"
    DTMF = "dtmf"
    CORRECTED = "corrected"  # the caller took a value back, in the same breath or when asked to confirm
    NONE = "none"


class Answer(BaseModel):
    """One question's outcome.

    `value` is an int for a scale or a number, "yes" or "no", a choice's id, a list of ids for a
    multiple choice (empty for «none of these»), ISO 8601 text for a date (an instant, or
    `start/end`), the words of an open answer, and None unless `status` is ANSWERED. `confidence` is
    0..1, the least sure word the value rests on.
    `heard` is what the value was taken from, `alternatives` what else it might have been, `reason`
    why there is no value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: AnswerStatus
    value: AnswerValue = None
    confidence: float = 1.0
    source: AnswerSource = AnswerSource.NONE
    heard: str = ""
    alternatives: tuple[AnswerValue, ...] = ()
    reason: str = ""
