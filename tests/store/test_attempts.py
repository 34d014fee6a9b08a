from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.context import Person
from bot.core.endings import Disposition, EndKind
from bot.core.errors import NumberBlocked
from bot.core.events import CallEvent, HandoverConnected, HandoverStarted
from bot.store import attempts, cases, queries
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import Attempt, Contact, DoNotCall
from bot.store.writer import Writer
from tests.store.talk import START, Talk

ANNA = "sip:+79001234567@trunk"
BORIS = "sip:+79007654321@trunk"
LATER = START + timedelta(seconds=121)

Keep = Callable[..., Awaitable[None]]


def to(uri: str, customer: Person | None = None) -> NewCall:
    return NewCall(uri, "nps", "hash-1", customer=customer or Person(), agent_id="agent-7")


@pytest.fixture
def keep(db: Database, tmp_path: Path) -> Keep:
    writer = Writer(db, SpoolReader(tmp_path / "spool"), ManualClock(START))

    async def through_the_spool(*events: CallEvent) -> None:
        async with Spool.open(tmp_path / "spool", "media-1") as spool:
            for event in events:
                await spool.commit(event)
        await writer.drain_once()

    return through_the_spool


async def contacts(db: Database) -> list[Contact]:
    async with db.read() as session:
        return list((await session.exec(select(Contact).order_by(Contact.id))).all())


async def again(db: Database, attempt_id: str) -> Attempt:
    found = await queries.attempt(db, attempt_id)
    assert found is not None
    return found


async def test_a_queued_call_and_its_contact(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA, Person(id="c-1", first_name="Анна")), START)
    assert await again(db, queued.id) == queued
    assert (queued.status, queued.contact_id, queued.phone, queued.to_uri) == (
        "queued", "c-1", "79001234567", ANNA,
    )  # fmt: skip
    [contact] = await contacts(db)
    assert (contact.first_name, contact.phone_uri, contact.created_at) == ("Анна", ANNA, START)


async def test_one_phone_is_one_contact(db: Database) -> None:
    await attempts.queue_call(db, to(ANNA, Person(id="c-1", first_name="Анна")), START)
    await attempts.queue_call(db, to("sip:89001234567@other", Person(last_name="Ким")), START)
    [contact] = await contacts(db)
    assert (contact.id, contact.first_name, contact.last_name) == ("c-1", "Анна", "Ким")
    assert contact.phone_uri == "sip:89001234567@other"


async def test_a_contact_may_have_a_new_phone(db: Database) -> None:
    await attempts.queue_call(db, to(ANNA, Person(id="c-1")), START)
    await attempts.queue_call(db, to(BORIS, Person(id="c-1")), START)
    [contact] = await contacts(db)
    assert (contact.id, contact.phone) == ("c-1", "79007654321")


async def test_a_call_by_hand_leaves_a_contact_the_zone_and_the_language_that_are_his(db: Database) -> None:
    """A campaign would ring him by them: the company's own zone is no guess of his."""
    await attempts.queue_call(db, to(ANNA), START)
    assert [contact.tz for contact in await contacts(db)] == [""], "a mobile number tells none"
    await attempts.queue_call(db, replace(to(ANNA), tz="Asia/Omsk", language="en"), START)
    await attempts.queue_call(db, to(ANNA), START)
    assert [(contact.tz, contact.language) for contact in await contacts(db)] == [("Asia/Omsk", "ru")]
    await attempts.queue_call(db, to("sip:+74232123456@pbx"), START)
    assert {contact.tz for contact in await contacts(db)} == {"Asia/Omsk", "Asia/Vladivostok"}


async def test_a_wish_goes_with_its_person_to_a_new_number(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA, Person(id="c-1")), START)
    async with db.write() as session:
        await session.exec(update(Contact).values(do_not_call_at=START))
    assert await queries.blocked(db, ANNA), "no list has this number"
    assert not await queries.blocked(db, BORIS)
    for wanted in (to(ANNA), to(BORIS, Person(id="c-1"))):
        with pytest.raises(NumberBlocked):
            await attempts.queue_call(db, wanted, START)
    assert await attempts.lease(db, queued.id, worker="worker-0", now=START) is None
    assert (await again(db, queued.id)).disposition == "cancelled"


