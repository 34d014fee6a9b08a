"""What is past its time goes, kind by kind, and not a day earlier."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.core.clock import ManualClock
from bot.privacy.retention import Keep, Retention
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import AnswerRow, Attempt, CallEventRow, Contact
from bot.store.tables_cases import CaseRow
from bot.store.tables_transcripts import Transcript
from tests.privacy.marked import OTHER_SENTENCE, PHONE, SENTENCE, Place
from tests.store.talk import START

DAY = timedelta(days=1)
FOREVER = Keep(recordings=0, words=0, answers=0, contacts=0, deliveries=0, audit=0, files=0)


@pytest.fixture
async def aged(var: Path) -> Place:
    """Its cases are closed; its files are as old as its calls."""
    place = Place(var)
    async with (
        Database.open(StoreSettings(f"sqlite+aiosqlite:///{place.var}/otklik.sqlite")) as db,
        db.write() as session,
    ):
        for case in (await session.exec(select(CaseRow))).all():
            case.status = "done"
            session.add(case)
    for file in (*place.recordings.iterdir(), *place.spool.iterdir()):
        os.utime(file, (START.timestamp(), START.timestamp()))
    return place


async def test_each_kind_goes_in_its_time_and_the_figures_stay(aged: Place) -> None:
    keep = Keep(recordings=10, words=20, answers=30, contacts=30, deliveries=5, audit=40, files=15)
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{aged.var}/otklik.sqlite")) as db:

        async def after(days: int, *, dry: bool = False) -> dict[str, int]:
            clock = ManualClock(START + days * DAY)
            return dict(+await Retention(db, aged.files(), keep, clock).run(dry=dry))

        assert await after(4) == {}
        # The request was never taken up and its deliveries wait: only the try and the link are old.
        assert await after(6, dry=True) == {"deliveries": 2} == await after(6)
        assert await after(11, dry=True) == {"recordings": 3}
        assert len(list(aged.recordings.iterdir())) == 3
        assert await after(11) == {"recordings": 3}
        assert list(aged.recordings.iterdir()) == []
        assert await after(16) == {"files": 1}
        assert await after(21, dry=True) == {"words": 3} == await after(21)
        async with db.read() as session:
            told = "".join((await session.exec(select(CallEventRow.json_))).all())
            assert SENTENCE not in told.replace(f'"value":"{SENTENCE}"', "")
            assert PHONE in told, "whose call it is is known yet"
            assert (await session.exec(select(Transcript))).all() == []
            values = (await session.exec(select(AnswerRow.value).where(AnswerRow.kind == "open"))).all()
            assert sorted(map(str, values)) == sorted([SENTENCE, SENTENCE, OTHER_SENTENCE])
        assert await after(31, dry=True) == {"answers": 3, "contacts": 1} == await after(31)
        async with db.read() as session:
            attempts = (await session.exec(select(Attempt))).all()
            assert {row.erased for row in attempts} == {2}
            assert len({row.phone for row in attempts}) == 3, "three numbers are three strangers"
            assert not any(PHONE in row.phone + row.to_uri for row in attempts)
            assert set(
                (await session.exec(select(AnswerRow.value).where(AnswerRow.kind == "nps"))).all()
            ) == {"3"}
            [waits] = (await session.exec(select(Contact))).all()
            assert waits.phone == PHONE, "a campaign is to ring her yet"
        assert await after(41) == {"audit": 2}
        async with db.read() as session:
            assert (await session.exec(select(AuditRow))).all() == []


async def test_an_open_case_keeps_its_words(aged: Place) -> None:
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{aged.var}/otklik.sqlite")) as db:
        async with db.write() as session:
            case = (await session.exec(select(CaseRow).where(CaseRow.call_id == "call-mine"))).one()
            case.status = "open"
            session.add(case)
        clock = ManualClock(START + 400 * DAY)
        counts = await Retention(db, aged.files(), replace(FOREVER, words=30, answers=365), clock).run()
        assert (counts["words"], counts["answers"]) == (2, 2)
        async with db.read() as session:
            kept = (await session.exec(select(CaseRow).where(CaseRow.call_id == "call-mine"))).one()
        assert kept.words == SENTENCE


async def test_what_another_node_erased_goes_from_this_ones_disk(aged: Place) -> None:
    """The other node erased the call in the database; its recording is here."""
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{aged.var}/otklik.sqlite")) as db:
        async with db.write() as session:
            erased = (await session.exec(select(Attempt).where(Attempt.call_id == "call-mine"))).one()
            erased.erased, erased.recording = 2, ""
            session.add(erased)
        counts = await Retention(db, aged.files(), FOREVER, ManualClock(START + DAY)).run()
    assert dict(+counts) == {"recordings": 1}
    assert sorted(file.name for file in aged.recordings.iterdir()) == ["call-other.wav", "call-second.wav"]
