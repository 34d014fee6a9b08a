"""Who takes handed-over callers: agents, their departments, and the days on which they do not work.

Lists (skills, languages) are stored as words joined by commas. Hours are stored as text in the form
that `bot.triage.shifts` reads and writes; the store does not look into it.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index, text
from sqlmodel import Field

from bot.store.tables import Table


class AgentRow(Table, table=True):
    """A person who may be rung. `sip` is his telephone and `login` his name at the desk; either may be
    empty. `shift` and `tz` are his department's where they are empty. `rings` says where a handover
    goes: `auto` (the desk while it is open, else the telephone) or `phone`. `voicemail` is whether a
    mailbox may answer his telephone. `fallback` above 0 makes him one of those who are asked last, in
    this order. `presence` is what he last chose himself; "" where he never did.
    """

    __tablename__ = "agents"
    __table_args__ = (
        Index(
            "uq_agents_login",
            "login",
            unique=True,
            sqlite_where=text("login <> ''"),
            postgresql_where=text("login <> ''"),
        ),
    )

    id: str = Field(primary_key=True)
    name: str = ""
    department: str = Field(default="", index=True)
    skills: str = ""
    sip: str = ""
    login: str = ""
    languages: str = "ru"
    tz: str = ""
    shift: str = ""
    max_live: int = 1
    active: bool = True
    voicemail: bool = True
    rings: str = "auto"
    fallback: int = 0
    presence: str = ""


class DepartmentRow(Table, table=True):
    """`hours` and `tz` hold for its agents who have none of their own. `callback_hours` is how many
    working hours the owner of a case has; None: until the end of his next working day. `max_live`
    bounds the live transfers of all its agents together; None: no bound. `country` is whose holidays
    it keeps ("" none). `fallback` as in `AgentRow`, for all its agents."""

    __tablename__ = "departments"

    id: str = Field(primary_key=True)
    name: str = ""
    hours: str = ""
    tz: str = "Europe/Moscow"
    country: str = "RU"
    callback_hours: float | None = None
    max_live: int | None = None
    fallback: int = 0


class DaysOffRow(Table, table=True):
    """Days on which an agent does not work, both ends included; `agent_id` "" is for everybody."""

    __tablename__ = "days_off"

    agent_id: str = Field(primary_key=True)
    first: date = Field(primary_key=True)
    last: date
    note: str = ""