async def test_who_opted_out_is_not_queued(db: Database) -> None:
    async with db.write() as session:
        session.add(DoNotCall(phone="79001234567", at=START))
    with pytest.raises(NumberBlocked, match="do-not-call") as refused:
        await attempts.queue_call(db, to("sip:8-900-123-45-67@other"), START)
    assert refused.value.hint
    assert await contacts(db) == []
    assert (await queries.outcomes(db)).total == 0


async def test_who_opts_out_while_he_is_queued_is_not_dialled(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA), START)
    other = await attempts.queue_call(db, to(BORIS), START + timedelta(seconds=1))
    async with db.write() as session:
        session.add(DoNotCall(phone="79001234567", at=START))
    claimed = await attempts.claim_next(db, worker="media-1", now=LATER)
    assert claimed is not None
    assert claimed.id == other.id
    refused = await again(db, queued.id)
    assert (refused.status, refused.disposition, refused.ended_at) == ("final", "cancelled", LATER)


async def test_dialling_is_committed_under_a_lease(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA), START)
    claimed = await attempts.lease(db, queued.id, worker="media-1", now=START, lease_s=30)
    assert claimed is not None
    assert await again(db, queued.id) == claimed
    assert (claimed.status, claimed.worker, claimed.dialled_at) == ("dialling", "media-1", START)
    assert claimed.lease_until == START + timedelta(seconds=30)
    assert await attempts.lease(db, queued.id, worker="media-2", now=START) is None
    assert await attempts.claim_next(db, worker="media-2", now=START) is None


async def test_the_oldest_is_dialled_first(db: Database) -> None:
    second = await attempts.queue_call(db, to(ANNA), START + timedelta(seconds=1))
    first = await attempts.queue_call(db, to(BORIS), START)
    claimed = [await attempts.claim_next(db, worker="media-1", now=LATER) for _ in range(3)]
    assert [attempt and attempt.id for attempt in claimed] == [first.id, second.id, None]


async def test_a_contact_on_the_line_is_not_dialled_again(db: Database, keep: Keep) -> None:
    first = await attempts.queue_call(db, to(ANNA), START)
    second = await attempts.queue_call(db, to(ANNA), START)
    assert await attempts.lease(db, first.id, worker="media-1", now=START) is not None
    talk = Talk("call-1", first.id, contact_id=first.contact_id or "")
    assert await attempts.claim_next(db, worker="media-2", now=START) is None
    await keep(talk.started, talk.answered())
    assert await attempts.lease(db, second.id, worker="media-2", now=START) is None
    await keep(talk.ended())
    assert await attempts.lease(db, second.id, worker="media-2", now=START) is not None


async def test_the_database_itself_refuses_a_second_live_invite(db: Database) -> None:
    both = [await attempts.queue_call(db, to(ANNA), START) for _ in range(2)]

    async def force(attempt: Attempt) -> None:
        async with db.write() as session:
            found = await session.get(Attempt, attempt.id)
            assert found is not None
            found.status = "dialling"

    await force(both[0])
    with pytest.raises(IntegrityError):
        await force(both[1])


async def test_the_database_itself_refuses_a_final_attempt_without_a_disposition(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA), START)

    async def force() -> None:
        async with db.write() as session:
            found = await session.get(Attempt, queued.id)
            assert found is not None
            found.status = "final"

    with pytest.raises(IntegrityError):
        await force()


async def test_many_workers_claim_at_once_and_nobody_is_rung_twice(store_url: str) -> None:
    async with (
        Database.open(StoreSettings(store_url)) as first,
        Database.open(StoreSettings(store_url)) as other,
    ):
        await first.upgrade()
        for number in range(12):
            await attempts.queue_call(first, to((ANNA, BORIS, "sip:carl@pbx")[number % 3]), START)

        async def claim(number: int) -> Attempt | None:
            db = (first, other)[number % 2]
            return await attempts.claim_next(db, worker=f"media-{number}", now=START)

        claimed = [attempt for attempt in await asyncio.gather(*map(claim, range(12))) if attempt]
        rung = [attempt.contact_id for attempt in claimed]
        assert len(rung) == len(set(rung))
        while (attempt := await claim(0)) is not None:  # who met a taken contact may come again
            rung.append(attempt.contact_id)
        assert len(rung) == len(set(rung)) == 3
        assert (await queries.outcomes(first)).open == {"dialling": 3, "queued": 9}


