from __future__ import annotations

from datetime import timedelta

from bot.store import attempts, queries
from bot.store.attempts import NewCall
from bot.store.database import Database
from tests.store.talk import START


async def publish(db: Database, title: str) -> None:
    await queries.publish_survey(
        db, hash_="hash-1", survey_id="nps", version="3", title=title, json='{"я": 1}', now=START
    )


async def test_a_survey_is_published_once(db: Database) -> None:
    await publish(db, "Оценка")
    await publish(db, "Другое")
    row = await queries.survey(db, "hash-1")
    assert row is not None
    assert (row.id, row.version, row.title, row.json_, row.published_at) == (
        "nps", "3", "Оценка", '{"я": 1}', START,
    )  # fmt: skip
    assert await queries.survey(db, "hash-2") is None


async def test_calls_come_oldest_first_and_the_newest_when_there_are_many(db: Database) -> None:
    made = [
        await attempts.queue_call(db, NewCall(f"sip:c{n}@pbx", "nps", "hash-1"), START + timedelta(minutes=n))
        for n in range(5)
    ]
    ids = [attempt.id for attempt in made]
    assert [call.attempt.id for call in await queries.calls(db)] == ids
    assert [call.attempt.id for call in await queries.calls(db, limit=2)] == ids[3:]
    since = START + timedelta(minutes=3)
    assert [call.attempt.id for call in await queries.calls(db, since=since)] == ids[3:]
    assert [call.attempt.id for call in await queries.calls(db, attempt_ids=ids[1:3])] == ids[1:3]
    assert await queries.calls(db, attempt_ids=[]) == []


async def test_what_is_not_there(db: Database) -> None:
    assert await queries.call(db, "call-1") is None
    assert await queries.events(db, "call-1") == []
    assert await queries.attempt(db, "attempt-1") is None
    assert await queries.funnel(db) == queries.Funnel(0, 0, 0, 0, 0)
