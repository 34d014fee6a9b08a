"""Calls without their words, or without their people, in every table that knows of them.

Within one transaction of the caller's. What reports count is left: ends, durations, scores, choices, topics,
who of the staff had the call. Doing it twice is doing it once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.events import call_event
from bot.privacy.events import FIGURES, without
from bot.store.account_tables import SurveyLinkRow
from bot.store.projection_cases import STILL_OPEN
from bot.store.tables import AnswerRow, Attempt, CallbackRow, CallbackStatus, CallEventRow, Handover
from bot.store.tables_cases import CaseHistoryRow, CaseRow, CaseStatus
from bot.store.tables_corrections import CorrectionRow
from bot.store.tables_delivery import WebhookDeliveryRow, WebhookTryRow
from bot.store.tables_notes import CallNoteRow
from bot.store.tables_privacy import Erased
from bot.store.tables_reports import QuestionPut
from bot.store.tables_transcripts import Transcript

Counts = Counter[str]
"""Rows by what they are, as certificates name them."""


async def redact(
    session: AsyncSession,
    attempts: Sequence[Attempt],
    level: Erased,
    alias: Mapping[str, str],
    now: datetime,
) -> Counts:
    """Bring these attempts to `level`. At `PERSON` the phone of each gives way to its `alias`, and what is
    still owed to him is over: nobody could be rung."""
    counts: Counts = Counter()
    calls = [attempt.call_id for attempt in attempts if attempt.call_id]
    if calls:
        await _words(session, calls, counts)
        await _events(session, calls, level, counts)
        if level is Erased.PERSON:
            await _people(session, attempts, alias, counts)
            await _owed_no_more(session, calls, now)
    for attempt in attempts:
        counts["calls"] += attempt.erased < level
        attempt.erased = max(attempt.erased, level)
        if level is Erased.PERSON:
            _nobody(attempt, alias[attempt.phone])
        session.add(attempt)
    await session.flush()
    return counts


def _nobody(attempt: Attempt, alias: str) -> None:
    attempt.contact_id = alias if attempt.contact_id else None
    attempt.phone, attempt.to_uri = alias, ""
    attempt.conversation_id, attempt.request_id = "", ""
    attempt.recording = ""


async def _events(session: AsyncSession, calls: Sequence[str], level: Erased, counts: Counts) -> None:
    for row in (await session.exec(select(CallEventRow).where(col(CallEventRow.call_id).in_(calls)))).all():
        event = call_event.validate_json(row.json_)
        changed = without(event, level)
        if changed is not event:
            row.json_ = call_event.dump_json(changed).decode()
            session.add(row)
            counts["events"] += 1


async def _words(session: AsyncSession, calls: Sequence[str], counts: Counts) -> None:
    """What was said and what was written about it. Answers keep their values."""
    gone = await session.exec(delete(Transcript).where(col(Transcript.call_id).in_(calls)))
    counts["transcripts"] += gone.rowcount
    await _blank(session, AnswerRow, calls, counts, "answers", heard="")
    await _blank(session, CorrectionRow, calls, counts, "corrections", note="")
    await _blank(session, CallNoteRow, calls, counts, "notes", text="")
    await _blank(session, CallbackRow, calls, counts, "callbacks", when_said="")
    cases = select(CaseRow.id).where(col(CaseRow.call_id).in_(calls))
    await _blank(session, CaseHistoryRow, cases, counts, "case_history", by="case_id", text="")
    await _blank(session, CaseRow, calls, counts, "cases", words="", outcome="")
    sent = select(WebhookDeliveryRow.id).where(col(WebhookDeliveryRow.call_id).in_(calls))
    await _blank(session, WebhookTryRow, sent, counts, "deliveries", by="delivery_id", body_head="")


async def _people(
    session: AsyncSession, attempts: Sequence[Attempt], alias: Mapping[str, str], counts: Counts
) -> None:
    """Who it was, and what only he could have said."""
    calls = [attempt.call_id for attempt in attempts if attempt.call_id]
    own = col(AnswerRow.call_id).in_(calls) & col(AnswerRow.kind).not_in(FIGURES)
    answered = await session.exec(update(AnswerRow).where(own).values(value=None, number=None))
    counts["free_answers"] += answered.rowcount
    put = col(QuestionPut.call_id).in_(calls) & col(QuestionPut.kind).not_in((*FIGURES, ""))
    await session.exec(update(QuestionPut).where(put).values(number=None))
    corrected = col(CorrectionRow.call_id).in_(calls) & (col(CorrectionRow.subject) == "answer")
    free = corrected & col(CorrectionRow.kind).not_in(FIGURES)
    await session.exec(update(CorrectionRow).where(free).values(value=None, number=None, was=""))
    for attempt in attempts:
        if attempt.call_id:
            known, his = alias[attempt.phone], attempt.call_id
            of_call = (col(CallbackRow.call_id) == his) & (col(CallbackRow.phone) != "")
            await session.exec(update(CallbackRow).where(of_call).values(phone=known))
            person = known if attempt.contact_id else None
            case = update(CaseRow).where(col(CaseRow.call_id) == his)
            await session.exec(case.values(phone=known, contact_id=person))
    await _blank(
        session, SurveyLinkRow, calls, counts, "survey_links", contact_id="", first_name="", phone=""
    )
    await _blank(session, Handover, calls, counts, "handovers", failure="")


async def _owed_no_more(session: AsyncSession, calls: Sequence[str], now: datetime) -> None:
    await session.exec(
        update(CallbackRow)
        .where(col(CallbackRow.call_id).in_(calls), col(CallbackRow.status) == CallbackStatus.OPEN)
        .values(status=CallbackStatus.WITHDRAWN)
    )
    await session.exec(
        update(CaseRow)
        .where(col(CaseRow.call_id).in_(calls), col(CaseRow.status).in_(STILL_OPEN))
        .values(status=CaseStatus.CLOSED, closed_at=now)
    )


async def _blank(
    session: AsyncSession,
    table: Any,
    ids: Any,
    counts: Counts,
    kind: str,
    *,
    by: str = "call_id",
    **values: str,
) -> None:
    """Those rows in which there is something to blank. Theirs are the `ids` (a list or a select) in `by`."""
    full = or_(*(col(getattr(table, name)) != value for name, value in values.items()))
    of_them = col(getattr(table, by)).in_(ids)
    done = await session.exec(update(table).where(of_them, full).values(**values))
    counts[kind] += done.rowcount
