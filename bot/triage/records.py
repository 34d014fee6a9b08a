"""Agents and departments as people and programs write them: one record each, checked whole.

The same record is a line of a CSV, the options of `otklik agents set` and the `agent_save` order.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.core.errors import BadInput
from bot.triage.directory import Agent, DaysOff, Department, Rings
from bot.triage.shifts import parse_shift
from bot.triage.working_days import require_country

_ID = re.compile(r"[\w.@-]{1,64}")
_RESERVED = ("desk", "department", "skill")


def _an_id(value: str) -> str:
    if not _ID.fullmatch(value) or value in _RESERVED:
        raise ValueError(f"«{value}» не годится в имена: буквы, цифры, точка, дефис, до 64 знаков")
    return value


def _a_shift(value: str) -> str:
    try:
        return str(parse_shift(value)) if value.strip() else ""
    except BadInput as error:
        raise ValueError(f"{error.message} ({error.hint})") from error


def _a_zone(value: str) -> str:
    if value:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"часового пояса «{value}» нет; нужен такой, как Europe/Moscow") from error
    return value


def _a_country(value: str) -> str:
    try:
        require_country(value)
    except BadInput as error:
        raise ValueError(f"{error.message} ({error.hint})") from error
    return value


def _a_telephone(value: str) -> str:
    if value and not (value.lower().startswith(("sip:", "sips:")) and "@" in value):
        raise ValueError(f"«{value}» не SIP-адрес; нужен вида sip:имя@узел:порт")
    return value


def _by_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


Id = Annotated[str, AfterValidator(_an_id)]
Words = Annotated[tuple[str, ...], BeforeValidator(_by_commas)]
ShiftText = Annotated[str, AfterValidator(_a_shift)]
Zone = Annotated[str, AfterValidator(_a_zone)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DaysOffRecord(_Record):
    """Both ends included."""

    first: date
    last: date
    note: str = ""


class AgentRecord(_Record):
    """See `bot.store.tables_agents.AgentRow`. `days_off` None leaves those that he has."""

    id: Id
    name: str = ""
    department: str = ""
    skills: Words = ()
    sip: Annotated[str, AfterValidator(_a_telephone)] = ""
    login: str = ""
    languages: Words = ("ru",)
    tz: Zone = ""
    shift: ShiftText = ""
    max_live: int = Field(1, ge=0, le=255)
    active: bool = True
    voicemail: bool = True
    rings: Rings = "auto"
    fallback: int = Field(0, ge=0, le=1000)
    days_off: tuple[DaysOffRecord, ...] | None = None

    @classmethod
    def of(cls, agent: Agent) -> Self:
        return cls(
            id=agent.id,
            name=agent.name,
            department=agent.department,
            skills=tuple(sorted(agent.skills)),
            sip=agent.sip,
            login=agent.login,
            languages=tuple(sorted(agent.languages)),
            tz=agent.tz or "",
            shift=str(agent.shift or ""),
            max_live=agent.max_live,
            active=agent.active,
            voicemail=agent.voicemail,
            rings=agent.rings,
            fallback=agent.fallback,
            days_off=tuple(
                DaysOffRecord(first=off.first, last=off.last, note=off.note) for off in agent.days_off
            ),
        )

    def agent(self) -> Agent:
        return Agent(
            id=self.id,
            name=self.name,
            department=self.department,
            skills=frozenset(self.skills),
            sip=self.sip,
            login=self.login,
            languages=frozenset(self.languages),
            tz=self.tz or None,
            shift=parse_shift(self.shift) if self.shift else None,
            max_live=self.max_live,
            active=self.active,
            voicemail=self.voicemail,
            rings=self.rings,
            fallback=self.fallback,
            days_off=tuple(DaysOff(off.first, off.last, off.note) for off in self.days_off or ()),
        )


class DepartmentRecord(_Record):
    """See `bot.store.tables_agents.DepartmentRow`."""

    id: Id
    name: str = ""
    hours: ShiftText = "mon-fri 09:00-18:00"
    tz: Zone = "Europe/Moscow"
    country: Annotated[str, AfterValidator(_a_country)] = "RU"
    callback_hours: float | None = Field(None, gt=0, le=1000)
    max_live: int | None = Field(None, ge=0, le=10000)
    fallback: int = Field(0, ge=0, le=1000)

    @classmethod
    def of(cls, department: Department) -> Self:
        return cls(
            id=department.id,
            name=department.name,
            hours=str(department.hours),
            tz=department.tz,
            country=department.country,
            callback_hours=department.callback_hours,
            max_live=department.max_live,
            fallback=department.fallback,
        )

    def department(self) -> Department:
        return Department(
            id=self.id,
            name=self.name,
            hours=parse_shift(self.hours or "mon-fri 09:00-18:00"),
            tz=self.tz or "Europe/Moscow",
            country=self.country,
            callback_hours=self.callback_hours,
            max_live=self.max_live,
            fallback=self.fallback,
        )
