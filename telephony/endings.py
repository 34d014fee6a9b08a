"""From the stack's words to one typed `EndCause`. Pure.

The stack reports every end of a call as a line of text: a SIP status line, or the text of an
errno, or a phrase of its own. What that means depends on who did what before (`CallHistory`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.core.endings import EndCause, EndKind

# The stack's own phrases (libre and baresip 4.10), matched verbatim.
_TRANSFERRED = "Call transfered"
_RTP_LOST = "rtp stream error"
_RESET = "Connection reset by peer"
_TIMED_OUT = "Connection timed out"

_BY_STATUS = {
    401: EndKind.FORBIDDEN,
    403: EndKind.FORBIDDEN,
    404: EndKind.NOT_FOUND,
    407: EndKind.FORBIDDEN,
    408: EndKind.NO_ANSWER,
    410: EndKind.NOT_FOUND,
    480: EndKind.NO_ANSWER,
    484: EndKind.NOT_FOUND,
    486: EndKind.BUSY,
    487: EndKind.CANCELLED,
    600: EndKind.BUSY,
    603: EndKind.DECLINED,
    604: EndKind.NOT_FOUND,
}


@dataclass(slots=True)
class CallHistory:
    """What is known of a call when it ends. `wanted` is the end that we ourselves asked for;
    `confirmed` that the call was established; `referring` that a REFER of ours is under way; `replacing`
    that somebody was told to take our place in it."""

    direction: Literal["inbound", "outbound"]
    confirmed: bool = False
    answering: bool = False
    referring: bool = False
    replacing: bool = False
    wanted: EndKind | None = None


def kind_of_status(status: int) -> EndKind:
    """What a final answer to an INVITE that is no 2xx means (RFC 3261, 21.3 to 21.6)."""
    if 300 <= status < 400:
        return EndKind.REDIRECTED
    return _BY_STATUS.get(status, EndKind.FAILED)


def split_status(text: str) -> int | None:
    """The status of a line such as `486 Busy Here`; None where the text is no status line."""
    head, _, _ = text.partition(" ")
    return int(head) if len(head) == 3 and head.isdigit() else None


def cause_of(text: str, history: CallHistory) -> EndCause:
    status = split_status(text)
    return EndCause(_kind_of(text, status, history), status, text)


def _kind_of(text: str, status: int | None, history: CallHistory) -> EndKind:
    if text == _TRANSFERRED:
        return EndKind.TRANSFERRED
    if history.wanted is not None:
        return history.wanted
    if history.confirmed:
        return _kind_of_confirmed(text, history)
    if history.direction == "inbound":
        if history.answering and text.startswith(_TIMED_OUT):
            return EndKind.NEVER_ACKED
        return EndKind.CANCELLED if text.startswith(_RESET) else EndKind.FAILED
    return EndKind.UNREACHABLE if status is None else kind_of_status(status)


def _kind_of_confirmed(text: str, history: CallHistory) -> EndKind:
    if text == _RTP_LOST:
        return EndKind.MEDIA_LOST
    if text.startswith(_RESET):
        if history.referring:
            return EndKind.TRANSFER_UNKNOWN
        return EndKind.TRANSFERRED if history.replacing else EndKind.REMOTE_HANGUP
    if text.startswith(_TIMED_OUT):
        return EndKind.MEDIA_LOST  # a request within the call went unanswered: nobody is there
    return EndKind.FAILED
