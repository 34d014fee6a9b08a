"""What is older than it may be goes, kind by kind, in small transactions that calls need not wait for.

Of a call the recording goes first, then its words, then whose it was: its figures stay in the reports. A case
that is open keeps its words; a contact stays while a campaign is to ring him. Consents and the lists of who
is never rung are proof, and stay until a person is erased.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, update
from sqlmodel import col, select

from bot.core.clock import Clock
from bot.privacy.files import CallFiles
from bot.privacy.redaction import redact
from bot.store.account_tables import AuditRow, SurveyLinkRow
from bot.store.database import Database
from bot.store.projection_cases import STILL_OPEN
from bot.store.tables import Attempt, AttemptStatus, Contact
from bot.store.tables_campaigns import MemberRow
from bot.store.tables_cases import CaseRow
from bot.store.tables_delivery import CallRequestRow, DeliveryStatus, WebhookDeliveryRow, WebhookTryRow
from bot.store.tables_notices import NoticeRow
from bot.store.tables_privacy import Erased

BATCH = 50
"""Calls of one transaction."""
ROWS = 500
"""Rows of one transaction where nothing but they themselves is deleted."""

Counts = Counter[str]


@dataclass(frozen=True, slots=True)
class Keep:
    """In days; 0: for ever."""

    recordings: int
    words: int
    answers: int
    contacts: int
    deliveries: int
    audit: int
    files: int


class Retention:
    """`files` are this node's; the tables are everybody's, and any node may do them."""

    def __init__(self, db: Database, files: CallFiles, keep: Keep, clock: Clock) -> None:
        self._db = db
        self._files = files
        self._keep = keep
        self._clock = clock

    async def run(self, *, dry: bool = False) -> Counts:
        """How much went, by kind; with `dry` how much would. Raises StoreUnavailable, DiskFull: what went
        until then is gone, and the next run goes on."""
        steps: dict[str, Callable[[datetime, bool], Awaitable[int]]] = {
            "recordings": self._recordings,
            "words": self._words,
            "answers": self._answers,
            "contacts": self._contacts,
            "deliveries": self._deliveries,
            "audit": self._audit,
            "files": self._files_aside,
        }
        counts: Counts = Counter()
        for kind, step in steps.items():
            days: int = getattr(self._keep, kind)
            counts[kind] = await step(self._clock.now() - timedelta(days=days), dry) if days else 0
        if not self._keep.recordings:
            counts["recordings"] = await self._files.sweep(self._db, None, dry=dry)
        return counts

    async def _recordings(self, older: datetime, dry: bool) -> int:
        return await self._files.sweep(self._db, older, dry=dry)

    async def _words(self, older: datetime, dry: bool) -> int:
        return await self._calls(older, Erased.WORDS, dry)

    async def _answers(self, older: datetime, dry: bool) -> int:
        return await self._calls(older, Erased.PERSON, dry)

    async def _calls(self, older: datetime, level: Erased, dry: bool) -> int:
        """By a key that is forgotten: who rang again within the same run's calls is still counted as one."""
        key = secrets.token_bytes(32)
        open_matter = select(CaseRow.call_id).where(col(CaseRow.status).in_(STILL_OPEN))
        old = (
            col(Attempt.erased) < level,
            col(Attempt.created_at) < older,
            col(Attempt.status) == AttemptStatus.FINAL,
            or_(col(Attempt.call_id).is_(None), col(Attempt.call_id).not_in(open_matter)),
        )
        if dry:
            return await self._count(Attempt, *old)
        done = 0
        while True:
            async with self._db.write() as session:
                statement = select(Attempt).where(*old).order_by(col(Attempt.created_at)).limit(BATCH)
                found = (await session.exec(statement)).all()
                if not found:
                    return done
                if level is Erased.PERSON:
                    names = [attempt.recording for attempt in found]
                    await asyncio.to_thread(self._files.remove, names)
                alias = {
                    row.phone: f"aged-{hmac.digest(key, row.phone.encode(), 'sha256').hex()[:16]}"
                    for row in found
                }
                await redact(session, found, level, alias, self._clock.now())
                done += len(found)

    async def _contacts(self, older: datetime, dry: bool) -> int:
        lately = select(Attempt.contact_id).where(
            col(Attempt.created_at) >= older, col(Attempt.contact_id).is_not(None)
        )
        to_ring = select(MemberRow.contact_id).where(col(MemberRow.done) == "")
        unhappy = select(CaseRow.contact_id).where(
            col(CaseRow.status).in_(STILL_OPEN), col(CaseRow.contact_id).is_not(None)
        )
        return await self._delete(
            Contact,
            dry,
            func.coalesce(col(Contact.updated_at), col(Contact.created_at)) < older,
            *(col(Contact.id).not_in(others) for others in (lately, to_ring, unhappy)),
        )

    async def _deliveries(self, older: datetime, dry: bool) -> int:
        """With what is like them: tries, mails, calls that were asked for, links that have run out."""
        delivered = (
            col(WebhookDeliveryRow.status) != DeliveryStatus.WAITING,
            col(WebhookDeliveryRow.done_at) < older,
        )
        told = (col(NoticeRow.status) != DeliveryStatus.WAITING, col(NoticeRow.done_at) < older)
        asked = (col(CallRequestRow.taken_up_at) < older,)
        done = await self._delete(WebhookTryRow, dry, col(WebhookTryRow.at) < older)
        for table, conditions in (
            (WebhookDeliveryRow, delivered),
            (NoticeRow, told),
            (CallRequestRow, asked),
        ):
            done += await self._delete(table, dry, *conditions)
        named = or_(col(SurveyLinkRow.phone) != "", col(SurveyLinkRow.first_name) != "")
        over = (col(SurveyLinkRow.expires_at) < older, named)
        if dry:
            return done + await self._count(SurveyLinkRow, *over)
        async with self._db.write() as session:
            blank = update(SurveyLinkRow).where(*over).values(phone="", first_name="", contact_id="")
            return done + int((await session.exec(blank)).rowcount)

    async def _audit(self, older: datetime, dry: bool) -> int:
        return await self._delete(AuditRow, dry, col(AuditRow.at) < older)

    async def _files_aside(self, older: datetime, dry: bool) -> int:
        return await self._files.forget_damaged(older, dry=dry)

    async def _delete(self, table: Any, dry: bool, *conditions: Any) -> int:
        if dry:
            return await self._count(table, *conditions)
        done = 0
        while True:
            some = select(table.id).where(*conditions).limit(ROWS)
            async with self._db.write() as session:
                gone = int((await session.exec(delete(table).where(col(table.id).in_(some)))).rowcount)
            done += gone
            if gone < ROWS:
                return done

    async def _count(self, table: Any, *conditions: Any) -> int:
        async with self._db.read() as session:
            counted = select(func.count()).select_from(table).where(*conditions)
            return int((await session.exec(counted)).one())
