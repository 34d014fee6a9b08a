"""Finding calls by what was said in them: the same calls in both databases, old and new ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, bindparam, text

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.context import TurnSource
from bot.core.errors import BadInput
from bot.core.events import CallEvent, TalkHeard, TurnHeard, call_event
from bot.store import migrations
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import UtcDateTime
from bot.store.transcripts import calls_saying, excerpt, few_calls, folded, question
from bot.store.writer import Writer
from tests.store.talk import START, Talk

SAID = {
    "call-rude": ["оператор [unk] мне нагрубила", "я ждала ещё полчаса"],
    "call-slow": ["очень долго ждал на линии", "не решили вопрос"],
    "call-fine": ["решили всё быстро", "спасибо"],
    "call-mute": ["", "[unk]"],
}
"""The last turn of each is said to the agent."""

FOUND = {
    "грубить": set(),  # «нагрубила» is another word
    "нагрубить": {"call-rude"},
    "ждать": {"call-rude", "call-slow"},
    "ЕЩЁ": {"call-rude"},
    "еще": {"call-rude"},
    "вопросы ждать": {"call-slow"},
    '"не решили"': {"call-slow"},
    "«решили не»": set(),
    "решить": {"call-slow", "call-fine"},
    "реш*": {"call-slow", "call-fine"},
    "unk": set(),
    "ждать OR спасибо": set(),
    "' ) | ( \" * :": None,
    "": None,
}


def _talk(call_id: str, said: list[str]) -> list[CallEvent]:
    talk = Talk(call_id, f"attempt-{call_id}", direction="inbound")
    *turns, last = said
    heard = [talk.event(TurnHeard, question_id="nps", source=TurnSource.SPEECH, text=turn) for turn in turns]
    joined = talk.event(TalkHeard, side="caller", text=last, started_s=1.0, ended_s=2.0)
    return [talk.started, *heard, joined, talk.ended()]


async def _check(db: Database) -> None:
    async with db.read() as session:
        for written, calls in FOUND.items():
            asked = question(written)
            if calls is None:
                assert asked is None
                continue
            assert asked is not None
            assert set((await session.exec(calls_saying(asked, db.dialect))).all()) == calls, written
            assert set(await few_calls(session, asked, db.dialect) or ()) == calls, written


async def test_what_is_said_is_found_at_once(db: Database, tmp_path: Path) -> None:
    async with Spool.open(tmp_path / "spool", "media-1") as spool:
        for call_id, said in SAID.items():
            for event in _talk(call_id, said):
                await spool.commit(event)
    await Writer(db, SpoolReader(tmp_path / "spool"), ManualClock(START)).drain_once()
    await _check(db)


_EVENT = """
    INSERT INTO call_events (event_id, call_id, seq, at, kind, json, projected)
    VALUES (:id, :call_id, :seq, :at, :kind, :json, :projected)
"""


async def test_what_was_said_before_is_found(store_url: str) -> None:
    """The tables of the step before, filled, and then this one."""

    def before(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")

    Path(store_url.partition(":///")[2]).parent.mkdir(exist_ok=True)
    insert = text(_EVENT).bindparams(bindparam("at", type_=UtcDateTime()))
    async with Database.open(StoreSettings(store_url)) as db:
        async with db.write() as session:
            connection = await session.connection()
            await connection.run_sync(before)
            for call_id, said in SAID.items():
                for event in _talk(call_id, said):
                    row = {"id": event.id, "call_id": event.call_id, "seq": event.seq, "at": event.at}
                    told = {"kind": event.kind, "json": call_event.dump_json(event).decode()}
                    await connection.execute(insert, row | told | {"projected": True})
        await db.upgrade()
        await _check(db)


@pytest.mark.parametrize("written", ["а" * 201, "раз два три четыре пять шесть семь восемь девять"])
def test_a_question_that_is_too_long_is_refused(written: str) -> None:
    with pytest.raises(BadInput):
        question(written)


def test_an_excerpt_shows_the_find_among_its_neighbours() -> None:
    said = folded(" ".join(map(str, range(20))) + " оператор нагрубила мне и ушла пить чай надолго совсем")
    asked = question("нагрубить пить")
    assert asked is not None
    shown = excerpt(said, asked)
    assert [word for word, found in shown if found] == ["нагрубила", "пить"]
    assert (shown[0][0], shown[-1][0]) == ("15", "надолго")
