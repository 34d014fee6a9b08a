"""Who comes first where more may be rung than there are lines: whoever was promised it, then the rest."""

from __future__ import annotations

from enum import IntEnum

from bot.core.endings import RetryCause


class Urgency(IntEnum):
    """Smaller is sooner. Within one of them whoever was due first is rung first."""

    PROMISED = 0
    INTERRUPTED = 1
    RETRY = 2
    FIRST = 3


def urgency_of(cause: RetryCause | None) -> Urgency:
    """By why he is rung again; None for the first time. Retries come before new contacts: a campaign then
    ends with those it has begun with, and not with everybody half tried."""
    match cause:
        case None:
            return Urgency.FIRST
        case RetryCause.PROMISED:
            return Urgency.PROMISED
        case RetryCause.INTERRUPTED:
            return Urgency.INTERRUPTED
        case _:
            return Urgency.RETRY
