"""The orders about agents and cases, over a control socket, as the command line, the pages and a worker's
calls give them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.call.spool import Spool, SpoolReader
from bot.caretaker import Caretaker
from bot.control_router import ControlRouter
from bot.core.clock import ManualClock
from bot.core.control import ControlClient, ControlServer
from bot.core.errors import BadInput, NodeUnavailable, Unavailable
from bot.core.events import CallEvent, CaseOpened, HandoverRouted, HandoverStarted
from bot.core.routing import RouteOrder
from bot.orders import take_none_yet
from bot.orders_agents import AGENT_ORDERS, AgentOrders
from bot.orders_cases import CASE_ORDERS, CaseOrders
from bot.store import cases
from bot.store.attempts import recover_expired
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.writer import Writer
from bot.triage.presence import LocalBoard, PresenceSettings
from bot.triage.router import LocalRouter
from tests.databases import database_at
from tests.node.running import RunningNode
from tests.store.talk import Talk

NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
"""A Tuesday, 11:00 in Moscow."""


@dataclass
class Control:
    """What of the control process has to do with handovers."""

    server: ControlServer
    client: ControlClient
    db: Database
    writer: Writer
    router: LocalRouter
    keep: Callable[..., Awaitable[None]]

    async def ask(self, do: str, **params: Any) -> dict[str, Any]:
        return await self.client.request(do, **params)


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    clock = ManualClock(NOW)
    async with database_at(tmp_path / "otklik.sqlite") as db:
        writer = Writer(db, SpoolReader(tmp_path / "spool"), clock)
        router = LocalRouter(
            db, LocalBoard(PresenceSettings(), clock), clock, {"responsible": "sip:last@pbx"}
        )
        server = ControlServer(tmp_path / "node.sock")
        AgentOrders(db, writer, router, clock).register(server)
        CaseOrders(db, writer, router, clock).register(server)
        await server.start()

        async def keep(*events: CallEvent) -> None:
            async with Spool.open(tmp_path / "spool", "media-1") as spool:
                for event in events:
                    await spool.commit(event)

        try:
            async with await ControlClient.connect(server.path) as client:
                yield Control(server, client, db, writer, router, keep)
        finally:
            await server.close()


ANNA = {"id": "anna", "name": "Анна", "department": "support", "sip": "sip:anna@pbx", "skills": ["billing"]}
SUPPORT = {"id": "support", "name": "Поддержка", "hours": "пн-пт 9-18"}


async def test_agents_are_saved_whole_and_told_with_where_they_are(control: Control) -> None:
    vacation = {"first": "2026-07-01", "last": "2026-07-14", "note": "отпуск"}
    boris = {"id": "boris", "department": "support", "login": "boris", "days_off": [vacation]}
    await control.ask("agent_save", agents=[ANNA, boris], departments=[SUPPORT])
    assert await control.ask("presence", agent_id="boris", state="busy", desk=True) == {
        "state": "busy", "desk": True,
    }  # fmt: skip
    await control.ask("claim", call_id="call-1", agent_id="anna")
    told = await control.ask("agents")
    assert [d["hours"] for d in told["departments"]] == ["mon-fri 09:00-18:00"]
    anna, second, seed = told["agents"]
    assert (anna["id"], anna["department_name"], anna["on_shift"], anna["live"], anna["presence"]) == (
        "anna", "Поддержка", True, 1, None,
    )  # fmt: skip
    assert (second["id"], second["presence"], second["desk"], second["days_off"]) == (
        "boris", "busy", True, [vacation],
    )  # fmt: skip
    assert (seed["id"], seed["shift"]) == ("responsible", "always")
    assert (await control.ask("presence", agent_id="boris", state="", desk=False)) == {
        "state": None, "desk": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("do", "params", "message"),
    [
        ("agent_save", {"agents": [{"id": "a b"}]}, r"agent_save\.agents\.0\.id: «a b» не годится"),
        ("agent_save", {"agents": [{"id": "a", "shift": "завтра"}]}, "«завтра» не день недели|нет"),
        ("agent_save", {"agents": [{"id": "a", "sip": "+7495"}]}, "не SIP-адрес"),
        ("agent_save", {"agents": [ANNA]}, "сотрудник anna: отдела «support» нет"),
        ("agent_save", {"agents": [{"id": "a"}], "departments": [{"id": "d", "country": "XX"}]}, "«XX» нет"),
        ("agent_remove", {"agent_id": "nobody"}, "«nobody» нет"),
        ("presence", {"agent_id": "responsible", "state": "asleep"}, "«asleep» не бывает"),
        ("presence", {"agent_id": "nobody", "state": "busy"}, "«nobody» нет"),
        ("claim", {"call_id": "call-1"}, r"claim\.agent_id"),
        ("route", {}, r"route\.order"),
        ("manager", {"contact_id": "nobody", "agent_id": "responsible"}, "клиента «nobody» нет"),
        ("case_claim", {"case_id": "case-1", "agent_id": "nobody"}, "«nobody» нет"),
        ("case_close", {"case_id": "case-none"}, "дела case-none нет"),
        ("case_postpone", {"case_id": "case-1", "due_at": "2026-03-04T10:00"}, r"case_postpone\.due_at"),
        ("case", {"case_id": "case-none"}, "дела case-none нет"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_saved(
    control: Control, do: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        await control.ask(do, **params)
    assert [each["id"] for each in (await control.ask("agents"))["agents"]] == ["responsible"]


async def test_a_call_asks_whom_to_ring_and_takes_a_place(control: Control) -> None:
    await control.ask("agent_save", agents=[ANNA], departments=[SUPPORT])
    router = ControlRouter(control.server.path)
    order = RouteOrder(call_id="call-1", target="responsible", department="support")
    decided = await router.route(order)
    assert [each.address for each in decided.candidates] == ["sip:anna@pbx", "sip:last@pbx"]
    assert decided == await control.router.route(order)
    assert await router.claim("call-1", "anna")
    assert not await router.claim("call-2", "anna")
    await router.release("call-1", "anna")
    assert await router.claim("call-2", "anna")
    with pytest.raises(BadInput, match="«evil»"):
        await router.claim("call-2", "evil")
    await router.close()


async def test_a_call_finds_control_again_after_it_was_away(control: Control) -> None:
    router = ControlRouter(control.server.path)
    await router.claim("call-1", "responsible")
    await control.server.close()
    with pytest.raises(NodeUnavailable):
        await router.claim("call-2", "responsible")
    await control.server.start()
    assert await router.claim("call-2", "responsible")
    await router.close()


async def test_control_that_does_not_answer_holds_no_caller_up(control: Control) -> None:
    async def never(params: dict[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    control.server.register("claim", never)
    router = ControlRouter(control.server.path, answer_s=0.1)
    with pytest.raises(Unavailable, match="«claim»"):
        await router.claim("call-1", "responsible")
    await router.close()


async def test_a_case_from_the_call_to_its_end(control: Control) -> None:
    await control.ask("agent_save", agents=[ANNA, {"id": "boris", "sip": "sip:b@pbx"}], departments=[SUPPORT])
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await control.keep(talk.started, talk.event(CaseOpened, reason="low_score", callback=True, words="плохо"))
    [case] = (await control.ask("cases"))["cases"]
    assert (case["owner_id"], case["due_at"], case["breached"]) == ("anna", "2026-03-04T15:00:00Z", False)
    case_id = case["id"]
    taken = await control.ask("case_claim", case_id=case_id, agent_id="anna")
    assert (taken["claimed"], taken["case"]["claimed_by"]) == (True, "anna")
    assert not (await control.ask("case_claim", case_id=case_id, agent_id="boris"))["claimed"]
    later = NOW + timedelta(days=2)
    await control.ask("case_postpone", case_id=case_id, due_at=later.isoformat(), agent_id="anna")
    await control.ask("case_note", case_id=case_id, text="не взял трубку", agent_id="anna")
    passed = await control.ask("case_reassign", case_id=case_id, owner_id="boris", text="в отпуске")
    assert (passed["case"]["owner_id"], passed["case"]["status"]) == ("boris", "open")
    assert (await control.ask("cases", owner_id="anna"))["cases"] == []
    assert (await control.ask("cases", breached=True))["cases"] == []
    done = await control.ask("case_close", case_id=case_id, outcome="извинились", agent_id="boris")
    assert [step["step"] for step in done["case"]["history"]][-4:] == [
        "postponed", "note", "reassigned", "done",
    ]  # fmt: skip
    assert (await control.ask("cases"))["cases"] == []
    assert [each["id"] for each in (await control.ask("cases", statuses=["done"]))["cases"]] == [case_id]
    assert (await control.ask("case", case_id=case_id))["case"]["outcome"] == "извинились"


async def test_why_somebody_was_rung_is_kept(control: Control) -> None:
    await control.ask("agent_save", agents=[ANNA], departments=[SUPPORT])
    decided = await control.router.route(RouteOrder(call_id="call-1", target="skill:billing"))
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await control.keep(talk.started, talk.event(HandoverRouted, target="skill:billing", route=decided))
    told = await control.ask("why", call_id="call-1")
    assert told["names"] == {"anna": "Анна"}
    assert [row["target"] for row in told["routes"]] == ["skill:billing"]
    assert decided.model_dump_json() == told["routes"][0]["route"]


class Link:
    """The worker: these calls live on it."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.calls: list[str] = []

    async def request(self, do: str, **params: Any) -> dict[str, Any]:
        return {"call_ids": self.calls}


