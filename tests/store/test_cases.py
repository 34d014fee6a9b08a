"""What calls leave behind for people, and what people do with it; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.call.spool import Spool, SpoolReader
from bot.core.clock import ManualClock
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.core.events import (
    CallbackPromised,
    CallEvent,
    CaseOpened,
    HandoverAccepted,
    HandoverConnected,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    HandoverRouted,
    HandoverStarted,
)
from bot.core.intents import Topic
from bot.core.routing import Candidate, PassedOver, Route, RouteStep, Skipped
from bot.store import attempts, cases, queries
from bot.store.database import Database
from bot.store.projection_cases import CUT_OFF, INTERRUPTED, case_of
from bot.store.settings import StoreSettings
from bot.store.tables_cases import CaseStatus, CaseStep
from bot.store.writer import Writer
from tests.store.talk import START, Talk

Keep = Callable[..., Awaitable[None]]

DUE = START + timedelta(days=1)
ROUTE = Route(
    candidates=(Candidate(agent_id="petrov", address="sip:petrov@pbx", step=RouteStep.DEPARTMENT),),
    skipped=(Skipped(agent_id="ivanova", step=RouteStep.OWNER, why=PassedOver.AWAY),),
    owner_id="petrov",
    due_at=DUE,
)


@pytest.fixture
def keep(db: Database, tmp_path: Path) -> Keep:
    writer = Writer(db, SpoolReader(tmp_path / "spool"), ManualClock(START))

    async def through_the_spool(*events: CallEvent) -> None:
        async with Spool.open(tmp_path / "spool", "media-1") as spool:
            for event in events:
                await spool.commit(event)
        await writer.drain_once()
        assert await queries.unprojected(db) == []

    return through_the_spool


def call(number: int = 1) -> Talk:
    return Talk(f"call-{number}", f"attempt-{number}", direction="inbound")


async def the_case(db: Database, call_id: str = "call-1") -> cases.Case:
    found = await cases.case(db, case_of(call_id))
    assert found is not None
    return found


async def opened(keep: Keep, number: int = 1, **fields: object) -> str:
    talk = call(number)
    await keep(talk.started, talk.event(CaseOpened, reason="low_score", **fields))
    return case_of(talk.call_id)


async def test_a_case_is_opened_with_all_that_the_call_knew(db: Database, keep: Keep) -> None:
    talk = call()
    await keep(
        talk.started,
        talk.event(
            CaseOpened,
            reason="complaint",
            topic=Topic.WAITING,
            owner_id="petrov",
            department="billing",
            due_at=DUE,
            callback=True,
            words="долго ждал",
        ),
    )
    found = await the_case(db)
    row = found.row
    assert (row.call_id, row.phone, row.owner_id, row.department) == (
        "call-1", "79001234567", "petrov", "billing",
    )  # fmt: skip
    assert (row.reason, row.topic, row.words, row.callback) == ("complaint", "waiting", "долго ждал", True)
    assert (row.due_at, row.status, row.claimed_by) == (DUE, CaseStatus.OPEN, "")
    [step] = found.history
    assert (step.step, step.text, step.owner_id, step.due_at) == ("opened", "complaint", "petrov", DUE)


async def test_a_call_is_one_case_whatever_opens_it_and_the_earlier_deadline_wins(
    db: Database, keep: Keep
) -> None:
    talk = call()
    await keep(
        talk.started,
        talk.event(CaseOpened, reason="low_score", due_at=DUE, words="плохо"),
        talk.event(CallbackPromised, when="вечером", by="agent", owner_id="petrov", due_at=DUE),
        talk.event(
            CaseOpened, reason="no_answer", owner_id="other", due_at=DUE - timedelta(hours=3), callback=True
        ),
        talk.event(CaseOpened, reason="late", due_at=DUE + timedelta(hours=3)),
        talk.ended(),
    )
    found = await the_case(db)
    row = found.row
    assert (row.reason, row.owner_id, row.words, row.callback) == ("low_score", "petrov", "плохо", True)
    assert row.department == "support"  # the call's
    assert row.due_at == DUE - timedelta(hours=3)
    assert [step.step for step in found.history] == ["opened", "promised", "opened", "opened"]
    [owed] = await queries.open_callbacks(db)
    assert (owed.owner_id, owed.due_at, owed.when_said) == ("petrov", DUE, "вечером")


async def test_a_promise_to_a_caller_who_has_a_case_open_is_that_case(db: Database, keep: Keep) -> None:
    case_id = await opened(keep, owner_id="petrov", due_at=DUE)
    again = call(2)
    promise = again.event(CallbackPromised, when="вечером", by="agent", owner_id="petrov", due_at=DUE)
    await keep(again.started, promise, again.ended())
    assert [found.row.id for found in await cases.cases(db)] == [case_id]
    assert [step.step for step in (await the_case(db)).history] == ["opened", "promised"]
    assert len(await queries.open_callbacks(db)) == 1
    await cases.close(db, case_id, START)
    assert await queries.open_callbacks(db) == []
    third = call(3)
    await keep(third.started, third.event(CallbackPromised, when="", by="agent", reason="complaint"))
    assert [found.row.id for found in await cases.cases(db)] == [case_of("call-3")]


async def test_a_caller_is_rung_when_he_was_promised_and_not_before(db: Database, keep: Keep) -> None:
    talk = call()
    friday = DUE + timedelta(days=3)
    await keep(
        talk.started,
        talk.event(CaseOpened, reason="low_score", due_at=DUE),
        talk.event(CallbackPromised, when="в пятницу", by="agent", due_at=friday),
        talk.event(CaseOpened, reason="busy", callback=True, due_at=friday),
    )
    row = (await the_case(db)).row
    assert (row.callback, row.due_at) == (True, friday)


async def test_the_bots_own_promise_is_no_case(db: Database, keep: Keep) -> None:
    talk = call()
    await keep(talk.started, talk.event(CallbackPromised, when="завтра", by="bot"), talk.ended())
    assert await cases.case(db, case_of("call-1")) is None


async def test_a_decision_is_kept_and_the_handover_says_who_took_the_caller(db: Database, keep: Keep) -> None:
    talk = call()
    target = "responsible"
    await keep(
        talk.started,
        talk.event(HandoverStarted, target=target, form="bridge", reason="complaint"),
        talk.event(HandoverRouted, target=target, route=ROUTE),
        talk.event(HandoverRinging, target=target, agent_id="petrov"),
        talk.event(HandoverPassed, target=target, agent_id="petrov", reason="busy"),
        talk.event(HandoverRinging, target=target, agent_id="sidorov"),
        talk.event(HandoverAccepted, target=target, agent_id="sidorov", by="key"),
        talk.event(HandoverConnected, target=target, agent_id="sidorov"),
    )
    [row] = await cases.routes(db, "call-1")
    assert Route.model_validate_json(row.json_) == ROUTE
    assert (row.target, row.owner_id, row.due_at) == (target, "petrov", DUE)
    stored = await queries.call(db, "call-1")
    assert stored is not None
    [handover] = stored.handovers
    assert (handover.agent_id, handover.outcome) == ("sidorov", "connected")
    assert await cases.last_target(db, "call-1") == target


@pytest.mark.parametrize("connected", [False, True])
async def test_a_handover_that_was_open_when_the_worker_died_is_a_case(
    db: Database, keep: Keep, connected: bool
) -> None:
    talk = call()
    await keep(
        talk.started,
        talk.answered(),
        talk.event(HandoverStarted, target="responsible", form="bridge", reason="complaint"),
        talk.event(HandoverRinging, target="responsible", agent_id="petrov"),
        *([talk.event(HandoverConnected, target="responsible", agent_id="petrov")] if connected else []),
    )
    await attempts.recover_expired(db, START + timedelta(seconds=9), dead_workers=("media-1",))
    found = await cases.case(db, case_of("call-1"))
    if connected:
        assert found is None  # they had been talking
        return
    assert found is not None
    assert (found.row.reason, found.row.callback, found.row.owner_id) == (INTERRUPTED, True, "")
    assert [row.id for row in await cases.ownerless(db)] == [found.row.id]
    await attempts.recover_expired(db, START + timedelta(seconds=10), dead_workers=("media-1",))
    assert len(await cases.cases(db)) == 1
    # Its spool was only slow: the call tells its own end, and there was no fault.
    await keep(talk.event(HandoverFailed, target="responsible", reason="busy"), talk.ended())
    assert (await the_case(db)).row.status == CaseStatus.CLOSED


async def test_what_the_call_itself_opened_is_not_withdrawn_with_the_guess(db: Database, keep: Keep) -> None:
    talk = call()
    await keep(
        talk.started, talk.event(HandoverStarted, target="responsible", form="bridge", reason="complaint")
    )
    await attempts.recover_expired(db, START, dead_workers=("media-1",))
    await keep(talk.event(CaseOpened, reason="busy", owner_id="petrov", callback=True), talk.ended())
    row = (await the_case(db)).row
    assert (row.reason, row.status, row.owner_id) == ("busy", CaseStatus.OPEN, "petrov")


async def test_a_call_that_ends_while_a_person_is_sought_is_a_case(db: Database, keep: Keep) -> None:
    talk = call()
    await keep(
        talk.started,
        talk.event(HandoverStarted, target="responsible", form="bridge", reason="complaint"),
        talk.ended(Disposition.HUNG_UP),
    )
    row = (await the_case(db)).row
    assert (row.reason, row.callback, row.department) == (CUT_OFF, True, "support")
    done = call(2)
    await keep(
        done.started,
        done.event(HandoverStarted, target="responsible", form="bridge", reason="complaint"),
        done.event(HandoverConnected, target="responsible"),
        done.ended(Disposition.TRANSFERRED),
    )
    assert await cases.case(db, case_of("call-2")) is None


async def test_of_two_who_claim_a_case_exactly_one_has_it(db: Database, store_url: str, keep: Keep) -> None:
    case_id = await opened(keep)
    async with Database.open(StoreSettings(store_url)) as other:
        claims = await asyncio.gather(
            *(cases.claim((db, other)[n % 2], case_id, f"agent-{n}", START) for n in range(12))
        )
    assert sum(claims) == 1
    winner = f"agent-{claims.index(True)}"
    found = await the_case(db)
    assert (found.row.status, found.row.claimed_by) == (CaseStatus.CLAIMED, winner)
    assert [step.agent_id for step in found.history if step.step == CaseStep.CLAIMED] == [winner]
    assert await cases.claim(db, case_id, winner, START)
    assert len((await the_case(db)).history) == len(found.history)


async def test_a_case_is_postponed_passed_on_written_about_and_closed(db: Database, keep: Keep) -> None:
    case_id = await opened(keep, owner_id="petrov", due_at=DUE)
    later = START + timedelta(minutes=5)
    await cases.claim(db, case_id, "petrov", later)
    with pytest.raises(BadInput, match="уже прошёл"):
        await cases.postpone(db, case_id, later, later)
    await cases.postpone(db, case_id, DUE + timedelta(days=1), later, agent_id="petrov", text="просил позже")
    await cases.note(db, case_id, " звонил, не взял ", later, agent_id="petrov")
    await cases.reassign(db, case_id, "sidorov", later + timedelta(seconds=1), agent_id="petrov")
    row = (await the_case(db)).row
    assert (row.owner_id, row.status, row.claimed_by, row.due_at) == (
        "sidorov", CaseStatus.OPEN, "", DUE + timedelta(days=1),
    )  # fmt: skip
    await cases.close(db, case_id, DUE, agent_id="sidorov", outcome="вернули деньги")
    found = await the_case(db)
    assert (found.row.status, found.row.outcome, found.row.closed_at) == (
        CaseStatus.DONE, "вернули деньги", DUE,
    )  # fmt: skip
    assert [(s.step, s.text) for s in found.history if s.step in ("note", "done")] == [
        ("note", "звонил, не взял"), ("done", "вернули деньги"),
    ]  # fmt: skip
    for again in (
        cases.close(db, case_id, DUE),
        cases.reassign(db, case_id, "petrov", DUE),
        cases.postpone(db, case_id, DUE + timedelta(days=2), DUE),
    ):
        with pytest.raises(BadInput, match="уже закрыто"):
            await again
    assert not await cases.claim(db, case_id, "petrov", DUE)
    with pytest.raises(BadInput, match="нет"):
        await cases.note(db, "case-none", "что-то", DUE)
    with pytest.raises(BadInput, match="пуста"):
        await cases.note(db, case_id, " ", DUE)


async def test_closing_a_case_settles_what_was_owed(db: Database, keep: Keep) -> None:
    talk = call()
    await keep(talk.started, talk.event(CallbackPromised, when="", by="agent", reason="complaint"))
    await cases.close(db, case_of("call-1"), DUE, status=CaseStatus.CLOSED)
    assert await queries.open_callbacks(db) == []


async def test_a_breach_is_computed(db: Database, keep: Keep) -> None:
    case_id = await opened(keep, due_at=DUE)
    found = await the_case(db)
    assert not found.breached(DUE)
    assert found.breached(DUE + timedelta(seconds=1))
    await cases.close(db, case_id, DUE - timedelta(hours=1))
    assert not (await the_case(db)).breached(DUE + timedelta(days=9))


async def test_cases_come_by_deadline_and_as_they_are_asked_for(db: Database, keep: Keep) -> None:
    none = await opened(keep, 1, department="sales")
    late = await opened(keep, 2, owner_id="petrov", due_at=DUE, callback=True)
    soon = await opened(keep, 3, owner_id="sidorov", due_at=DUE - timedelta(hours=1))
    assert [found.row.id for found in await cases.cases(db)] == [soon, late, none]

    async def ids(**filters: object) -> list[str]:
        return [found.row.id for found in await cases.cases(db, **filters)]  # type: ignore[arg-type]

    assert await ids(owner_id="petrov") == [late]
    assert await ids(department="sales") == [none]
    assert await ids(callback=True) == [late]
    assert await ids(due_before=DUE) == [soon]
    await cases.claim(db, soon, "petrov", START)
    assert await ids(owner_id="petrov") == [soon, late]
    await cases.close(db, soon, START)
    assert await ids() == [late, none]
    assert await ids(statuses=[CaseStatus.DONE]) == [soon]


async def test_an_ownerless_case_is_assigned_once(db: Database, keep: Keep) -> None:
    case_id = await opened(keep)
    assert await cases.assign(db, case_id, owner_id="petrov", due_at=DUE, now=START, route=None)
    assert not await cases.assign(db, case_id, owner_id="other", due_at=DUE, now=START, route=None)
    row = (await the_case(db)).row
    assert (row.owner_id, row.due_at) == ("petrov", DUE)
    assert await cases.ownerless(db) == []
