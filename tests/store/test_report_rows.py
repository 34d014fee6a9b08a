"""What reports count: projected from events as they come, and filled in for databases from before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, bindparam, text
from sqlmodel import col, select

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.events import CallEvent, PromptStarted, SignalRaised, SignalWithdrawn, call_event
from bot.core.intents import Topic
from bot.store import migrations
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import Attempt, UtcDateTime
from bot.store.tables_reports import QuestionPut, SignalRow
from bot.store.writer import Writer
from tests.store.talk import START, Talk


def _talk() -> list[CallEvent]:
    """nps is said three times and answered twice, resolved is answered before it is said, and at the
    comment he leaves."""
    talk = Talk("call-1", "attempt-1", direction="inbound")

    def prompt(purpose: str, question_id: str = "", attempt: int = 1) -> CallEvent:
        return talk.event(
            PromptStarted, prompt=1, purpose=purpose, text="…", duration_s=1.0,
            question_id=question_id, attempt=attempt,
        )  # fmt: skip

    waiting = {"name": "complaint", "rule": "complaint", "topic": Topic.WAITING}
    rude = {"name": "complaint", "rule": "complaint", "topic": Topic.RUDENESS}
    return [
        talk.started,
        talk.answered(),
        prompt("consent"),
        prompt("question", "nps"),
        prompt("question", "nps", 2),
        prompt("filler"),
        prompt("question", "nps", 3),
        talk.answer("nps", 2),
        talk.answer("nps", 3),
        talk.event(SignalRaised, **waiting),
        talk.event(SignalRaised, **rude),
        talk.event(SignalWithdrawn, **rude),
        talk.event(SignalRaised, name="low_score", rule="low_score"),
        talk.answer("resolved", "no", "yes_no"),
        talk.event(SignalRaised, **waiting),
        prompt("offer"),
        prompt("question", "comment"),
        talk.ended(),
    ]


async def _rows(db: Database) -> tuple[dict[str, Any], dict[tuple[str, str], int], float]:
    async with db.read() as session:
        rows = (await session.exec(select(QuestionPut))).all()
        put = {row.question_id: (row.times, row.kind, row.status, row.number) for row in rows}
        about = {(row.created_at, row.survey_id, row.survey_hash, row.agent_id) for row in rows}
        signals = {(row.name, row.topic): row.standing for row in await session.exec(select(SignalRow))}
        asked_at = (await session.exec(select(col(Attempt.asked_at)))).one()
    assert asked_at is not None
    assert about == {(START, "nps", "hash-1", "agent-7")}
    return put, signals, (asked_at - START).total_seconds()


EXPECTED = (
    {
        "nps": (3, "nps", "answered", 3.0),
        "resolved": (1, "yes_no", "answered", None),
        "comment": (1, "", "", None),
    },
    {("complaint", "waiting"): 2, ("complaint", "rudeness"): 0, ("low_score", ""): 1},
    3.0,
)


async def test_questions_put_and_signals_come_with_their_events(db: Database, tmp_path: Path) -> None:
    async with Spool.open(tmp_path / "spool", "media-1") as spool:
        for event in _talk():
            await spool.commit(event)
    await Writer(db, SpoolReader(tmp_path / "spool"), ManualClock(START)).drain_once()
    assert await _rows(db) == EXPECTED


_EVENT = """
    INSERT INTO call_events (event_id, call_id, seq, at, kind, json, projected)
    VALUES (:id, :call_id, :seq, :at, :kind, :json, :projected)
"""
_ATTEMPT = """
    INSERT INTO attempts (id, survey_id, survey_hash, direction, to_uri, phone, agent_id, department, status,
        worker, call_id, recording, created_at, conversation_id, attribution)
    VALUES ('attempt-1', 'nps', 'hash-1', 'inbound', '', '', 'agent-7', '', 'live',
        '', 'call-1', '', :at, '', '')
"""
_ANSWER = """
    INSERT INTO answers (event_id, call_id, seq, question_id, kind, status, number, confidence, source, heard,
        at, survey_hash)
    VALUES (:id, 'call-1', :seq, :question, :kind, 'answered', :number, 1, 'speech', '', :at, '')
    ON CONFLICT (call_id, question_id) DO UPDATE SET number = excluded.number, seq = excluded.seq
"""


@pytest.fixture
def before() -> Callable[[Connection], None]:
    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")

    return upgrade


async def test_an_older_database_is_filled_from_its_events(
    store_url: str, before: Callable[[Connection], None]
) -> None:
    Path(store_url.partition(":///")[2]).parent.mkdir(exist_ok=True)
    moment = bindparam("at", type_=UtcDateTime())
    async with Database.open(StoreSettings(store_url)) as db:
        async with db.write() as session:
            connection = await session.connection()
            await connection.run_sync(before)
            await connection.execute(text(_ATTEMPT).bindparams(moment), {"at": START})
            for event in _talk():
                row: dict[str, Any] = {
                    "id": event.id,
                    "call_id": event.call_id,
                    "seq": event.seq,
                    "at": event.at,
                }
                told = {"kind": event.kind, "json": call_event.dump_json(event).decode(), "projected": True}
                await connection.execute(text(_EVENT).bindparams(moment), row | told)
                if event.kind == "answer_recorded":
                    number = float(event.answer.value) if isinstance(event.answer.value, int) else None
                    answer = {"id": event.id, "seq": event.seq, "at": event.at, "number": number}
                    about = {"question": event.question_id, "kind": event.question_kind}
                    await connection.execute(text(_ANSWER).bindparams(moment), answer | about)
        await db.upgrade()
        assert await _rows(db) == EXPECTED
