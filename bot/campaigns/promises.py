"""A time at which the customer asked to be rung: whether it still stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.campaigns.facts import ContactFacts, PastRing
from bot.core.endings import Disposition

SKEW = timedelta(minutes=1)
"""By how much the clocks of two nodes may differ: a ring so little before the promised time has kept it."""


def open_promise(contact: ContactFacts, own: Sequence[PastRing]) -> datetime | None:
    """The promised time that is not kept yet; `own` are his rings of this campaign in order.

    It is what the facts say, else what his last call says. A ring at that time or later has kept it,
    whatever came of it: a promise that somebody forgot to cross out rings nobody twice.
    """
    promised = contact.promised_at
    if promised is None and own and own[-1].disposition is Disposition.CALLBACK:
        promised = own[-1].promised_at
    if promised is None or any(_kept_by(ring, promised) for ring in own):
        return None
    return promised


def _kept_by(ring: PastRing, promised: datetime) -> bool:
    return ring.promised_at != promised and ring.at >= promised - SKEW