async def test_what_a_call_leaves_behind_is_seen_to_without_being_asked(control: Control) -> None:
    link = Link()
    link.connected.set()
    link.calls.append("call-live")
    caretaker = Caretaker(control.router, control.writer, link, look_s=60)  # type: ignore[arg-type]
    at_work = asyncio.create_task(caretaker.run())
    talk = Talk("call-1", "attempt-1", direction="inbound")
    opened = talk.event(CaseOpened, reason="low_score")
    await control.ask("claim", call_id="call-over", agent_id="responsible")
    await control.ask("claim", call_id="call-live", agent_id="responsible")
    await control.keep(talk.started, opened)
    caretaker.saw(opened)
    while True:  # polled: it tells nobody that it is done
        row, live = await _row(control), await control.router.board.live()
        if row and row["owner_id"] and live == {"responsible": 1}:
            break
        await asyncio.sleep(0.01)
    at_work.cancel()
    await asyncio.gather(at_work, return_exceptions=True)
    assert row["owner_id"] == "responsible"


async def _row(control: Control) -> dict[str, Any]:
    """The case, read past the orders: they would see to it themselves."""
    found = await cases.case(control.db, case_of("call-1"))
    return found.row.model_dump() if found else {}


async def test_a_dead_workers_agents_are_free_and_its_callers_somebodys(control: Control) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await control.keep(
        talk.started, talk.event(HandoverStarted, target="responsible", form="bridge", reason="complaint")
    )
    await control.ask("claim", call_id="call-1", agent_id="responsible")
    await control.writer.drain_once()
    await recover_expired(control.db, NOW, dead_workers=("media-1",))
    caretaker = Caretaker(control.router, control.writer, Link(), look_s=60)  # type: ignore[arg-type]
    await caretaker.worker_lost()
    assert (await _row(control))["owner_id"] == "responsible"
    assert await control.router.board.live() == {}


