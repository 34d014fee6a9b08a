"""The node's calls as they stand at this moment: what its pages show live. Derived from the calls' events.

     CallStarted ──► DIALLING ──► RINGING ──► TALKING ◄──► HANDOVER ──► WITH_AGENT
                                                 ▲                          │
                                                 └──────────────────────────┘      CallEnded ──► off the board

Nothing here outlives the process, and nothing has to: with control its workers end, and their calls with
them. What is shown is what the journal will say, a moment earlier.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    Answered,
    CallEnded,
    CallEvent,
    CallStarted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverStarted,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    PromptStarted,
    ReplyMeasured,
    Ringing,
)

ENDED = 50
"""So many calls that ended last are kept, to see how the trunk does."""
GAPS = 200
"""So many of the latest reply gaps, as many as `otklik campaign watch` tells."""

WHISPER = "whisper"


class Phase(StrEnum):
    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    HANDOVER = "handover"  # an agent is being found or rung
    WITH_AGENT = "with_agent"


class Speaker(StrEnum):
    """Who has the word. While the customer and an agent talk to each other, both."""

    NOBODY = "nobody"
    BOT = "bot"
    CUSTOMER = "customer"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class LiveCall:
    """`since` is when it came into its phase. `question_id` is the question that was put last, `handed_to`
    the agent who is rung or talks ("" none)."""

    call_id: str
    attempt_id: str
    direction: str
    remote: str
    survey_id: str
    started_at: datetime
    since: datetime
    phase: Phase = Phase.DIALLING
    speaker: Speaker = Speaker.NOBODY
    question_id: str = ""
    handed_to: str = ""


@dataclass(frozen=True, slots=True)
class EndedCall:
    call_id: str
    direction: str
    survey_id: str
    ended_at: datetime
    disposition: Disposition
    cause: EndKind
    duration_s: float


class Board:
    """`take` every event of every call, in their order."""

    def __init__(self) -> None:
        self._calls: dict[str, LiveCall] = {}
        self.ended: deque[EndedCall] = deque(maxlen=ENDED)
        self.gaps: deque[float] = deque(maxlen=GAPS)

    @property
    def calls(self) -> list[LiveCall]:
        """The longest first."""
        return sorted(self._calls.values(), key=lambda call: (call.started_at, call.call_id))

    def call(self, call_id: str) -> LiveCall | None:
        return self._calls.get(call_id)

    def take(self, event: CallEvent) -> bool:
        """Whether anything on the board is other than before."""
        if isinstance(event, CallStarted):
            self._calls[event.call_id] = LiveCall(
                call_id=event.call_id,
                attempt_id=event.attempt_id,
                direction=event.direction,
                remote=event.phone or event.remote,
                survey_id=event.survey_id,
                started_at=event.at,
                since=event.at,
            )
            return True
        if isinstance(event, ReplyMeasured):
            self.gaps.append(event.gap_ms)
            return True
        call = self._calls.get(event.call_id)
        if call is None:
            return False
        if isinstance(event, CallEnded):
            del self._calls[event.call_id]
            self.ended.append(
                EndedCall(
                    event.call_id,
                    call.direction,
                    call.survey_id,
                    event.at,
                    event.disposition,
                    event.cause,
                    event.duration_s,
                )
            )
            return True
        self._calls[event.call_id] = after = _after(call, event)
        return after != call

    def worker_lost(self) -> None:
        """Its calls are over, whether or not they could say so."""
        self._calls.clear()

    def lost(self, call_ids: Collection[str]) -> None:
        """Calls whose end could not be written down (a full disk) ended all the same."""
        for call_id in call_ids:
            self._calls.pop(call_id, None)


def _after(call: LiveCall, event: CallEvent) -> LiveCall:
    match event:
        case Ringing() if call.phase is Phase.DIALLING:
            return replace(call, phase=Phase.RINGING, since=event.at)
        case Answered():
            return replace(call, phase=Phase.TALKING, since=event.at, speaker=Speaker.CUSTOMER)
        case HandoverStarted():
            return replace(call, phase=Phase.HANDOVER, since=event.at)
        case HandoverRinging(agent_id=agent_id, target=target):
            return replace(call, handed_to=agent_id or target)
        case HandoverConnected(agent_id=agent_id, target=target):
            return replace(
                call,
                phase=Phase.WITH_AGENT,
                since=event.at,
                speaker=Speaker.BOTH,
                handed_to=agent_id or target,
            )
        case HandoverFailed() | HandoverEnded():
            return replace(call, phase=Phase.TALKING, since=event.at, speaker=Speaker.CUSTOMER, handed_to="")
        case _:
            return _said(call, event)


def _said(call: LiveCall, event: CallEvent) -> LiveCall:
    if call.speaker in (Speaker.NOBODY, Speaker.BOTH):
        return call  # nobody has answered; or people talk to each other, and a prompt is for one of them
    match event:
        case PromptStarted(purpose=purpose, question_id=question) if purpose != WHISPER:
            return replace(call, speaker=Speaker.BOT, question_id=question or call.question_id)
        case PromptResumed():
            return replace(call, speaker=Speaker.BOT)
        case PromptPaused() | PromptEnded():
            return replace(call, speaker=Speaker.CUSTOMER)
        case _:
            return call
