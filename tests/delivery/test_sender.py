"""How messages get to their receivers, whatever these do: a real one on loopback, time that only we move."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import structlog
from aiohttp import web

from bot.core.clock import ManualClock
from bot.delivery import queue
from bot.delivery.endpoints import Endpoint, Endpoints
from bot.delivery.posting import Postman
from bot.delivery.sender import Sender
from bot.store.database import Database
from bot.store.tables_delivery import DeliveryStatus
from bot.store.writer import Writer
from tests.delivery.conftest import Keep, Receiver, statuses, verify
from tests.store.talk import Talk


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
