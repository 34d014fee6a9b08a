from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, bindparam, text
from sqlmodel import select

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.accounts.tokens import ApiTokens, Scope
from bot.campaigns.schema import Campaign
from bot.core.attribution import Attribution, Missing, Source
from bot.core.clock import SystemClock
from bot.core.endings import Disposition
from bot.core.routing import PassedOver, Route
from bot.delivery.endpoints import Endpoints, EventName
from bot.reports import schedules
from bot.store import (
    agents,
    attempts,
    campaigns,
    cases,
    consents,
    corrections,
    do_not_call,
    drafts,
    migrations,
    notes,
    queries,
)
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.store.migrations import head
from bot.store.projection_cases import case_of
from bot.store.settings import StoreSettings
from bot.store.tables import UtcDateTime
from bot.store.tables_reports import QuestionPut
from tests.data.db import make
from tests.store.talk import START

OLD = sorted(make.HERE.glob("otklik-*.sqlite"))


DESK = (0, 5, 0)
"""The first version that leaves agents, accounts, routes, notes and attribution behind."""


OUTBOUND = (0, 6, 0)
"""The first version that leaves campaigns, consents, lists, webhooks and tokens behind."""


CONSOLE = (0, 7, 0)
"""The first version that leaves corrections, drafts of surveys and scheduled reports behind."""


def version_of(file: Path) -> tuple[int, ...]:
    return tuple(map(int, file.stem.removeprefix("otklik-").split(".")))


async def check(db: Database, *, desk: bool, outbound: bool, console: bool) -> None:
    """The calls of `tests.data.db.make` are all there, and the database is fit for new ones."""
    outcomes = await queries.outcomes(db)
    assert outcomes.total == 5 + desk
    assert outcomes.open == {"queued": 1}
    assert outcomes.dispositions == {
        Disposition.COMPLETED: 1,
        Disposition.BUSY: 1,
        Disposition.TRANSFERRED: 1 + desk,
        Disposition.OPTED_OUT: 1,
    }
    happy = await queries.call(db, "call-happy")
    assert happy is not None
    assert happy.contact is not None
    assert (happy.contact.id, happy.contact.first_name, happy.attempt.created_at) == (
        "customer-1", "Анна", START,
    )  # fmt: skip
    assert [(a.question_id, a.value, a.number) for a in happy.answers] == [
        ("nps", "9", 9.0), ("resolved", "yes", None), ("comment", "всё хорошо", None),
    ]  # fmt: skip
    assert len(await queries.events(db, "call-happy")) == 6
    unhappy = await queries.call(db, "call-unhappy")
    assert unhappy is not None
    assert [(h.outcome, h.talk_s) for h in unhappy.handovers] == [("ended", 61.0)]
    promised = {c.call_id: c.when_said for c in await queries.open_callbacks(db)}
    assert promised == {"call-unhappy": "завтра"} | ({"call-desk": "вечером"} if desk else {})
    [owed] = [case for case in await cases.cases(db) if case.row.call_id != "call-desk"]
    assert (owed.row.call_id, owed.row.callback, owed.row.phone) == ("call-unhappy", True, "dora@pbx")
    assert [row.id for row in await cases.ownerless(db)] == [owed.row.id]
    assert await queries.blocked(db, "sip:emil@pbx")
    survey = await queries.survey(db, "hash-1")
    assert survey is not None
    assert survey.title == "Оценка разговора"
    if desk:
        await check_desk(db)
    if outbound:
        await check_outbound(db)
    if console:
        await check_console(db)
    assert await attempts.claim_next(db, worker="media-1", now=START) is not None


async def check_desk(db: Database) -> None:
    staff = await agents.staff(db)
    assert [(row.id, row.login, row.presence) for row in staff.agents] == [
        ("anna", "anna", ""), ("chief", "", "busy"),
    ]  # fmt: skip
    assert [(row.id, row.hours, row.callback_hours) for row in staff.departments] == [
        ("support", "always", 4.0)
    ]
    assert [(row.agent_id, row.first) for row in staff.days_off] == [("chief", START.date())]
    account = await Accounts(db, Passwords(), SystemClock()).known_by("anna", make.DESK_PASSWORD)
    assert account is not None
    assert (account.role, account.agent_id) == (Role.AGENT, "anna")
    taken = await queries.call(db, "call-desk")
    assert taken is not None
    assert [(h.agent_id, h.outcome, h.talk_s) for h in taken.handovers] == [("anna", "ended", 40.0)]
    attribution = Attribution.model_validate_json(taken.attempt.attribution)
    assert (attribution.agent, attribution.missing) == (Source.HEADER, {"customer": Missing.UNKNOWN_CALLER})
    [route] = await cases.routes(db, "call-desk")
    assert Route.model_validate_json(route.json_).skipped[0].why is PassedOver.HOLIDAY
    case = await cases.case(db, case_of("call-desk"))
    assert case is not None
    assert (case.row.owner_id, case.row.claimed_by, case.row.due_at) == (
        "anna", "anna", START + timedelta(days=1),
    )  # fmt: skip
    assert {step.step for step in case.history} >= {"opened", "promised", "note", "claimed"}
    [note] = await notes.notes(db, ["call-desk"])
    assert (note.outcome, note.text) == ("later", "перезвонить вечером")


