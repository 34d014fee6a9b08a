"""Cases for managers over HTTP: the node's own orders on a real store, what is shown, who may change it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp import AiohttpClient
from sqlmodel import col, select

from bot.accounts.roles import Role
from bot.call.spool import SpoolReader
from bot.core.clock import ManualClock
from bot.core.control import ControlServer
from bot.orders_agents import AgentOrders
from bot.orders_cases import CaseOrders
from bot.store import agents, cases
from bot.store.account_tables import AuditRow
from bot.store.agents import StaffChange
from bot.store.tables_agents import AgentRow, DepartmentRow
from bot.store.writer import Writer
from bot.triage.presence import LocalBoard, PresenceSettings
from bot.triage.router import LocalRouter
from bot.web.parts import Parts
from bot.web.server import make_app
from tests.store.talk import START
from tests.web.calls import store, talk
from tests.web.conftest import HTML, Client, csrf_of, page, sign_in

FORMS = {
    "note": {"text": "позвонила, занято"},
    "postpone": {"due": "2026-03-03T18:00", "text": "просил позже"},
    "reassign": {"to": "boris", "due": "2026-03-04T10:00"},
    "close": {"status": "done", "text": "извинились"},
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START + timedelta(hours=1))


@pytest.fixture
async def client(parts: Parts, clock: ManualClock, aiohttp_client: AiohttpClient, tmp_path: Path) -> Client:
    """With two cases, of which the first one is Anna's."""
    staff = [AgentRow(id="anna", name="Анна", department="support"), AgentRow(id="boris", name="Борис")]
    await agents.save(parts.db, StaffChange(agents=staff, departments=[DepartmentRow(id="support")]))
    await store(parts.db, tmp_path / "spool", [talk("call-0", 0), talk("call-1", 1)])
    server = ControlServer(tmp_path / "node.sock")
    router = LocalRouter(parts.db, LocalBoard(PresenceSettings(), clock), clock)
    writer = Writer(parts.db, SpoolReader(tmp_path / "spool"), clock)
    for orders in (AgentOrders, CaseOrders):
        orders(parts.db, writer, router, clock).register(server)
    return await aiohttp_client(TestServer(make_app(replace(parts, control=server.ask))))


def found(text: str) -> list[str]:
    return sorted(set(re.findall(r'href="/cases/(case-\d)"', text)))


async def test_cases_are_found_by_their_filters_and_late_ones_marked(
    manager: Client, parts: Parts, clock: ManualClock
) -> None:
    late = clock.now() + timedelta(minutes=5)
    await cases.postpone(parts.db, "case-1", late, clock.now())
    await cases.claim(parts.db, "case-0", "boris", clock.now())
    clock.advance(600)
    shown = {
        "": ["case-0", "case-1"],
        "?late=1": ["case-1"],
        "?status=claimed": ["case-0"],
        "?status=done": [],
        "?owner=boris": ["case-0"],
        "?topic=waiting&callback=1": ["case-0", "case-1"],
        "?topic=billing": [],
        "?department=sales": [],
        "?page=2": [],
    }
    assert {query: found(await page(manager, f"/cases{query}")) for query in shown} == shown
    text = await page(manager, "/cases?late=1")
    for told in ("просрочено", "+79001234561", "«долго ждала»", "Анна"):
        assert told in text


async def test_a_case_goes_from_open_to_closed(manager: Client, parts: Parts) -> None:
    token = await csrf_of(manager, "/cases/case-1")
    for act, form in FORMS.items():
        async with manager.post(
            f"/cases/case-1/{act}", data={**form, "csrf": token}, headers=HTML, allow_redirects=False
        ) as reply:
            assert (reply.status, reply.headers["Location"]) == (303, "/cases/case-1"), act
    text = await page(manager, "/cases/case-1")
    for told in ("позвонила, занято", "03.03.2026 18:00", "Борис", "извинились", "(irina)"):
        assert told in text
    assert "/cases/case-1/close" not in text
    assert found(await page(manager, "/cases")) == ["case-0"]
    done = await cases.case(parts.db, "case-1")
    assert done is not None
    assert (done.row.status, done.row.owner_id, {step.agent_id for step in done.history}) == (
        "done", "boris", {"", "irina"},
    )  # fmt: skip
    noted = (
        select(AuditRow)
        .where(col(AuditRow.action) != "view", col(AuditRow.subject) == "case")
        .order_by(col(AuditRow.at))
    )
    async with parts.db.read() as session:
        rows = (await session.exec(noted)).all()
    assert sorted(row.action for row in rows) == sorted(FORMS)
    assert {(row.subject, row.subject_id, row.login) for row in rows} == {("case", "case-1", "irina")}


async def test_what_cannot_be_done_is_told_in_place(manager: Client) -> None:
    token = await csrf_of(manager, "/cases/case-1")
    wrong = {
        "note": {"text": "  "},
        "postpone": {"due": "2020-01-01T10:00"},
        "reassign": {"to": "nobody"},
        "close": {"status": "forgotten"},
    }
    for act, form in wrong.items():
        async with manager.post(f"/cases/case-1/{act}", data={**form, "csrf": token}, headers=HTML) as reply:
            assert reply.status == 400, act
            text = await reply.text()
            assert 'role="alert"' in text, act
            assert "долго ждала" in text, act
    await page(manager, "/cases/case-9", 404)


async def test_whoever_is_owed_a_call_is_listed(manager: Client, clock: ManualClock) -> None:
    text = await page(manager, "/cases/callbacks")
    for told in ("+79001234560", "+79001234561", "«завтра»", "Анна", 'href="/calls/call-1"'):
        assert told in text


async def test_auditors_read_and_change_nothing(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.AUDITOR)
    text = await page(client, "/cases/case-1")
    assert "долго ждала" in text
    assert 'action="/cases/' not in text
    token = await csrf_of(client, "/cases")
    for act, form in FORMS.items():
        async with client.post(f"/cases/case-1/{act}", data={**form, "csrf": token}) as reply:
            assert reply.status == 403
