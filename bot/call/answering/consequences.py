"""What an attempt has come to, given what took the call. Pure."""

from __future__ import annotations

from bot.call.answering.classifier import Verdict
from bot.core.answerer import Answerer
from bot.core.endings import Disposition, EndCause, EndKind

_DISPOSITIONS = {
    Answerer.VOICEMAIL: Disposition.VOICEMAIL,
    Answerer.ANNOUNCEMENT: Disposition.UNAVAILABLE,
    Answerer.IVR: Disposition.IVR,
    Answerer.SECRETARY: Disposition.SECRETARY,
    Answerer.FAX: Disposition.FAX,
}
_VAGUE = {EndKind.NO_ANSWER, EndKind.CANCELLED, EndKind.FAILED}
"""Ends without an answer of which the carrier's words know more than its status (480, 487, 5xx) does."""


def of_machine(verdict: Verdict) -> Disposition | None:
    """None for a person, and for silence, which the survey finds out by itself."""
    if not verdict.answerer.is_machine:
        return None
    return verdict.outcome or _DISPOSITIONS[verdict.answerer]


def of_early(verdict: Verdict | None, cause: EndCause) -> Disposition | None:
    """What was heard on a line that nobody answered; None where the end itself says it all."""
    if verdict is None or cause.kind not in _VAGUE:
        return None
    return of_machine(verdict)
