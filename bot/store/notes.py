"""An agent's note after a talk, and what is known of a customer from before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, get_args

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.core.ids import new_id
from bot.store import queries
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.queries import Call
from bot.store.tables import Attempt, AttemptStatus, Handover
from bot.store.tables_cases import CaseHistoryRow, CaseRow, CaseStep
from bot.store.tables_notes import CallNoteRow

Outcome = Literal["solved", "later", "unsolved", "other"]
"""The customer was helped; something remains to be done; he could not be helped; it was nothing of the kind
(a wrong number, a call that broke off)."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
LONGEST = 4000
"""Letters of a note."""


async def write(
    db: Database,
    call_id: str,
    agent_id: str,
    outcome: str,
    text: str,
    now: datetime,
    *,
    audit: AuditRow | None = None,
) -> CallNoteRow:
    """Keep it with the agent's handover, and in the history of the call's case where there is one.
    Raises BadInput."""
    if outcome not in OUTCOMES:
        raise BadInput(f"итог «{outcome}» не годится", hint=", ".join(OUTCOMES))
    if len(text) > LONGEST:
        raise BadInput(f"заметка длиннее {LONGEST} знаков", hint="сократите её")
    async with db.write() as session:
        row = CallNoteRow(
            id=new_id("note"),
            call_id=call_id,
            handover_id=await _handover(session, call_id, agent_id),
            agent_id=agent_id,
            at=now,
            outcome=outcome,
            text=text.strip(),
        )
        session.add(row)
        if audit is not None:
            session.add(audit)
        case_id = case_of(call_id)
        if row.text and await session.get(CaseRow, case_id) is not None:
            session.add(
                CaseHistoryRow(
                    id=new_id("step"),
                    case_id=case_id,
                    at=now,
                    step=CaseStep.NOTE,
                    agent_id=agent_id,
                    text=row.text,
                )
            )
        return row


async def _handover(session: AsyncSession, call_id: str, agent_id: str) -> str:
    his = (
        select(Handover.id)
        .where(col(Handover.call_id) == call_id, col(Handover.agent_id) == agent_id)
        .order_by(col(Handover.started_at).desc())
        .limit(1)
    )
    return (await session.exec(his)).first() or ""


async def notes(db: Database, call_ids: Collection[str]) -> Sequence[CallNoteRow]:
    """Of these calls, the oldest first."""
    found = select(CallNoteRow).where(col(CallNoteRow.call_id).in_(call_ids)).order_by(col(CallNoteRow.at))
    async with db.read() as session:
        return (await session.exec(found)).all()


async def earlier_calls(db: Database, call: Call, limit: int = 5) -> list[Call]:
    """The customer's calls before this one that were talked in, the newest first."""
    attempt = call.attempt
    same = col(Attempt.phone) == attempt.phone
    if attempt.contact_id:
        same = or_(same, col(Attempt.contact_id) == attempt.contact_id)
    statement = (
        select(Attempt.id)
        .where(
            same,
            col(Attempt.phone) != "",
            col(Attempt.id) != attempt.id,
            col(Attempt.created_at) <= attempt.created_at,
            col(Attempt.status) == AttemptStatus.FINAL,
            col(Attempt.answered_at).is_not(None),
        )
        .order_by(col(Attempt.created_at).desc())
        .limit(limit)
    )
    async with db.read() as session:
        ids = (await session.exec(statement)).all()
    return (await queries.calls(db, attempt_ids=ids))[::-1] if ids else []
