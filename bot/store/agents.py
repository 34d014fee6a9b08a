"""Agents, departments and days off, as they are kept: whole rows in, whole rows out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.store.database import Database
from bot.store.projection_cases import STILL_OPEN
from bot.store.tables import Attempt, Contact
from bot.store.tables_agents import AgentRow, DaysOffRow, DepartmentRow
from bot.store.tables_cases import CaseRow


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody, by id."""

    agents: Sequence[AgentRow] = ()
    departments: Sequence[DepartmentRow] = ()
    days_off: Sequence[DaysOffRow] = ()


@dataclass(frozen=True, slots=True)
class StaffChange:
    """What to write: these rows replace those of the same key. An agent whose days off are given has
    these and no others."""

    agents: Sequence[AgentRow] = ()
    departments: Sequence[DepartmentRow] = ()
    days_off: dict[str, Sequence[DaysOffRow]] = field(default_factory=dict)


async def staff(db: Database) -> Staff:
    async with db.read() as session:
        return Staff(
            (await session.exec(select(AgentRow).order_by(col(AgentRow.id)))).all(),
            (await session.exec(select(DepartmentRow).order_by(col(DepartmentRow.id)))).all(),
            (await session.exec(select(DaysOffRow).order_by(col(DaysOffRow.first)))).all(),
        )


async def save(db: Database, change: StaffChange) -> None:
    """All of it or nothing. What an agent chose as his presence stays. Raises BadInput where two agents
    would sign in at the desk by one name."""
    written = {row.id: row for row in change.agents}
    async with db.write() as session:
        await _require_own_logins(session, change.agents)
        there = await session.exec(select(AgentRow).where(col(AgentRow.id).in_(written)))
        kept = {row.id: row for row in there.all()}
        for agent in kept.values():
            agent.login = ""  # so that two may change names with each other
        await session.flush()
        for row in change.agents:
            chosen = kept[row.id].presence if row.id in kept else row.presence
            await session.merge(AgentRow(**row.model_dump() | {"presence": chosen}))
        for department in change.departments:
            await session.merge(DepartmentRow(**department.model_dump()))
        for agent_id, days in change.days_off.items():
            await session.exec(delete(DaysOffRow).where(col(DaysOffRow.agent_id) == agent_id))
            session.add_all([DaysOffRow(**day.model_dump()) for day in days])


async def _require_own_logins(session: AsyncSession, rows: Sequence[AgentRow]) -> None:
    """Raises BadInput."""
    owners: dict[str, str] = {}
    ids = [row.id for row in rows]
    others = select(AgentRow).where(col(AgentRow.login) != "", col(AgentRow.id).not_in(ids))
    for row in (*(await session.exec(others)).all(), *rows):
        if row.login and owners.setdefault(row.login, row.id) != row.id:
            raise BadInput(
                f"имя для входа «{row.login}» у двух сотрудников: {owners[row.login]} и {row.id}",
                hint="у каждого сотрудника своё имя для входа",
            )


async def remove(db: Database, agent_id: str, heir: str = "") -> None:
    """Take an agent out; his open cases and his customers become `heir`'s. Raises BadInput for one who
    is not there, and for one who has such while nobody is named."""
    async with db.write() as session:
        row = await session.get(AgentRow, agent_id)
        if row is None:
            raise BadInput(f"сотрудника «{agent_id}» нет", hint="кто есть, покажет otklik agents list")
        if heir and (heir == agent_id or await session.get(AgentRow, heir) is None):
            raise BadInput(f"сотрудника «{heir}» нет", hint="назовите того, кто есть: otklik agents list")
        his = (col(CaseRow.owner_id) == agent_id, col(CaseRow.status).in_(STILL_OPEN))
        cases = len((await session.exec(select(CaseRow.id).where(*his))).all())
        customers = len(
            (await session.exec(select(Contact.id).where(col(Contact.manager_id) == agent_id))).all()
        )
        if (cases or customers) and not heir:
            raise BadInput(
                f"за сотрудником {agent_id} числятся: открытых дел {cases}, клиентов {customers}",
                hint="назовите, кому их передать",
            )
        await session.exec(update(CaseRow).where(*his).values(owner_id=heir))
        await session.exec(update(Contact).where(col(Contact.manager_id) == agent_id).values(manager_id=heir))
        await session.exec(delete(DaysOffRow).where(col(DaysOffRow.agent_id) == agent_id))
        await session.delete(row)


async def choose_presence(db: Database, agent_id: str, state: str) -> bool:
    """Keep what an agent chose, beyond the life of whatever holds presence; False for one whom the table
    does not have."""
    async with db.write() as session:
        done = await session.exec(update(AgentRow).where(col(AgentRow.id) == agent_id).values(presence=state))
        return bool(done.rowcount)


async def manager_of(db: Database, contact_id: str) -> str:
    """The agent who looks after this customer; "" where none does."""
    if not contact_id:
        return ""
    async with db.read() as session:
        contact = await session.get(Contact, contact_id)
        return contact.manager_id if contact is not None else ""


async def set_manager(db: Database, contact_id: str, agent_id: str) -> bool:
    """False for a contact who is not known."""
    async with db.write() as session:
        done = await session.exec(
            update(Contact).where(col(Contact.id) == contact_id).values(manager_id=agent_id)
        )
        return bool(done.rowcount)


async def contact_of_call(db: Database, call_id: str) -> str:
    """The customer of a call; "" where he is not known."""
    async with db.read() as session:
        found = await session.exec(select(Attempt.contact_id).where(col(Attempt.call_id) == call_id))
        return found.first() or ""
