"""What people do with cases. Each step is one conditional update and its line in the history, in one
transaction: of two who claim a case exactly one has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.store.database import Database
from bot.store.projection_cases import STILL_OPEN
from bot.store.tables import CallbackRow, CallbackStatus, Contact, Handover
from bot.store.tables_cases import CaseHistoryRow, CaseRow, CaseStatus, CaseStep, RouteRow

_ENDS = {CaseStatus.DONE: CaseStep.DONE, CaseStatus.CLOSED: CaseStep.CLOSED}


@dataclass(frozen=True, slots=True)
class Case:
    """A case, whose it is, and everything that was done about it, oldest first."""

    row: CaseRow
    contact: Contact | None
    history: tuple[CaseHistoryRow, ...] = ()

    def breached(self, now: datetime) -> bool:
        """Whether its deadline passed before it was over."""
        return self.row.due_at is not None and (self.row.closed_at or now) > self.row.due_at


async def cases(
    db: Database,
    *,
    owner_id: str | None = None,
    department: str | None = None,
    statuses: Sequence[str] = STILL_OPEN,
    callback: bool | None = None,
    due_before: datetime | None = None,
    topic: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> list[Case]:
    """By deadline, the soonest first; those without one come last. Without their histories."""
    statement = select(CaseRow).where(col(CaseRow.status).in_(statuses))
    if owner_id is not None:
        statement = statement.where(
            (col(CaseRow.owner_id) == owner_id) | (col(CaseRow.claimed_by) == owner_id)
        )
    if department is not None:
        statement = statement.where(col(CaseRow.department) == department)
    if callback is not None:
        statement = statement.where(col(CaseRow.callback).is_(callback))
    if due_before is not None:
        statement = statement.where(col(CaseRow.due_at) < due_before)
    if topic is not None:
        statement = statement.where(col(CaseRow.topic) == topic)
    ordered = statement.order_by(
        col(CaseRow.due_at).is_(None), col(CaseRow.due_at), col(CaseRow.opened_at), col(CaseRow.id)
    )
    async with db.read() as session:
        rows = (await session.exec(ordered.limit(limit).offset(offset))).all()
        ids = {row.contact_id for row in rows if row.contact_id}
        found = (await session.exec(select(Contact).where(col(Contact.id).in_(ids)))).all()
        contacts = {contact.id: contact for contact in found}
        return [Case(row, contacts.get(row.contact_id or "")) for row in rows]


async def case(db: Database, case_id: str) -> Case | None:
    async with db.read() as session:
        row = await session.get(CaseRow, case_id)
        if row is None:
            return None
        contact = await session.get(Contact, row.contact_id) if row.contact_id else None
        history = select(CaseHistoryRow).where(col(CaseHistoryRow.case_id) == case_id)
        ordered = history.order_by(col(CaseHistoryRow.at), col(CaseHistoryRow.id))
        return Case(row, contact, tuple((await session.exec(ordered)).all()))


async def claim(db: Database, case_id: str, agent_id: str, now: datetime) -> bool:
    """Take an open case to work at; False where another has it, or it is over. Claiming one's own again
    changes nothing."""
    async with db.write() as session:
        free = (col(CaseRow.status) == CaseStatus.OPEN,)
        values = {"status": CaseStatus.CLAIMED, "claimed_by": agent_id, "claimed_at": now}
        if await _changed(session, case_id, free, values):
            await _tell(session, case_id, now, CaseStep.CLAIMED, agent_id)
            return True
        row = await _known(session, case_id)
        return row.status == CaseStatus.CLAIMED and row.claimed_by == agent_id


async def postpone(
    db: Database, case_id: str, due_at: datetime, now: datetime, *, agent_id: str = "", text: str = ""
) -> None:
    """Give it another deadline. Raises BadInput for a case that is over, and for a moment that is past."""
    if due_at <= now:
        raise BadInput("новый срок уже прошёл", hint="назовите время в будущем")
    async with db.write() as session:
        await _change(session, case_id, {"due_at": due_at})
        await _tell(session, case_id, now, CaseStep.POSTPONED, agent_id, text, due_at=due_at)


async def reassign(
    db: Database,
    case_id: str,
    owner_id: str,
    now: datetime,
    *,
    agent_id: str = "",
    text: str = "",
    due_at: datetime | None = None,
) -> None:
    """Make it another's: open again for him, with its deadline unless another is given. Raises BadInput
    for a case that is over."""
    values: dict[str, Any] = {
        "owner_id": owner_id,
        "status": CaseStatus.OPEN,
        "claimed_by": "",
        "claimed_at": None,
    }
    if due_at is not None:
        values["due_at"] = due_at
    async with db.write() as session:
        await _change(session, case_id, values)
        await _tell(
            session, case_id, now, CaseStep.REASSIGNED, agent_id, text, owner_id=owner_id, due_at=due_at
        )


async def close(
    db: Database,
    case_id: str,
    now: datetime,
    *,
    status: CaseStatus = CaseStatus.DONE,
    agent_id: str = "",
    outcome: str = "",
) -> None:
    """`done` where the customer was helped, `closed` where nothing is to be done; what he was
    promised is settled with it. Raises BadInput for a case that is over already."""
    async with db.write() as session:
        row = await _change(session, case_id, {"status": status, "outcome": outcome, "closed_at": now})
        await _tell(session, case_id, now, _ENDS[status], agent_id, outcome)
        settled = CallbackStatus.DONE if status == CaseStatus.DONE else CallbackStatus.WITHDRAWN
        await session.exec(
            update(CallbackRow)
            .where(
                _owed_by(row),
                col(CallbackRow.promised_by) == "agent",
                col(CallbackRow.status) == CallbackStatus.OPEN,
            )
            .values(status=settled)
        )


async def note(db: Database, case_id: str, text: str, now: datetime, *, agent_id: str = "") -> None:
    """Raises BadInput for an empty note. A case that is over may still be written about."""
    if not text.strip():
        raise BadInput("заметка пуста", hint="напишите, что сделано")
    async with db.write() as session:
        await _known(session, case_id)
        await _tell(session, case_id, now, CaseStep.NOTE, agent_id, text.strip())


async def ownerless(db: Database) -> Sequence[CaseRow]:
    """Open cases for which nobody answers yet, the oldest first."""
    nobody = (col(CaseRow.owner_id) == "") | col(CaseRow.due_at).is_(None)
    statement = select(CaseRow).where(nobody, col(CaseRow.status).in_(STILL_OPEN))
    async with db.read() as session:
        return (await session.exec(statement.order_by(col(CaseRow.opened_at)))).all()


async def assign(
    db: Database,
    case_id: str,
    *,
    owner_id: str,
    due_at: datetime | None,
    now: datetime,
    route: RouteRow | None,
) -> bool:
    """Name the owner and the deadline of a case that has none, and keep the decision; what it has
    meanwhile stays. False where nothing was missing."""
    async with db.write() as session:
        row = await session.get(CaseRow, case_id, with_for_update=True)
        if row is None or row.status not in STILL_OPEN or (row.owner_id and row.due_at is not None):
            return False
        row.owner_id = row.owner_id or owner_id
        row.due_at = row.due_at or due_at
        await session.exec(
            update(CallbackRow)
            .where(
                col(CallbackRow.call_id) == row.call_id,
                col(CallbackRow.owner_id) == "",
                col(CallbackRow.status) == CallbackStatus.OPEN,
            )
            .values(owner_id=row.owner_id, due_at=row.due_at)
        )
        if route is not None:
            session.add(route)
        await _tell(session, case_id, now, CaseStep.ASSIGNED, "", owner_id=row.owner_id, due_at=row.due_at)
        return True


async def routes(db: Database, call_id: str) -> Sequence[RouteRow]:
    """Every decision that was made for a call, in order."""
    statement = select(RouteRow).where(col(RouteRow.call_id) == call_id)
    async with db.read() as session:
        return (await session.exec(statement.order_by(col(RouteRow.at), col(RouteRow.id)))).all()


async def last_target(db: Database, call_id: str) -> str:
    """Whom the call's last handover was meant for; "" where it had none."""
    statement = select(Handover.target).where(col(Handover.call_id) == call_id)
    async with db.read() as session:
        newest = statement.order_by(col(Handover.started_at).desc()).limit(1)
        return (await session.exec(newest)).first() or ""


