"""What people call those whom the journal names by their ids, for its filters and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select

from bot.reports.definitions import definitions
from bot.store.database import Database
from bot.store.tables_agents import AgentRow, DepartmentRow
from bot.store.tables_campaigns import CampaignRow


@dataclass(frozen=True, slots=True)
class Names:
    """By id, in the order of the names."""

    employees: Mapping[str, str] = field(default_factory=dict)
    departments: Mapping[str, str] = field(default_factory=dict)
    surveys: Mapping[str, str] = field(default_factory=dict)
    campaigns: Mapping[str, str] = field(default_factory=dict)


async def names(db: Database) -> Names:
    async with db.read() as session:
        known = await definitions(session)
        surveys = {each.survey_id: known.title(each.survey_id) for each in known.versions.values()}
        tables: Any = (
            (AgentRow.id, AgentRow.name),
            (DepartmentRow.id, DepartmentRow.name),
            (CampaignRow.id, CampaignRow.title),
        )
        found = [dict((await session.exec(select(col(id_), col(name)))).all()) for id_, name in tables]
    employees, departments, campaigns = map(_by_name, found)
    return Names(employees, departments, _by_name(surveys), campaigns)


def _by_name(named: Mapping[str, str]) -> dict[str, str]:
    shown = {each: name or each for each, name in named.items()}
    return dict(sorted(shown.items(), key=lambda item: (item[1].casefold(), item[0])))
