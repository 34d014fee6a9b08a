"""Everything that routing looks at, as frozen values: who there is, when he works, where he is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from bot.triage.shifts import Shift, parse_shift

DEFAULT_HOURS = parse_shift("mon-fri 09:00-18:00")
DEFAULT_ZONE = "Europe/Moscow"

Rings = Literal["auto", "phone"]
"""Where a handover rings: at the desk while it is open, else on the telephone; or always there."""


class PresenceState(StrEnum):
    """What an agent says of himself."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Both ends included."""

    first: date
    last: date
    note: str = ""

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Agent:
    """See `bot.store.tables_agents.AgentRow`; None is what his department has."""

    id: str
    name: str = ""
    department: str = ""
    skills: frozenset[str] = frozenset()
    sip: str = ""
    login: str = ""
    languages: frozenset[str] = frozenset({"ru"})
    tz: str | None = None
    shift: Shift | None = None
    max_live: int = 1
    active: bool = True
    voicemail: bool = True
    rings: Rings = "auto"
    fallback: int = 0
    days_off: tuple[DaysOff, ...] = ()


@dataclass(frozen=True, slots=True)
class Department:
    """See `bot.store.tables_agents.DepartmentRow`."""

    id: str
    name: str = ""
    hours: Shift = DEFAULT_HOURS
    tz: str = DEFAULT_ZONE
    country: str = "RU"
    callback_hours: float | None = None
    max_live: int | None = None
    fallback: int = 0


_NO_DEPARTMENT = Department("")


@dataclass(frozen=True, slots=True)
class Directory:
    """`managers` says whose a contact is. `days_off` are everybody's."""

    agents: Mapping[str, Agent] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
    managers: Mapping[str, str] = field(default_factory=dict)
    days_off: tuple[DaysOff, ...] = ()

    def department_of(self, agent: Agent) -> Department:
        """His department, or what holds for somebody without one."""
        return self.departments.get(agent.department, _NO_DEPARTMENT)

    def shift_of(self, agent: Agent) -> Shift:
        return agent.shift or self.department_of(agent).hours

    def zone_of(self, agent: Agent) -> ZoneInfo:
        return ZoneInfo(agent.tz or self.department_of(agent).tz)


@dataclass(frozen=True, slots=True)
class Presence:
    """Where an agent is now: `state` is what he said, None where he said nothing; `desk` whether his desk
    is open in a browser that this node can ring."""

    state: PresenceState | None = None
    desk: bool = False


Presences = Mapping[str, Presence]
Live = Mapping[str, int]
"""Live transfers by agent; who is not in it has none."""
