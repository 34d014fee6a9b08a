"""What every step of a handover works with, and what it can come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.call.journal import Journal
from bot.call.listening import Ear
from bot.call.plan import CallPlan, CallRoom
from bot.call.speaking import Speaker
from bot.call.tape import Tape
from bot.core.endings import EndKind
from bot.core.errors import DialFailed
from bot.core.ports import VoiceActivity
from telephony.leg import CallLeg

Reason = Literal[
    "no_target",  # the table knows nobody for this target
    "nobody",  # there are people, and none of them can be rung now
    "unavailable",  # routing itself is away
    "at_limit",  # the agent's last place went to another call
    "busy",
    "declined",
    "no_answer",
    "unreachable",
    "voicemail",
    "undecided",  # picked up, and said neither yes nor no
    "agent_left",
    "refused",  # the trunk does not transfer
    "unknown",  # a REFER whose outcome was never told
    "caller_left",
    "cancelled",  # the caller does not want to wait
    "dropped",  # the talk broke off
]
"""Why a human and the caller were not joined, or not for good."""

FINAL: frozenset[Reason] = frozenset({"unknown", "caller_left", "cancelled"})
"""After these nobody else is rung."""


@dataclass(frozen=True, slots=True)
class HandoverResult:
    """`reason` is None where the caller and a human were joined, and their talk ended as talks do.
    `pass_to` is the colleague to whom the agent passes the caller on; `agent_id` is the agent whose talk
    with the caller broke off."""

    joined: bool
    reason: Reason | None = None
    pass_to: str = ""
    agent_id: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """`leg`, `ear`, `speaker` and `tape` are the caller's; `agent_speaker` makes a voice for an agent's
    line and `new_vad` a voice activity detector for it."""

    leg: CallLeg
    ear: Ear
    speaker: Speaker
    tape: Tape
    agent_speaker: Callable[[CallLeg], Speaker]
    new_vad: Callable[[int], VoiceActivity]
    journal: Journal
    plan: CallPlan
    room: CallRoom


_DIALLED: dict[EndKind, Reason] = {
    EndKind.BUSY: "busy",
    EndKind.DECLINED: "declined",
    EndKind.NO_ANSWER: "no_answer",
}


def dial_reason(error: DialFailed) -> Reason:
    return _DIALLED.get(error.cause.kind, "unreachable")


def refer_reason(status: int | None) -> Reason:
    """Without a status nobody told how it went: the target may be ringing still."""
    if status is None:
        return "unknown"
    return "busy" if status == 486 else "refused"