async def check_outbound(db: Database) -> None:
    row = await campaigns.campaign(db, "nps_december")
    assert Campaign.model_validate_json(row.definition).target == 400
    assert (row.state, (await campaigns.tally(db, row.id)).members) == ("draft", {"waiting": 1})
    [consent] = await consents.listed(db, contact_id="customer-1")
    assert (consent.row.kind, consent.row.source, consent.row.withdrawn_at) == ("calls", "сайт", None)
    [listed] = await do_not_call.listed(db, source="list:old")
    assert (listed.row.phone, listed.row.by) == ("79005550002", "ops")
    [endpoint] = await Endpoints(db, SystemClock()).list()
    assert (endpoint.name, endpoint.events) == ("crm", (EventName.SCORE_LOW,))
    [token] = await ApiTokens(db, SystemClock()).list()
    assert (token.name, token.scopes) == ("crm", (Scope.CALLS,))


async def check_console(db: Database) -> None:
    [correction] = await corrections.corrections(db, "call-happy")
    assert (correction.was, correction.value, correction.login) == ("9", "10", "olga")
    async with db.read() as session:
        put = await session.get(QuestionPut, ("call-happy", "nps"))
        assert put is not None
        assert (put.number, put.corrected) == (10.0, True)
        [noted] = (await session.exec(select(AuditRow).where(AuditRow.subject == "call"))).all()
        assert (noted.login, noted.subject_id) == ("olga", "call-happy")
    draft = await drafts.find(db, "nps")
    assert draft is not None
    assert (draft.text, draft.started_from, draft.edited_by) == ("id: nps\n", "hash-1", "oleg")
    [weekly] = await schedules.schedules(db)
    assert (weekly.name, weekly.definition.mail_to) == ("Каждую неделю", ("olga@example.ru",))


def test_there_are_old_databases() -> None:
    assert OLD, "make one: python -m tests.data.db.make"


@pytest.mark.parametrize("old", OLD, ids=lambda file: file.stem)
async def test_an_old_database_is_upgraded_and_read(old: Path, tmp_path: Path) -> None:
    shutil.copy(old, tmp_path / "otklik.sqlite")
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        await db.upgrade()
        async with db.read() as session:
            assert await session.scalar(text("SELECT version_num FROM alembic_version")) == head()
        found = version_of(old)
        await check(db, desk=found >= DESK, outbound=found >= OUTBOUND, console=found >= CONSOLE)


_OWED = """
    INSERT INTO callbacks (id, call_id, phone, promised_by, when_said, reason, status, promised_at)
    VALUES (:id, :call_id, '79001234567', :by, '', 'complaint', :status, :at)
"""


async def test_what_agents_owed_before_there_were_cases_is_a_case(store_url: str) -> None:
    """On both databases: the first step's tables, filled, and then the second step."""

    def first_step(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    owed = [
        ("call-1", "agent", "open"),
        ("call-1", "agent", "open"),
        ("call-2", "agent", "done"),
        ("call-3", "bot", "open"),
        ("old-4", "agent", "open"),
    ]
    Path(store_url.partition(":///")[2]).parent.mkdir(exist_ok=True)
    async with Database.open(StoreSettings(store_url)) as db:
        async with db.write() as session:
            connection = await session.connection()
            await connection.run_sync(first_step)
            for number, (call_id, by, status) in enumerate(owed):
                row = {"id": str(number), "call_id": call_id, "by": by, "status": status, "at": START}
                await connection.execute(text(_OWED).bindparams(bindparam("at", type_=UtcDateTime())), row)
        await db.upgrade()
        found = await cases.cases(db)
        assert [(case.row.id, case.row.opened_at, case.row.callback) for case in found] == [
            (case_of("call-1"), START, True), (case_of("old-4"), START, True),
        ]  # fmt: skip
        assert len(await cases.ownerless(db)) == 2
        assert {callback.owner_id for callback in await queries.open_callbacks(db)} == {""}


async def test_the_maker_makes_what_this_version_leaves_behind(tmp_path: Path) -> None:
    await make.make(tmp_path / "new.sqlite")
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/new.sqlite")) as db:
        await db.upgrade()
        await check(db, desk=True, outbound=True, console=True)
