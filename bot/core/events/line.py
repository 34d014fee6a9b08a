"""The line: what rang, who took it, what is recorded, how it ended."""

from __future__ import annotations

from typing import Literal

from bot.core.answerer import Answerer
from bot.core.attribution import Attribution
from bot.core.endings import Disposition, EndKind
from bot.core.events.event import Event


class CallStarted(Event):
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


class Ringing(Event):
    kind: Literal["ringing"] = "ringing"


class Answered(Event):
    """The line is up. `rate` is the rate of the frames in samples a second."""

    kind: Literal["answered"] = "answered"
    codec: str
    rate: int


class AnswererClassified(Event):
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


class ConsentHeard(Event):
    """The consent sentence was heard to its end: from here on the call may be recorded."""

    kind: Literal["consent_heard"] = "consent_heard"


class RecordingStarted(Event):
    """`file` is relative to the recordings' folder; it begins at `media_s`, which older calls do not tell."""

    kind: Literal["recording_started"] = "recording_started"
    file: str


class RecordingStopped(Event):
    kind: Literal["recording_stopped"] = "recording_stopped"
    file: str
    seconds: float
    reason: str


class RecordingRefused(Event):
    """The caller does not want to be recorded: there is no recording of this call, whatever came before."""

    kind: Literal["recording_refused"] = "recording_refused"
    words: str = ""


class CallEnded(Event):
    """The last event of every call: one end cause, one disposition. `sounds_torn` is how often the bot's own
    sound broke off for a moment because the machine was too busy."""

    kind: Literal["call_ended"] = "call_ended"
    cause: EndKind
    status: int | None = None
    disposition: Disposition
    duration_s: float
    packets_received: int = 0
    packets_lost: int = 0
    sounds_torn: int = 0
