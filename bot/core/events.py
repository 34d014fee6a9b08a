"""Everything that happens in a call, as one typed, append-only stream.

Transcript, measures, latency figures, live pages and tests all read these events; nothing keeps
a second truth. An event is identified by `call_id` and `seq` (`ids.event_id`). Fields that hold
personal data are listed in `PERSONAL_FIELDS` and are masked wherever events are logged.

Times: `at` is the wall clock in UTC; `media_s` is the media time of the line in seconds, where
the event has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.core.answer import Answer
from bot.core.answerer import Answerer
from bot.core.attribution import Attribution
from bot.core.context import TurnSource, Word
from bot.core.endings import Disposition, EndKind
from bot.core.ids import event_id
from bot.core.intents import Intent, Topic
from bot.core.routing import HandoverForm, Route

PERSONAL_FIELDS = frozenset(
    {"remote", "text", "words", "answer", "heard", "customer", "phone", "whisper", "when", "about"}
)


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    call_id: str
    seq: int
    at: datetime
    media_s: float | None = None

    @property
    def id(self) -> str:
        return event_id(self.call_id, self.seq)


class CallStarted(_Event):
    """The first event of every call. `remote` is the other party's SIP URI. Of a call that came in: `phone`
    is the customer's number as digits where it is known, `about` the matter that was announced, and
    `attribution` says where each of these values came from."""

    kind: Literal["call_started"] = "call_started"
    direction: Literal["outbound", "inbound"]
    remote: str
    survey_id: str
    survey_hash: str
    attempt_id: str
    contact_id: str = ""
    agent_id: str = ""
    department: str = ""
    conversation_id: str = ""
    phone: str = ""
    about: str = ""
    attribution: Attribution | None = None


class Ringing(_Event):
    kind: Literal["ringing"] = "ringing"


class Answered(_Event):
    """The line is up. `rate` is the rate of the frames in samples a second."""

    kind: Literal["answered"] = "answered"
    codec: str
    rate: int


class AnswererClassified(_Event):
    """What took the call, decided at `media_s`. `revised` where it replaces an earlier decision.

    `reasons` name the evidence (`words: …`, `tone: …`, `timing: …`, `doubt: …`), the strongest first;
    none of the caller's own words is in them. `early` is what was heard before the answer: it says why
    nobody answered, and never that somebody did.
    """

    kind: Literal["answerer_classified"] = "answerer_classified"
    answerer: Answerer
    reasons: tuple[str, ...]
    revised: bool = False
    early: bool = False


class PromptStarted(_Event):
    """`purpose` is a `Say.purpose`, `question`, `offer` or `filler`; `question_id` where one is put."""

    kind: Literal["prompt_started"] = "prompt_started"
    prompt: int
    purpose: str
    text: str
    duration_s: float
    question_id: str = ""
    attempt: int = 1
    protected: bool = False


class PromptPaused(_Event):
    """Somebody seems to talk over the prompt: it fell silent. `heard_s` is how much of it was played;
    `voice_s` the media time at which that voice began."""

    kind: Literal["prompt_paused"] = "prompt_paused"
    prompt: int
    heard_s: float
    voice_s: float


class PromptResumed(_Event):
    """It goes on: the sound over it was no turn. `because` says why (`BargeInReason`)."""

    kind: Literal["prompt_resumed"] = "prompt_resumed"
    prompt: int
    because: str


class PromptEnded(_Event):
    """`heard_s` is how much of it was played to the line; `completed` is False after a barge-in."""

    kind: Literal["prompt_ended"] = "prompt_ended"
    prompt: int
    heard_s: float
    completed: bool


class ListeningStarted(_Event):
    kind: Literal["listening_started"] = "listening_started"
    question_id: str
    expects: str


class TurnHeard(_Event):
    """What the caller did at a question: words, keys or nothing; or a remark over a prompt that asked
    nothing, and then `question_id` is empty.

    `started_s` and `ended_s` are the media times of the first and last voiced sound;
    `unknown_share` is the share of words that the recogniser does not know.
    """

    kind: Literal["turn_heard"] = "turn_heard"
    question_id: str
    source: TurnSource
    text: str = ""
    words: tuple[Word, ...] = ()
    digits: str = ""
    unknown_share: float = 0.0
    started_s: float | None = None
    ended_s: float | None = None


class TurnUnderstood(_Event):
    kind: Literal["turn_understood"] = "turn_understood"
    intent: Intent
    confidence: float
    topic: Topic | None = None


class AnswerRecorded(_Event):
    kind: Literal["answer_recorded"] = "answer_recorded"
    question_id: str
    question_kind: str
    answer: Answer


class SignalRaised(_Event):
    kind: Literal["signal_raised"] = "signal_raised"
    name: str
    rule: str
    topic: Topic | None = None
    words: str = ""


class SignalWithdrawn(_Event):
    """What raised this signal was corrected: it is history, and stands no longer."""

    kind: Literal["signal_withdrawn"] = "signal_withdrawn"
    name: str
    rule: str
    topic: Topic | None = None


class OfferMade(_Event):
    """`rule` is the triage rule that made it; "" in calls from before it was written down."""

    kind: Literal["offer_made"] = "offer_made"
    offer: Literal["human", "callback"]
    topic: Topic | None = None
    rule: str = ""


class OfferDecided(_Event):
    kind: Literal["offer_decided"] = "offer_decided"
    offer: Literal["human", "callback"]
    accepted: bool


class HandoverStarted(_Event):
    """A person is wanted on the line. `target` is the triage rule's, as in `routing.RouteOrder`."""

    kind: Literal["handover_started"] = "handover_started"
    target: str
    form: HandoverForm
    reason: str
    whisper: str = ""


