"""One person goes from every table and every file; the figures stay, and so does everybody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text, update
from sqlmodel import select

from bot.core.clock import ManualClock
from bot.core.errors import BadInput, NumberBlocked, StoreUnavailable
from bot.privacy.certificate import as_markdown, canonical, certificate
from bot.privacy.erasure import Eraser
from bot.privacy.files import CallFiles
from bot.settings import PROJECT
from bot.store import attempts, consents
from bot.store.attempts import NewCall
from bot.store.contact_writing import Stamp, ToldContact, write_batch
from bot.store.database import Database
from bot.store.every_table import every_table
from bot.store.tables import AnswerRow, Attempt, Contact, DoNotCall, SpoolOffset
from bot.store.tables_cases import CaseRow
from bot.store.tables_privacy import ErasureRow, ErasureState
from bot.store.tables_reports import QuestionPut
from tests.privacy.marked import (
    BOTH,
    EXTERNAL,
    MARKS,
    NAME,
    OTHER,
    OTHER_SENTENCE,
    PHONE,
    SECOND,
    SENTENCE,
    Place,
)
from tests.store.talk import START


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "var")


async def every_cell(db: Database) -> dict[str, str]:
    """By `table.column`: all that the database holds, the full-text index too, as its driver gives it."""

    def read(connection: Any) -> dict[str, str]:
        cells: dict[str, str] = {}
        for table in inspect(connection).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()  # noqa: S608
            for row in rows:
                for column, value in row.items():
                    told = json.dumps(value, ensure_ascii=False, default=str)
                    cells[f"{table}.{column}"] = cells.get(f"{table}.{column}", "") + told + "\n"
        return cells

    async with db.read() as session:
        return await (await session.connection()).run_sync(read)


def found(cells: dict[str, str], mark: str) -> set[str]:
    escaped = json.dumps(mark).strip('"')
    return {where for where, told in cells.items() if mark in told or escaped in told}


def in_files(place: Place, mark: str) -> set[str]:
    forms = {mark.encode(), json.dumps(mark).strip('"').encode(), mark.encode("utf-16-le")}
    return {file.name for file, content in place.contents() if any(form in content for form in forms)}


async def erase(db: Database, place: Place, clock: ManualClock, phone: str = PHONE) -> ErasureRow:
    return await Eraser(db, place.files(), clock).erase(phone, by="irina", reason="заявление № 5")


@BOTH
async def test_a_marked_person_is_gone_from_every_column_and_every_file(
    db: Database, place: Place, clock: ManualClock
) -> None:
    before = await every_cell(db)
    everywhere = {mark: found(before, mark) | in_files(place, mark) for mark in MARKS}
    assert all(everywhere.values()), "each mark stands somewhere, or its absence afterwards says nothing"
    tables = {where.partition(".")[0] for where in set().union(*everywhere.values())}
    assert tables >= {
        "attempts", "call_events", "answers", "transcripts", "contacts", "consents", "do_not_call",
        "do_not_call_removed", "callbacks", "cases", "case_history", "call_notes", "corrections",
        "call_requests", "survey_links", "webhook_tries", "audit_log", "campaign_members",
    }  # fmt: skip
    page = (PROJECT / "docs/privacy.md").read_text(encoding="utf-8")
    stored = {where for places in everywhere.values() for where in places if where.count(".") == 1}
    ours = {where for where in stored if where.partition(".")[0] in {each.name for each in every_table()}}
    assert {where for where in ours if f"`{where}`" not in page} == set(), "docs/privacy.md names each place"
    row = await erase(db, place, clock)
    after = await every_cell(db)
    left = {mark: found(after, mark) | in_files(place, mark) for mark in MARKS}
    assert {mark: places for mark, places in left.items() if places} == {}
    assert row.counts["left"] == {}
    assert not (place.recordings / "call-mine.wav").exists()
    assert not (place.recordings / "call-second.wav").exists()


async def test_the_figures_stay_and_others_lose_nothing(
    db: Database, place: Place, clock: ManualClock
) -> None:
    await erase(db, place, clock)
    cells = await every_cell(db)
    assert found(cells, OTHER_SENTENCE) >= {"answers.heard", "call_events.json"}
    assert found(cells, OTHER_SENTENCE.replace("ё", "е")) >= {"transcripts.text"}
    assert found(cells, OTHER) >= {"attempts.phone", "contacts.phone", "cases.phone"}
    assert (place.recordings / "call-other.wav").exists()
    assert in_files(place, OTHER_SENTENCE) >= {file.name for file in place.spool.iterdir()}
    async with db.read() as session:
        kept = (await session.exec(select(Attempt).where(Attempt.erased == 2))).all()
        answers = (await session.exec(select(AnswerRow).where(AnswerRow.call_id == "call-mine"))).all()
        put = (await session.exec(select(QuestionPut).where(QuestionPut.call_id == "call-mine"))).all()
        [case] = (await session.exec(select(CaseRow).where(CaseRow.call_id == "call-mine"))).all()
    assert [(row.disposition, row.duration_s, row.agent_id) for row in kept] == [
        ("opted_out", 30, "anna")
    ] * 2
    assert len({row.phone for row in kept}) == 1, (
        "his calls are still one person's: who rings again is counted"
    )
    assert {row.question_id: (row.value, row.number) for row in answers} == {
        "nps": ("3", 3.0), "why": (None, None), "flat": (None, None), "when": (None, None),
    }  # fmt: skip
    assert {row.question_id: (row.status, row.number) for row in put} == {
        "nps": ("answered", 3.0), "why": ("answered", None), "flat": ("answered", None),
        "when": ("answered", None),
    }  # fmt: skip
    assert case.status == "closed", "nobody could ring him"


@BOTH
async def test_he_is_never_rung_again_though_nobody_knows_his_number(
    db: Database, place: Place, clock: ManualClock
) -> None:
    await erase(db, place, clock)
    for number in (PHONE, SECOND):
        call = NewCall(to_uri=f"sip:+{number}@trunk", survey_id="nps", survey_hash="hash-1")
        with pytest.raises(NumberBlocked):
            await attempts.queue_call(db, call, clock.now())
    told = ToldContact(phone=PHONE, phone_uri=f"tel:+{PHONE}", first_name=NAME)
    stamp = Stamp("import-2", "again.csv", "oleg", clock.now())
    await write_batch(db, [told], stamp, {"rows": 1, "repeated": 0, "refused": 0})
    async with db.read() as session:
        [again] = (await session.exec(select(Contact).where(Contact.phone == PHONE))).all()
        [listed] = (await session.exec(select(DoNotCall).where(DoNotCall.phone == PHONE))).all()
    assert again.do_not_call_at is not None
    assert listed.source == "erasure"


async def test_that_he_had_consented_stays_provable(db: Database, place: Place, clock: ManualClock) -> None:
    await erase(db, place, clock)
    [given] = await consents.listed(db)
    assert (given.row.kind, given.row.given_at, given.row.source, given.row.by) == (
        "calls", START, "анкета", "oleg",
    )  # fmt: skip
    assert given.row.withdrawn_at == START
    assert given.row.words.startswith("hmac:")
    assert given.row.phone.startswith("hmac:")


@BOTH
async def test_a_dry_run_counts_the_same_and_changes_nothing(
    db: Database, place: Place, clock: ManualClock
) -> None:
    before = await every_cell(db)
    counts = await Eraser(db, place.files(), clock).preview(PHONE)
    assert await every_cell(db) == before
    assert (place.recordings / "call-mine.wav").exists()
    row = await erase(db, place, clock)
    erased = dict(row.counts["erased"])
    assert erased.pop("spooled_events") > 0
    assert {kind: count for kind, count in erased.items() if count} == dict(counts)


async def test_a_second_order_finds_it_done(db: Database, place: Place, clock: ManualClock) -> None:
    first = await erase(db, place, clock)
    clock.advance(60)
    again = await erase(db, place, clock)
    assert certificate(again, "…33") == certificate(first, "…33")
    with pytest.raises(BadInput, match="ничего не хранится"):
        await erase(db, place, clock, "79990001122")


class _DiesOnce(CallFiles):
    """The process is killed when the second call's files are to go."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.recordings, place.spool)
        self.calls = 0

    async def erase(self, *args: Any) -> Any:
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt
        return await super().erase(*args)


