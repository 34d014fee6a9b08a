"""Tells people: alerts at once, on pages and by mail, and reports when they are due.

Three loops, so that none waits for another: what happens is watched, alerts are mailed, reports are made
and sent. Everything that is to be told stands in SQL first (`bot.store.notices`); of several nodes of a
database any may send it, and one does. A message that was sent and not noted (the node died in between) is
sent again under the same id.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from bot.core.clock import Clock
from bot.core.errors import BadInput, DiskFull, Unavailable
from bot.core.events import CallEvent, OptedOut, SignalRaised
from bot.delivery.alert_mail import alert_mail
from bot.delivery.alert_rules import wave
from bot.delivery.backoff import Backoff
from bot.delivery.endpoints import Endpoints
from bot.delivery.mail import Attachment, Mailer, Sent
from bot.delivery.payload import as_json
from bot.delivery.posting import Postman
from bot.delivery.settings import AlertRules
from bot.reports import schedules
from bot.reports.export.writing import Format, Wanted, export
from bot.reports.report import report
from bot.reports.schedules import Content, Schedule
from bot.reports.workbook import workbook
from bot.store import alerts, notices
from bot.store.database import Database
from bot.store.tables_notices import About, Channel, NoticeRow
from bot.words import words

log = structlog.get_logger()

LATELY = timedelta(minutes=15)
"""An alert that is older than this pops up on no page any more; it stands in the list."""

LARGEST = 15 * 2**20
"""Bytes of an attachment: most mail servers take 25 MB, and base64 makes a third more of it."""

FORGET_S = 3600.0

REPORT = "report.ready"
"""The type of the webhook message that brings a report."""

Tell = Callable[[Sequence[alerts.Alert]], None]


@dataclass(frozen=True, slots=True)
class NotifierSettings:
    """`look_s`: how often it looks when nobody says that something happened (another node's call, the time
    of a report). `address` is where people find the pages. Who claims a mail has `lease_s` for it, for a
    report that has yet to be made `report_lease_s`."""

    address: str
    look_s: float = 5.0
    at_once: int = 50
    lease_s: float = 120.0
    report_lease_s: float = 1800.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=15.0, factor=4.0, tries=10))


class Notifier:
    """`drain` brings what calls have said into SQL (`Writer.drain_once`); `tell` shows alerts on the pages
    that are open; `chance` gives 0 to 1."""

    def __init__(
        self,
        db: Database,
        mailer: Mailer,
        postman: Postman,
        clock: Clock,
        rules: AlertRules,
        settings: NotifierSettings,
        *,
        drain: Callable[[], Awaitable[object]],
        tell: Tell,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._mailer = mailer
        self._postman = postman
        self._clock = clock
        self._rules = rules
        self._settings = settings
        self._drain = drain
        self._tell = tell
        self._chance = chance
        self._endpoints = Endpoints(db, clock)
        self._happened = asyncio.Event()
        self._queued = asyncio.Event()
        self._told: set[str] | None = None
        self._forgot_at: float | None = None

    def saw(self, event: CallEvent) -> None:
        """A call's event: it may be an alert."""
        if isinstance(event, SignalRaised | OptedOut):
            self._happened.set()

    async def run(self) -> None:
        """For as long as the node lives."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again(self._happened, self.watch))
            group.create_task(self._again(self._queued, self.mail_alerts))
            group.create_task(self._again(asyncio.Event(), self.send_reports))

    async def _again(self, happened: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            happened.clear()
            try:
                await work()
            except (Unavailable, DiskFull) as error:  # the database, the disk: each comes back
                log.warning("notices wait", reason=error.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.look_s):
                    await happened.wait()

    # Alerts ------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Once: what is new is raised, shown on the pages and written into the queue of mails."""
        await self._drain()
        now = self._clock.now()
        await self._look_for_a_wave(now)
        recent = await alerts.recent(self._db, self._rules.kinds, now - LATELY)
        if self._told is None:
            self._told = set(recent)  # from before this node: no page that is open misses them
        fresh = [each for each in recent if each not in self._told]
        if fresh:
            self._tell(await alerts.by_ids(self._db, fresh))
        self._told = set(recent)
        if await alerts.announce(self._db, self._rules.kinds, self._rules.mail_to, now):
            self._queued.set()

    async def _look_for_a_wave(self, now: datetime) -> None:
        rules = self._rules
        if not rules.opt_outs:
            return
        since = rules.since(now)
        opted_out = await alerts.opt_outs(self._db, since)
        if len(opted_out) < rules.opt_outs:
            return
        found = wave(opted_out, await alerts.answered(self._db, since, now), rules)
        if found is not None and await alerts.raise_wave(self._db, found, since):
            log.warning("many opt-outs", count=found.count, answered=found.answered)

    async def mail_alerts(self) -> None:
        """Once: whoever waits for alerts gets one mail about all of them."""
        settings = self._settings
        rows = await self._claim(About.ALERT, settings.lease_s, settings.at_once)
        if not rows:
            return
        about = {each.row.id: each for each in await alerts.by_ids(self._db, {row.about_id for row in rows})}
        by_target: dict[str, list[NoticeRow]] = {}
        for row in rows:
            by_target.setdefault(row.target, []).append(row)

        async def to(address: str, own: list[NoticeRow]) -> None:
            told = [about[row.about_id] for row in own if row.about_id in about]
            subject, text = alert_mail(told, self._settings.address)
            await self._note(own, await self._mailer.send(own[0].id, address, subject, text))

        await asyncio.gather(*(to(address, own) for address, own in by_target.items()))

    # Reports -----------------------------------------------------------------------------------

    async def send_reports(self) -> None:
        """Once: what is due is written into the queue, and all that waits there is made and sent."""
        now = self._clock.now()
        due = await schedules.next_due(self._db)
        if due is not None and due <= now:
            await schedules.take_due(self._db, now)
        while rows := await self._claim(About.REPORT, self._settings.report_lease_s, 1):
            await self._note(rows, await self._send_report(rows[0]))
        await self._forget()

    async def _send_report(self, row: NoticeRow) -> Sent:
        schedule = await schedules.by_id(self._db, row.about_id)
        if schedule is None:
            return Sent("the schedule is gone", final=True)
        try:
            made = await self._made(schedule, row.due_at)
        except (Unavailable, DiskFull):
            raise
        except Exception as error:
            # The border of one report: whatever the fault, the others go on, and this is tried again.
            log.exception("report not made", schedule=schedule.name)
            return Sent(f"{type(error).__name__}: {error}")
        if len(made.content) > LARGEST:
            size = f"{len(made.content) / 2**20:.0f} MiB"
            return Sent(words(f"файл слишком велик: {size}", f"the file is too large: {size}"), final=True)
        if row.channel == Channel.WEBHOOK:
            return await self._post(row, schedule, made)
        period = schedule.definition.scope(row.due_at).period
        days = f"{period.first:%d.%m.%Y} – {period.last:%d.%m.%Y}"
        subject = words(f"Отклик: {schedule.name}, {days}", f"Otklik: {schedule.name}, {days}")
        text = words(
            f"Отчёт «{schedule.name}» за {days} ({period.zone}) во вложении.\n\n"
            f"Те же цифры на страницах: {self._settings.address}/results\n"
            "Изменить или отключить рассылку: администратор, «Управление» → «Рассылка отчётов».\n",
            f"The report «{schedule.name}» of {days} ({period.zone}) is attached.\n\n"
            f"The same figures on the pages: {self._settings.address}/results\n"
            "To change or stop it: an administrator, Administration, Scheduled reports.\n",
        )
        return await self._mailer.send(row.id, row.target, subject, text, made)

    async def _made(self, schedule: Schedule, due_at: datetime) -> Attachment:
        definition = schedule.definition
        scope = definition.scope(due_at)
        name = f"otklik-{definition.content}-{scope.period.first}-{scope.period.last}.xlsx"
        kind = Format.XLSX.media_type
        if definition.content is Content.FIGURES:
            found = await report(self._db, scope, due_at, by=definition.by)
            return Attachment(name, kind, await asyncio.to_thread(workbook, found))
        with TemporaryDirectory(prefix="otklik-report-") as folder:
            file = Path(folder) / name
            await export(self._db, scope, Wanted(Format.XLSX, file))
            return Attachment(name, kind, await asyncio.to_thread(file.read_bytes))

    async def _post(self, row: NoticeRow, schedule: Schedule, made: Attachment) -> Sent:
        try:
            endpoint = await self._endpoints.named(row.target)
        except BadInput as error:
            return Sent(error.message, final=True)
        if endpoint.disabled_at is not None:
            return Sent(words("получатель отключён", "the endpoint is disabled"), final=True)
        period = schedule.definition.scope(row.due_at).period
        data: dict[str, Any] = {
            "report": schedule.name,
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "timezone": period.zone,
            "file": made.name,
            "media_type": made.media_type,
            "content_base64": base64.b64encode(made.content).decode(),
        }
        tried = await self._postman.post(endpoint, row.id, as_json(REPORT, row.due_at, data))
        if tried.taken:
            return Sent()
        return Sent(tried.error or f"HTTP {tried.status}", final=tried.gone)

    # The queue ---------------------------------------------------------------------------------

    async def _claim(self, about: About, lease_s: float, limit: int) -> Sequence[NoticeRow]:
        now = self._clock.now()
        if not await notices.waiting(self._db, about, now):
            return ()
        return await notices.claim(self._db, about, now, lease_s=lease_s, limit=limit)

    async def _note(self, rows: Collection[NoticeRow], sent: Sent) -> None:
        tries = max(row.tries for row in rows) + 1
        wait_s = None if sent.final else self._settings.backoff.next_s(tries, self._chance())
        await notices.note(self._db, list(rows), self._clock.now(), sent.error, wait_s)
        if sent.error:
            retry_s = None if wait_s is None else round(wait_s)
            log.warning(
                "notice not taken", notices=len(rows), tries=tries, reason=sent.error, retry_s=retry_s
            )

    async def _forget(self) -> None:
        now = self._clock.monotonic()
        if self._forgot_at is None or now - self._forgot_at >= FORGET_S:
            self._forgot_at = now
            await notices.forget(self._db, self._clock.now())
