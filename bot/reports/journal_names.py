"""What people call those whom the journal names by their ids, for its filters and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.reports.choices import names_of
from bot.reports.slices import By
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Names:
    """By id, in the order of the names."""

    employees: Mapping[str, str] = field(default_factory=dict)
    departments: Mapping[str, str] = field(default_factory=dict)
    surveys: Mapping[str, str] = field(default_factory=dict)
    campaigns: Mapping[str, str] = field(default_factory=dict)


async def names(db: Database) -> Names:
    async with db.read() as session:
        employees, departments, surveys, campaigns = [
            _by_name(await names_of(session, by))
            for by in (By.EMPLOYEE, By.DEPARTMENT, By.SURVEY, By.CAMPAIGN)
        ]
    return Names(employees, departments, surveys, campaigns)


def _by_name(named: Mapping[str, str]) -> dict[str, str]:
    shown = {each: name or each for each, name in named.items()}
    return dict(sorted(shown.items(), key=lambda item: (item[1].casefold(), item[0])))