def _owed_by(row: CaseRow) -> Any:
    """Its own call's callbacks, and those promised to the same caller in a call that has no case itself."""
    of_a_case = select(CaseRow.id).where(col(CaseRow.call_id) == col(CallbackRow.call_id)).exists()
    same_caller = and_(col(CallbackRow.phone) == row.phone, col(CallbackRow.phone) != "", ~of_a_case)
    return or_(col(CallbackRow.call_id) == row.call_id, same_caller)


async def _changed(
    session: AsyncSession, case_id: str, condition: Sequence[Any], values: dict[str, Any]
) -> bool:
    done = await session.exec(update(CaseRow).where(col(CaseRow.id) == case_id, *condition).values(**values))
    return bool(done.rowcount)


async def _change(session: AsyncSession, case_id: str, values: dict[str, Any]) -> CaseRow:
    """Raises BadInput for a case that is not known, or is over."""
    if not await _changed(session, case_id, (col(CaseRow.status).in_(STILL_OPEN),), values):
        row = await _known(session, case_id)
        raise BadInput(
            f"дело {case_id} уже закрыто ({row.status})", hint="что с ним было, покажет otklik cases show"
        )
    return await _known(session, case_id)


async def _known(session: AsyncSession, case_id: str) -> CaseRow:
    row = await session.get(CaseRow, case_id, with_for_update=True)
    if row is None:
        raise BadInput(f"дела {case_id} нет", hint="какие есть, покажет otklik cases list")
    return row


async def _tell(
    session: AsyncSession,
    case_id: str,
    at: datetime,
    step: CaseStep,
    agent_id: str,
    text: str = "",
    *,
    owner_id: str = "",
    due_at: datetime | None = None,
) -> None:
    """The caller has changed or locked the case's row: its steps are counted one after another."""
    steps = select(func.count()).where(col(CaseHistoryRow.case_id) == case_id)
    session.add(
        CaseHistoryRow(
            id=f"{case_id}-{(await session.exec(steps)).one():05d}",
            case_id=case_id,
            at=at,
            step=step,
            agent_id=agent_id,
            text=text,
            owner_id=owner_id,
            due_at=due_at,
        )
    )
