"""The journal of calls: which calls are looked for, a page of them, and a sample to listen to.

A page begins where the one before it ended (keyset pagination on `created_at` and `id`), so that it costs the
same at the end of 200,000 calls as at its beginning.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.answer import AnswerStatus
from bot.core.errors import BadInput
from bot.reports.measures import SCORED
from bot.reports.periods import start_of
from bot.reports.slices import MACHINES, select_rows
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.tables import Attempt, AttemptStatus, Contact
from bot.store.tables_reports import QuestionPut, SignalRow, stands
from bot.store.tables_transcripts import Transcript
from bot.store.transcripts import Question, calls_saying, few_calls
from bot.words import words

PAGE = 50
MOST_SAMPLED = 500

_SCORE = re.compile(r"(?:([a-z]+):)?(-?\d{1,3})(?:-(\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """Calls with an answer in codes of this kind from `low` to `high`, both included."""

    kind: str
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.low}-{self.high}"


def score_range(written: str) -> ScoreRange:
    """`nps:0-6`, `csat:2`; a range alone is NPS's. Raises BadInput."""
    found = _SCORE.fullmatch(written.strip().lower())
    kind = (found[1] or "nps") if found else ""
    if not found or kind not in SCORED:
        raise BadInput(
            words(f"оценку «{written}» не разобрать", f"«{written}» is no score"),
            hint="nps:0-6, csat:1-2, ces:5, score:1-3",
        )
    low = int(found[2])
    high = int(found[3]) if found[3] else low
    if high < low:
        raise BadInput(
            words(f"в оценке «{written}» второе число меньше", f"«{written}»: the second is less"),
            hint="nps:0-6",
        )
    return ScoreRange(kind, low, high)


@dataclass(frozen=True, slots=True)
class Journal:
    """The filters; what is empty does not narrow. Days are local ones of `zone`, both included. `longer_s`
    and `shorter_s` are seconds from the beginning of the call to its end."""

    zone: str
    first: date | None = None
    last: date | None = None
    employees: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    surveys: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    score: ScoreRange | None = None
    longer_s: float | None = None
    shorter_s: float | None = None
    phone: str = ""
    asked: Question | None = None
    called: tuple[str, ...] | None = None
    """The calls in which what is `asked` for was said, where they are few (`resolved`)."""

    def of_calls(self, dialect: str) -> list[Any]:
        """The conditions on `Attempt`; an export asks for them as well."""
        zone = ZoneInfo(self.zone)
        narrowed = (
            (Attempt.agent_id, self.employees),
            (Attempt.department, self.departments),
            (Attempt.survey_id, self.surveys),
            (Attempt.campaign_id, self.campaigns),
            (Attempt.disposition, self.dispositions),
        )
        found: list[Any] = [col(Attempt.status) != AttemptStatus.QUEUED]  # no call yet
        found += [col(column).in_(members) for column, members in narrowed if members]
        if self.first is not None:
            found.append(col(Attempt.created_at) >= start_of(self.first, zone))
        if self.last is not None:
            found.append(col(Attempt.created_at) < start_of(self.last + timedelta(days=1), zone))
        if self.longer_s is not None:
            found.append(col(Attempt.duration_s) >= self.longer_s)
        if self.shorter_s is not None:
            found.append(col(Attempt.duration_s) <= self.shorter_s)
        if self.phone:
            found.append(col(Attempt.phone) == phone_key(self.phone))
        if self.topics:
            about = select(col(SignalRow.call_id)).where(stands(), col(SignalRow.topic).in_(self.topics))
            found.append(col(Attempt.call_id).in_(about))
        if self.score is not None:
            found.append(_scored(self.score))
        if self.called is not None:
            found.append(col(Attempt.call_id).in_(self.called))
        elif self.asked is not None:
            found.append(col(Attempt.call_id).in_(calls_saying(self.asked, dialect)))
        return found


async def resolved(session: AsyncSession, journal: Journal, dialect: str) -> Journal:
    """With the words looked up, so that rare ones are found at once."""
    if journal.asked is None:
        return journal
    return replace(journal, called=await few_calls(session, journal.asked, dialect))


async def looked_up(db: Database, journal: Journal) -> Journal:
    """As `resolved`, for whoever has no session: an export."""
    async with db.read() as session:
        return await resolved(session, journal, db.dialect)


def _scored(score: ScoreRange) -> Any:
    return (
        select(col(QuestionPut.call_id))
        .where(
            col(QuestionPut.call_id) == col(Attempt.call_id),
            col(QuestionPut.kind) == score.kind,
            col(QuestionPut.status) == AnswerStatus.ANSWERED,
            col(QuestionPut.number).between(score.low, score.high),
        )
        .exists()
    )


@dataclass(frozen=True, slots=True)
class Code:
    """One answer in codes as it counts; `corrected` says that it was put right by hand."""

    question_id: str
    kind: str
    number: float
    corrected: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One call of the journal. `said` is its text where the journal looks for words, else ""."""

    attempt: Attempt
    contact: Contact | None = None
    codes: tuple[Code, ...] = ()
    topics: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Newest first. `newer` and `older` are the attempts beyond which there are more, "" for none."""

    lines: tuple[Line, ...] = ()
    newer: str = ""
    older: str = ""