async def test_while_the_node_comes_up_these_orders_are_refused_with_the_reason(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "node.sock")
    take_none_yet(server)
    await server.start()
    async with await ControlClient.connect(server.path) as client:
        for do in (*AGENT_ORDERS, *CASE_ORDERS):
            with pytest.raises(Unavailable, match="запускается"):
                await client.request(do)
    await server.close()


async def test_a_node_is_asked_by_its_own_worker_and_by_people(node: RunningNode) -> None:
    """Over the socket of a real node."""
    await node.ask("set_agent", target="test-routing", uri="sip:somebody@127.0.0.1:9")
    router = ControlRouter(node.settings.control_socket)
    decided = await router.route(RouteOrder(call_id="call-none", target="test-routing"))
    assert [each.address for each in decided.candidates] == ["sip:somebody@127.0.0.1:9"]
    assert decided.due_at is not None
    assert await router.claim("call-none", "test-routing")
    [told] = [each for each in (await node.ask("agents"))["agents"] if each["id"] == "test-routing"]
    assert (told["on_shift"], told["shift"]) == (True, "always")
    await router.release("call-none", "test-routing")
    await router.close()
    assert (await node.ask("why", call_id="call-none"))["routes"] == []


async def test_what_a_simulator_sets_goes_with_it(node: RunningNode) -> None:
    """However it goes: the agents that were there before are there again."""

    async def where() -> list[str]:
        decided = await router.route(RouteOrder(call_id="call-none", target="test-moved"))
        return [each.address for each in decided.candidates]

    router = ControlRouter(node.settings.control_socket)
    await node.ask("set_agent", target="test-moved", uri="sip:theirs@127.0.0.1:9")
    async with await node.connect() as control:
        await control.request(
            "set_agent", target="test-moved", uri="sip:simulated@127.0.0.1:9", lasts="connection"
        )
        assert await where() == ["sip:simulated@127.0.0.1:9"]
        with pytest.raises(BadInput, match="lasts"):
            await control.request("set_agent", target="test-moved", uri="sip:a@127.0.0.1:9", lasts="ever")
    async with asyncio.timeout(5):
        while await where() != ["sip:theirs@127.0.0.1:9"]:  # noqa: ASYNC110  the node tells nobody
            await asyncio.sleep(0.02)
    await router.close()
