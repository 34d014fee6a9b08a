"""Everything that happens in a call, as one typed, append-only stream.

Transcript, measures, latency figures, live pages and tests all read these events; nothing keeps
a second truth. An event is identified by `call_id` and `seq` (`ids.event_id`). Fields that hold
personal data are listed in `PERSONAL_FIELDS` and are masked wherever events are logged.

Times: `at` is the wall clock in UTC; `media_s` is the media time of the line in seconds, where
the event has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, TypeAdapter

from bot.core.events.handovers import (
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    HandoverRouted,
    HandoverStarted,
    HoldEnded,
    HoldStarted,
    TalkHeard,
)
from bot.core.events.line import (
    Answered,
    AnswererClassified,
    CallEnded,
    CallStarted,
    ConsentHeard,
    RecordingRefused,
    RecordingStarted,
    RecordingStopped,
    Ringing,
)
from bot.core.events.matters import (
    CallbackPromised,
    CaseOpened,
    Noted,
    OfferDecided,
    OfferMade,
    OptedOut,
    SignalRaised,
    SignalWithdrawn,
)
from bot.core.events.talk import (
    AnswerRecorded,
    DialogueFailed,
    ListeningStarted,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    PromptStarted,
    ReplyMeasured,
    TurnHeard,
    TurnUnderstood,
)

__all__ = [
    "PERSONAL_FIELDS",
    "AnswerRecorded",
    "Answered",
    "AnswererClassified",
    "CallEnded",
    "CallEvent",
    "CallStarted",
    "CallbackPromised",
    "CaseOpened",
    "ConsentHeard",
    "DialogueFailed",
    "HandoverAccepted",
    "HandoverConnected",
    "HandoverEnded",
    "HandoverFailed",
    "HandoverPassed",
    "HandoverRinging",
    "HandoverRouted",
    "HandoverStarted",
    "HoldEnded",
    "HoldStarted",
    "ListeningStarted",
    "Noted",
    "OfferDecided",
    "OfferMade",
    "OptedOut",
    "PromptEnded",
    "PromptPaused",
    "PromptResumed",
    "PromptStarted",
    "RecordingRefused",
    "RecordingStarted",
    "RecordingStopped",
    "ReplyMeasured",
    "Ringing",
    "SignalRaised",
    "SignalWithdrawn",
    "TalkHeard",
    "TurnHeard",
    "TurnUnderstood",
    "call_event",
    "standing_signals",
]

PERSONAL_FIELDS = frozenset(
    {"remote", "text", "words", "answer", "heard", "customer", "phone", "whisper", "when", "about"}
)

CallEvent = Annotated[
    CallStarted
    | Ringing
    | Answered
    | AnswererClassified
    | PromptStarted
    | PromptPaused
    | PromptResumed
    | PromptEnded
    | ListeningStarted
    | TurnHeard
    | TurnUnderstood
    | AnswerRecorded
    | SignalRaised
    | SignalWithdrawn
    | OfferMade
    | OfferDecided
    | HandoverStarted
    | HandoverRouted
    | HandoverRinging
    | HandoverAccepted
    | HandoverPassed
    | HandoverConnected
    | HoldStarted
    | HoldEnded
    | HandoverFailed
    | HandoverEnded
    | TalkHeard
    | CaseOpened
    | Noted
    | CallbackPromised
    | OptedOut
    | ConsentHeard
    | RecordingStarted
    | RecordingStopped
    | RecordingRefused
    | ReplyMeasured
    | DialogueFailed
    | CallEnded,
    Field(discriminator="kind"),
]

call_event: TypeAdapter[CallEvent] = TypeAdapter(CallEvent)
"""Reads and writes any call event: `call_event.validate_json(line)`, `call_event.dump_json(event)`."""


def standing_signals(events: Iterable[CallEvent]) -> tuple[SignalRaised, ...]:
    """The signals of one call that were raised and not withdrawn, as they came."""
    standing: list[SignalRaised] = []
    for event in events:
        if isinstance(event, SignalRaised):
            standing.append(event)
        elif isinstance(event, SignalWithdrawn):
            what = (event.name, event.rule, event.topic)
            raised = (at for at, each in enumerate(standing) if (each.name, each.rule, each.topic) == what)
            place = max(raised, default=None)
            if place is not None:
                del standing[place]
    return tuple(standing)