async def page(
    db: Database, journal: Journal, *, before: str = "", after: str = "", limit: int = PAGE
) -> JournalPage:
    """The newest, or those before or after an attempt (its id). Raises BadInput for one that is not known."""
    async with db.read() as session:
        where = (await resolved(session, journal, db.dialect)).of_calls(db.dialect)
        found = select(Attempt).where(*where)
        at, id_ = col(Attempt.created_at), col(Attempt.id)
        if after:
            mark = await _mark(session, after)
            later = or_(at > mark, and_(at == mark, id_ > after))
            statement = found.where(at >= mark, later).order_by(at, id_)
        else:
            statement = found.order_by(at.desc(), id_.desc())
            if before:
                mark = await _mark(session, before)
                earlier = or_(at < mark, and_(at == mark, id_ < before))
                statement = statement.where(at <= mark, earlier)
        rows = list((await session.exec(statement.limit(limit + 1))).all())
        more, rows = len(rows) > limit, rows[:limit]
        if after:
            rows.reverse()
        lines = await _lines(session, rows, said=journal.asked is not None)
    newer = rows[0].id if rows and (more if after else bool(before)) else ""
    older = rows[-1].id if rows and (True if after else more) else ""
    return JournalPage(lines, newer, older)


async def _mark(session: AsyncSession, attempt_id: str) -> datetime:
    found = await session.get(Attempt, attempt_id)
    if found is None:
        raise BadInput(
            words("такого места в журнале нет", "there is no such place in the journal"),
            hint=words("откройте журнал заново", "open the journal anew"),
        )
    return found.created_at


async def sample(db: Database, journal: Journal, *, size: int, seed: str) -> JournalPage:
    """So many of the calls that a human took, at random, in the order of time. The same seed picks the same
    calls again, whatever is in the database besides; a call that comes later takes the place of one at most.
    Raises BadInput for a size that is none."""
    if not 1 <= size <= MOST_SAMPLED:
        raise BadInput(
            words(f"в выборке от 1 до {MOST_SAMPLED} звонков", f"a sample has 1 to {MOST_SAMPLED} calls")
        )
    human = col(Attempt.answered_at).is_not(None) & col(Attempt.disposition).not_in(MACHINES)
    async with db.read() as session:
        where = (await resolved(session, journal, db.dialect)).of_calls(db.dialect)
        statement = select(col(Attempt.id)).where(*where, human)
        ids = (await session.exec(statement)).all()
        chosen = await asyncio.to_thread(drawn, ids, size, seed)
        picked = select(Attempt).where(col(Attempt.id).in_(chosen))
        newest_first = picked.order_by(col(Attempt.created_at).desc(), col(Attempt.id).desc())
        rows = (await session.exec(newest_first)).all()
        return JournalPage(await _lines(session, rows, said=journal.asked is not None))


def drawn(ids: Sequence[str], size: int, seed: str) -> list[str]:
    """Those whose hash with the seed is least: every id is as likely as every other. Pure."""
    key = hashlib.sha256(seed.encode()).digest()

    def rank(each: str) -> bytes:
        return hashlib.blake2b(each.encode(), key=key, digest_size=16).digest()

    return heapq.nsmallest(size, ids, key=rank)


@dataclass(slots=True)
class _Around:
    codes: dict[str, list[Code]] = field(default_factory=dict)
    topics: dict[str, set[str]] = field(default_factory=dict)


async def _lines(session: AsyncSession, rows: Sequence[Attempt], *, said: bool) -> tuple[Line, ...]:
    ids = [row.call_id for row in rows if row.call_id]
    wanted = {row.contact_id for row in rows if row.contact_id}
    found = (await session.exec(select(Contact).where(col(Contact.id).in_(wanted)))).all() if wanted else ()
    contacts = {each.id: each for each in found}
    around = await _around(session, ids)
    texts: dict[str, str] = {}
    if said:
        statement = select(col(Transcript.call_id), col(Transcript.text))
        texts = dict((await session.exec(statement.where(col(Transcript.call_id).in_(ids)))).all())
    return tuple(
        Line(
            row,
            contacts.get(row.contact_id or ""),
            tuple(around.codes.get(row.call_id or "", ())),
            tuple(sorted(around.topics.get(row.call_id or "", ()))),
            texts.get(row.call_id or "", ""),
        )
        for row in rows
    )


async def _around(session: AsyncSession, ids: Sequence[str]) -> _Around:
    around = _Around()
    codes = (
        select_rows(
            col(QuestionPut.call_id),
            col(QuestionPut.question_id),
            col(QuestionPut.kind),
            col(QuestionPut.number),
            col(QuestionPut.corrected),
        )
        .where(
            col(QuestionPut.call_id).in_(ids),
            col(QuestionPut.kind).in_(SCORED),
            col(QuestionPut.number).is_not(None),
        )
        .order_by(col(QuestionPut.at), col(QuestionPut.question_id))
    )
    for call_id, *code in (await session.exec(codes)).all():
        around.codes.setdefault(call_id, []).append(Code(*code))
    topics = select(col(SignalRow.call_id), col(SignalRow.topic)).where(
        col(SignalRow.call_id).in_(ids), stands(), col(SignalRow.topic) != ""
    )
    for call_id, topic in (await session.exec(topics)).all():
        around.topics.setdefault(call_id, set()).add(topic)
    return around
