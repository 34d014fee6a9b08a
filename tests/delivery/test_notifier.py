"""Alerts and reports from what happens to a mailbox: a real SMTP server and a real receiver of webhooks."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from python_calamine import CalamineWorkbook
from sqlmodel import select

from bot.core.clock import ManualClock
from bot.core.events import OptedOut, SignalRaised, SignalWithdrawn
from bot.delivery.endpoints import Endpoints
from bot.delivery.mail import Mailer
from bot.delivery.posting import Postman
from bot.delivery.sender import Sender
from bot.delivery.settings import AlertRules, MailSettings
from bot.notifier import Notifier, NotifierSettings
from bot.reports import schedules
from bot.reports.schedules import Content, Definition
from bot.store import alerts, notices
from bot.store.alerts import Alert
from bot.store.database import Database
from bot.store.tables_delivery import EventName
from bot.store.tables_notices import About, AlertRow, NoticeRow
from bot.store.writer import Writer
from tests.delivery.conftest import Keep, Receiver
from tests.smtp import Mailbox, mailbox
from tests.store.talk import START, Talk

LOW = {"name": "low_score", "rule": "low_score"}
OLGA, BORIS = "olga@example.ru", "boris@example.ru"


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as box:
        yield box


Make = Callable[..., Notifier]


@pytest.fixture
def shown() -> list[Alert]:
    """What the pages of a node were told."""
    return []


@pytest.fixture
def make(
    db: Database, box: Mailbox, postman: Postman, clock: ManualClock, writer: Writer, shown: list[Alert]
) -> Make:
    def notifier(**rules: Any) -> Notifier:
        mail = MailSettings("127.0.0.1", box.port, "none", sender="otklik@example.ru", timeout_s=2)
        return Notifier(
            db,
            Mailer(mail, clock),
            postman,
            clock,
            AlertRules(**{"mail_to": (OLGA,), "opt_outs": 3, "share": 0.0, **rules}),
            NotifierSettings("https://otklik.test"),
            drain=writer.drain_once,
            tell=shown.extend,
            chance=lambda: 0.5,
        )

    return notifier


async def low_score(keep: Keep, number: int, *, back: bool = False) -> None:
    """A call that goes on: its customer said 2, and perhaps took it back."""
    talk = Talk(f"call-{number}", f"attempt-{number}", direction="inbound")
    await keep(
        talk.started, talk.answered(), talk.answer("nps", 2), talk.event(SignalRaised, words="два", **LOW)
    )
    if back:
        await keep(talk.event(SignalWithdrawn, **LOW))


async def opt_outs(keep: Keep, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        remote = f"sip:+7900123456{number}@trunk"
        talk = Talk(f"call-{number}", f"attempt-{number}", direction="inbound", remote=remote)
        await keep(talk.started, talk.answered(), talk.event(OptedOut, words="не звоните"))


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


# Alerts -------------------------------------------------------------------------------------------


async def test_a_low_score_is_told_while_the_call_goes_on_on_pages_by_mail_and_by_webhook(
    make: Make, keep: Keep, box: Mailbox, shown: list[Alert], endpoints: Endpoints, receiver: Receiver,
    sender: Sender,
) -> None:  # fmt: skip
    await endpoints.add("crm", receiver.url, [EventName.ALERT_LOW_SCORE], private=True)
    notifier = make()
    await notifier.watch()
    await low_score(keep, 1)
    for _ in range(2):
        await notifier.watch()
        await notifier.mail_alerts()
        await sender.look()
    assert [(each.row.call_id, each.scores, each.agent_id) for each in shown] == [
        ("call-1", (("nps", 2.0),), "agent-7")
    ]
    [(to, message)] = box.got
    assert (to, message["Subject"]) == (
        OLGA,
        "Отклик: Низкая оценка (nps): nps 2, сотрудник agent-7, support",
    )
    assert "https://otklik.test/calls/call-1" in text_of(message)
    [got] = receiver.got
    assert (got.message["type"], got.message["data"]["call_id"]) == ("alert.low_score", "call-1")
    assert got.id == "call-1_alert_low_score"


async def test_from_the_word_to_the_mail_within_five_seconds(make: Make, keep: Keep, box: Mailbox) -> None:
    """By the clock on the wall, with the loops of a running node."""
    notifier = make()
    running = asyncio.create_task(notifier.run())
    try:
        async with asyncio.timeout(5):
            await low_score(keep, 1)
            notifier.saw(Talk("call-1", "attempt-1").event(SignalRaised, words="", **LOW))
            await box.taken.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_nobody_who_reads_a_mail_learns_who_the_customer_is(
    make: Make, keep: Keep, box: Mailbox
) -> None:
    notifier = make()
    await low_score(keep, 1)
    await notifier.watch()
    await notifier.mail_alerts()
    [(_, message)] = box.got
    for personal in ("9001234567", "два", "двойка", "девять"):
        assert personal not in text_of(message) + message["Subject"]


async def test_many_at_once_are_one_mail(make: Make, keep: Keep, box: Mailbox) -> None:
    notifier = make(mail_to=(OLGA, BORIS))
    for number in range(4):
        await low_score(keep, number)
    await notifier.watch()
    await notifier.mail_alerts()
    assert sorted((to, message["Subject"]) for to, message in box.got) == [
        (BORIS, "Отклик: тревог: 4"),
        (OLGA, "Отклик: тревог: 4"),
    ]
    assert {text_of(message).count("/calls/call-") for _, message in box.got} == {4}


async def test_what_was_taken_back_is_told_to_nobody_and_stays_in_the_list(
    make: Make, keep: Keep, box: Mailbox, shown: list[Alert], db: Database
) -> None:
    notifier = make()
    await notifier.watch()
    await low_score(keep, 1, back=True)
    await notifier.watch()
    await notifier.mail_alerts()
    assert (shown, box.got) == ([], [])
    [alert] = await alerts.alerts(db, AlertRules().kinds)
    assert alert.row.withdrawn_at is not None
    assert await alerts.alerts(db, AlertRules().kinds, opened=True) == []


async def test_a_rule_that_is_switched_off_tells_nothing(
    make: Make, keep: Keep, box: Mailbox, shown: list[Alert]
) -> None:
    notifier = make(low_score=False)
    await notifier.watch()
    await low_score(keep, 1)
    await notifier.watch()
    await notifier.mail_alerts()
    assert (shown, box.got) == ([], [])


async def test_a_wave_is_one_alert_however_many_nodes_look_and_grow_it(
    make: Make, keep: Keep, shown: list[Alert], db: Database, clock: ManualClock, endpoints: Endpoints,
    receiver: Receiver, sender: Sender,
) -> None:  # fmt: skip
    await endpoints.add("crm", receiver.url, [EventName.ALERT_OPT_OUT_WAVE], private=True)
    one, two = make(), make()
    await asyncio.gather(one.watch(), two.watch())
    await opt_outs(keep, 2)
    await one.watch()
    assert shown == []
    await opt_outs(keep, 1, first=2)
    await asyncio.gather(one.watch(), two.watch())
    await opt_outs(keep, 1, first=3)
    await make().watch()  # a node that was started anew
    await asyncio.gather(one.watch(), two.watch())
    assert len(await _rows(db, AlertRow)) == 1
    assert [each.row.details["count"] for each in shown] == [3, 3], "each node's own pages"
    await sender.look()
    [got] = receiver.got
    assert got.message["type"] == "alert.opt_out_wave"
    assert (got.message["data"]["opted_out"], got.message["data"]["answered_calls"]) == (3, 3)
    clock.advance(3601)
    await one.watch()
    assert len(await _rows(db, AlertRow)) == 1, "the wave is over"


async def test_few_of_many_calls_are_no_wave(make: Make, keep: Keep, db: Database) -> None:
    await opt_outs(keep, 3)
    for number in range(3, 8):
        talk = Talk(f"call-{number}", f"attempt-{number}", direction="inbound")
        await keep(talk.started, talk.answered())
    await make(share=0.5).watch()
    assert await _rows(db, AlertRow) == []
    await make(share=0.3).watch()
    assert len(await _rows(db, AlertRow)) == 1


async def test_a_server_that_is_busy_is_asked_again_and_one_that_says_never_is_not(
    make: Make, keep: Keep, box: Mailbox, db: Database, clock: ManualClock
) -> None:
    box.unknown, box.busy = {BORIS}, True
    notifier = make(mail_to=(OLGA, BORIS))
    await low_score(keep, 1)
    await notifier.watch()
    await notifier.mail_alerts()
    log = {row.target: row for row in await notices.log(db, about=About.ALERT)}
    assert (log[BORIS].status, log[BORIS].error) == ("dead", "550 5.1.1 no such user")
    assert (log[OLGA].status, log[OLGA].error) == ("waiting", "451 4.3.0 try again later")
    box.busy = False
    await notifier.mail_alerts()
    assert box.got == []
    clock.advance(15)
    await notifier.mail_alerts()
    assert [to for to, _ in box.got] == [OLGA]


async def test_of_two_who_acknowledge_the_first_is_written_down(make: Make, keep: Keep, db: Database) -> None:
    await low_score(keep, 1)
    [alert] = await alerts.alerts(db, AlertRules().kinds)
    done = [await alerts.acknowledge(db, alert.row.id, who, START) for who in ("olga", "boris")]
    [row] = await _rows(db, AlertRow)
    assert (done, row.acknowledged_by) == ([True, False], "olga")
    assert await alerts.open_count(db, AlertRules().kinds) == 0


async def _rows(db: Database, table: type[Any]) -> list[Any]:
    async with db.read() as session:
        return list((await session.exec(select(table))).all())


# Reports ------------------------------------------------------------------------------------------

MONDAYS = Definition(every="week", weekday=1, at="09:00", zone="Europe/Moscow", mail_to=(OLGA,))
MONDAY = datetime.fromisoformat("2026-03-02T06:00:00+00:00")


async def test_a_report_comes_once_at_its_time_over_restarts_and_nodes(
    make: Make, keep: Keep, box: Mailbox, db: Database, clock: ManualClock
) -> None:
    await schedules.add(db, "Неделя", MONDAYS, "admin", clock.now())
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.answered(), talk.answer("nps", 9), talk.ended())
    clock.advance((MONDAY - clock.now()).total_seconds() - 1)
    one, two = make(), make()
    await asyncio.gather(one.send_reports(), two.send_reports())
    assert box.got == []
    clock.advance(1)
    await asyncio.gather(one.send_reports(), two.send_reports())
    await make().send_reports()
    [(to, message)] = box.got
    assert (to, message["Subject"]) == (OLGA, "Отклик: Неделя, 23.02.2026 – 01.03.2026")
    [file] = message.iter_attachments()
    assert file.get_filename() == "otklik-figures-2026-02-23-2026-03-01.xlsx"
    about = CalamineWorkbook.from_object(BytesIO(file.get_content())).get_sheet_by_index(0).to_python()
    assert ["Звонков", 1.0] in [row[:2] for row in about]
    clock.advance(7 * 86400)
    await one.send_reports()
    assert len(box.got) == 2
    assert [row.due_at for row in await notices.log(db)] == [MONDAY + timedelta(days=7), MONDAY]


async def test_what_was_due_while_no_node_ran_is_made_up_for_a_week(
    make: Make, box: Mailbox, db: Database, clock: ManualClock
) -> None:
    daily = MONDAYS.model_copy(update={"every": "day"})
    await schedules.add(db, "День", daily, "admin", clock.now())
    clock.advance(30 * 86400)
    await make().send_reports()
    periods = sorted(message["Subject"].rpartition(" ")[2] for _, message in box.got)
    assert periods == [f"{day}.03.2026" for day in range(24, 31)]


async def test_a_report_by_webhook_is_signed_tried_again_and_given_up(
    make: Make, db: Database, clock: ManualClock, endpoints: Endpoints, receiver: Receiver
) -> None:
    await endpoints.add("bi", receiver.url, private=True)
    definition = MONDAYS.model_copy(
        update={"mail_to": (), "webhooks": ("bi", "gone"), "content": Content.CALLS}
    )
    await schedules.add(db, "Звонки", definition, "admin", clock.now())
    assert await schedules.send_now(db, "Звонки", clock.now()) == 2
    receiver.answers.append(web.Response(status=500))
    await make().send_reports()
    log = {row.target: row for row in await notices.log(db)}
    assert (log["bi"].status, log["bi"].error, log["gone"].status) == ("waiting", "HTTP 500", "dead")
    clock.advance(15)
    await make().send_reports()
    first, second = receiver.got
    data = second.message["data"]
    assert (first.id, first.message["data"]["file"]) == (second.id, data["file"])
    assert (second.message["type"], data["report"], data["first"]) == ("report.ready", "Звонки", "2026-02-16")
    sheets = CalamineWorkbook.from_object(BytesIO(base64.b64decode(data["content_base64"]))).sheet_names
    assert sheets[0] == "Звонки"
    assert {row.target: row.status for row in await notices.log(db)} == {"bi": "delivered", "gone": "dead"}


async def test_a_report_that_is_switched_off_or_removed_is_not_sent(
    make: Make, box: Mailbox, db: Database, clock: ManualClock
) -> None:
    for name in ("off", "gone"):
        await schedules.add(db, name, MONDAYS, "admin", clock.now())
    await schedules.switch(db, "off", clock.now(), on=False)
    await schedules.send_now(db, "gone", clock.now())
    await schedules.remove(db, "gone")
    clock.advance(8 * 86400)
    await make().send_reports()
    assert (box.got, await _rows(db, NoticeRow)) == ([], [])
    await schedules.switch(db, "off", clock.now(), on=True)
    assert (await schedules.named(db, "off")).next_at == MONDAY + timedelta(days=14)
