"""Campaigns as a node runs them: orders, the queue in its own memory, and what a call is placed with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from bot.campaign_node import CampaignNode
from bot.core.clock import SystemClock
from bot.core.context import CallContext, Person
from bot.core.control import ControlServer
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.core.events import call_event
from bot.core.requests import CallRequest
from bot.dispatch import Dispatcher
from bot.orders_campaigns import CampaignOrders
from bot.orders_requests import StandingCalls
from bot.published import Published
from bot.settings_load import load_settings
from bot.settings_sip import TrunkSection
from bot.store import campaigns as store
from bot.store import requests
from bot.store.database import Database
from bot.store.tables import Attempt, CallEventRow
from bot.store.tables_campaigns import MemberRow, NodeRow
from bot.surveys.schema import Survey
from bot.triage.presence import LocalBoard, PresenceSettings
from bot.triage.router import LocalRouter
from tests.campaigns.stage import Stage, campaign


class Link:
    """A worker with two lines that takes whatever it is given."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.connected.set()
        self.placed: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.calls: list[str] = []

    async def request(self, do: str, **params: Any) -> dict[str, Any]:
        if do == "place":
            self.calls.append(params["context"]["call_id"])
            self.placed.put_nowait(params)
            return {}
        free = 2 - len(self.calls)
        return {"free_lines": free, "calls": len(self.calls), "call_ids": self.calls, "draining": False}


