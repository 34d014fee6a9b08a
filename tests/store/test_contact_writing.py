"""Contacts as a company tells of them, consents and do-not-call, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from bot.core.context import Person
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.store import attempts, consents, contacts, do_not_call, imports
from bot.store.attempts import NewCall
from bot.store.consents import NewConsent
from bot.store.contact_facts import standing
from bot.store.contact_writing import Outcome, Stamp, ToldConsent, ToldContact, check_batch, write_batch
from bot.store.database import Database
from bot.store.tables import Attempt, Contact
from bot.store.tables_contacts import ConsentKind, ImportState

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA, BORIS, CARL = "79001234567", "79001234568", "79001234569"
COUNTS = {"rows": 0, "repeated": 0, "refused": 0}


def told(phone: str, **values: object) -> ToldContact:
    return ToldContact(phone, f"tel:+{phone}", **values)  # type: ignore[arg-type]


async def write(db: Database, *batch: ToldContact, keep: bool = False, later: int = 0) -> Outcome:
    stamp = Stamp("import-1", "clients.csv", "ops", START + timedelta(hours=later), keep)
    foreseen = await check_batch(db, batch, stamp)
    done = await write_batch(db, batch, stamp, COUNTS)
    assert foreseen == done
    return done


async def contact(db: Database, phone: str) -> Contact:
    found = await contacts.of_phones(db, [phone])
    assert found is not None
    return found


async def forbidden(db: Database, phone: str) -> tuple[bool, str]:
    async with db.read() as session:
        stands = await standing(session, (await contact(db, phone)).id)
    assert stands is not None
    return stands.do_not_call, stands.source


async def consented(db: Database, phone: str) -> bool:
    async with db.read() as session:
        stands = await standing(session, (await contact(db, phone)).id)
    assert stands is not None
    return stands.consent


async def test_what_is_told_replaces_and_what_is_not_stays(db: Database) -> None:
    first = told(
        ANNA, first_name="Анна", last_name="Ким", external_id="C1", tz="Asia/Omsk", tz_told=True, city="Омск",
        own_fields={"Тариф": "1", "Балл": "5"},
    )  # fmt: skip
    assert await write(db, first, told(BORIS)) == Outcome(added=2)
    assert await write(db, first, told(BORIS)) == Outcome(unchanged=2)
    news = told(ANNA, last_name="Цой", tz="Europe/Moscow", own_fields={"Тариф": "2"})
    assert await write(db, news, later=1) == Outcome(updated=1)
    anna = await contact(db, ANNA)
    assert (anna.id, anna.external_id, anna.first_name, anna.last_name, anna.city) == (
        "C1", "C1", "Анна", "Цой", "Омск",
    )  # fmt: skip
    assert anna.tz == "Asia/Omsk"  # what the number tells replaces nothing that was told
    assert anna.own_fields == '{"Тариф": "2", "Балл": "5"}'
    assert (anna.created_at, anna.updated_at) == (START, START + timedelta(hours=1))
    boris = await contact(db, BORIS)
    assert (boris.tz, boris.language) == ("", "ru")


async def test_known_contacts_may_be_left_alone(db: Database) -> None:
    await write(db, told(ANNA, first_name="Анна"))
    assert await write(db, told(ANNA, first_name="Инна"), told(BORIS), keep=True) == Outcome(
        added=1, unchanged=1
    )
    assert (await contact(db, ANNA)).first_name == "Анна"


async def test_a_contact_takes_his_wish_along_to_a_new_number(db: Database) -> None:
    await write(db, told(ANNA, external_id="C1", extension="5"))
    await do_not_call.add(db, [ANNA], source="hand", words="просила", by="ops", now=START)
    assert await write(db, told(CARL, external_id="C1")) == Outcome(updated=1)
    assert (await contact(db, CARL)).extension == ""
    assert await forbidden(db, CARL) == (True, "contact")
    assert await do_not_call.remove(db, CARL, reason="передумала", by="ops", now=START)
    assert await forbidden(db, CARL) == (False, "")


async def test_two_people_are_not_made_one(db: Database) -> None:
    await write(db, told(ANNA, external_id="C1"), told(BORIS, external_id="C2"), told(CARL))
    done = await write(
        db, told(BORIS, external_id="C1"), told(ANNA, external_id="C9"), told(CARL, external_id="C3")
    )
    assert done.refused == {
        0: "этот телефон записан за клиентом C2, а в строке клиент C1",
        1: "этот телефон записан за клиентом C1, а в строке клиент C9",
    }
    assert done.updated == 1
    assert [(await contact(db, phone)).external_id for phone in (ANNA, BORIS, CARL)] == ["C1", "C2", "C3"]


async def test_a_contact_of_a_call_and_of_a_file_is_one(db: Database) -> None:
    """By the phone that was rung, and by the company's own name for him, which was the call's."""
    call = NewCall("sip:+79001234567@trunk", "nps", "hash", Person(id="C1", first_name="Анна"))
    await attempts.queue_call(db, call, START)
    assert await write(db, told(BORIS, external_id="C1", last_name="Ким")) == Outcome(updated=1)
    anna = await contact(db, BORIS)
    assert (anna.id, anna.first_name, anna.last_name, anna.phone_uri) == (
        "C1",
        "Анна",
        "Ким",
        "tel:+79001234568",
    )
    again = replace(call, to_uri="sip:+79001234569@trunk")
    assert (await attempts.queue_call(db, again, START)).contact_id == "C1"


async def test_an_import_counts_what_is_committed(db: Database) -> None:
    row = await imports.begin(db, file="a.csv", sha256="0", by="ops", now=START)
    stamp = Stamp(row.id, "a.csv", "ops", START)
    await write_batch(db, [told(ANNA)], stamp, {"rows": 3, "repeated": 1, "refused": 1})
    await write_batch(db, [told(ANNA), told(BORIS)], stamp, {"rows": 2, "repeated": 0, "refused": 0})
    await imports.end(db, row.id, ImportState.DONE, START)
    [done] = await imports.imports(db)
    assert (done.rows, done.added, done.unchanged, done.repeated, done.refused, done.state) == (
        5,
        2,
        1,
        1,
        1,
        "done",
    )
    pages = [page async for page in contacts.pages(db, import_id=row.id, no_zone=True)]
    assert [[each.phone for each in page] for page in pages] in ([[ANNA, BORIS]], [[BORIS, ANNA]])


async def test_a_consent_that_was_withdrawn_does_not_come_back_with_its_file(db: Database) -> None:
    row = told(ANNA, consent=ToldConsent(START - timedelta(days=30), "анкета", "согласна"))
    await write(db, row, told(BORIS))
    assert (await consented(db, ANNA), await consented(db, BORIS)) == (True, False)
    anna = (await contact(db, ANNA)).id
    assert await consents.withdraw(db, anna, ConsentKind.CALLS, words="хватит", by="ops", now=START) == 1
    earlier = replace(row, consent=ToldConsent(START - timedelta(days=60), "старая анкета"))
    assert await write(db, row) == Outcome(unchanged=1)
    await write(db, earlier)
    assert not await consented(db, ANNA)
    new = NewConsent(ConsentKind.CALLS, START + timedelta(hours=1), "договор")
    await consents.give(db, anna, new, by="ops", now=START + timedelta(hours=1))
    assert await consented(db, ANNA)
    proof = await consents.listed(db, contact_id=anna)
    assert [(each.row.source, each.row.withdrawn_words) for each in proof] == [
        ("договор", ""), ("анкета", "хватит"), ("старая анкета", ""),
    ]  # fmt: skip


async def test_a_consent_without_proof_is_refused(db: Database) -> None:
    await write(db, told(ANNA, external_id="C1"))
    for contact_id, new, why in (
        ("C9", NewConsent(ConsentKind.CALLS, START, "анкета"), "клиента «C9» нет"),
        ("C1", NewConsent(ConsentKind.CALLS, START, "анкета", call_id="call-9"), "звонка «call-9» нет"),
        ("C1", NewConsent(ConsentKind.CALLS, START + timedelta(days=1), "анкета"), "ещё не наступил"),
    ):
        with pytest.raises(BadInput, match=why):
            await consents.give(db, contact_id, new, by="ops", now=START)
    assert not await consents.listed(db)


async def test_a_number_that_is_forbidden_is_taken_out_of_the_queue(db: Database) -> None:
    attempt = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash"), START)
    await attempts.queue_call(db, NewCall("sip:+79001234568@trunk", "nps", "hash"), START)
    added = await do_not_call.add(db, [ANNA, ANNA, CARL], source="list:rkn", words="", by="ops", now=START)
    assert added == 2
    assert await do_not_call.add(db, [ANNA], source="hand", words="", by="ops", now=START) == 0
    async with db.read() as session:
        stored = (await session.exec(select(Attempt).where(Attempt.id == attempt.id))).one()
    assert (stored.status, stored.disposition) == ("final", Disposition.CANCELLED)
    assert await forbidden(db, ANNA) == (True, "list:rkn")
    assert await forbidden(db, BORIS) == (False, "")
    assert await write(db, told(CARL), replace(told("79001234570"), do_not_call=True)) == Outcome(added=2)
    assert await forbidden(db, CARL) == (True, "list:rkn")
    assert await forbidden(db, "79001234570") == (True, "import:clients.csv")


async def test_what_is_taken_off_stays_in_the_history(db: Database) -> None:
    await do_not_call.add(db, [ANNA, BORIS], source="list:rkn", words="", by="ops", now=START)
    await do_not_call.add(db, [CARL], source="hand", words="просил", by="ops", now=START + timedelta(hours=1))
    assert await do_not_call.remove_list(db, "rkn", reason="не тот файл", by="boss", now=START) == 2
    assert not await do_not_call.remove(db, ANNA, reason="ещё раз", by="boss", now=START)
    assert [proof.row.phone for proof in await do_not_call.listed(db)] == [CARL]
    past = await do_not_call.listed(db, source="list:", removed=True)
    assert [(each.row.phone, each.removed.reason if each.removed else "") for each in past] == [
        (ANNA, "не тот файл"), (BORIS, "не тот файл"),
    ]  # fmt: skip
