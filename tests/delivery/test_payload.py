"""What receivers are told of calls: a real receiver on loopback, and events as a worker spools them."""

from __future__ import annotations

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
from bot.delivery.sender import Sender
from bot.store import attempts
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.tables_delivery import EventName
from tests.delivery.conftest import Keep, Receiver, statuses, verify
from tests.store.talk import START, Talk

LOW = {"name": "low_score", "rule": "low_score", "words": "двойка"}


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
