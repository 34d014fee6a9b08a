"""From what the store keeps, and from the settings' own table, to the directory that routing reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from bot.store.agents import Staff
from bot.store.tables_agents import AgentRow, DaysOffRow, DepartmentRow
from bot.triage.directory import DEFAULT_HOURS, Agent, DaysOff, Department, Directory
from bot.triage.routing import RESPONSIBLE
from bot.triage.shifts import ALWAYS, parse_shift

SEED_PLACES = 255
"""Live transfers that an agent of the settings may have: as many as a node has lines."""


def directory_of(
    staff: Staff, seeds: Mapping[str, Agent] | None = None, managers: Mapping[str, str] | None = None
) -> Directory:
    """The table, and whoever stands in the settings alone."""
    days_off: dict[str, list[DaysOff]] = defaultdict(list)
    for row in staff.days_off:
        days_off[row.agent_id].append(DaysOff(row.first, row.last, row.note))
    agents = dict(seeds or {})
    agents |= {row.id: agent_of(row, tuple(days_off[row.id])) for row in staff.agents}
    return Directory(
        agents=agents,
        departments={row.id: department_of(row) for row in staff.departments},
        managers=dict(managers or {}),
        days_off=tuple(days_off[""]),
    )


def agent_of(row: AgentRow, days_off: tuple[DaysOff, ...] = ()) -> Agent:
    return Agent(
        id=row.id,
        name=row.name,
        department=row.department,
        skills=words_of(row.skills),
        sip=row.sip,
        login=row.login,
        languages=words_of(row.languages),
        tz=row.tz or None,
        shift=parse_shift(row.shift) if row.shift else None,
        max_live=row.max_live,
        active=row.active,
        voicemail=row.voicemail,
        rings="phone" if row.rings == "phone" else "auto",
        fallback=row.fallback,
        days_off=days_off,
    )


def agent_row(agent: Agent) -> AgentRow:
    return AgentRow(
        id=agent.id,
        name=agent.name,
        department=agent.department,
        skills=",".join(sorted(agent.skills)),
        sip=agent.sip,
        login=agent.login,
        languages=",".join(sorted(agent.languages)),
        tz=agent.tz or "",
        shift=str(agent.shift or ""),
        max_live=agent.max_live,
        active=agent.active,
        voicemail=agent.voicemail,
        rings=agent.rings,
        fallback=agent.fallback,
    )


def days_off_rows(agent_id: str, days: tuple[DaysOff, ...]) -> list[DaysOffRow]:
    return [DaysOffRow(agent_id=agent_id, first=off.first, last=off.last, note=off.note) for off in days]


def department_of(row: DepartmentRow) -> Department:
    return Department(
        id=row.id,
        name=row.name,
        hours=parse_shift(row.hours) if row.hours else DEFAULT_HOURS,
        tz=row.tz,
        country=row.country,
        callback_hours=row.callback_hours,
        max_live=row.max_live,
        fallback=row.fallback,
    )


def department_row(department: Department) -> DepartmentRow:
    return DepartmentRow(
        id=department.id,
        name=department.name,
        hours=str(department.hours),
        tz=department.tz,
        country=department.country,
        callback_hours=department.callback_hours,
        max_live=department.max_live,
        fallback=department.fallback,
    )


def seed_agents(addresses: Mapping[str, str]) -> dict[str, Agent]:
    """The settings' `handover.agents`: always in shift; `responsible` is the one who is asked last."""
    return {
        name: Agent(
            id=name,
            name=name,
            sip=uri,
            languages=frozenset({"ru", "en"}),
            shift=ALWAYS,
            max_live=SEED_PLACES,
            fallback=1 if name == RESPONSIBLE else 0,
        )
        for name, uri in addresses.items()
    }


def words_of(joined: str) -> frozenset[str]:
    return frozenset(filter(None, (word.strip() for word in joined.split(","))))
