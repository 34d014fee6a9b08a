from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.core.endings import Disposition
from bot.store import attempts, cases, queries
from bot.store.database import Database
from bot.store.migrations import head
from bot.store.settings import StoreSettings
from tests.data.db import make
from tests.store.talk import START

OLD = sorted(make.HERE.glob("otklik-*.sqlite"))


async def check(db: Database) -> None:
    """The calls of `tests.data.db.make` are all there, and the database is fit for new ones."""
    outcomes = await queries.outcomes(db)
    assert outcomes.total == 5
    assert outcomes.open == {"queued": 1}
    assert outcomes.dispositions == {
        Disposition.COMPLETED: 1,
        Disposition.BUSY: 1,
        Disposition.TRANSFERRED: 1,
        Disposition.OPTED_OUT: 1,
    }
    happy = await queries.call(db, "call-happy")
    assert happy is not None
    assert happy.contact is not None
    assert (happy.contact.id, happy.contact.first_name, happy.attempt.created_at) == (
        "customer-1", "Анна", START,
    )  # fmt: skip
    assert [(a.question_id, a.value, a.number) for a in happy.answers] == [
        ("nps", "9", 9.0), ("resolved", "yes", None), ("comment", "всё хорошо", None),
    ]  # fmt: skip
    assert len(await queries.events(db, "call-happy")) == 6
    unhappy = await queries.call(db, "call-unhappy")
    assert unhappy is not None
    assert [(h.outcome, h.talk_s) for h in unhappy.handovers] == [("ended", 61.0)]
    assert [c.when_said for c in await queries.open_callbacks(db)] == ["завтра"]
    [owed] = await cases.cases(db)
    assert (owed.row.call_id, owed.row.callback, owed.row.phone) == ("call-unhappy", True, "dora@pbx")
    assert [row.id for row in await cases.ownerless(db)] == [owed.row.id]
    assert await queries.blocked(db, "sip:emil@pbx")
    survey = await queries.survey(db, "hash-1")
    assert survey is not None
    assert survey.title == "Оценка разговора"
    assert await attempts.claim_next(db, worker="media-1", now=START) is not None


def test_there_are_old_databases() -> None:
    assert OLD, "make one: python -m tests.data.db.make"


@pytest.mark.parametrize("old", OLD, ids=lambda file: file.stem)
async def test_an_old_database_is_upgraded_and_read(old: Path, tmp_path: Path) -> None:
    shutil.copy(old, tmp_path / "otklik.sqlite")
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        await db.upgrade()
        async with db.read() as session:
            assert await session.scalar(text("SELECT version_num FROM alembic_version")) == head()
        await check(db)


async def test_the_maker_makes_what_this_version_leaves_behind(tmp_path: Path) -> None:
    await make.make(tmp_path / "new.sqlite")
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/new.sqlite")) as db:
        await db.upgrade()
        await check(db)
