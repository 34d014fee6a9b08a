"""What somebody is told: alerts, the reports that are sent by themselves, and each message on its way.

A notice is one message to one recipient. Its id follows from what it tells and whom, so that it is written
once however many nodes and restarts see that it is due.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field

from bot.store.tables import Table, moment_field, words_field
from bot.store.tables_delivery import DeliveryStatus


class AlertRow(Table, table=True):
    """One thing to look at. `call_id` is "" where it is about no single call. `details` hold numbers, never
    what somebody said. `withdrawn_at` is when the customer took back what raised it; `announced_at` when its
    mails were written into the queue."""

    __tablename__ = "alerts"

    id: str = Field(primary_key=True)
    kind: str
    at: datetime = moment_field(index=True)
    call_id: str = Field(default="", index=True)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    withdrawn_at: datetime | None = moment_field(default=None)
    announced_at: datetime | None = moment_field(default=None, index=True)
    acknowledged_at: datetime | None = moment_field(default=None)
    acknowledged_by: str = ""


class About(StrEnum):
    ALERT = "alert"
    REPORT = "report"


class Channel(StrEnum):
    MAIL = "mail"
    WEBHOOK = "webhook"


class NoticeRow(Table, table=True):
    """One message for one recipient: `target` is a mail address, or the name of a webhook's endpoint.
    `about_id` is the alert's or the schedule's, `due_at` the moment that it is of. A sender holds it until
    `claimed_until`; `error` says why the last try failed."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_status_next_at", "status", "next_at"),)

    id: str = Field(primary_key=True)
    about: str
    about_id: str = Field(index=True)
    channel: str
    target: str
    due_at: datetime = moment_field()
    status: str = DeliveryStatus.WAITING
    tries: int = 0
    next_at: datetime = moment_field()
    claimed_until: datetime | None = moment_field(default=None)
    done_at: datetime | None = moment_field(default=None)
    error: str = words_field(default="")


class ReportScheduleRow(Table, table=True):
    """A report that is sent by itself. `definition` is the JSON of `bot.reports.schedules.Definition`;
    `next_at` the next moment at which it is due, None while it is switched off."""

    __tablename__ = "report_schedules"

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    definition: str = words_field()
    next_at: datetime | None = moment_field(default=None, index=True)
    created_by: str = ""
    created_at: datetime = moment_field()
