"""What the final answer to an INVITE means for the one who rang."""

from __future__ import annotations

from bot.core.endings import EndCause, EndKind
from bot.sim.sip_message import Response
from telephony.endings import kind_of_status


def cause_of(response: Response | None) -> EndCause:
    """What a final answer to an INVITE that is no 2xx means; None is no answer at all."""
    if response is None:
        return EndCause(EndKind.UNREACHABLE, text="no response")
    return EndCause(kind_of_status(response.status), response.status, response.reason)
