"""The outbox and the calls that were asked for, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.errors import KeyReused
from bot.core.events import (
    CallbackPromised,
    CallEvent,
    CaseOpened,
    HandoverStarted,
    OptedOut,
    SignalRaised,
    SignalWithdrawn,
    TurnHeard,
)
from bot.core.requests import CallRequest
from bot.delivery import queue
from bot.delivery.endpoints import Endpoints
from bot.delivery.queue import Tried
from bot.store import attempts, requests
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.tables_delivery import EventName, WebhookDeliveryRow
from bot.store.writer import Writer
from tests.store.talk import START, Talk

Keep = Callable[..., Awaitable[None]]

LOW: dict[str, Any] = {"name": "low_score", "rule": "low_score"}
NOW = START + timedelta(minutes=1)


@pytest.fixture
def keep(db: Database, tmp_path: Path) -> Keep:
    async def through_the_spool(*events: CallEvent, worker: str = "media-1") -> None:
        async with Spool.open(tmp_path / "spool", worker) as spool:
            for event in events:
                await spool.commit(event)
        await Writer(db, SpoolReader(tmp_path / "spool"), ManualClock(NOW)).drain_once()

    return through_the_spool


@pytest.fixture
def endpoints(db: Database) -> Endpoints:
    return Endpoints(db, ManualClock(START))


async def noted(db: Database) -> list[tuple[str, int]]:
    async with db.read() as session:
        rows = (await session.exec(select(WebhookDeliveryRow))).all()
    return sorted((row.event, row.seq) for row in rows)


async def test_a_message_for_each_that_wants_it_and_once(
    db: Database, keep: Keep, endpoints: Endpoints
) -> None:
    await endpoints.add("crm", "https://crm.example.ru/")
    await endpoints.add("ops", "https://ops.example.ru/", [EventName.CASE_OPENED, EventName.SCORE_LOW])
    await endpoints.add("off", "https://off.example.ru/")
    await endpoints.disable("off", "by hand")
    talk = Talk("call-1", "attempt-1", direction="inbound")
    events = (
        talk.started,
        talk.event(SignalRaised, **LOW),
        talk.event(CaseOpened, reason="low_score"),
        talk.event(CallbackPromised, when="завтра", by="agent"),
        talk.event(OptedOut),
        talk.ended(),
    )
    await keep(*events)
    told = [
        ("alert.low_score", 1),
        ("call.completed", 5),
        *[("case.opened", 2)] * 2,
        ("contact.opted_out", 4),
        *[("score.low", 5)] * 2,
    ]
    assert await noted(db) == told
    await keep(*events, worker="media-2")
    assert await noted(db) == told


async def test_without_an_endpoint_nothing_is_noted(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.event(OptedOut), talk.ended())
    assert await noted(db) == []


async def test_what_was_taken_back_is_told_no_more(db: Database, keep: Keep, endpoints: Endpoints) -> None:
    await endpoints.add("crm", "https://crm.example.ru/", [EventName.SCORE_LOW])
    for n, signals in enumerate(
        (
            (SignalRaised, SignalWithdrawn),
            (SignalRaised, SignalWithdrawn, SignalRaised),
            (SignalRaised,),
            (),
        )
    ):
        talk = Talk(f"call-{n}", f"attempt-{n}", direction="inbound")
        await keep(talk.started, *(talk.event(kind, **LOW) for kind in signals), talk.ended())
    assert await noted(db) == [("score.low", 2), ("score.low", 4)]


async def test_a_caller_who_leaves_while_a_person_is_sought_is_a_case(
    db: Database, keep: Keep, endpoints: Endpoints
) -> None:
    await endpoints.add("crm", "https://crm.example.ru/", [EventName.CASE_OPENED])
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(
        talk.started, talk.event(HandoverStarted, target="a", form="bridge", reason="complaint"), talk.ended()
    )
    assert await noted(db) == [("case.opened", 2)]


async def test_what_the_tables_cannot_take_is_told_all_the_same(
    db: Database, keep: Keep, endpoints: Endpoints
) -> None:
    await endpoints.add("crm", "https://crm.example.ru/", [EventName.CASE_OPENED])
    talk = Talk("call-1", "attempt-1", direction="inbound")
    broken = talk.event(CaseOpened, reason="low_score", words="\0" if db.dialect == "postgresql" else "x")
    await keep(talk.started, broken, talk.event(TurnHeard, question_id="", source="speech"))
    assert await noted(db) == [("case.opened", 1)]


async def test_of_two_senders_one_has_it(db: Database, keep: Keep, endpoints: Endpoints) -> None:
    crm = await endpoints.add("crm", "https://crm.example.ru/", [EventName.CALL_COMPLETED])
    for n in range(6):
        talk = Talk(f"call-{n}", f"attempt-{n}", direction="inbound")
        await keep(talk.started, talk.ended())

    async def claim() -> set[str]:
        rows = await queue.claim(db, crm.id, NOW, lease_s=30, limit=4)
        return {row.id for row in rows}

    one, two = await asyncio.gather(claim(), claim())
    three = await claim()
    assert len(one | two | three) == len(one) + len(two) + len(three) == 6
    assert await claim() == set()
    later = NOW + timedelta(seconds=31)
    again = await queue.claim(db, crm.id, later, lease_s=30, limit=10)
    assert {row.id for row in again} == one | two | three
    await queue.note(db, again[0], Tried(0.2, 204), later, None)
    await queue.note(db, again[1], Tried(0.2, error="timeout"), later, 20.0)
    await queue.note(db, again[2], Tried(0.2, 500), later, None)
    log = {each.row.id: each for each in await queue.log(db, endpoint=crm)}
    assert [log[row.id].row.status for row in again[:3]] == ["delivered", "waiting", "dead"]
    assert await queue.due_endpoints(db, later + timedelta(seconds=19)) == set()
    assert await queue.due_endpoints(db, later + timedelta(seconds=21)) == {crm.id}
    assert await queue.resend(db, later, dead_of=crm) == 1
    assert (await queue.next_due(db)) is not None
    await endpoints.remove("crm")
    assert await noted(db) == []


async def test_an_attempt_that_is_given_up_is_told(db: Database, keep: Keep, endpoints: Endpoints) -> None:
    await endpoints.add("crm", "https://crm.example.ru/")
    first = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash-1"), START)
    await attempts.queue_call(db, NewCall("sip:+79007654321@trunk", "nps", "hash-1"), START)
    for _ in range(2):
        await attempts.claim_next(db, worker="media-1", now=START)
    talk = Talk("call-1", first.id)
    await keep(talk.started, talk.answered(), talk.event(SignalRaised, **LOW))
    for _ in range(2):
        await attempts.recover_expired(db, START + timedelta(hours=1))
    assert await noted(db) == [
        ("alert.low_score", 2),
        ("call.completed", -1),
        ("call.completed", 2),
        ("score.low", 2),
    ]


async def test_a_wish_is_kept_once_and_taken_up_when_it_is_due(db: Database) -> None:
    later = START + timedelta(hours=1)
    call = CallRequest(phone="+79001234567", survey="nps", not_before=later)

    async def ask() -> bool:
        return (await requests.keep(db, "request-1", "crm", call, START))[1]

    assert sorted(await asyncio.gather(ask(), ask(), ask())) == [False, False, True]
    other = call.model_copy(update={"about": "другое"})
    with pytest.raises(KeyReused):
        await requests.keep(db, "request-1", "crm", other, START)
    assert await requests.find(db, "request-1", "somebody") is None
    assert await requests.due(db, START) == []
    [row] = await requests.due(db, later)
    assert CallRequest.model_validate_json(row.json_) == call
    await requests.refuse(db, row.id, later, "number_blocked")
    await requests.refuse(db, row.id, later, "zone_unknown")
    assert await requests.due(db, later) == []
    kept = await requests.find(db, "request-1", "crm")
    assert kept is not None
    assert kept.refused == "number_blocked"
    await requests.forget(db, "request-1")
    assert (await requests.keep(db, "request-1", "crm", other, START))[1]
