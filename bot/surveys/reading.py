"""Why words could not be read as an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.core.answer import AnswerValue


class UnclearReason(StrEnum):
    SILENCE = "silence"
    NO_MATCH = "no_match"  # nothing that could be an answer
    AMBIGUOUS = "ambiguous"  # more than one answer, or half of one
    LOW_CONFIDENCE = "low_confidence"  # one answer, but its words were hardly heard
    OUT_OF_RANGE = "out_of_range"  # a number that is not on the scale
    WRONG_KEY = "wrong_key"
    DENIED = "denied"  # asked to confirm what was heard: no, and nothing else
    TOO_MANY = "too_many"  # more options than may be chosen
    NO_CLOCK = "no_clock"  # a date, and the turn does not tell when it was said


@dataclass(frozen=True, slots=True)
class Unclear:
    """No value. `candidates` are the values it might have been, in the order they were said."""

    reason: UnclearReason
    candidates: tuple[AnswerValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A value read from words; `confidence` is that of the least sure word it rests on.

    `alternatives` are other values that were said; `corrected` tells that they were taken back.
    """

    value: AnswerValue
    heard: str
    confidence: float
    alternatives: tuple[AnswerValue, ...] = ()
    corrected: bool = False
