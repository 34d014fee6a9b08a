"""Makes the database that this version leaves behind, for the versions to come to open.

    python -m tests.data.db.make

writes `otklik-VERSION.sqlite` beside this file. Made once for each release and never again: a test
opens every one of them, upgrades it and reads the same calls.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import tomllib
from datetime import timedelta
from pathlib import Path

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.context import Person
from bot.core.endings import Disposition, EndKind
from bot.core.events import CallbackPromised, HandoverConnected, HandoverEnded, HandoverStarted, OptedOut
from bot.store import attempts, queries
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.store.writer import Writer
from tests.store.talk import START, Talk

HERE = Path(__file__).parent
PAGE_BYTES = 1024


async def fill(db: Database, spools: Path) -> None:
    """Four calls, one of each kind, and one that waits in the queue."""
    await queries.publish_survey(
        db, hash_="hash-1", survey_id="nps", version="1", title="Оценка разговора", json="{}", now=START
    )
    anna = Person(id="customer-1", first_name="Анна", last_name="Ким")
    happy = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash-1", anna), START)
    busy = await attempts.queue_call(
        db, NewCall("sip:boris@pbx", "nps", "hash-1"), START + timedelta(minutes=1)
    )
    for _ in range(2):
        await attempts.claim_next(db, worker="media-1", now=START + timedelta(minutes=2))
    await attempts.queue_call(db, NewCall("sip:carl@pbx", "nps", "hash-1"), START + timedelta(minutes=3))

    first = Talk("call-happy", happy.id, contact_id="customer-1")
    second = Talk("call-busy", busy.id, remote="sip:boris@pbx", contact_id=busy.contact_id or "")
    third = Talk("call-unhappy", "attempt-unhappy", direction="inbound", remote="sip:dora@pbx")
    fourth = Talk("call-optout", "attempt-optout", direction="inbound", remote="sip:emil@pbx")
    async with Spool.open(spools, "media-1") as spool:
        for event in (
            first.started,
            first.answered(),
            first.answer("nps", 9),
            first.answer("resolved", "yes", "yes_no"),
            first.answer("comment", "всё хорошо", "open"),
            first.ended(),
            second.started,
            second.ended(Disposition.BUSY, EndKind.BUSY),
            third.started,
            third.answered(),
            third.answer("nps", 2),
            third.event(HandoverStarted, target="support", form="bridge", reason="complaint"),
            third.event(HandoverConnected, target="support"),
            third.event(HandoverEnded, target="support", talk_s=61.0, by="caller"),
            third.event(CallbackPromised, when="завтра", by="agent", reason="complaint"),
            third.ended(Disposition.TRANSFERRED),
            fourth.started,
            fourth.answered(),
            fourth.event(OptedOut, words="не звоните"),
            fourth.ended(Disposition.OPTED_OUT),
        ):
            await spool.commit(event)
    await Writer(db, SpoolReader(spools), ManualClock(START)).drain_once()


async def make(file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{folder}/made.sqlite")) as db:
            await db.upgrade()
            await fill(db, Path(folder) / "spool")
        with sqlite3.connect(f"{folder}/made.sqlite", isolation_level=None) as made:
            made.execute("PRAGMA journal_mode=DELETE")
            made.execute(f"PRAGMA page_size={PAGE_BYTES}")
            made.execute("VACUUM")
            made.execute("VACUUM INTO ?", (str(file),))
        made.close()


def main() -> None:
    project = tomllib.loads((HERE.parents[2] / "pyproject.toml").read_text())["project"]
    asyncio.run(make(HERE / f"otklik-{project['version']}.sqlite"))


if __name__ == "__main__":
    main()
