"""Putting right by hand what was recorded of a call: a row beside it, and what reports count.

`answers` and the events keep what was recorded. In one transaction a correction is written down and
`questions_put`, or `signals`, are brought up to it: so every figure counts what is right, and each says how
many of its answers were corrected (`QuestionPut.corrected`, the rule `BY_HAND`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.store.database import Database
from bot.store.projection import insert_into
from bot.store.projection_reports import COPIED, NO_ANSWER
from bot.store.tables import AnswerRow, Attempt, AttemptStatus, Table
from bot.store.tables_corrections import CorrectionRow, Subject
from bot.store.tables_reports import BY_HAND, QuestionPut, SignalRow
from bot.words import words

SET = "set"
"""`CorrectionRow.status` of topics that were chosen by hand."""

LONGEST_NOTE = 1000
COMPLAINT = "complaint"


async def correct(db: Database, row: CorrectionRow, *beside: Table) -> CorrectionRow:
    """Write it down with whatever is to be true with it (`beside`, such as its line of the audit log).
    Raises BadInput for a call that is not known or goes on, for an answer to a question that was not put,
    and for a note that is too long."""
    if len(row.note) > LONGEST_NOTE:
        raise BadInput(
            words(f"пояснение длиннее {LONGEST_NOTE} знаков", f"over {LONGEST_NOTE} letters of why")
        )
    async with db.write() as session:
        attempt = await _ended(session, row.call_id)
        if row.subject == Subject.ANSWER:
            row.was = await _was_answer(session, row)
            await _bring_answer(session, row, attempt, db.dialect)
        else:
            row.was = ",".join(await _topics(session, row.call_id))
            await _bring_topics(session, row)
        session.add(row)
        session.add_all(beside)
    return row


async def corrections(db: Database, call_id: str) -> Sequence[CorrectionRow]:
    """Every one of a call, the oldest first."""
    statement = select(CorrectionRow).where(col(CorrectionRow.call_id) == call_id)
    async with db.read() as session:
        return (await session.exec(statement.order_by(col(CorrectionRow.id)))).all()


def standing(rows: Sequence[CorrectionRow]) -> dict[tuple[str, str], CorrectionRow]:
    """By subject and question: what stands of one call's corrections, given in their order."""
    last = {(row.subject, row.question_id): row for row in rows}
    return {key: row for key, row in last.items() if row.status}


async def of_calls(
    session: AsyncSession, call_ids: Collection[str]
) -> dict[str, dict[tuple[str, str], CorrectionRow]]:
    """What stands, by call; calls without a correction are not there."""
    statement = select(CorrectionRow).where(col(CorrectionRow.call_id).in_(call_ids))
    found: dict[str, list[CorrectionRow]] = {}
    for row in (await session.exec(statement.order_by(col(CorrectionRow.id)))).all():
        found.setdefault(row.call_id, []).append(row)
    return {call_id: stood for call_id, rows in found.items() if (stood := standing(rows))}


async def _ended(session: AsyncSession, call_id: str) -> Attempt:
    statement = select(Attempt).where(col(Attempt.call_id) == call_id).with_for_update()
    attempt = (await session.exec(statement)).first()
    if attempt is None:
        raise BadInput(words(f"звонка {call_id} в базе нет", f"there is no call {call_id}"))
    if attempt.status != AttemptStatus.FINAL:
        raise BadInput(
            words("звонок ещё идёт", "the call goes on"),
            hint=words("поправьте, когда он закончится", "correct it when it is over"),
        )
    return attempt


# Answers --------------------------------------------------------------------------------------------


async def _was_answer(session: AsyncSession, row: CorrectionRow) -> str:
    stood = standing((await session.exec(_earlier(row))).all())
    before = stood.get((row.subject, row.question_id))
    if before is not None:
        return before.value if before.value is not None else before.status
    recorded: AnswerRow | None = (await session.exec(_recorded(row))).first()
    if recorded is None:
        return ""
    return recorded.value if recorded.value is not None else recorded.status


def _earlier(row: CorrectionRow) -> Any:
    same = (col(CorrectionRow.call_id) == row.call_id) & (col(CorrectionRow.subject) == row.subject)
    return select(CorrectionRow).where(same).order_by(col(CorrectionRow.id))


def _recorded(row: CorrectionRow) -> Any:
    return select(AnswerRow).where(
        col(AnswerRow.call_id) == row.call_id, col(AnswerRow.question_id) == row.question_id
    )


async def _bring_answer(session: AsyncSession, row: CorrectionRow, attempt: Attempt, dialect: str) -> None:
    recorded = (await session.exec(_recorded(row))).first()
    put = await session.get(QuestionPut, (row.call_id, row.question_id))
    if put is None and recorded is None:
        raise BadInput(
            words(f"вопрос «{row.question_id}» не задавали", f"«{row.question_id}» was not put in this call")
        )
    values: dict[str, Any]
    if row.status:
        values = {"kind": row.kind, "status": row.status, "number": row.number, "corrected": True}
    elif recorded is not None:
        told = {name: getattr(recorded, name) for name in NO_ANSWER}
        values = {**told, "corrected": False}
    else:
        values = {**NO_ANSWER, "corrected": False}
    if put is None:  # answered in a database from before questions were counted
        assert recorded is not None
        copied = {name: getattr(attempt, name) for name in COPIED}
        own = {"call_id": row.call_id, "question_id": row.question_id, "times": 1, "at": recorded.at}
        await session.exec(insert_into(dialect)(QuestionPut).values(**own, **copied, **{"seq": -1, **values}))
        return
    of_it = (col(QuestionPut.call_id) == row.call_id) & (col(QuestionPut.question_id) == row.question_id)
    await session.exec(update(QuestionPut).where(of_it).values(**values))


# Topics ---------------------------------------------------------------------------------------------


async def _topics(session: AsyncSession, call_id: str) -> list[str]:
    """Those that stand now."""
    statement = select(SignalRow).where(col(SignalRow.call_id) == call_id, col(SignalRow.topic) != "")
    rows = (await session.exec(statement)).all()
    return sorted({each.topic for each in rows if each.standing > 0 and not each.denied})


async def _bring_topics(session: AsyncSession, row: CorrectionRow) -> None:
    """What was noticed and is not chosen is denied; what is chosen and was not noticed is added, as a
    complaint unless what was noticed is none. A complaint whose every topic is denied stays one without."""
    of_call = col(SignalRow.call_id) == row.call_id
    await session.exec(delete(SignalRow).where(of_call, col(SignalRow.rule) == BY_HAND))
    await session.exec(update(SignalRow).where(of_call).values(denied=False))
    if not row.status:
        return
    chosen = set(filter(None, (row.value or "").split(",")))
    statement = select(SignalRow).where(of_call, col(SignalRow.topic) != "", col(SignalRow.standing) > 0)
    noticed = (await session.exec(statement.order_by(col(SignalRow.name)))).all()
    wrong = col(SignalRow.topic).not_in(chosen)
    await session.exec(
        update(SignalRow).where(of_call, col(SignalRow.topic) != "", wrong).values(denied=True)
    )
    names = [each.name for each in noticed]
    name = COMPLAINT if COMPLAINT in names or not names else names[0]
    added = {(name, topic) for topic in chosen - {each.topic for each in noticed}}
    kept = {each.name for each in noticed if each.topic in chosen} | {name for name, _ in added}
    added |= {(each.name, "") for each in noticed if each.name not in kept}
    for of_name, topic in sorted(added):
        session.add(SignalRow(call_id=row.call_id, name=of_name, rule=BY_HAND, topic=topic, standing=1))
