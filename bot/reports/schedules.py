"""Reports that are sent by themselves: who gets what, and when.

A moment at which one is due is a moment of its own zone's clock: «at nine» stays nine when clocks change.
Whoever finds that it has come writes its messages and the next moment in one transaction, so each comes
once, whatever is restarted and however many nodes look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.core.ids import new_id
from bot.core.mail_addresses import MailAddress
from bot.core.zones import Zone
from bot.reports.periods import Grain, Period
from bot.reports.slices import By, Scope
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.notices import New, enqueue
from bot.store.tables_notices import About, Channel, NoticeRow, ReportScheduleRow
from bot.words import words

log = structlog.get_logger()

MADE_UP = timedelta(days=7)
"""What was due while no node ran is sent late, but not later than this."""

_NAME = re.compile(r"[\w .-]{1,64}")


class Content(StrEnum):
    FIGURES = "figures"  # what `otklik report` shows
    CALLS = "calls"  # what `otklik export` writes, without personal data


class Definition(BaseModel):
    """`every` day, week, month or quarter, the one before it is reported: on `weekday` (1 is Monday) of a
    week, on `day` of a month or of a quarter's first month, `at` a time of the clock in `zone`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: Content = Content.FIGURES
    every: Literal["day", "week", "month", "quarter"] = "week"
    weekday: int = Field(1, ge=1, le=7)
    day: int = Field(1, ge=1, le=28)
    at: str = Field("09:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    zone: Zone
    by: By | None = By.EMPLOYEE
    employees: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    surveys: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    mail_to: tuple[MailAddress, ...] = ()
    webhooks: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _somebody_gets_it(self) -> Definition:
        if not self.mail_to and not self.webhooks:
            raise ValueError(words("некому отправлять: назовите почту или получателя", "nobody would get it"))
        return self

    def following(self, moment: datetime) -> datetime:
        """The first moment after this one at which it is due. An hour that a change of clocks skips is made
        up right after it, one that comes twice counts once (as Debian's cron does it)."""
        hour, minute = self.at.split(":")
        days = {
            "day": "* * *",
            "week": f"* * {self.weekday % 7}",
            "month": f"{self.day} * *",
            "quarter": f"{self.day} 1,4,7,10 *",
        }[self.every]
        expression = f"{int(minute)} {int(hour)} {days}"
        return next(CronSim(expression, moment.astimezone(ZoneInfo(self.zone)))).astimezone(UTC)

    def scope(self, due_at: datetime) -> Scope:
        """What the report is about that is due then: the whole day, week … before."""
        today = due_at.astimezone(ZoneInfo(self.zone)).date()
        period = Period.of(Grain(self.every), today, self.zone).before()
        return Scope(period, self.employees, self.departments, self.surveys, self.campaigns)

    def notices(self, schedule_id: str, due_at: datetime) -> list[New]:
        targets = [(Channel.MAIL, each) for each in self.mail_to]
        targets += [(Channel.WEBHOOK, each) for each in self.webhooks]
        return [New(About.REPORT, schedule_id, channel, target, due_at) for channel, target in targets]


def unfit(error: ValidationError) -> BadInput:
    """The first field that will not do."""
    first = error.errors()[0]
    said = str(first.get("ctx", {}).get("error", first["msg"]))
    place = ".".join(map(str, first["loc"]))
    return BadInput(f"{place}: {said}" if place else said)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`next_at` is None while it is switched off."""

    id: str
    name: str
    definition: Definition
    next_at: datetime | None
    created_by: str
    created_at: datetime


async def add(
    db: Database,
    name: str,
    definition: Definition,
    by: str,
    now: datetime,
    *,
    audit: AuditRow | None = None,
) -> Schedule:
    """Raises BadInput."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise BadInput(
            words(f"имя «{name}» не подходит", f"«{name}» cannot be a name"),
            hint=words(
                "1–64 знака: буквы, цифры, пробел и . _ -", "1 to 64 letters, digits, spaces or . _ -"
            ),
        )
    row = ReportScheduleRow(
        id=new_id("schedule"),
        name=name,
        definition=definition.model_dump_json(),
        next_at=definition.following(now),
        created_by=by,
        created_at=now,
    )
    try:
        async with db.write() as session:
            session.add(row)
            _noted(session, audit)
    except IntegrityError as error:
        raise BadInput(
            words(f"отчёт «{name}» уже есть", f"there is a report «{name}» already"),
            hint=words("назовите иначе или удалите тот", "take another name, or remove that one"),
        ) from error
    return _schedule(row)


