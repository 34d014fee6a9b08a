from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, bindparam, text

from bot.core.endings import Disposition
from bot.store import attempts, cases, migrations, queries
from bot.store.database import Database
from bot.store.migrations import head
from bot.store.projection_cases import case_of
from bot.store.settings import StoreSettings
from bot.store.tables import UtcDateTime
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


_OWED = """
    INSERT INTO callbacks (id, call_id, phone, promised_by, when_said, reason, status, promised_at)
    VALUES (:id, :call_id, '79001234567', :by, '', 'complaint', :status, :at)
"""


async def test_what_agents_owed_before_there_were_cases_is_a_case(store_url: str) -> None:
    """On both databases: the first step's tables, filled, and then the second step."""

    def first_step(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    owed = [
        ("call-1", "agent", "open"),
        ("call-1", "agent", "open"),
        ("call-2", "agent", "done"),
        ("call-3", "bot", "open"),
        ("old-4", "agent", "open"),
    ]
    Path(store_url.partition(":///")[2]).parent.mkdir(exist_ok=True)
    async with Database.open(StoreSettings(store_url)) as db:
        async with db.write() as session:
            connection = await session.connection()
            await connection.run_sync(first_step)
            for number, (call_id, by, status) in enumerate(owed):
                row = {"id": str(number), "call_id": call_id, "by": by, "status": status, "at": START}
                await connection.execute(text(_OWED).bindparams(bindparam("at", type_=UtcDateTime())), row)
        await db.upgrade()
        found = await cases.cases(db)
        assert [(case.row.id, case.row.opened_at, case.row.callback) for case in found] == [
            (case_of("call-1"), START, True), (case_of("old-4"), START, True),
        ]  # fmt: skip
        assert len(await cases.ownerless(db)) == 2
        assert {callback.owner_id for callback in await queries.open_callbacks(db)} == {""}


async def test_the_maker_makes_what_this_version_leaves_behind(tmp_path: Path) -> None:
    await make.make(tmp_path / "new.sqlite")
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/new.sqlite")) as db:
        await db.upgrade()
        await check(db)
