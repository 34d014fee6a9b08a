"""Alerts, notices and schedules on both databases: each is written, claimed and told once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.core.alerts import AlertKind
from bot.core.events import CallEvent, OptedOut, SignalRaised, SignalWithdrawn
from bot.reports import schedules
from bot.reports.schedules import Definition
from bot.store import alerts, notices
from bot.store.alerts import Wave
from bot.store.database import Database
from bot.store.projection import insert_into, project
from bot.store.tables import CallEventRow
from bot.store.tables_notices import About, Channel
from tests.store.talk import START, Talk

KINDS = tuple(AlertKind)
LOW = {"name": "low_score", "rule": "low_score"}


async def keep(db: Database, *events: CallEvent) -> None:
    """As the writer does it: the event, and what it changes."""
    for event in events:
        async with db.write() as session:
            connection = await session.connection()
            row = {"event_id": event.id, "call_id": event.call_id, "seq": event.seq, "at": event.at}
            text = event.model_dump_json()
            kept = insert_into(db.dialect)(CallEventRow).values(
                **row,
                kind=event.kind,
                json=text,
                projected=True,
            )
            await connection.execute(kept)
            for change in project(event, db.dialect, "media-1"):
                await connection.execute(*change)


async def test_an_alert_follows_what_the_customer_says(db: Database) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(db, talk.started, talk.answered(), talk.answer("nps", 2), talk.event(SignalRaised, **LOW))
    [alert] = await alerts.alerts(db, KINDS, opened=True)
    assert (alert.survey_id, alert.agent_id, alert.scores) == ("nps", "agent-7", (("nps", 2.0),))
    await keep(db, talk.event(SignalWithdrawn, **LOW))
    assert await alerts.open_count(db, KINDS) == 0
    await keep(db, talk.event(SignalRaised, **LOW), talk.event(SignalRaised, **LOW))
    assert await alerts.open_count(db, KINDS) == 1
    await keep(db, talk.event(SignalWithdrawn, **LOW))
    assert await alerts.open_count(db, KINDS) == 1, "one of the two stands"
    assert await alerts.recent(db, KINDS, START) == ["alert-call-1"]
    assert await alerts.alerts(db, KINDS, before=(alert.row.at, alert.row.id)) == []


async def test_of_many_who_announce_one_writes_the_mails(db: Database) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(db, talk.started, talk.event(SignalRaised, **LOW))
    await asyncio.gather(*(alerts.announce(db, KINDS, ("a@x.ru", "b@x.ru"), START) for _ in range(3)))
    assert [row.target for row in await notices.log(db, about=About.ALERT)] == ["a@x.ru", "b@x.ru"]
    one, two = await asyncio.gather(
        *(notices.claim(db, About.ALERT, START, lease_s=60, limit=1) for _ in range(2))
    )
    assert len({row.id for row in (*one, *two)}) == len(one) + len(two)
    rest = await notices.claim(db, About.ALERT, START, lease_s=60, limit=9)
    assert len(one) + len(two) + len(rest) == 2
    assert not await notices.waiting(db, About.ALERT, START)
    assert await notices.waiting(db, About.ALERT, START + timedelta(seconds=61))
    await notices.note(db, [*one, *two, *rest], START, "", None)
    assert {row.status for row in await notices.log(db)} == {"delivered"}
    await notices.forget(db, START + timedelta(days=181))
    assert await notices.log(db) == []


async def test_a_wave_is_raised_once(db: Database) -> None:
    for number in range(3):
        remote = f"sip:+7900123456{number}@trunk"
        talk = Talk(f"call-{number}", f"attempt-{number}", direction="inbound", remote=remote)
        await keep(db, talk.started, talk.answered(), talk.event(OptedOut))
    before = START - timedelta(hours=1)
    found = await alerts.opt_outs(db, before)
    assert [call_id for _, call_id in found] == ["call-0", "call-1", "call-2"]
    assert await alerts.answered(db, before, START + timedelta(minutes=1)) == 3
    wave = Wave("call-2", found[0][0], found[-1][0], 3, 3)
    done = await asyncio.gather(*(alerts.raise_wave(db, wave, before) for _ in range(3)))
    assert sorted(done) == [False, False, True]
    assert not await alerts.raise_wave(db, Wave("call-9", START, START, 4, 4), before)


async def test_what_is_due_is_taken_once(db: Database) -> None:
    definition = Definition(every="day", zone="Europe/Moscow", mail_to=("a@x.ru",), webhooks=("bi",))
    added = await schedules.add(db, "День", definition, "admin", START)
    assert added.next_at is not None
    assert await schedules.next_due(db) == added.next_at
    assert await schedules.take_due(db, added.next_at - timedelta(seconds=1)) == 0
    await asyncio.gather(*(schedules.take_due(db, added.next_at) for _ in range(3)))
    log = await notices.log(db, about=About.REPORT, about_id=added.id)
    assert sorted((row.channel, row.target) for row in log) == [
        (Channel.MAIL, "a@x.ru"),
        (Channel.WEBHOOK, "bi"),
    ]
    assert await schedules.next_due(db) == added.next_at + timedelta(days=1)
    await schedules.remove(db, "День")
    assert await notices.log(db) == []
