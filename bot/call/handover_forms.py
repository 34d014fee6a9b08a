"""The forms in which the sound leaves our path: REFER, blind or with Replaces (RFC 3515, RFC 3891).

Either ends our part in the call where it succeeds; what is not known to have failed is never tried
again, for the target may be ringing.
"""

from __future__ import annotations

from bot.call.handover_parts import Parts, Reason, refer_reason
from bot.core.errors import TransferFailed
from telephony.leg import CallLeg, TransferOutcome


async def refer(parts: Parts, address: str) -> Reason | None:
    """Blind: the caller's side is sent to the address. None where it got through."""
    await parts.tape.stop("handover")
    try:
        outcome = await parts.leg.transfer(address, parts.room.settings.handover_ring_s)
    except TransferFailed as error:
        return "caller_left" if parts.leg.ended.done() else refer_reason(error.status)
    return "unknown" if outcome is TransferOutcome.UNKNOWN else None


async def attend(parts: Parts, agent: CallLeg) -> Reason | None:
    """Attended: the caller's side takes the place of ours in the agent's call. None where it did.

    `refused` where the two are still with us, whoever would not have it: they can be bridged. Without a
    word from the far end within `handover_refer_s` it is the same, for both lines are up.
    """
    await parts.tape.stop("handover")
    try:
        outcome = await parts.leg.transfer_to(agent, parts.room.settings.handover_refer_s)
    except TransferFailed:
        return "caller_left" if parts.leg.ended.done() else "refused"
    return "unknown" if outcome is TransferOutcome.UNKNOWN else None
