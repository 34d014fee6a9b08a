"""What call events change in the alerts: pure, as `projection`, which calls this.

A low score is an alert from the moment at which it is said, one for a call; what the customer takes back is
kept, and says so.
"""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col

from bot.core.alerts import AlertKind
from bot.core.events import SignalRaised, SignalWithdrawn
from bot.store.changes import Changes, Insert, made
from bot.store.outbox import LOW_SCORE, low_score_stands
from bot.store.tables_notices import AlertRow


def low_score_of(call_id: str) -> str:
    """The id of the call's alert."""
    return f"alert-{call_id}"


def signal_changed(event: SignalRaised | SignalWithdrawn, insert: Insert) -> Changes:
    if event.name != LOW_SCORE:
        return ()
    alert_id = low_score_of(event.call_id)
    this = update(AlertRow).where(col(AlertRow.id) == alert_id)
    if isinstance(event, SignalWithdrawn):
        return made(this.where(~low_score_stands(event.call_id)).values(withdrawn_at=event.at))
    raised = insert(AlertRow).values(
        id=alert_id,
        kind=AlertKind.LOW_SCORE,
        at=event.at,
        call_id=event.call_id,
        details={},
        acknowledged_by="",
    )
    return made(raised.on_conflict_do_nothing(), this.values(withdrawn_at=None))
