"""How a line ends (`EndCause`) and how an attempt ends (`Disposition`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EndKind(StrEnum):
    """Why a line is no more, seen from our side of it."""

    REMOTE_HANGUP = "remote_hangup"  # BYE from the far end
    LOCAL_HANGUP = "local_hangup"  # our BYE
    CANCELLED = "cancelled"  # CANCEL, by either side, before the answer
    REJECTED = "rejected"  # an inbound call that we refused
    BUSY = "busy"  # 486, 600
    DECLINED = "declined"  # 603
    NO_ANSWER = "no_answer"  # rang until the limit, 408, 480
    NOT_FOUND = "not_found"  # 404, 410, 484, 604: the number is wrong
    FORBIDDEN = "forbidden"  # 401, 403, 407: the trunk refuses us
    REDIRECTED = "redirected"  # 3xx: reported, never followed
    FAILED = "failed"  # any other final failure
    UNREACHABLE = "unreachable"  # no transport, no route, no response at all
    MEDIA_LOST = "media_lost"  # the far end vanished without a BYE
    NEVER_ACKED = "never_acked"  # our 200 was not confirmed (RFC 3261, 13.3.1.4)
    TRANSFERRED = "transferred"  # REFER succeeded: the far end talks to somebody else
    TRANSFER_UNKNOWN = "transfer_unknown"  # 202, then BYE, and no NOTIFY between
    STACK_DIED = "stack_died"


@dataclass(frozen=True, slots=True)
class EndCause:
    """One typed reason: `status` is the SIP final status, if there was one, `text` the stack's words."""

    kind: EndKind
    status: int | None = None
    text: str = ""


class Disposition(StrEnum):
    """The one final outcome of an attempt."""

    COMPLETED = "completed"  # every question that was due has been put and disposed of
    PARTIAL = "partial"  # at least one answer, then the caller left
    TRANSFERRED = "transferred"  # a human took the caller over
    CALLBACK = "callback"  # a human or the bot rings later, as promised
    REFUSED = "refused"
    OPTED_OUT = "opted_out"
    WRONG_PERSON = "wrong_person"
    NO_INPUT = "no_input"  # answered, and not one usable word
    HUNG_UP = "hung_up"  # answered, left before the first answer
    VOICEMAIL = "voicemail"  # a mailbox took the call, whether or not a message was left
    SECRETARY = "secretary"  # a virtual secretary took the call
    IVR = "ivr"  # a menu took the call
    FAX = "fax"
    UNAVAILABLE = "unavailable"  # the carrier said or sounded that the phone cannot be reached now
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    INVALID_NUMBER = "invalid_number"
    FAILED = "failed"  # the network or the trunk
    INTERRUPTED = "interrupted"  # our own fault: a worker or the node died
    CANCELLED = "cancelled"  # never dialled: taken back before its turn


class RetryCause(StrEnum):
    """Why a contact is worth another attempt: what a dial policy sets its intervals and limits by."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNAVAILABLE = "unavailable"
    VOICEMAIL = "voicemail"
    MACHINE = "machine"  # a secretary or a menu: somebody else's voice may answer next time
    SILENCE = "silence"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    PROMISED = "promised"


_RETRIES = {
    Disposition.BUSY: RetryCause.BUSY,
    Disposition.NO_ANSWER: RetryCause.NO_ANSWER,
    Disposition.UNAVAILABLE: RetryCause.UNAVAILABLE,
    Disposition.VOICEMAIL: RetryCause.VOICEMAIL,
    Disposition.SECRETARY: RetryCause.MACHINE,
    Disposition.IVR: RetryCause.MACHINE,
    Disposition.NO_INPUT: RetryCause.SILENCE,
    Disposition.FAILED: RetryCause.FAILED,
    Disposition.INTERRUPTED: RetryCause.INTERRUPTED,
    Disposition.CALLBACK: RetryCause.PROMISED,
}


def retry_cause(disposition: Disposition) -> RetryCause | None:
    """None for the last attempt: the person was reached, or never can be (a fax, a wrong number)."""
    return _RETRIES.get(disposition)
