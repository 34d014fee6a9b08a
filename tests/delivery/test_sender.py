"""From a call's events to what a receiver gets: a real receiver on loopback, time that only we move."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import timedelta
from itertools import pairwise

import pytest
import structlog
from aiohttp import web
from sqlmodel import select

from bot.core.clock import ManualClock
from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    CallbackPromised,
    CaseOpened,
    HandoverConnected,
    HandoverFailed,
    HandoverStarted,
    OptedOut,
    SignalRaised,
    SignalWithdrawn,
)
from bot.delivery import queue
from bot.delivery.endpoints import Endpoint, Endpoints
from bot.delivery.posting import Postman
from bot.delivery.sender import Sender
from bot.store import attempts
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.tables_delivery import DeliveryStatus, EventName, WebhookDeliveryRow
from bot.store.writer import Writer
from tests.delivery.conftest import Keep, Received, Receiver
from tests.store.talk import START, Talk

LOW = {"name": "low_score", "rule": "low_score", "words": "двойка"}


@pytest.fixture
async def crm(endpoints: Endpoints, receiver: Receiver) -> Endpoint:
    return await endpoints.add("crm", receiver.url, personal=True, private=True)


def verify(endpoint: Endpoint, got: Received) -> None:
    """As docs/api.md says it, without the library that signs."""
    key = base64.b64decode(endpoint.secret.get_secret_value().removeprefix("whsec_"))
    said = f"{got.id}.{got.headers['webhook-timestamp']}.{got.text}".encode()
    wanted = base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    assert got.headers["webhook-signature"] == f"v1,{wanted}"


async def statuses(db: Database) -> list[tuple[str, str, int]]:
    async with db.read() as session:
        rows = (await session.exec(select(WebhookDeliveryRow))).all()
    return sorted((row.event, row.status, row.tries) for row in rows)


async def test_a_call_is_told_signed_and_once(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, db: Database, clock: ManualClock
) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound", contact_id="crm-17")
    await keep(talk.started, talk.answered(), talk.answer("nps", 9), talk.answer("why", "да", "open"))
    await sender.look()
    assert receiver.got == []
    await keep(talk.ended())
    await sender.look()
    await sender.look()
    [got] = receiver.got
    verify(crm, got)
    assert got.headers["content-type"] == "application/json"
    assert got.id == "call-1-00004_call_completed"
    assert got.headers["webhook-timestamp"] == str(int(clock.now().timestamp()))
    assert got.message == {
        "type": "call.completed",
        "timestamp": "2026-03-01T09:00:04Z",
        "data": {
            "call_id": "call-1",
            "attempt_id": "attempt-1",
            "direction": "inbound",
            "survey": {"id": "nps", "version": "", "hash": "hash-1"},
            "contact_id": "crm-17",
            "phone": "79001234567",
            "agent_id": "agent-7",
            "department": "support",
            "conversation_id": "",
            "request_id": "",
            "disposition": "completed",
            "end_cause": "local_hangup",
            "duration_s": 42.5,
            "answers": [
                {"question": "nps", "kind": "nps", "status": "answered", "value": 9, "heard": "девять"},
                {"question": "why", "kind": "open", "status": "answered", "value": "да", "heard": "девять"},
            ],
            "signals": [],
            "handed_to": "",
            "callback_by": "",
        },
    }  # fmt: skip
    assert await statuses(db) == [("call.completed", "delivered", 1)]
    [logged] = await queue.log(db)
    assert (logged.endpoint, [each.status for each in logged.tries]) == ("crm", [204])


async def test_every_kind_of_event(crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(
        talk.started,
        talk.answer("nps", 2),
        talk.event(SignalRaised, **LOW),
        talk.event(HandoverStarted, target="support", form="bridge", reason="low_score"),
        talk.event(HandoverFailed, target="support", reason="busy"),
        talk.event(HandoverStarted, target="support", form="bridge", reason="low_score"),
        talk.event(HandoverConnected, target="support", agent_id="anna"),
        talk.event(CaseOpened, reason="low_score", owner_id="anna", due_at=START, words="двойка"),
        talk.event(CaseOpened, reason="complaint"),
        talk.event(OptedOut, words="не звоните"),
        talk.ended(Disposition.TRANSFERRED),
    )
    await sender.look()
    told = {got.message["type"]: got.message["data"] for got in receiver.got}
    of_calls = set(EventName) - {EventName.ALERT_OPT_OUT_WAVE}
    assert len(receiver.got) == len({got.id for got in receiver.got}) == len(told) == len(of_calls)
    assert told["alert.low_score"]["answers"] == told["score.low"]["answers"]
    assert told["handover.failed"]["reason"] == "busy"
    assert told["handover.connected"]["handed_to"] == "anna"
    assert told["contact.opted_out"]["words"] == "не звоните"
    assert told["score.low"]["answers"][0]["value"] == 2
    assert (told["score.low"]["words"], told["call.completed"]["handed_to"]) == ("двойка", "anna")
    case = told["case.opened"]
    assert (case["case_id"], case["owner_id"], case["words"]) == ("case-1", "anna", "двойка")
    assert case["due_at"] == "2026-03-01T09:00:00Z"


async def test_a_low_score_that_was_taken_back_is_none(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver
) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    back = {name: LOW[name] for name in ("name", "rule")}
    await keep(
        talk.started, talk.event(SignalRaised, **LOW), talk.event(SignalWithdrawn, **back), talk.ended()
    )
    await sender.look()
    assert sorted(got.message["type"] for got in receiver.got) == ["alert.low_score", "call.completed"]


async def test_without_personal_data_where_it_is_not_wanted(
    endpoints: Endpoints, keep: Keep, sender: Sender, receiver: Receiver
) -> None:
    await endpoints.add("bi", receiver.url, private=True)
    talk = Talk("call-1", "attempt-1", direction="inbound", contact_id="crm-17")
    await keep(
        talk.started,
        talk.answer("nps", 2),
        talk.answer("why", "меня зовут Анна", "open"),
        talk.event(SignalRaised, **LOW),
        talk.event(CaseOpened, reason="low_score", words="двойка"),
        talk.event(CallbackPromised, when="завтра после обеда", by="agent"),
        talk.event(OptedOut, words="не звоните"),
        talk.ended(),
    )
    await sender.look()
    everything = "".join(got.text for got in receiver.got)
    for personal in ("9001234567", "Анна", "двойка", "девять", "после обеда", "не звоните"):
        assert personal not in everything
    assert {got.message["data"]["phone"] for got in receiver.got} == {"…67"}
    assert {got.message["data"]["contact_id"] for got in receiver.got} == {"crm-17"}
    done = next(got for got in receiver.got if got.message["type"] == "call.completed")
    assert [each["value"] for each in done.message["data"]["answers"]] == [2, None]


async def test_only_what_an_endpoint_asked_for(
    endpoints: Endpoints, keep: Keep, sender: Sender, receiver: Receiver
) -> None:
    await endpoints.add("ops", receiver.url, [EventName.CONTACT_OPTED_OUT], private=True)
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.event(OptedOut), talk.ended())
    await sender.look()
    assert [got.message["type"] for got in receiver.got] == ["contact.opted_out"]


async def test_one_that_is_added_later_is_not_told_the_past(
    endpoints: Endpoints, keep: Keep, sender: Sender, receiver: Receiver
) -> None:
    first = Talk("call-1", "attempt-1", direction="inbound")
    await keep(first.started, first.ended())
    await endpoints.add("crm", receiver.url, private=True)
    await sender.look()
    assert receiver.got == []


async def test_back_off_in_virtual_time_until_it_is_given_up(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, clock: ManualClock, db: Database
) -> None:
    receiver.otherwise = 500
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.ended())
    at: list[float] = []
    while (due := await queue.next_due(db)) is not None:
        clock.advance(max(0.0, (due - clock.now()).total_seconds()))
        await sender.look()
        at.append(clock.monotonic())
        assert len(receiver.got) == len(at)
    waited = [round(later - earlier) for earlier, later in pairwise(at)]
    assert waited == [5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600, 21600, 21600]
    assert len({got.id for got in receiver.got}) == 1
    assert len({got.text for got in receiver.got}) == 1
    [logged] = await queue.log(db, status=DeliveryStatus.DEAD)
    assert [each.status for each in logged.tries] == [500] * 12
    for got in receiver.got:
        verify(crm, got)


async def test_the_receiver_says_when_to_come_again(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.answers.append(web.Response(status=503, headers={"Retry-After": "300"}))
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.ended())
    await sender.look()
    clock.advance(290)
    await sender.look()
    assert len(receiver.got) == 1
    clock.advance(20)
    await sender.look()
    assert len(receiver.got) == 2


async def test_gone_disables_the_endpoint_and_sends_no_more(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, clock: ManualClock, db: Database,
    endpoints: Endpoints,
) -> None:  # fmt: skip
    receiver.otherwise = 410
    for n in range(6):
        talk = Talk(f"call-{n}", f"attempt-{n}", direction="inbound")
        await keep(talk.started, talk.ended())
    await sender.look()
    assert len(receiver.got) == 4  # those that were under way together
    [shown] = await endpoints.list()
    assert (shown.disabled_why, shown.disabled_at) == ("410 Gone", clock.now())
    assert {status for _, status, _ in await statuses(db)} == {"dead"}
    later = Talk("call-9", "attempt-9", direction="inbound")
    await keep(later.started, later.ended())
    clock.advance(3600)
    await sender.look()
    assert (len(receiver.got), len(await statuses(db))) == (4, 6)
    receiver.otherwise = 200
    await endpoints.enable("crm")
    assert await queue.resend(db, clock.now(), dead_of=crm) == 6
    await sender.look()
    assert {status for _, status, _ in await statuses(db)} == {"delivered"}


async def test_killed_between_commit_and_send_it_is_sent_after_the_restart(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, clock: ManualClock, db: Database,
    postman: Postman, writer: Writer,
) -> None:  # fmt: skip
    """And killed between sending and writing that down, it is sent again under the same id."""
    sent = asyncio.Event()

    async def hold() -> None:
        sent.set()
        await asyncio.Event().wait()

    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.ended())  # committed; nothing was sent yet
    receiver.held = hold
    dying = asyncio.create_task(sender.run())
    await sent.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    receiver.held = None
    assert await statuses(db) == [("call.completed", "waiting", 0)]
    again = Sender(db, postman, clock, writer.drain_once)
    await again.look()
    assert len(receiver.got) == 1, "another sender may still be at it"
    clock.advance(5)
    await again.look()
    first, second = receiver.got
    assert (first.id, first.text) == (second.id, second.text)
    assert await statuses(db) == [("call.completed", "delivered", 1)]


async def test_a_dead_endpoint_holds_up_nobody_and_uses_up_few_tries(
    endpoints: Endpoints, keep: Keep, sender: Sender, receiver: Receiver, clock: ManualClock, db: Database
) -> None:
    await endpoints.add("dead", "http://127.0.0.1:1/", private=True)
    await endpoints.add("crm", receiver.url, private=True)
    for n in range(10):
        talk = Talk(f"call-{n}", f"attempt-{n}", direction="inbound")
        await keep(talk.started, talk.ended())
    with structlog.testing.capture_logs() as lines:
        await sender.look()
        await sender.look()
    assert len(receiver.got) == 10
    failed = await queue.log(db, endpoint=await endpoints.named("dead"))
    assert sorted(each.row.tries for each in failed) == [0] * 6 + [1] * 4
    assert {line["reason"] for line in lines} == {"connection: Connect call failed ('127.0.0.1', 1)"}


async def test_a_redirect_is_not_followed(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, db: Database, clock: ManualClock
) -> None:
    receiver.answers.append(web.Response(status=307, headers={"Location": receiver.url}))
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.ended())
    await sender.look()
    assert len(receiver.got) == 1
    assert await statuses(db) == [("call.completed", "waiting", 1)]


async def test_a_slow_receiver_is_a_failed_try_and_a_long_answer_is_cut(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, db: Database, clock: ManualClock
) -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    receiver.held = for_ever
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.ended())
    await sender.look()
    receiver.held = None
    receiver.answers.append(web.Response(status=400, text="нет" * 10_000))
    clock.advance(10)
    await sender.look()
    [logged] = await queue.log(db)
    refused, slow = logged.tries
    assert (slow.status, slow.error) == (None, "timeout")
    assert (refused.status, refused.body_head) == (400, "нет" * 100)


async def test_a_call_that_nobody_vouches_for_is_told_as_interrupted_and_its_own_end_after_that(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver, db: Database, clock: ManualClock
) -> None:
    queued = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash-1"), START)
    await attempts.claim_next(db, worker="media-1", now=START)
    talk = Talk("call-1", queued.id)
    await keep(
        talk.started,
        talk.answered(),
        talk.answer("nps", 1),
        talk.event(SignalRaised, **LOW),
        talk.event(HandoverStarted, target="support", form="bridge", reason="low_score"),
    )
    clock.advance(600)
    await attempts.recover_expired(db, clock.now())
    await sender.look()
    told = {got.message["type"]: got.message["data"] for got in receiver.got}
    assert set(told) == {"call.completed", "score.low", "case.opened", "alert.low_score"}
    assert (told["call.completed"]["disposition"], told["case.opened"]["reason"]) == ("interrupted",) * 2
    receiver.got.clear()
    await keep(talk.ended(Disposition.HUNG_UP, EndKind.REMOTE_HANGUP))
    await sender.look()
    assert ("call.completed", "hung_up") in [
        (got.message["type"], got.message["data"].get("disposition")) for got in receiver.got
    ]


async def test_an_attempt_that_never_began_is_told(
    crm: Endpoint, sender: Sender, receiver: Receiver, db: Database, clock: ManualClock
) -> None:
    queued = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash-1"), START)
    await attempts.claim_next(db, worker="media-1", now=START)
    clock.advance(600)
    await attempts.recover_expired(db, clock.now())
    await sender.look()
    [got] = receiver.got
    data = got.message["data"]
    assert (data["attempt_id"], data["disposition"], data["phone"]) == (
        queued.id,
        "interrupted",
        "79001234567",
    )


async def test_an_agents_promise_is_a_case_once(
    crm: Endpoint, keep: Keep, sender: Sender, receiver: Receiver
) -> None:
    for n in (1, 2):
        talk = Talk(f"call-{n}", f"attempt-{n}", direction="inbound")
        await keep(talk.started, talk.event(CallbackPromised, when="завтра", by="agent", owner_id="anna"))
    await sender.look()
    assert [(got.message["type"], got.message["data"]["case_id"]) for got in receiver.got] == [
        ("case.opened", "case-1")
    ]


async def test_old_entries_of_the_log_go(
    crm: Endpoint, keep: Keep, sender: Sender, clock: ManualClock, db: Database
) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.ended())
    await sender.look()
    await queue.forget(db, clock.now() + timedelta(days=29))
    assert len(await queue.log(db)) == 1
    await queue.forget(db, clock.now() + timedelta(days=31))
    assert await queue.log(db) == []
