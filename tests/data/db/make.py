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

from bot.accounts.accounts import Accounts
from bot.accounts.audit import Audit
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.accounts.tokens import ApiTokens, Scope
from bot.call.spool import Spool, SpoolReader
from bot.campaigns.loader import load_campaign
from bot.core.attribution import Attribution, Missing, Source
from bot.core.clock import ManualClock
from bot.core.context import Person
from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    CallbackPromised,
    CaseOpened,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverRinging,
    HandoverRouted,
    HandoverStarted,
    OptedOut,
)
from bot.core.intents import Topic
from bot.core.routing import Candidate, PassedOver, Route, RouteStep, Skipped
from bot.delivery.endpoints import Endpoints, EventName
from bot.reports import schedules
from bot.reports.schedules import Definition
from bot.store import (
    agents,
    attempts,
    campaigns,
    cases,
    consents,
    corrections,
    do_not_call,
    drafts,
    notes,
    queries,
)
from bot.store.agents import StaffChange
from bot.store.attempts import NewCall
from bot.store.campaigns import Chosen
from bot.store.consents import NewConsent
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.settings import StoreSettings
from bot.store.tables_agents import AgentRow, DaysOffRow, DepartmentRow
from bot.store.tables_campaigns import CampaignRow
from bot.store.tables_contacts import ConsentKind
from bot.store.tables_corrections import CorrectionRow, Subject
from bot.store.writer import Writer
from tests.store.talk import START, Talk

HERE = Path(__file__).parent
PAGE_BYTES = 1024
DESK_PASSWORD = "десять зелёных бутылок"


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


async def fill_desk(db: Database, spools: Path) -> None:
    """What came with the agent's desk (0.5.0): who works here, a caller whom the PBX passed on and an agent
    took over, the note about it, and his case with its owner and deadline."""
    due_at = START + timedelta(days=1)
    people = (
        AgentRow(
            id="anna", name="Анна", department="support", skills="billing", login="anna", shift="always"
        ),
        AgentRow(id="chief", name="Олег", sip="sip:chief@pbx", fallback=1, presence="busy"),
    )
    await agents.save(
        db,
        StaffChange(
            agents=people,
            departments=(DepartmentRow(id="support", name="Поддержка", hours="always", callback_hours=4.0),),
            days_off={"chief": (DaysOffRow(agent_id="chief", first=START.date(), last=START.date()),)},
        ),
    )
    await Accounts(db, Passwords(), ManualClock(START)).add(
        "anna", DESK_PASSWORD, Role.AGENT, agent_id="anna"
    )
    route = Route(
        candidates=(Candidate(agent_id="anna", name="Анна", address="desk:anna", step=RouteStep.OWNER),),
        skipped=(Skipped(agent_id="chief", step=RouteStep.FALLBACK, why=PassedOver.HOLIDAY),),
        owner_id="anna",
        due_at=due_at,
    )
    talk = Talk("call-desk", "attempt-desk", direction="inbound", remote="sip:+79005550001@pbx")
    started = talk.started.model_copy(
        update={
            "phone": "79005550001",
            "conversation_id": "talk-17",
            "attribution": Attribution(agent=Source.HEADER, missing={"customer": Missing.UNKNOWN_CALLER}),
        }
    )
    who = {"target": "responsible", "agent_id": "anna"}
    owed = {"reason": "complaint", "owner_id": "anna", "due_at": due_at}
    async with Spool.open(spools, "media-1") as spool:
        for event in (
            started,
            talk.answered(),
            talk.event(HandoverStarted, target="responsible", form="bridge", reason="complaint"),
            talk.event(HandoverRouted, target="responsible", route=route),
            talk.event(HandoverRinging, **who),
            talk.event(HandoverAccepted, **who, by="button"),
            talk.event(HandoverConnected, **who),
            talk.event(HandoverEnded, **who, talk_s=40.0, by="agent"),
            talk.event(CaseOpened, topic=Topic.WAITING, words="долго ждал", callback=True, **owed),
            talk.event(CallbackPromised, when="вечером", by="agent", **owed),
            talk.ended(Disposition.TRANSFERRED),
        ):
            await spool.commit(event)
    await Writer(db, SpoolReader(spools), ManualClock(START)).drain_once()
    await notes.write(db, "call-desk", "anna", "later", "перезвонить вечером", START)
    assert await cases.claim(db, case_of("call-desk"), "anna", START)


async def fill_outbound(db: Database) -> None:
    """What came with campaigns (0.6.0): a campaign with a member, a consent and a list that forbids, a
    webhook and a token."""
    clock = ManualClock(START)
    campaign = load_campaign(HERE.parent / "campaigns" / "nps.yaml")
    row = CampaignRow(
        id=campaign.id,
        title=campaign.title,
        survey_id=campaign.survey,
        definition=campaign.model_dump_json(),
        created_at=START,
        changed_at=START,
    )
    await campaigns.create(db, row, Chosen(contact_ids=("customer-1",)), START)
    given = NewConsent(ConsentKind.CALLS, START - timedelta(days=30), "сайт", "согласен на звонки")
    await consents.give(db, "customer-1", given, by="ops", now=START)
    await do_not_call.add(db, ["79005550002"], source="list:old", words="", by="ops", now=START)
    await Endpoints(db, clock).add("crm", "https://crm.example.ru/hooks", (EventName.SCORE_LOW,))
    await ApiTokens(db, clock).add("crm", (Scope.CALLS,))


async def fill_console(db: Database) -> None:
    """What came with the console (0.7.0): a score put right by hand with its line of the audit log, a draft
    of a survey, and a report that is sent every week."""
    chief = await Accounts(db, Passwords(), ManualClock(START)).add("olga", DESK_PASSWORD, Role.MANAGER)
    noted = Audit(db, ManualClock(START)).entry(chief, "127.0.0.1", "calls.correct", "call", "call-happy")
    right = CorrectionRow(
        call_id="call-happy",
        subject=Subject.ANSWER,
        question_id="nps",
        kind="nps",
        status="answered",
        value="10",
        number=10.0,
        note="сказала «десять»",
        login="olga",
        at=START,
    )
    await corrections.correct(db, right, noted)
    await drafts.begin(db, "nps", "id: nps\n", started_from="hash-1", login="oleg", now=START)
    weekly = Definition(zone="Europe/Moscow", mail_to=("olga@example.ru",))
    await schedules.add(db, "Каждую неделю", weekly, "olga", START)


async def make(file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{folder}/made.sqlite")) as db:
            await db.upgrade()
            await fill(db, Path(folder) / "spool")
            await fill_desk(db, Path(folder) / "spool")
            await fill_outbound(db)
            await fill_console(db)
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
