"""Routing over tables and presence: whom a call is given, and who answers for what it leaves behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.context import Person
from bot.core.errors import BadInput, Unavailable
from bot.core.events import CallEvent, CaseOpened, HandoverRinging, HandoverRouted, HandoverStarted
from bot.core.intents import Topic
from bot.core.routing import PassedOver, Route, RouteOrder
from bot.store import agents, attempts, cases
from bot.store.agents import StaffChange
from bot.store.attempts import NewCall
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.tables_agents import AgentRow, DepartmentRow
from bot.store.writer import Writer
from bot.triage.directory import Presence, PresenceState
from bot.triage.presence import LocalBoard, PresenceSettings
from bot.triage.router import LocalRouter
from tests.store.talk import Talk

NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
"""A Tuesday, 11:00 in Moscow."""

STAFF = StaffChange(
    agents=[
        AgentRow(id="anna", name="Анна", department="support", sip="sip:anna@pbx", skills="billing"),
        AgentRow(id="boris", name="Борис", department="support", sip="sip:boris@pbx", max_live=2),
    ],
    departments=[DepartmentRow(id="support", hours="mon-fri 09:00-18:00", callback_hours=4, max_live=2)],
)
DUE = NOW + timedelta(hours=4)


@dataclass
class Parts:
    db: Database
    router: LocalRouter
    board: LocalBoard
    clock: ManualClock
    keep: Callable[..., Awaitable[None]]


@pytest.fixture
async def parts(db: Database, tmp_path: Path) -> Parts:
    clock = ManualClock(NOW)
    board = LocalBoard(PresenceSettings(), clock)
    writer = Writer(db, SpoolReader(tmp_path / "spool"), clock)

    async def keep(*events: CallEvent) -> None:
        async with Spool.open(tmp_path / "spool", "media-1") as spool:
            for event in events:
                await spool.commit(event)
        await writer.drain_once()

    await agents.save(db, STAFF)
    return Parts(db, LocalRouter(db, board, clock, {"responsible": "sip:last@pbx"}), board, clock, keep)


def order(call_id: str = "call-1", **fields: Any) -> RouteOrder:
    return RouteOrder(call_id=call_id, **{"target": "responsible", "department": "support", **fields})


def rung(decided: Route) -> list[str]:
    return [each.agent_id for each in decided.candidates]


async def test_a_call_is_routed_by_what_the_tables_say_now(parts: Parts) -> None:
    decided = await parts.router.route(order())
    assert rung(decided) == ["anna", "boris", "responsible"]
    assert (decided.owner_id, decided.due_at) == ("anna", DUE)
    await parts.router.choose("anna", PresenceState.AWAY)
    assert rung(await parts.router.route(order())) == ["boris", "responsible"]


async def test_the_customers_manager_is_found_by_the_call_alone(parts: Parts) -> None:
    queued = await attempts.queue_call(
        parts.db, NewCall("sip:+79001234567@trunk", "nps", "h", Person(id="customer")), NOW
    )
    await agents.set_manager(parts.db, "customer", "boris")
    assert rung(await parts.router.route(order(contact_id="customer")))[0] == "boris"
    await parts.keep(Talk("call-1", queued.id, contact_id="customer").started)
    assert rung(await parts.router.route(order()))[0] == "boris"


async def test_claims_keep_the_limits_of_agent_and_department(parts: Parts) -> None:
    router = parts.router
    assert await router.claim("call-1", "anna")
    assert not await router.claim("call-2", "anna")
    assert await router.claim("call-2", "boris")
    assert not await router.claim("call-3", "boris"), "the department has two places"
    decided = await router.route(order())
    assert [each.why for each in decided.skipped] == [PassedOver.AT_LIMIT] * 2
    assert rung(decided) == ["responsible"]
    await router.release("call-1", "anna")
    assert await router.claim("call-3", "boris")
    with pytest.raises(BadInput, match="«evil» нет"):
        await router.claim("call-1", "evil")


async def test_who_is_on_no_line_any_more_has_no_place(parts: Parts) -> None:
    await parts.router.claim("call-1", "anna")
    await parts.router.claim("call-2", "boris")
    await parts.router.renew(["call-2"])
    assert await parts.board.live() == {"boris": 1}
    await parts.router.renew(())
    assert await parts.board.live() == {}


async def test_what_an_agent_chose_outlives_the_board(parts: Parts) -> None:
    await parts.router.choose("anna", PresenceState.BUSY)
    with pytest.raises(BadInput, match="«evil» нет"):
        await parts.router.choose("evil", PresenceState.BUSY)
    anew = LocalRouter(parts.db, LocalBoard(PresenceSettings(), parts.clock), parts.clock)
    await anew.board.choose("boris", PresenceState.AWAY)  # and took it back while the board was away
    await anew.restore()
    assert await anew.board.presences() == {"anna": Presence(PresenceState.BUSY)}
    await parts.router.choose("anna", None)
    assert (await agents.staff(parts.db)).agents[0].presence == ""


async def test_a_telephone_may_be_moved_while_the_node_runs(parts: Parts) -> None:
    parts.router.move("anna", "sip:anna@elsewhere")
    parts.router.move("extra", "sip:extra@pbx")
    decided = await parts.router.route(order(target="anna"))
    assert [each.address for each in decided.candidates] == ["sip:anna@elsewhere"]
    assert rung(await parts.router.route(order(target="extra"))) == ["extra"]


async def test_a_telephone_that_was_moved_is_put_back(parts: Parts) -> None:
    """Whoever came later may go first: each takes back what is his own."""

    async def where(agent_id: str) -> list[str]:
        decided = await parts.router.route(order(target=agent_id))
        return [each.address for each in decided.candidates]

    before = await where("anna")
    first = parts.router.move("anna", "sip:anna@first")
    second = parts.router.move("anna", "sip:anna@second")
    stranger = parts.router.move("extra", "sip:extra@pbx")
    first()
    assert await where("anna") == ["sip:anna@second"]
    second()
    stranger()
    assert await where("anna") == before
    assert await where("extra") == []


# Who answers for it ------------------------------------------------------------------------------


async def owned(parts: Parts, call_id: str = "call-1") -> tuple[str, datetime | None]:
    found = await cases.case(parts.db, case_of(call_id))
    assert found is not None
    return found.row.owner_id, found.row.due_at


def handed_over(talk: Talk, *more: CallEvent) -> list[CallEvent]:
    return [
        talk.started,
        talk.answered(),
        talk.event(HandoverStarted, target="responsible", form="bridge", reason="complaint"),
        *more,
    ]


async def test_whoever_a_dead_workers_call_was_routed_to_owns_its_case(parts: Parts) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    route = Route(owner_id="boris", due_at=DUE + timedelta(hours=1))
    await parts.keep(
        *handed_over(talk, talk.event(HandoverRouted, target="responsible", route=route)),
        talk.event(HandoverRinging, target="responsible", agent_id="boris"),
    )
    await attempts.recover_expired(parts.db, NOW, dead_workers=("media-1",))
    assert await parts.router.assign_ownerless() == 1
    assert await owned(parts) == ("boris", DUE + timedelta(hours=1))
    assert len(await cases.routes(parts.db, "call-1")) == 1


async def test_a_case_whose_call_was_not_routed_is_routed_now_and_the_decision_kept(parts: Parts) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await parts.keep(*handed_over(talk))
    await attempts.recover_expired(parts.db, NOW, dead_workers=("media-1",))
    assert await parts.router.assign_ownerless() == 1
    assert await owned(parts) == ("anna", DUE)  # of the department that the call came for
    [row] = await cases.routes(parts.db, "call-1")
    assert Route.model_validate_json(row.json_).owner_id == "anna"
    found = await cases.case(parts.db, case_of("call-1"))
    assert found is not None
    assert [(step.step, step.owner_id, step.due_at) for step in found.history] == [("assigned", "anna", DUE)]
    assert await parts.router.assign_ownerless() == 0


async def test_an_owner_without_a_deadline_gets_one(parts: Parts) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await parts.keep(
        talk.started, talk.event(CaseOpened, reason="complaint", topic=Topic.BILLING, owner_id="boris")
    )
    await parts.router.assign_ownerless()
    assert await owned(parts) == ("boris", DUE)


async def test_an_owner_is_named_while_redis_is_away(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> dict[str, Presence]:
        raise Unavailable("Redis")

    monkeypatch.setattr(parts.board, "presences", away)
    with pytest.raises(Unavailable):
        await parts.router.route(order())
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await parts.keep(talk.started, talk.event(CaseOpened, reason="complaint"))
    await parts.router.assign_ownerless()
    assert (await owned(parts))[0] == "anna"


async def test_a_case_waits_for_the_first_agent_there_is(db: Database, parts: Parts) -> None:
    for row in (await agents.staff(db)).agents:
        await agents.save(db, StaffChange([AgentRow(**row.model_dump() | {"active": False})]))
    router = LocalRouter(db, parts.board, parts.clock)
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await parts.keep(talk.started, talk.event(CaseOpened, reason="complaint"))
    assert await router.assign_ownerless() == 0
    await agents.save(db, StaffChange([AgentRow(id="carl", sip="sip:carl@pbx")]))
    assert await router.assign_ownerless() == 1
    assert (await owned(parts))[0] == "carl"