@BOTH
async def test_killed_in_the_middle_it_goes_on(
    db: Database, place: Place, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.privacy.erasure.BATCH", 1)
    counted = await Eraser(db, place.files(), clock).preview(PHONE)
    with pytest.raises(KeyboardInterrupt):
        await Eraser(db, _DiesOnce(place), clock).erase(PHONE, by="irina", reason="")
    async with db.read() as session:
        [half] = (await session.exec(select(ErasureRow))).all()
    assert half.state == ErasureState.RUNNING
    row = await erase(db, place, clock)
    assert (row.id, row.state, row.by) == (half.id, ErasureState.DONE, "irina")
    assert {kind: row.counts["erased"][kind] for kind in counted} == dict(counted)
    cells = await every_cell(db)
    left = {mark: found(cells, mark) | in_files(place, mark) for mark in MARKS}
    assert {mark: places for mark, places in left.items() if places} == {}


async def test_not_while_he_is_on_the_line(db: Database, place: Place, clock: ManualClock) -> None:
    async with db.write() as session:
        session.add(
            Attempt(
                id="attempt-now", contact_id=EXTERNAL, survey_id="nps", survey_hash="hash-1",
                direction="outbound", to_uri=f"tel:+{PHONE}", phone=PHONE, status="live", created_at=START,
            )
        )  # fmt: skip
    with pytest.raises(BadInput, match="сейчас говорят"):
        await erase(db, place, clock)


async def test_not_before_the_spool_is_in_the_database(
    db: Database, place: Place, clock: ManualClock
) -> None:
    async with db.write() as session:
        await session.exec(update(SpoolOffset).values(end=100))
    with pytest.raises(StoreUnavailable, match="ещё нет в базе"):
        await erase(db, place, clock)
    assert (place.recordings / "call-mine.wav").exists(), "files go after the spool was looked at"


async def test_the_certificate_says_what_when_and_by_whom(
    db: Database, place: Place, clock: ManualClock
) -> None:
    told = certificate(await erase(db, place, clock), "…33")
    assert (told["by"], told["reason"], told["done_at"]) == ("irina", "заявление № 5", START.isoformat())
    assert told["erased"]["calls"] == 2
    assert told["erased"]["recordings"] == 2
    assert PHONE not in canonical(told).decode()
    page = as_markdown(told)
    assert "| записи разговоров удалены | 2 |" in page
    assert told["sha256"] in page
    assert SENTENCE not in page


def test_the_document_names_every_table() -> None:
    page = (PROJECT / "docs/privacy.md").read_text(encoding="utf-8")
    assert {table.name for table in every_table() if f"`{table.name}" not in page} == set()