class HandoverRouted(_Event):
    """Who is to be rung, in this order, who was passed over and why: «почему этот сотрудник»."""

    kind: Literal["handover_routed"] = "handover_routed"
    target: str
    route: Route


class HandoverRinging(_Event):
    """An agent's phone rings. `agent_id` is "" in calls from before there was a table of agents."""

    kind: Literal["handover_ringing"] = "handover_ringing"
    target: str
    agent_id: str = ""


class HandoverAccepted(_Event):
    """The agent said yes, by `by`; `auto` is a line that asks for none."""

    kind: Literal["handover_accepted"] = "handover_accepted"
    target: str
    agent_id: str
    by: Literal["key", "voice", "button", "auto"]


class HandoverPassed(_Event):
    """This agent does not take the caller, for this reason; the next one in the route may."""

    kind: Literal["handover_passed"] = "handover_passed"
    target: str
    agent_id: str
    reason: str


class HandoverConnected(_Event):
    """Two-way audio between the caller and the agent, as far as our side can know."""

    kind: Literal["handover_connected"] = "handover_connected"
    target: str
    agent_id: str = ""


class HandoverFailed(_Event):
    kind: Literal["handover_failed"] = "handover_failed"
    target: str
    reason: str


class HandoverEnded(_Event):
    kind: Literal["handover_ended"] = "handover_ended"
    target: str
    talk_s: float
    by: Literal["caller", "agent", "bot"]
    agent_id: str = ""


class TalkHeard(_Event):
    """What one side of a bridged talk said; `unknown_share` as in `TurnHeard`. Times are media times."""

    kind: Literal["talk_heard"] = "talk_heard"
    side: Literal["caller", "agent"]
    text: str
    words: tuple[Word, ...] = ()
    unknown_share: float = 0.0
    started_s: float
    ended_s: float


class CaseOpened(_Event):
    """An unhappy customer's matter that somebody has to see to: `owner_id` ("" where nobody could be
    named yet) by `due_at`. `reason` is the triage rule or the handover's failure; `words` are the
    caller's own that gave rise to it."""

    kind: Literal["case_opened"] = "case_opened"
    reason: str
    topic: Topic | None = None
    owner_id: str = ""
    department: str = ""
    due_at: datetime | None = None
    callback: bool = False
    words: str = ""


class Noted(_Event):
    """A triage rule that only notes: `rule` fired on `words`."""

    kind: Literal["noted"] = "noted"
    rule: str
    topic: Topic | None = None
    words: str = ""


class CallbackPromised(_Event):
    """`when` is the caller's own words about the time; `by` who will ring."""

    kind: Literal["callback_promised"] = "callback_promised"
    when: str
    by: Literal["bot", "agent"]
    reason: str = ""
    owner_id: str = ""
    due_at: datetime | None = None


class OptedOut(_Event):
    kind: Literal["opted_out"] = "opted_out"
    words: str = ""


class ConsentHeard(_Event):
    """The consent sentence was heard to its end: from here on the call may be recorded."""

    kind: Literal["consent_heard"] = "consent_heard"


class RecordingStarted(_Event):
    """`file` is relative to the recordings' folder."""

    kind: Literal["recording_started"] = "recording_started"
    file: str


class RecordingStopped(_Event):
    kind: Literal["recording_stopped"] = "recording_stopped"
    file: str
    seconds: float
    reason: str


class RecordingRefused(_Event):
    """The caller does not want to be recorded: there is no recording of this call, whatever came before."""

    kind: Literal["recording_refused"] = "recording_refused"
    words: str = ""


class ReplyMeasured(_Event):
    """The bot's own estimate of one reply gap and where it went, in milliseconds.

    The gap that counts is measured at the caller's socket; this one is from the caller's last
    voiced sound as our VAD saw it to the first frame of our answer handed to the line.
    """

    kind: Literal["reply_measured"] = "reply_measured"
    question_id: str
    gap_ms: float
    endpointing_ms: float
    recognition_ms: float
    dialogue_ms: float
    first_audio_ms: float


class DialogueFailed(_Event):
    kind: Literal["dialogue_failed"] = "dialogue_failed"
    reason: str


class CallEnded(_Event):
    """The last event of every call: one end cause, one disposition."""

    kind: Literal["call_ended"] = "call_ended"
    cause: EndKind
    status: int | None = None
    disposition: Disposition
    duration_s: float
    packets_received: int = 0
    packets_lost: int = 0


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
