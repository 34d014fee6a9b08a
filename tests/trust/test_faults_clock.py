"""A wall clock that is set while people talk: it is for records, and nothing of a call depends on it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path

from bot.call.session import CallSession
from bot.core.clock import ManualClock
from bot.core.endings import Disposition
from bot.core.events import AnswerRecorded, call_event
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.tables import AttemptStatus
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import Bench
from tests.call.loop_clock import LoopClock
from tests.call.test_session import END, NINE, NPS, prompt_ended, silences
from tests.node.test_dispatch import Link, parts, queued, started, states, until_placed, write_spool

DAY = timedelta(days=1)


class JumpingClock(LoopClock):
    """A day ahead, a day back, and so on, whenever it is read."""

    def __init__(self) -> None:
        self._jumps = cycle((DAY, -DAY, timedelta()))

    def now(self) -> datetime:
        return super().now() + next(self._jumps)


def test_the_clock_jumps_in_a_call() -> None:
    """He hears what he would hear, and his answer is written down in its place."""
    bench = Bench()

    async def talk() -> tuple[Disposition, float]:
        bench.dialogue.replies.extend([(NPS,), (NINE, END)])
        leg = ScriptedLeg()
        room = replace(bench.room(), clock=JumpingClock())
        session = asyncio.create_task(CallSession(bench.plan(), room).inbound(leg))
        await prompt_ended(bench, 1)
        leg.press("9")
        return await session, max(silences(leg))

    disposition, silence_s = run(talk())
    assert disposition is Disposition.COMPLETED
    assert silence_s < 2.0
    assert [event.answer.value for event in bench.sink.of(AnswerRecorded)] == [9]
    seqs = [event.seq for event in bench.sink.events]
    assert seqs == sorted(seqs)


async def test_the_clock_jumps_ahead_of_every_lease(tmp_path: Path) -> None:
    """A call that is up stays so: its lease is renewed before anybody asks whether it is over."""
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        await db.upgrade()
        clock, link = ManualClock(), Link(lines=1)
        dispatcher, writer = parts(db, clock, link, tmp_path)
        attempt = await queued(db, clock, 1)
        await until_placed(dispatcher, link, writer, 1)
        write_spool(tmp_path / "worker-0.1.000001.spool", call_event.dump_json(started(attempt, clock)))
        clock.advance(DAY.total_seconds())
        await dispatcher._vouch(writer)
        assert await states(db, [attempt]) == [AttemptStatus.DIALLING]