class SetClock(SystemClock):
    """A wall clock that somebody sets."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Company:
    def __init__(self, db: Database, survey: Survey, folder: Path) -> None:
        self.clock = clock = SetClock()
        self.stage = Stage(db, clock, survey)  # type: ignore[arg-type]
        self.link = Link()
        self.published = published = Published(folder / "surveys")
        published.release(published.freeze(survey))
        router = LocalRouter(db, LocalBoard(PresenceSettings(), clock), clock)
        self.dispatcher = Dispatcher(db, self.link, clock, "node/worker-0")  # type: ignore[arg-type]
        settings = load_settings(var=folder)
        self.node = CampaignNode(
            settings, db, published, router, self.dispatcher, self.link, clock,  # type: ignore[arg-type]
        )  # fmt: skip
        self.server = ControlServer(folder / "node.sock")
        CampaignOrders(db, self.node, clock).register(self.server)

    async def placed(self) -> dict[str, Any]:
        async with asyncio.timeout(20):
            return await self.link.placed.get()


@pytest.fixture
async def company(db: Database, survey: Survey, tmp_path: Path) -> AsyncIterator[Company]:
    made = Company(db, survey, tmp_path)
    work = asyncio.create_task(made.node.run())
    yield made
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert work.cancelled() or work.exception() is None


def always(name: str = "after", **changes: Any) -> dict[str, Any]:
    caller = {"number": "+74951234567", "label": "Ромашка"}
    reason = "вчерашнем заказе"
    return campaign(name, caller=caller, reason=reason, calling={"holidays": True}, **changes).model_dump(
        mode="json"
    )


async def test_a_campaign_is_made_started_and_rings_with_its_own_name_and_reason(company: Company) -> None:
    await company.stage.contacts("anna", tz=noon(company))
    ask = company.server.ask
    with pytest.raises(BadInput, match="кому звонить"):
        await ask("campaign_create", definition=always())
    made = await ask("campaign_create", definition=always(), chosen={"everybody": True})
    assert made == {"campaign": "after", "members": 1}
    with pytest.raises(BadInput, match="уже есть"):
        await ask("campaign_create", definition=always(), chosen={"everybody": True})
    assert (await ask("campaign_start", campaign="after"))["state"] == "running"
    placed = await company.placed()
    assert placed["caller"] == {"number": "+74951234567", "label": "Ромашка"}
    context = CallContext.model_validate(placed["context"])
    assert (context.reason, context.customer.id, context.resumed) == ("вчерашнем заказе", "anna", {})
    told = await ask("campaign", campaign="after")
    assert (told["ringing"], told["sums_up"], told["queue"]) == (1, True, True)
    assert (await ask("campaign_stop", campaign="after"))["state"] == "draining"
    with pytest.raises(BadInput, match="нет"):
        await ask("campaign_start", campaign="another")


async def test_a_requested_call_is_placed_with_the_agent_and_the_matter_of_its_talk(company: Company) -> None:
    """Though nothing but the database has kept them."""
    ask, stage = company.server.ask, company.stage
    await ask("campaign_create", definition=always(), standing=True)
    await ask("campaign_start", campaign="after")
    call = CallRequest(
        phone="+79001112233", survey="nps", timezone=noon(company), about="двойное списание",
        agent=Person(id="op-7", first_name="Ольга"), department="billing", conversation_id="talk-1",
    )  # fmt: skip
    await requests.keep(stage.db, "request-1", "crm", call, stage.now)
    trunk = TrunkSection(domain="pbx.test")
    calls = StandingCalls(stage.db, company.node.survey, company.node.queue.begin, trunk, SystemClock())
    assert await calls.place("request-1", call, stage.now)
    placed = await company.placed()
    assert (placed["to"], placed["conversation_id"]) == ("sip:+79001112233@pbx.test", "talk-1")
    assert placed["about"] == "двойное списание"
    context = CallContext.model_validate(placed["context"])
    assert (context.agent, context.department) == (call.agent, "billing")
    assert context.timezone == call.timezone
    became = await calls.state("request-1")
    assert (became.state, became.attempt_id) == ("dialling", placed["attempt_id"])


async def test_an_interrupted_survey_is_placed_with_the_answers_of_all_its_calls(company: Company) -> None:
    stage = company.stage
    await stage.contacts("anna", tz=noon(company))
    await stage.start(campaign())
    first, second = [await cut_off(company, stage, question) for question in ("nps", "resolved")]
    assert second.resumes == first.id
    given = await company.node._given(second.id)
    assert {question: answer.value for question, answer in given.items()} == {"nps": 9, "resolved": "yes"}


async def cut_off(company: Company, stage: Stage, question: str) -> Attempt:
    """A call that was cut off after this answer, as a resumed one, and stored with its events."""
    member = await stage.member("anna")
    attempt = Attempt(
        contact_id="anna", survey_id="nps", survey_hash="h", direction="outbound", to_uri="sip:a@b",
        phone="79", id=f"attempt-{question}", created_at=stage.now, campaign_id="after",
        resumes=member.last_attempt_id or "",
    )  # fmt: skip
    async with stage.db.write() as session:
        session.add(attempt)
    said = stage.answer(attempt, question, 9 if question == "nps" else "yes")
    stage.clock = ManualStep(stage.clock.now())  # type: ignore[assignment]
    await stage.ends(attempt, Disposition.INTERRUPTED, said)
    async with stage.db.write() as session:
        body = call_event.dump_json(said).decode()
        session.add(
            CallEventRow(
                event_id=said.id, call_id=said.call_id, seq=said.seq, at=said.at, kind=said.kind, json_=body
            )
        )
        stored = await session.get(MemberRow, ("after", "anna"))
        assert stored is not None
        stored.last_attempt_id = attempt.id
    return attempt


async def test_a_node_tells_the_others_how_it_is_and_notices_one_of_its_own_name(company: Company) -> None:
    await company.node.tell()
    (row,) = await store.nodes(company.stage.db, company.stage.now - store.NODE_GONE)
    assert (row.name, row.free_lines, row.ready) == ("node", 2, True)
    other = NodeRow(name="node", boot="another", seen_at=company.stage.now)
    await store.node_says(company.stage.db, other)
    company.link.calls.append("call-1")
    with capture_logs() as logs:
        await company.node.tell()
    (told,) = (line for line in logs if line["log_level"] == "error")
    assert "another node has this name" in told["event"]


def noon(company: Company) -> str:
    zones = (f"Etc/GMT{offset:+d}" for offset in range(-14, 13))
    return next(name for name in zones if company.stage.now.astimezone(ZoneInfo(name)).hour == 12)


class ManualStep:
    """The system's clock, that can be put forward."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


async def test_a_node_whose_clock_was_set_back_goes_on_saying_that_it_is_there(
    db: Database, survey: Survey, tmp_path: Path
) -> None:
    """Or, by what it said of tomorrow, it would be believed to be there for a day after its end."""
    company = Company(db, survey, tmp_path)
    company.clock.ahead = timedelta(days=1)
    await company.node.tell()
    company.clock.ahead = timedelta()
    await company.node.tell()
    (row,) = await store.nodes(db, company.clock.now() - store.NODE_GONE)
    assert row.seen_at <= company.clock.now()
