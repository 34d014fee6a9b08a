"""What an `Endpointer` reports. All times in seconds of media time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OverReason(StrEnum):
    SILENCE = "silence"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`at` is the media time of the first voiced sound, up to `min_speech_s` before now."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A pause of `pause_s` after voice that ended `at`. Speech may start again in the same turn."""

    at: float


@dataclass(frozen=True, slots=True)
class TurnOver:
    """The caller has finished; the last event of a turn.

    `started_s` and `ended_s` are the media times of the first and last voiced sound, `at` is now.
    """

    at: float
    started_s: float
    ended_s: float
    reason: OverReason


@dataclass(frozen=True, slots=True)
class NoInput:
    """Nothing was said in time; the last event of a turn."""

    at: float


EndpointEvent = SpeechStarted | SpeechEnded | TurnOver | NoInput
