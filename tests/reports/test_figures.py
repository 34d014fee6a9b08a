"""What the databases count is what is counted the slow way, on both of them."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.reports import funnel, handling, scores
from bot.reports.definitions import definitions
from bot.reports.handling import Handling
from bot.reports.periods import Period
from bot.reports.report import as_json, report
from bot.reports.scores import Scores
from bot.reports.slices import By, Scope
from bot.store.database import Database
from bot.store.settings import StoreSettings
from tests.databases import database_in
from tests.postgres import Postgres
from tests.reports import world
from tests.reports.world import FIRST, ZONE, FakeCall, fake_calls

PERIOD = Period(date(2025, 3, 27), date(2025, 4, 4), ZONE)
NOW = FIRST + timedelta(days=16)
DAYS = 7


def _within(call: FakeCall, scope: Scope) -> bool:
    of = scope.period
    return (
        of.start <= call.at < of.end
        and (not scope.employees or call.agent in scope.employees)
        and (not scope.surveys or call.survey in scope.surveys)
        and (not scope.campaigns or call.campaign in scope.campaigns)
        and (not scope.topics or bool(call.topics & set(scope.topics)))
    )


async def check(db: Database, calls: Sequence[FakeCall], scope: Scope) -> None:
    await world.store(db, calls)
    these = [call for call in calls if _within(call, scope)]
    found = await report(db, scope, NOW, repeat_days=DAYS)
    assert {each.scale: dict(each.counts) for each in found.scores.measures} == world.codes(these)
    lost = [reply for call in these if call.version == "lost" for reply in call.replies]
    assert found.scores.unread == sum(reply.question == "csat" and bool(reply.number) for reply in lost)
    before = [call for call in calls if _within(call, scope.before())]
    assert _funnel(found.funnel) == world.funnel(these)
    assert _funnel(found.funnel_before) == world.funnel(before)
    slow = world.questions(these)
    assert {(q.survey_id, q.question_id): (q.put, q.dropped, q.reasked) for q in found.questions} == {
        key: (each.put, each.dropped, each.reasked) for key, each in slow.items()
    }
    for each in found.questions:
        outcomes = slow[each.survey_id, each.question_id].outcomes
        assert [each.answered, each.refused, each.dont_know, each.no_answer] == [
            outcomes[status] for status in ("answered", "refused", "dont_know", "no_answer")
        ]
    assert found.outcomes == Counter(call.disposition for call in these if call.final)
    _check_handling(found.handling, these)
    until = min(NOW - timedelta(days=DAYS), scope.period.end)
    contacts = world.repeated(calls, lambda call: _within(call, scope) and call.at < until, DAYS)
    assert (found.repeats.contacts, found.repeats.repeated) == contacts
    assert {(c.weekday, c.hour): c.dialled for c in found.heat} == Counter(map(world.clock, these))
    human = [call for call in these if call.human]
    complained = Counter(topic for call in human if call.complains for topic in call.topics)
    assert found.matters.topics == complained
    assert found.matters.others == Counter(t for call in human if not call.complains for t in call.topics)
    assert found.matters.rules == (
        {"r": noticed} if (noticed := sum(map(bool, (c.topics for c in human)))) else {}
    )
    assert found.matters.calls == found.funnel.answered
    assert found.matters.negative == sum(bool(call.topics) for call in human if call.complains)
    as_json(found)


def _funnel(found: funnel.Funnel) -> tuple[int, ...]:
    return (found.dialled, found.answered, found.began, found.completed, found.handed_over)


def _check_handling(found: Handling, calls: Sequence[FakeCall]) -> None:
    human = [call for call in calls if call.human]
    assert (found.calls, found.customers) == (len(human), len({call.phone for call in human}))
    talks = [call.talk_s for call in human if call.final]
    assert found.call_s == (pytest.approx(fmean(talks), abs=0.01) if talks else None)
    waits = [call.wait_s for call in human if call.wait_s is not None]
    assert (found.handovers, found.connected) == (len(waits), len(waits))
    assert found.to_agent_s == (pytest.approx(fmean(waits), abs=0.01) if waits else None)
    assert found.soon == sum(wait <= 20 for wait in waits)
    holds = [call.holds for call in human if call.wait_s is not None and call.holds is not None]
    held = [times * 10 for times in holds if times]
    assert (found.watched, found.held) == (len(holds), len(held))
    assert found.held_s == (pytest.approx(fmean(held)) if held else None)


async def check_slices(db: Database, calls: Sequence[FakeCall], scope: Scope, *slicings: By) -> None:
    """Every slice is the report of its own calls."""
    these = [call for call in calls if _within(call, scope)]
    by: dict[By, dict[object, list[FakeCall]]] = {each: defaultdict(list) for each in By}
    parts = {each: scope.period.parts(each.grain) for each in By if each.grain is not None}
    for call in these:
        by[By.EMPLOYEE][call.agent].append(call)
        by[By.DEPARTMENT]["dept"].append(call)
        by[By.SURVEY][call.survey].append(call)
        by[By.CAMPAIGN][call.campaign or ""].append(call)
        for topic in call.topics:
            by[By.TOPIC][topic].append(call)
        if call.topics:
            by[By.RULE]["r"].append(call)
        day = call.at.astimezone(ZoneInfo(ZONE)).date()
        for each, of_grain in parts.items():
            place = next(at for at, part in enumerate(of_grain) if part.first <= day <= part.last)
            by[each][place].append(call)
    for slicing in slicings:
        members = by[slicing]
        async with db.read() as session:
            counted = await funnel.funnels(session, scope, slicing)
            scored = await scores.scores(session, scope, await definitions(session), slicing)
            handled = await handling.handling(session, scope, slicing)
            repeated = await handling.repeats(session, scope, NOW, DAYS, slicing)
        assert {key: _funnel(each) for key, each in counted.items()} == {
            key: world.funnel(of_key) for key, of_key in members.items()
        }, slicing
        until = min(NOW - timedelta(days=DAYS), scope.period.end)
        due = {key: [id(call) for call in of_key if call.at < until] for key, of_key in members.items()}
        assert {key: (each.contacts, each.repeated) for key, each in repeated.items()} == {
            key: contacts
            for key, ids in due.items()
            if (contacts := world.repeated(calls, lambda call, ids=ids: id(call) in ids, DAYS))[0]
        }, slicing
        for key, of_key in members.items():
            found = scored.get(key, Scores())
            assert {each.scale: dict(each.counts) for each in found.measures} == world.codes(of_key)
            _check_handling(handled.get(key, Handling()), of_key)


scopes = st.builds(
    Scope,
    st.just(PERIOD),
    employees=st.sampled_from([(), (), ("ann",), ("ann", "")]),
    surveys=st.sampled_from([(), (), ("a",), ("a", "c")]),
    campaigns=st.sampled_from([(), (), ("spring",)]),
    topics=st.sampled_from([(), (), ("waiting",), ("billing", "rudeness")]),
)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(fake_calls(), max_size=12), scopes, st.sampled_from(By))
def _counts(runner: asyncio.Runner, db: Database, calls: list[FakeCall], scope: Scope, by: By) -> None:
    runner.run(check(db, calls, scope))
    runner.run(check_slices(db, calls, scope, by))


def test_sqlite_counts_what_is_there(tmp_path: Path) -> None:
    db = Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite"))
    with asyncio.Runner() as runner:
        runner.run(db.upgrade())
        _counts(runner, db)
        runner.run(db.close())


async def test_postgresql_counts_what_is_there(postgres: Postgres) -> None:
    chance = Random(7)
    calls = [world.random_call(chance) for _ in range(400)]
    async with database_in(postgres) as db:
        for scope in (Scope(PERIOD), Scope(PERIOD, employees=("ann",), topics=("waiting", "billing"))):
            await check(db, calls, scope)
            await check_slices(db, calls, scope, *By)


async def test_the_same_calls_in_sqlite(db: Database) -> None:
    """A crowd, in which every slice has members."""
    chance = Random(7)
    calls = [world.random_call(chance) for _ in range(400)]
    await check(db, calls, Scope(PERIOD))
    await check_slices(db, calls, Scope(PERIOD), *By)


async def test_nothing_is_no_score_and_no_error(db: Database) -> None:
    await world.store(db, [])
    found = await report(db, Scope(PERIOD), NOW, by=By.DAY)
    assert found.empty
    assert found.scores.measures == ()
    assert found.handling == Handling()
    assert [row.key for row in found.rows] == [f"2025-03-{d}" for d in range(27, 32)] + [
        f"2025-04-0{d}" for d in range(1, 5)
    ]
    written = as_json(found)
    assert written["repeats"] == {
        "days": 7, "contacts": 0, "repeated": 0, "share": {"n": 0, "value": None, "low": None, "high": None},
    }  # fmt: skip


async def test_an_hour_that_comes_twice_is_one_hour_of_the_clock(db: Database) -> None:
    autumn = datetime.fromisoformat("2025-10-26T02:30:00+02:00")
    seconds = int((autumn - FIRST).total_seconds())
    calls = [FakeCall(seconds), FakeCall(seconds + 3600), FakeCall(seconds + 7200)]
    await world.store(db, calls)
    async with db.read() as session:
        found = await handling.heat(session, Scope(Period(date(2025, 10, 20), date(2025, 10, 26), ZONE)))
    assert [(each.weekday, each.hour, each.dialled) for each in found] == [(6, 2, 2), (6, 3, 1)]
