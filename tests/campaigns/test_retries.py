"""After which time somebody is rung again, by what his last call came to, and when never."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.campaigns.facts import CampaignFacts, PastRing
from bot.campaigns.reasons import ReasonCode, ReasonKind
from bot.campaigns.retries import TALKED, Again, Over, after_ring
from bot.campaigns.urgency import Urgency, urgency_of
from bot.core.endings import Disposition, RetryCause, retry_cause
from bot.surveys.schema import Calling as SurveyCalling
from tests.campaigns.policy_cases import NOW, campaign, ring

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OFTEN = SurveyCalling(max_attempts=20, hours_between=0.25)


def no_chance() -> float:
    return 0.0


def facts(**retries: Any) -> CampaignFacts:
    return campaign(calling_of_survey=OFTEN, retries=retries)


def again(rings: Sequence[PastRing], which: CampaignFacts, random: float = 0.0) -> Again:
    told = after_ring(rings, which, lambda: random)
    assert isinstance(told, Again), told
    return told


def over(rings: Sequence[PastRing], which: CampaignFacts) -> ReasonCode:
    told = after_ring(rings, which, no_chance)
    assert isinstance(told, Over), told
    assert told.reason.kind is ReasonKind.FINAL
    return told.reason.code


@pytest.mark.parametrize(
    ("disposition", "cause", "after"),
    [
        (Disposition.BUSY, RetryCause.BUSY, 10 * MINUTE),
        (Disposition.NO_ANSWER, RetryCause.NO_ANSWER, 4 * HOUR),
        (Disposition.UNAVAILABLE, RetryCause.UNAVAILABLE, 4 * HOUR),
        (Disposition.VOICEMAIL, RetryCause.VOICEMAIL, DAY),
        (Disposition.SECRETARY, RetryCause.MACHINE, DAY),
        (Disposition.IVR, RetryCause.MACHINE, DAY),
        (Disposition.NO_INPUT, RetryCause.SILENCE, DAY),
        (Disposition.FAILED, RetryCause.FAILED, 10 * MINUTE),
        (Disposition.INTERRUPTED, RetryCause.INTERRUPTED, 15 * MINUTE),
    ],
)
def test_each_cause_has_its_interval(disposition: Disposition, cause: RetryCause, after: timedelta) -> None:
    last = ring(disposition)
    told = again([last], facts())
    assert last.ended_at is not None
    assert (told.cause, told.at) == (cause, last.ended_at + after)


def test_every_disposition_either_ends_it_or_is_tried_again() -> None:
    """None is without an answer, and none that tells of a person reached is tried again."""
    for disposition in set(Disposition) - {Disposition.CANCELLED}:
        told = after_ring([ring(disposition, promised_at=NOW)], facts(), no_chance)
        assert isinstance(told, Again if retry_cause(disposition) else Over), disposition
    assert all(retry_cause(disposition) is None for disposition in TALKED)


def test_the_second_time_waits_longer_and_the_last_interval_holds_on() -> None:
    which = facts(busy={"after": ["10m", "30m"], "limit": 5}, attempts=9)
    rings: list[PastRing] = []
    waited = []
    for hours in (9, 7, 5):
        rings.append(ring(Disposition.BUSY, hours * HOUR))
        ended = rings[-1].ended_at
        assert ended is not None
        waited.append(again(rings, which).at - ended)
    assert waited == [10 * MINUTE, 30 * MINUTE, 30 * MINUTE]


def test_causes_are_counted_one_by_one_and_all_together() -> None:
    which = facts(busy={"after": ["10m"], "limit": 1}, no_answer={"after": ["1h"], "limit": 1}, attempts=4)
    rings = [ring(Disposition.BUSY, 9 * HOUR), ring(Disposition.NO_ANSWER, 8 * HOUR)]
    assert again(rings, which).cause is RetryCause.NO_ANSWER
    assert over([*rings, ring(Disposition.BUSY, 7 * HOUR)], which) is ReasonCode.CAUSE_LIMIT
    failed = [ring(Disposition.FAILED, hours * HOUR) for hours in (7, 6)]
    assert over([*rings, *failed], which) is ReasonCode.ATTEMPTS_USED


def test_rings_of_other_campaigns_and_those_never_dialled_are_no_attempts() -> None:
    which = facts(attempts=2)
    rings = [
        ring(Disposition.NO_ANSWER, 9 * HOUR),
        *(ring(Disposition.COMPLETED, hours * HOUR, of="other") for hours in (8, 2)),
        ring(Disposition.CANCELLED, HOUR),
    ]
    assert again(rings, which).at == NOW - 9 * HOUR + MINUTE + 4 * HOUR


def test_nothing_follows_what_is_not_there_or_not_over() -> None:
    assert after_ring([], facts(), no_chance) is None
    assert after_ring([ring(Disposition.BUSY, HOUR), ring(None, MINUTE)], facts(), no_chance) is None


def test_the_survey_says_how_long_to_leave_somebody_in_peace_whose_telephone_rang() -> None:
    survey = SurveyCalling(max_attempts=9, hours_between=48)
    which = campaign(calling_of_survey=survey)
    assert again([ring(Disposition.NO_ANSWER, HOUR)], which).at == NOW - HOUR + 48 * HOUR
    assert again([ring(Disposition.BUSY, HOUR)], which).at == NOW - HOUR + MINUTE + 10 * MINUTE


def test_the_campaign_rings_no_oftener_than_the_survey_allows() -> None:
    rings = [ring(Disposition.BUSY, 9 * HOUR), ring(Disposition.NO_ANSWER, 8 * HOUR)]
    twice = SurveyCalling(max_attempts=2)
    assert over(rings, campaign(calling_of_survey=twice)) is ReasonCode.ATTEMPTS_USED
    assert over(rings, campaign(calling_of_survey=twice, retries={"attempts": 9})) is ReasonCode.ATTEMPTS_USED
    assert campaign(retries={"attempts": 1}).attempts == 1


class TestPromised:
    def test_has_the_time_that_he_named(self) -> None:
        told = again([ring(Disposition.CALLBACK, HOUR, promised_at=NOW + DAY)], facts())
        assert (told.at, told.cause) == (NOW + DAY, RetryCause.PROMISED)

    def test_needs_no_attempt(self) -> None:
        rings = [ring(Disposition.BUSY, 9 * HOUR), ring(Disposition.CALLBACK, 8 * HOUR, promised_at=NOW)]
        assert again(rings, facts(attempts=2)).at == NOW
        kept = [*rings, ring(Disposition.NO_ANSWER, HOUR, for_promise=True)]
        assert over(kept, facts(attempts=2)) is ReasonCode.ATTEMPTS_USED
        assert again(kept, facts(attempts=3)).cause is RetryCause.NO_ANSWER

    def test_without_a_time_is_for_people_to_keep(self) -> None:
        assert over([ring(Disposition.CALLBACK)], facts()) is ReasonCode.HUMAN_CALLS

    def test_has_a_limit(self) -> None:
        rings = [ring(Disposition.CALLBACK, hours * HOUR, promised_at=NOW) for hours in (9, 8)]
        assert again(rings, facts(promised={"limit": 2})).at == NOW
        assert over(rings, facts(promised={"limit": 1})) is ReasonCode.PROMISES_USED


class TestInterrupted:
    def test_is_gone_on_with_for_a_while(self) -> None:
        last = ring(Disposition.INTERRUPTED, HOUR)
        told = again([last], facts(resume_within="6h"))
        assert last.ended_at is not None
        assert told.resume_until == last.ended_at + 6 * HOUR

    def test_without_an_end_counts_from_when_it_was_dialled(self) -> None:
        """Its worker died: nobody knows when it ended."""
        last = PastRing("a", "autumn", "nps", NOW, Disposition.INTERRUPTED)
        assert again([last], facts()).at == NOW + 15 * MINUTE

    def test_nothing_else_is_gone_on_with(self) -> None:
        assert again([ring(Disposition.BUSY)], facts()).resume_until is None


DUE = [each for each in Disposition if retry_cause(each) is not None]


@given(
    st.lists(st.sampled_from(DUE), min_size=1, max_size=40),
    st.integers(1, 6),
    st.integers(0, 3),
    st.floats(0, 1, exclude_max=True),
)
@settings(max_examples=200, deadline=None)
def test_nobody_is_rung_for_ever(
    outcomes: list[Disposition], attempts: int, promises: int, chance: float
) -> None:
    """However the calls end: so many attempts, and so many promised times; and chance only ever waits."""
    which = facts(attempts=attempts, promised={"limit": promises}, jitter=0.5)
    now, rings = NOW, list[PastRing]()
    promised = False
    for outcome in outcomes:
        asked_for = now + HOUR if outcome is Disposition.CALLBACK else None
        rings.append(PastRing(str(len(rings)), "autumn", "nps", now, outcome, now, asked_for, promised))
        told = after_ring(rings, which, lambda: chance)
        assert isinstance(told, Again | Over)
        if isinstance(told, Over):
            break
        soonest = again(rings, which)
        assert now < soonest.at <= told.at <= soonest.at + 0.5 * (soonest.at - now)
        promised = told.cause is RetryCause.PROMISED
        now = told.at
    assert len(rings) <= attempts + promises
    assert sum(not each.for_promise for each in rings) <= attempts


def test_who_comes_first() -> None:
    order = [RetryCause.PROMISED, RetryCause.INTERRUPTED, RetryCause.BUSY, None]
    assert [urgency_of(cause) for cause in order] == sorted(Urgency)