async def test_a_queued_attempt_is_taken_back(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA), START)
    assert await attempts.cancel(db, queued.id, LATER)
    assert not await attempts.cancel(db, queued.id, LATER)
    assert await attempts.claim_next(db, worker="media-1", now=LATER) is None
    assert (await queries.outcomes(db)).dispositions == {Disposition.CANCELLED: 1}


async def test_a_worker_that_refuses_an_attempt_rang_nobody(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA), START)
    await attempts.give_up(db, queued.id, LATER)
    assert (await again(db, queued.id)).status == "queued", "nobody had it"
    await attempts.lease(db, queued.id, worker="media-1", now=START)
    await attempts.give_up(db, queued.id, LATER)
    found = await again(db, queued.id)
    assert (found.status, found.disposition, found.ended_at) == ("final", "interrupted", LATER)


async def test_a_lease_that_is_over_means_interrupted(db: Database) -> None:
    queued = await attempts.queue_call(db, to(ANNA), START)
    waiting = await attempts.queue_call(db, to(BORIS), START)
    await attempts.lease(db, queued.id, worker="media-1", now=START)
    assert await attempts.recover_expired(db, LATER - timedelta(seconds=2)) == []
    [found] = await attempts.recover_expired(db, LATER)
    assert await again(db, queued.id) == found
    assert (found.status, found.disposition, found.end_cause, found.ended_at) == (
        "final", "interrupted", None, LATER,
    )  # fmt: skip
    assert found.dialled_at == START, "it counts as rung"
    assert await attempts.recover_expired(db, LATER + timedelta(days=1)) == []
    assert await again(db, queued.id) == found
    assert (await again(db, waiting.id)).status == "queued"
    assert await queries.open_callbacks(db) == [], "nobody was cut off"


async def test_a_call_without_events_lives_while_its_lease_is_renewed(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.answered())
    hour = START + timedelta(hours=1)
    await attempts.renew_leases(db, ["call-1"], hour)
    assert await attempts.recover_expired(db, hour + timedelta(seconds=119)) == []
    assert len(await attempts.recover_expired(db, hour + timedelta(seconds=120))) == 1


async def test_a_dead_workers_calls_are_interrupted_at_once(db: Database, keep: Keep) -> None:
    """Answers stay, and who was cut off is owed a callback."""
    queued = await attempts.queue_call(db, to(ANNA), START)
    elsewhere = await attempts.queue_call(db, to(BORIS), START)
    await attempts.lease(db, queued.id, worker="media-1", now=START)
    await attempts.lease(db, elsewhere.id, worker="media-2", now=START)
    talk = Talk("call-1", queued.id, contact_id=queued.contact_id or "")
    handover = talk.event(HandoverStarted, target="support", form="bridge", reason="complaint")
    await keep(talk.started, talk.answered(), talk.answer("nps", 2), talk.answer("why", "ждал"), handover)
    [found] = await attempts.recover_expired(db, START, dead_workers=["media-1"])
    assert (found.id, found.disposition) == (queued.id, "interrupted")
    [owed] = await queries.open_callbacks(db)
    assert (owed.attempt_id, owed.phone, owed.promised_by, owed.reason) == (
        queued.id, "79001234567", "bot", "interrupted",
    )  # fmt: skip
    call = await queries.call(db, "call-1")
    assert call is not None
    assert [answer.value for answer in call.answers] == ["2", "ждал"]
    assert [(h.outcome, h.failure) for h in call.handovers] == [("failed", "interrupted")]
    assert (await again(db, elsewhere.id)).status == "dialling"


