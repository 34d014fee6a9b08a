"""Corrections by hand, in both databases: what counts is changed, what was recorded is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.errors import BadInput
from bot.core.events import CallEvent, PromptStarted, SignalRaised
from bot.core.intents import Topic
from bot.store.corrections import SET, correct, corrections, of_calls
from bot.store.database import Database
from bot.store.tables import AnswerRow
from bot.store.tables_corrections import CorrectionRow, Subject
from bot.store.tables_reports import QuestionPut, SignalRow, stands
from bot.store.writer import Writer
from tests.store.talk import START, Talk


async def write(db: Database, folder: Path, events: list[CallEvent]) -> None:
    async with Spool.open(folder, "media-1") as spool:
        for event in events:
            await spool.commit(event)
    await Writer(db, SpoolReader(folder), ManualClock(START)).drain_once()


def answer(question_id: str, status: str, value: str | None = None, **more: Any) -> CorrectionRow:
    number = float(value) if value is not None else None
    about = {"call_id": "call-1", "login": "irina", "at": START, "kind": "nps", **more}
    return CorrectionRow(
        subject=Subject.ANSWER, question_id=question_id, status=status, value=value, number=number, **about
    )


def topics(value: str | None) -> CorrectionRow:
    status = "" if value is None else SET
    about = {"call_id": "call-1", "login": "irina", "at": START}
    return CorrectionRow(subject=Subject.TOPICS, status=status, value=value, **about)


async def counted(db: Database) -> dict[str, tuple[str, float | None, bool]]:
    async with db.read() as session:
        rows = (await session.exec(select(QuestionPut))).all()
        return {row.question_id: (row.status, row.number, row.corrected) for row in rows}


async def noticed(db: Database) -> set[tuple[str, str, str]]:
    async with db.read() as session:
        rows = (await session.exec(select(SignalRow).where(stands()))).all()
        return {(row.name, row.rule, row.topic) for row in rows}


async def test_what_is_put_right_counts_and_comes_back(db: Database, tmp_path: Path) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    waiting = {"name": "complaint", "rule": "words", "topic": Topic.WAITING}
    prompt = {"prompt": 1, "purpose": "question", "text": "…", "duration_s": 1.0, "question_id": "why"}
    events = [
        talk.started, talk.answered(), talk.answer("nps", 2), talk.event(PromptStarted, **prompt),
        talk.event(SignalRaised, **waiting), talk.event(SignalRaised, name="low_score", rule="low"),
    ]  # fmt: skip
    await write(db, tmp_path / "spool", events)
    with pytest.raises(BadInput, match="ещё идёт"):
        await correct(db, answer("nps", "answered", "9"))
    await write(db, tmp_path / "more", [talk.ended()])
    recorded, before = await counted(db), await noticed(db)

    await correct(db, answer("nps", "answered", "9"))
    await correct(db, answer("why", "refused", kind="open"))
    assert await counted(db) == {"nps": ("answered", 9.0, True), "why": ("refused", None, True)}
    # An answer that comes late, from a slower spool, does not undo it.
    await write(db, tmp_path / "late", [talk.answer("nps", 4)])
    assert (await counted(db))["nps"] == ("answered", 9.0, True)
    async with db.read() as session:
        assert (await session.exec(select(AnswerRow.value))).all() == ["4"]
        assert set((await of_calls(session, ["call-1"]))["call-1"]) == {
            ("answer", "nps"), ("answer", "why"),
        }  # fmt: skip
    await correct(db, answer("nps", ""))
    await correct(db, answer("why", ""))
    assert await counted(db) == recorded | {"nps": ("answered", 4.0, False)}
    assert [(row.was, row.value) for row in await corrections(db, "call-1")] == [
        ("2", "9"), ("", None), ("9", None), ("refused", None),
    ]  # fmt: skip

    await correct(db, topics("rudeness,billing"))
    low = ("low_score", "low", "")
    by_hand = {("complaint", "by_hand", topic) for topic in ("rudeness", "billing")}
    assert await noticed(db) == {low, *by_hand}
    await correct(db, topics("waiting"))
    assert await noticed(db) == before
    await correct(db, topics(""))
    assert await noticed(db) == {low, ("complaint", "by_hand", "")}
    await correct(db, topics(None))
    assert await noticed(db) == before

    with pytest.raises(BadInput, match="не задавали"):
        await correct(db, answer("mood", "answered", "1"))
    async with db.write() as session:  # as in a database from before questions were counted
        await session.exec(delete(QuestionPut).where(col(QuestionPut.question_id) == "nps"))
    await correct(db, answer("nps", "answered", "7"))
    assert (await counted(db))["nps"] == ("answered", 7.0, True)


async def test_neither_the_correction_nor_its_line_is_there_alone(db: Database) -> None:
    with pytest.raises(BadInput, match="нет"):
        await correct(db, topics("waiting"), answer("nps", "answered", "9"))
    assert await corrections(db, "call-1") == []
