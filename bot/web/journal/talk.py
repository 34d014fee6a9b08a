"""A call's course as its page tells it: who said what and when, and what happened between. Pure.

Times are seconds on the line's media time, which begins when the line is up. Where an event has none, they
are taken from its wall clock; before the answer there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.context import TurnSource, Word
from bot.core.events import (
    Answered,
    CallEvent,
    CallStarted,
    ConsentHeard,
    PromptEnded,
    PromptStarted,
    RecordingStarted,
    TalkHeard,
    TurnHeard,
)
from bot.store.transcripts import UNHEARD
from bot.web.journal.event_words import Pair, event_words, kind_words
from bot.web.masking import shown_number

UNSURE = 0.6
"""Below this confidence a word is marked."""

NUMBERS = ("remote", "phone")
"""Fields of events that hold the customer's number."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was said, or that happened: then `who` is `event`, and `told` says what. `words` are
    those that were heard, each with its confidence; `text` what the bot said. `end_s` is where the sound of
    it ends. `note` is what a reader has to know beside it."""

    seq: int
    who: str
    start_s: float | None
    end_s: float | None = None
    text: str = ""
    words: tuple[tuple[str, float], ...] = ()
    told: Pair | None = None
    note: Pair | None = None
    question_id: str = ""

    @property
    def confidence(self) -> float | None:
        """The mean over its words; None where none were heard."""
        return sum(sure for _, sure in self.words) / len(self.words) if self.words else None


@dataclass(frozen=True, slots=True)
class Told:
    """One event with all that it says."""

    seq: int
    at: datetime
    kind: Pair
    fields: tuple[tuple[str, str], ...]


class Course:
    """Follows one call: `take` gives the rows of an event, as they come. A prompt's row tells no end; `rows`
    of a whole call do."""

    def __init__(self) -> None:
        self._answered: datetime | None = None

    def take(self, event: CallEvent) -> Row | None:
        if isinstance(event, Answered):
            self._answered = event.at
        at_s = self.at_s(event)
        match event:
            case PromptStarted(purpose="whisper"):
                note = ("слышит только сотрудник", "only the agent hears it")
                return Row(event.seq, "bot", at_s, text=event.text, note=note)
            case PromptStarted(text=text) if text:
                return Row(event.seq, "bot", at_s, text=text, question_id=event.question_id)
            case TurnHeard():
                return _turn(event, at_s)
            case TalkHeard(side=side):
                heard = _heard(event.text, event.words)
                return Row(event.seq, side, event.started_s, event.ended_s, words=heard)
        told = event_words(event)
        return Row(event.seq, "event", at_s, told=told) if told is not None else None

    def at_s(self, event: CallEvent) -> float | None:
        if event.media_s is not None:
            return event.media_s
        return (event.at - self._answered).total_seconds() if self._answered is not None else None


def rows(events: Iterable[CallEvent]) -> list[Row]:
    """In the order of the events, each prompt with its end."""
    course, prompts = Course(), dict[int, int]()
    found: list[Row] = []
    for event in events:
        row = course.take(event)
        if isinstance(event, PromptEnded) and event.prompt in prompts:
            place = prompts.pop(event.prompt)
            found[place] = _ended(found[place], event)
        if row is None:
            continue
        if isinstance(event, PromptStarted):
            prompts[event.prompt] = len(found)
        found.append(row)
    return found


def _ended(row: Row, event: PromptEnded) -> Row:
    end_s = row.start_s + event.heard_s if row.start_s is not None else None
    cut = ("перебит", "interrupted") if not event.completed else row.note
    return Row(row.seq, row.who, row.start_s, end_s, row.text, note=cut, question_id=row.question_id)


def _turn(event: TurnHeard, at_s: float | None) -> Row:
    where = event.started_s if event.started_s is not None else at_s
    if event.source is TurnSource.DTMF:
        note = (f"клавиши {event.digits}", f"keys {event.digits}")
        return Row(event.seq, "caller", where, event.ended_s, note=note, question_id=event.question_id)
    if event.source is TurnSource.SILENCE:
        note = ("молчит", "silence")
        return Row(event.seq, "caller", where, event.ended_s, note=note, question_id=event.question_id)
    heard = _heard(event.text, event.words)
    return Row(event.seq, "caller", where, event.ended_s, words=heard, question_id=event.question_id)


def _heard(text: str, words: Sequence[Word]) -> tuple[tuple[str, float], ...]:
    """Where single words were not kept the text's have full confidence; unknown ones have none."""
    if words:
        return tuple((_known(word.text), word.confidence) for word in words)
    return tuple((_known(word), 0.0 if word == UNHEARD else 1.0) for word in text.split())


def _known(word: str) -> str:
    return "…" if word == UNHEARD else word


def recording_begins_s(events: Sequence[CallEvent]) -> float:
    """The media time at which the recording starts. Older calls do not tell; then it is when the consent
    sentence was over, right before."""
    begun = next((each for each in events if isinstance(each, RecordingStarted)), None)
    consent = next((each for each in events if isinstance(each, ConsentHeard)), None)
    for event in (begun, consent):
        if event is not None and event.media_s is not None:
            return event.media_s
    return 0.0


def every(events: Iterable[CallEvent], *, numbers: bool) -> list[Told]:
    """Every event with its fields; without `numbers` the customer's is cut to its end."""
    return [
        Told(
            event.seq,
            event.at,
            kind_words(event),
            tuple(
                (name, _field(event, name, value, numbers=numbers))
                for name, value in event.model_dump(mode="json").items()
                if name not in ("kind", "call_id", "seq", "at") and value not in (None, "", [], {})
            ),
        )
        for event in events
    ]


def _field(event: CallEvent, name: str, value: Any, *, numbers: bool) -> str:
    if isinstance(event, CallStarted) and name in NUMBERS and not numbers:
        return shown_number(str(value), whole=False) or "***"
    if name == "words" and isinstance(value, list):
        return " ".join(f"{word['text']} ({word['confidence']:.2f})" for word in value)
    return str(value)