async def test_what_a_dead_worker_had_said_counts_even_where_its_call_was_taken_for_lost(
    db: Database, keep: Keep
) -> None:
    """Another node gave it up, for it does not see the spool: the dead one's own node drains that later."""
    queued = await attempts.queue_call(db, to(ANNA), START)
    await attempts.lease(db, queued.id, worker="media-1", now=START)
    assert len(await attempts.recover_expired(db, LATER)) == 1
    talk = Talk("call-1", queued.id, contact_id=queued.contact_id or "")
    handover = talk.event(HandoverStarted, target="support", form="bridge", reason="complaint")
    await keep(talk.started, talk.answered(), talk.answer("nps", 2), handover)
    assert await attempts.recover_expired(db, LATER, dead_workers=["media-2"]) == []
    assert await queries.open_callbacks(db) == [], "its worker may live"
    back = LATER + timedelta(minutes=1)
    for moment in (back, back + timedelta(minutes=1)):
        twice = (attempts.recover_expired(db, moment, dead_workers=["media-1"]) for _ in range(2))
        assert await asyncio.gather(*twice) == [[], []]
        call = await queries.call(db, "call-1")
        assert call is not None
        assert (call.attempt.disposition, call.attempt.ended_at) == ("interrupted", LATER)
        assert [(each.outcome, each.ended_at) for each in call.handovers] == [("failed", back)]
        assert [(owed.reason, owed.promised_at) for owed in call.callbacks] == [("interrupted", back)]
        assert [(each.row.reason, each.row.callback) for each in await cases.cases(db)] == [
            ("interrupted", True)
        ]
    await keep(talk.ended())
    assert await queries.open_callbacks(db) == []
    assert await cases.cases(db) == []


async def test_a_calls_own_end_replaces_the_guess_once(db: Database, keep: Keep) -> None:
    """The worker was not dead, or its spool was slower: what it tells is true, and stays."""
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.answered())
    assert len(await attempts.recover_expired(db, LATER)) == 1
    await keep(talk.answer("nps", 9), talk.ended(Disposition.COMPLETED))
    call = await queries.call(db, "call-1")
    assert call is not None
    assert (call.attempt.disposition, call.attempt.end_cause) == ("completed", "local_hangup")
    assert [answer.value for answer in call.answers] == ["9"]
    assert [callback.status for callback in call.callbacks] == ["withdrawn"]
    await keep(talk.ended(Disposition.FAILED, EndKind.STACK_DIED))
    assert await attempts.recover_expired(db, LATER + timedelta(days=1)) == []
    assert await queries.call(db, "call-1") == call


async def test_an_interrupted_call_that_says_so_itself_stays_owed(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.answered())
    await attempts.recover_expired(db, LATER)
    await keep(talk.ended(Disposition.INTERRUPTED, EndKind.STACK_DIED))
    assert len(await queries.open_callbacks(db)) == 1


async def test_late_events_wake_no_final_attempt(db: Database, keep: Keep) -> None:
    queued = await attempts.queue_call(db, to(ANNA), START)
    await attempts.lease(db, queued.id, worker="media-1", now=START)
    await attempts.recover_expired(db, LATER)
    talk = Talk("call-1", queued.id, contact_id=queued.contact_id or "")
    handover = talk.event(HandoverStarted, target="support", form="bridge", reason="r")
    await keep(
        talk.started, talk.answered(), talk.answer("nps", 9), handover,
        talk.event(HandoverConnected, target="support"),
    )  # fmt: skip
    found = await again(db, queued.id)
    assert (found.status, found.disposition, found.call_id) == ("final", "interrupted", "call-1")
    assert await attempts.claim_next(db, worker="media-1", now=LATER) is None


async def test_every_attempt_has_one_outcome(db: Database, keep: Keep) -> None:
    for number, disposition in enumerate(Disposition):
        talk = Talk(f"call-{number}", f"attempt-{number}", direction="inbound", remote=f"sip:c{number}@pbx")
        await keep(talk.started, talk.answered(), talk.answer("nps", 9), talk.ended(disposition))
    await attempts.queue_call(db, to(ANNA), START)
    await attempts.queue_call(db, to(BORIS), START)
    await attempts.claim_next(db, worker="media-1", now=START)
    live = Talk("call-live", "attempt-live", direction="inbound", remote="sip:live@pbx")
    await keep(live.started, live.answered())
    outcomes = await queries.outcomes(db)
    assert outcomes.dispositions == dict.fromkeys(Disposition, 1)
    assert outcomes.open == {"queued": 1, "dialling": 1, "live": 1}
    assert outcomes.total == sum(outcomes.dispositions.values()) + sum(outcomes.open.values())
    many = len(Disposition)
    assert await queries.funnel(db) == queries.Funnel(many + 3, many + 2, many + 1, many, 1)
