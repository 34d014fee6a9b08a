"""A whole week of a campaign over eleven time zones: nobody is rung outside his hours, too often, or against
his wish; what was promised is kept; every attempt has one end; and the campaign does get its work done."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from bot.campaigns.breaker import TripCode
from bot.campaigns.facts import CampaignFacts, CampaignState, ContactFacts, PastRing
from bot.campaigns.pacing import Bound
from bot.campaigns.policy import window_of
from bot.campaigns.reasons import ReasonCode
from bot.campaigns.schema import Campaign
from bot.campaigns.windows import Window
from bot.core.endings import Disposition
from bot.surveys.schema import Calling as SurveyCalling
from tests.campaigns.campaign_week import (
    BEGIN,
    LIST_IMPORTED,
    MINUTE,
    SECOND,
    TRUNK_DOWN,
    WORKER_DIES,
    ZONES,
    Dialled,
    Kept,
    World,
    customers,
    local,
)
from tests.campaigns.clocks import SATURDAY, inside, is_working_day

DAY = timedelta(days=1)
EACH_ZONE = 90
PER_DAY, PER_WEEK, ATTEMPTS, PROMISES = 2, 4, 3, 2
TALKED_BEFORE = BEGIN - 4 * DAY

CAMPAIGN = CampaignFacts(
    Campaign.model_validate(
        {
            "id": "week",
            "title": "Неделя",
            "survey": "nps",
            "purpose": "service",
            "calling": {
                "hours": "mon-fri 10:00-13:00, 14:00-20:00; sun 12:00-16:00",
                "closed": ["2027-02-14", "2027-02-21"],
            },
            "retries": {"attempts": ATTEMPTS, "promised": {"limit": PROMISES}},
            "frequency": {"rings_per_day": PER_DAY, "rings_per_week": PER_WEEK, "any_survey": "7d"},
            "pacing": {"lines": 12, "per_second": 0.5, "agent_share": 0.15},
            "breaker": {
                "failures": {"share": 0.4, "over": "20m", "sample": 6},
                "opt_outs": {"share": 0.2, "over": "1d", "sample": 30},
            },
        }
    ),
    CampaignState.RUNNING,
    "nps",
    SurveyCalling(max_attempts=5, hours_between=2, earliest="10:00", latest="19:30"),
)


def hours_of(day: datetime) -> tuple[int, int] | None:
    """Of the campaign and the survey together, without the break at noon: Monday to Friday, and the Saturday
    that is worked; the Sunday is closed."""
    if not is_working_day(day):
        return None
    return 10 * 60, 19 * 60 + 30


@pytest.fixture(scope="module")
def people() -> list[ContactFacts]:
    """Some of them cannot be rung: no zone, a wrong one; some talked to another campaign four days ago."""
    everybody = list(customers(EACH_ZONE))
    other = PastRing("o", "other", "csat", TALKED_BEFORE, Disposition.COMPLETED, TALKED_BEFORE)
    for number, each in enumerate(everybody):
        if number % 20 == 7:
            everybody[number] = ContactFacts(each.contact_id, each.tz, False, None, False, (other,))
    strangers = [ContactFacts(f"stranger/{tz}", tz, False, None, False, ()) for tz in ("", "Asia/Nowhere")]
    return [*everybody, *strangers]


@pytest.fixture(scope="module")
def week(people: list[ContactFacts]) -> Kept:
    listed = [f"{tz}/{number}" for tz in ZONES for number in range(0, EACH_ZONE, 15)]
    return World(CAMPAIGN, people, on_import=listed, seed=20270215).run()


def by_contact(week: Kept) -> dict[str, list[Dialled]]:
    found: dict[str, list[Dialled]] = defaultdict(list)
    for each in week.dialled:
        found[each.contact_id].append(each)
    return found


def zone_of(dialled: Dialled) -> str:
    return dialled.contact_id.rpartition("/")[0]


def test_nobody_is_rung_outside_his_hours(week: Kept) -> None:
    for each in week.dialled:
        assert inside(each.at, zone_of(each), hours_of), each
        clock = local(each.at, zone_of(each))
        assert clock.hour != 13, each


def test_every_zone_is_rung_on_every_day_that_is_worked_and_on_no_other(week: Kept) -> None:
    days = {(zone_of(each), local(each.at, zone_of(each)).date()) for each in week.dialled}
    assert {day.weekday() for _, day in days} == {0, 1, 2, 3, 4, SATURDAY}
    assert {tz for tz, _ in days} == set(ZONES)
    assert max(day for _, day in days).isoformat() == "2027-02-20"


def test_every_attempt_has_an_end_that_is_of_a_dialled_call(week: Kept) -> None:
    assert not {None, Disposition.CANCELLED} & {each.disposition for each in week.dialled}


def test_caps_and_limits_are_kept(week: Kept) -> None:
    """A time that the customer named is beside them."""
    for rings in by_contact(week).values():
        counted = [each for each in rings if not each.for_promise]
        assert len(counted) <= ATTEMPTS
        assert len(rings) <= ATTEMPTS + PROMISES
        for each in counted:
            so_far = [other.at for other in rings if other.at < each.at]
            assert sum(at > each.at - DAY for at in so_far) < PER_DAY
            assert sum(at > each.at - 7 * DAY for at in so_far) < PER_WEEK


def test_nobody_is_on_two_lines_and_nobody_is_rung_again_too_early(week: Kept) -> None:
    retries = CAMPAIGN.definition.retries
    interval = {
        Disposition.BUSY: retries.busy.after[0],
        Disposition.NO_ANSWER: retries.no_answer.after[0],
        Disposition.VOICEMAIL: retries.voicemail.after[0],
        Disposition.INTERRUPTED: retries.interrupted.after[0],
        Disposition.FAILED: retries.failed.after[0],
    }
    seen: Counter[Disposition | None] = Counter()
    for rings in by_contact(week).values():
        for earlier, later in pairwise(rings):
            assert earlier.ended_at is not None
            assert later.at > earlier.ended_at
            if not later.for_promise:
                seen[earlier.disposition] += 1
                assert later.at >= earlier.ended_at + interval.get(earlier.disposition or "", MINUTE)
    assert all(seen[disposition] for disposition in interval)


def test_whoever_was_talked_to_is_not_rung_again(week: Kept) -> None:
    for rings in by_contact(week).values():
        last_words = [each.disposition for each in rings[:-1]]
        assert not set(last_words) & {Disposition.COMPLETED, Disposition.REFUSED, Disposition.HUNG_UP}


def test_nobody_is_rung_against_his_wish(week: Kept) -> None:
    opted_out = [each for each in week.dialled if each.disposition is Disposition.OPTED_OUT]
    assert len(opted_out) >= 5
    rung_before = [each for each in week.dialled if each.at < LIST_IMPORTED]
    assert rung_before
    assert len(week.blocked) > len(opted_out)
    for each in week.dialled:
        assert each.at < week.blocked.get(each.contact_id, datetime.max.replace(tzinfo=each.at.tzinfo))


def test_whoever_talked_of_late_is_left_in_peace_for_a_week(week: Kept, people: list[ContactFacts]) -> None:
    talked = {each.contact_id for each in people if each.rings}
    rung = [each for each in week.dialled if each.contact_id in talked]
    assert rung
    assert min(each.at for each in rung) >= TALKED_BEFORE + 7 * DAY


def test_whoever_has_no_zone_is_not_rung(week: Kept) -> None:
    assert not [each for each in week.dialled if each.contact_id.startswith("stranger")]


def test_promised_times_are_kept(week: Kept, people: list[ContactFacts]) -> None:
    """At the named time, or when his hours begin, or when the campaign goes on; within five minutes."""
    facts = {each.contact_id: each for each in people}
    rings = by_contact(week)
    kept = 0
    for name, promised in week.promises:
        window = window_of(facts[name], CAMPAIGN)
        assert isinstance(window, Window)
        due = window.next_open(promised)
        assert due is not None
        for begin, end, _ in week.pauses:
            if begin <= due < end:
                due = window.next_open(end) or end
        found = [each for each in rings[name] if each.for_promise and each.at >= promised]
        if name in week.blocked or due >= week.dialled[-1].at:
            continue
        assert found, (name, promised)
        assert found[0].at - due <= 5 * MINUTE
        kept += 1
    assert kept > 20


def test_lines_the_trunk_and_agents_bound_it(week: Kept) -> None:
    assert 8 <= week.most_lines <= 12
    at = [each.at for each in week.dialled]
    assert all(later - earlier >= 2 * SECOND for earlier, later in pairwise(at))
    assert week.dialled_without_agents == 0
    assert set(week.bounds) >= {Bound.AGENTS, Bound.RATE}
    assert week.wanted_agent > 20
    assert week.waited_for_agent <= 0.15 * week.wanted_agent


def test_it_pauses_itself_while_the_trunk_is_down(week: Kept) -> None:
    begin, lasts = TRUNK_DOWN
    paused, _, trips = week.pauses[0]
    assert begin < paused
    assert [trip.code for trip in trips] == [TripCode.FAILURES]
    for paused, resumed, _ in week.pauses:
        assert paused < begin + lasts + 20 * MINUTE
        assert not [each for each in week.dialled if paused < each.at < resumed]
        assert [each for each in week.dialled if resumed <= each.at < resumed + 5 * MINUTE]


def test_calls_of_a_worker_that_died_are_tried_again(week: Kept) -> None:
    broken = [each for each in week.dialled if each.disposition is Disposition.INTERRUPTED]
    assert len(broken) >= 2
    assert {each.ended_at for each in broken} == {WORKER_DIES}
    again = by_contact(week)
    tried = [next((r for r in again[b.contact_id] if r.at > WORKER_DIES), None) for b in broken]
    assert any(each is not None and each.at < WORKER_DIES + 30 * MINUTE for each in tried)


def test_no_more_surveys_are_completed_than_are_wanted(people: list[ContactFacts]) -> None:
    """Nor so many calls begun that more could be."""
    wanted = replace(CAMPAIGN, definition=CAMPAIGN.definition.model_copy(update={"target": 9}))
    kept = World(wanted, people[::12], on_import=[], seed=1).run()
    assert [each.disposition for each in kept.dialled].count(Disposition.COMPLETED) == 9
    assert ReasonCode.TARGET_REACHED in {reason.code for reason in kept.ended.values()}


def test_its_work_gets_done(week: Kept, people: list[ContactFacts]) -> None:
    """Everybody who could be rung was, and is done with for a reason."""
    rung = {each.contact_id for each in week.dialled}
    never = {each.contact_id for each in people} - rung
    assert all(name in week.blocked or name.startswith("stranger") for name in never)
    ends = Counter(reason.code for reason in week.ended.values())
    assert ends[ReasonCode.TALKED] > 250
    assert ends[ReasonCode.ATTEMPTS_USED] + ends[ReasonCode.CAUSE_LIMIT] > 30
