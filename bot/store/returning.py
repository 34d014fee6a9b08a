"""Whether somebody who rings has a matter that is still open."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from bot.core.returning import OpenMatter
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.projection_cases import STILL_OPEN
from bot.store.queries import events
from bot.store.tables import Handover
from bot.store.tables_cases import CaseRow


async def open_matter(db: Database, remote: str, since: datetime) -> OpenMatter | None:
    """The newest open case of this phone that was opened after a handover, not before `since`."""
    cases = (
        select(CaseRow, Handover)
        .join(Handover, col(Handover.call_id) == col(CaseRow.call_id))
        .where(
            col(CaseRow.phone) == phone_key(remote),
            col(CaseRow.status).in_(STILL_OPEN),
            col(CaseRow.opened_at) >= since,
        )
        .order_by(col(CaseRow.opened_at).desc(), col(Handover.started_at))
        .limit(1)
    )
    async with db.read() as session:
        found = (await session.exec(cases)).first()
    if found is None:
        return None
    case, handover = found
    started = [event for event in await events(db, case.call_id) if event.kind == "handover_started"]
    return OpenMatter(
        target=handover.target,
        owner_id=case.owner_id,
        due_at=case.due_at,
        topic=case.topic or None,
        whisper=started[0].whisper if started else "",
    )
