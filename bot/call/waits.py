"""What a call's own events say of its waits: replies, barge-ins and corrections, one measure each.

The stored events are the only source: `otklik calls show` reads a whole call, `/metrics` the events as
they come, and both by the same rules. Pure; times in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from bot.core.directives import OpenExpected
from bot.core.events import (
    AnswerRecorded,
    CallEvent,
    ListeningStarted,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    ReplyMeasured,
    SignalWithdrawn,
)


@dataclass(frozen=True, slots=True)
class Replied:
    """`kind` is `open`, `closed`, or `unknown` where the listening before it was not seen."""

    kind: str
    measured: ReplyMeasured


@dataclass(frozen=True, slots=True)
class Paused:
    """A voice began over a prompt, and `pause_s` later the prompt was silent."""

    pause_s: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The voice was nothing: the prompt went on."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The voice was a turn: the prompt was given up `stop_s` after that voice began. Until then it was
    silent. None where the end has no media time."""

    stop_s: float | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was recorded did not stand: another answer to a question that had one, or a signal that the
    caller took back."""

    what: Literal["answer", "signal"]


Measure = Replied | Paused | Resumed | Stopped | Corrected


@dataclass(slots=True)
class Waits:
    """Follows the events of one call, in their order."""

    _expects: dict[str, str] = field(default_factory=dict)
    _voices: dict[int, float] = field(default_factory=dict)
    """Of each paused prompt: the media time at which the voice over it began."""
    _answered: set[str] = field(default_factory=set)

    def take(self, event: CallEvent) -> Measure | None:
        """What this event measures; most measure nothing."""
        match event:
            case ListeningStarted(question_id=question, expects=expects):
                self._expects[question] = expects
            case ReplyMeasured():
                return Replied(_kind_of(self._expects.get(event.question_id)), event)
            case PromptPaused(prompt=prompt, voice_s=voice_s):
                self._voices[prompt] = voice_s
                return None if event.media_s is None else Paused(max(event.media_s - voice_s, 0.0))
            case PromptResumed(prompt=prompt):
                self._voices.pop(prompt, None)
                return Resumed()
            case PromptEnded(prompt=prompt) if prompt in self._voices:
                voice_s = self._voices.pop(prompt)
                return Stopped(None if event.media_s is None else max(event.media_s - voice_s, 0.0))
            case SignalWithdrawn():
                return Corrected("signal")
            case AnswerRecorded(question_id=question):
                if question in self._answered:
                    return Corrected("answer")
                self._answered.add(question)
        return None


def waits(events: Iterable[CallEvent]) -> Iterator[Measure]:
    """Every measure of one call."""
    follow = Waits()
    for event in events:
        if (measure := follow.take(event)) is not None:
            yield measure


def _kind_of(expects: str | None) -> str:
    if expects is None:
        return "unknown"
    return "open" if expects == OpenExpected().kind else "closed"
