"""From a call's events to what its customer's page shows: captions, keys, and where the call stands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from bot.core.context import TurnSource
from bot.core.directives import DateExpected, Expectation, NumberExpected, OpenExpected, YesNoExpected
from bot.core.events import (
    Answered,
    CallEnded,
    CallEvent,
    CallStarted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverStarted,
    ListeningStarted,
    PromptEnded,
    PromptStarted,
    RecordingStarted,
    RecordingStopped,
    TalkHeard,
    TurnHeard,
)
from bot.surveys.questions import expectation_of
from bot.surveys.schema import Survey
from bot.web.customers.keys import Keys, keys_for

UNKNOWN = "[unk]"
"""What stands for a word that was heard and is not known (`UserTurn.text`)."""

OFFER = "offer"
"""The question id of an offer (bot/call/exchange.py)."""

BY_KIND: dict[str, Expectation] = {
    "yes_no": YesNoExpected(),
    "open": OpenExpected(),
    "date": DateExpected(horizon_days=1),
}
"""What a question that is not the survey's own expects, by `ListeningStarted.expects`."""


class Captions:
    """What one call's page is told, event by event, from its first one on: that names the version of the
    survey, which `shelf` gives by its hash."""

    def __init__(self, shelf: Callable[[str], Survey]) -> None:
        self._shelf = shelf
        self._survey: Survey | None = None
        self._shown = ""

    def told(self, event: CallEvent) -> Iterator[dict[str, Any]]:
        """In the order in which the page shows it; most events are none of its business."""
        match event:
            case CallStarted(survey_hash=digest):
                self._survey = self._shelf(digest)
            case Answered():
                yield {"what": "state", "state": "talking"}
            case PromptStarted(text=text, purpose=purpose, question_id=question_id):
                yield {"what": "said", "text": text, "purpose": purpose}
                if question_id:
                    yield from self._keys(question_id)
            case PromptEnded():
                yield {"what": "said_all"}
            case ListeningStarted(question_id=question_id, expects=expects):
                yield from self._keys(question_id, expects)
                yield {"what": "listening"}
            case TurnHeard(source=source, text=text, digits=digits):
                self._shown = ""
                yield {"what": "turn", "by": source.value, "text": _heard(text, digits, source)}
            case TalkHeard(side=side, text=text):
                yield {"what": "talk", "side": side, "text": _readable(text)}
            case HandoverStarted():
                self._shown = ""
                yield {"what": "state", "state": "calling_agent"}
            case HandoverConnected():
                yield {"what": "state", "state": "with_agent"}
            case HandoverFailed() | HandoverEnded():
                yield {"what": "state", "state": "talking"}
            case RecordingStarted() | RecordingStopped():
                yield {"what": "recording", "on": isinstance(event, RecordingStarted)}
            case CallEnded(disposition=disposition):
                yield {"what": "ended", "disposition": disposition.value}

    def _keys(self, question_id: str, expects: str = "") -> Iterator[dict[str, Any]]:
        """Once for each question that is put; they stay while it is put again."""
        if self._shown == question_id:
            return
        keys = self._keys_of(question_id, expects)
        if keys is not None:
            self._shown = question_id
            yield {"what": "keys", "question": question_id, **asdict(keys)}

    def _keys_of(self, question_id: str, expects: str) -> Keys | None:
        if self._survey is None:
            return None
        language = self._survey.language
        if question_id == OFFER:
            return keys_for(YesNoExpected(), language)
        question = next((each for each in self._survey.questions if each.id == question_id), None)
        if question is not None:
            return keys_for(expectation_of(question), language)
        if not expects:
            return None  # it is told when the listening begins
        return keys_for(BY_KIND.get(expects, NumberExpected(low=0, high=999)), language)


def _heard(text: str, digits: str, source: TurnSource) -> str:
    return digits.rstrip("#") if source is TurnSource.DTMF else _readable(text)


def _readable(text: str) -> str:
    """Heard and not known: an ellipsis for each run of such words."""
    words: list[str] = []
    for word in text.split():
        shown = "…" if word == UNKNOWN else word
        if not (shown == "…" and words and words[-1] == "…"):
            words.append(shown)
    return " ".join(words)
