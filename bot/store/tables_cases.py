"""Unhappy customers' matters, what was done about them, and why this agent was asked.

A case begins in a call's event (`projection_cases`) and is then carried on by people
(`bot.store.cases`). Whether its deadline is broken is computed from `due_at`, never stored.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field


class CaseStatus(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"  # the customer was helped
    CLOSED = "closed"  # there was nothing to be done, or no more


class CaseStep(StrEnum):
    """What a line of a case's history tells."""

    OPENED = "opened"
    PROMISED = "promised"  # a call back; `text` are the customer's words about the time
    ASSIGNED = "assigned"  # routing named an owner
    CLAIMED = "claimed"
    POSTPONED = "postponed"
    REASSIGNED = "reassigned"
    NOTE = "note"
    DONE = "done"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"  # its reason turned out not to be so


class CaseRow(Table, table=True):
    """One call's matter; a call has one case at most, whatever opened it.

    `owner_id` is who answers for it by `due_at`, `claimed_by` who works at it. `callback` says that the
    customer was promised a call. `words` are the customer's own. `outcome` is the closing agent's word.
    """

    __tablename__ = "cases"
    __table_args__ = (Index("ix_cases_status_due_at", "status", "due_at"),)

    id: str = Field(primary_key=True)
    call_id: str = Field(index=True)
    contact_id: str | None = Field(default=None, index=True)
    phone: str = ""
    owner_id: str = Field(default="", index=True)
    department: str = ""
    reason: str = words_field(default="")
    topic: str = ""
    words: str = words_field(default="")
    callback: bool = False
    due_at: datetime | None = moment_field(default=None)
    status: str = CaseStatus.OPEN
    claimed_by: str = ""
    outcome: str = words_field(default="")
    opened_at: datetime = moment_field()
    claimed_at: datetime | None = moment_field(default=None)
    closed_at: datetime | None = moment_field(default=None)


class CaseHistoryRow(Table, table=True):
    """One step of a case. `agent_id` took it ("" is Otklik itself); `owner_id` and `due_at` are what it
    set, where it set any."""

    __tablename__ = "case_history"

    id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    at: datetime = moment_field()
    step: str
    agent_id: str = ""
    text: str = words_field(default="")
    owner_id: str = ""
    due_at: datetime | None = moment_field(default=None)


class RouteRow(Table, table=True):
    """One decision of routing, as the call acted on it: `json` is a `bot.core.routing.Route`."""

    __tablename__ = "routes"

    id: str = Field(primary_key=True)
    call_id: str = Field(index=True)
    target: str
    at: datetime = moment_field()
    owner_id: str = ""
    due_at: datetime | None = moment_field(default=None)
    json_: str = words_field(sa_column_kwargs={"name": "json"})