async def schedules(db: Database) -> Sequence[Schedule]:
    """By name."""
    async with db.read() as session:
        rows = (await session.exec(select(ReportScheduleRow).order_by(col(ReportScheduleRow.name)))).all()
    return [_schedule(row) for row in rows]


async def named(db: Database, name: str) -> Schedule:
    """By its name or its id. Raises BadInput."""
    found = [each for each in await schedules(db) if name in (each.name, each.id)]
    if not found:
        raise BadInput(
            words(f"отчёта «{name}» нет", f"there is no report «{name}»"), hint="otklik report schedule list"
        )
    return found[0]


async def by_id(db: Database, schedule_id: str) -> Schedule | None:
    async with db.read() as session:
        row = await session.get(ReportScheduleRow, schedule_id)
    return _schedule(row) if row is not None else None


async def switch(db: Database, name: str, now: datetime, *, on: bool, audit: AuditRow | None = None) -> None:
    """On: from the next moment that is due. Raises BadInput."""
    schedule = await named(db, name)
    next_at = schedule.definition.following(now) if on else None
    async with db.write() as session:
        await session.exec(
            update(ReportScheduleRow).where(col(ReportScheduleRow.id) == schedule.id).values(next_at=next_at)
        )
        _noted(session, audit)


async def remove(db: Database, name: str, *, audit: AuditRow | None = None) -> None:
    """With what still waits to be sent and its log. Raises BadInput."""
    schedule = await named(db, name)
    async with db.write() as session:
        await session.exec(delete(NoticeRow).where(col(NoticeRow.about_id) == schedule.id))
        await session.exec(delete(ReportScheduleRow).where(col(ReportScheduleRow.id) == schedule.id))
        _noted(session, audit)


async def send_now(db: Database, name: str, now: datetime, *, audit: AuditRow | None = None) -> int:
    """Beside its times: as if it were due this second. To how many. Raises BadInput."""
    schedule = await named(db, name)
    notices = schedule.definition.notices(schedule.id, now.replace(microsecond=0))
    async with db.write() as session:
        await enqueue(session, db.dialect, notices, now)
        _noted(session, audit)
    return len(notices)


async def next_due(db: Database) -> datetime | None:
    async with db.read() as session:
        statement = select(ReportScheduleRow.next_at).where(col(ReportScheduleRow.next_at).is_not(None))
        return (await session.exec(statement.order_by(col(ReportScheduleRow.next_at)).limit(1))).first()


async def take_due(db: Database, now: datetime) -> int:
    """Write the messages of every moment that has come; how many moments."""
    due = select(ReportScheduleRow).where(col(ReportScheduleRow.next_at) <= now)
    count = 0
    async with db.write() as session:
        for row in (await session.exec(due.with_for_update(skip_locked=True))).all():
            definition = Definition.model_validate_json(row.definition)
            moment = row.next_at
            while moment is not None and moment <= now:
                if now - moment <= MADE_UP:
                    await enqueue(session, db.dialect, definition.notices(row.id, moment), now)
                    count += 1
                else:
                    log.warning(
                        "a report is too late to be sent", schedule=row.name, due_at=moment.isoformat()
                    )
                moment = definition.following(moment)
            row.next_at = moment
            session.add(row)
    return count


def _noted(session: AsyncSession, audit: AuditRow | None) -> None:
    if audit is not None:
        session.add(audit)


def _schedule(row: ReportScheduleRow) -> Schedule:
    definition = Definition.model_validate_json(row.definition)
    return Schedule(row.id, row.name, definition, row.next_at, row.created_by, row.created_at)
