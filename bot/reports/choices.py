"""What a reader may narrow a report to: the employees, departments, surveys … that calls of a period have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.intents import Topic
from bot.reports.definitions import definitions
from bot.reports.slices import COLUMNS, By, Scope, select_rows
from bot.reports.wording import topic_name
from bot.store.database import Database
from bot.store.tables import Attempt
from bot.store.tables_agents import AgentRow, DepartmentRow
from bot.store.tables_campaigns import CampaignRow


@dataclass(frozen=True, slots=True)
class Choices:
    """For each kind of filter, ids and what people call them, in the order of their names. `names` has those
    of no call as well."""

    members: Mapping[By, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[By, Mapping[str, str]] = field(default_factory=dict)

    def name(self, by: By, member: str) -> str:
        return self.names.get(by, {}).get(member) or member


async def choices(db: Database, scope: Scope) -> Choices:
    async with db.read() as session:
        return await choices_of(session, scope)


async def choices_of(session: AsyncSession, scope: Scope) -> Choices:
    """Of the scope's period; what the scope is narrowed to is always among them."""
    columns = [col(getattr(Attempt, name)) for name in COLUMNS.values()]
    found: Any = await session.exec(select_rows(*columns).where(*Scope(scope.period).conditions()).distinct())
    rows = found.all()
    names = {by: await names_of(session, by) for by in COLUMNS}
    names[By.TOPIC] = {topic.value: topic_name(topic.value) for topic in Topic}
    chosen = dict(
        zip(COLUMNS, (scope.employees, scope.departments, scope.surveys, scope.campaigns), strict=True)
    )
    members: dict[By, Mapping[str, str]] = {}
    for place, by in enumerate(COLUMNS):
        ids = {row[place] for row in rows if row[place]} | set(chosen[by])
        members[by] = _by_name({each: names[by].get(each) or each for each in ids})
    members[By.TOPIC] = names[By.TOPIC] | {each: topic_name(each) for each in scope.topics}
    return Choices(members, names)


def _by_name(named: dict[str, str]) -> dict[str, str]:
    return dict(sorted(named.items(), key=lambda item: (item[1].casefold(), item[0])))


async def names_of(session: AsyncSession, by: By) -> dict[str, str]:
    """What people call a slice's members, where a table tells it."""
    if by is By.SURVEY:
        known = await definitions(session)
        return {each.survey_id: known.title(each.survey_id) for each in known.versions.values()}
    if by is By.CAMPAIGN:
        return dict((await session.exec(select(col(CampaignRow.id), col(CampaignRow.title)))).all())
    table: Any = {By.EMPLOYEE: AgentRow, By.DEPARTMENT: DepartmentRow}.get(by)
    if table is None:
        return {}
    return dict((await session.exec(select(col(table.id), col(table.name)))).all())
