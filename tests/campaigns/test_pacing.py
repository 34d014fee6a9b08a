"""How many new calls at once: the smallest bound holds, whichever it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.campaigns.pacing import Bound, Counted, Load, Rate, agent_share, answer_share, new_dials
from bot.campaigns.reason_words import BOUNDS
from bot.campaigns.schema import Pacing
from tests.campaigns.policy_cases import NOW

SECOND = timedelta(seconds=1)
RULES = Pacing(lines=20, per_second=5, agents=True, agent_share=0.25)


def load(
    *,
    free_lines: int = 50,
    campaign_lines: int = 0,
    ringing: int = 0,
    talking: int = 0,
    waiting: int = 0,
    free_agents: int | None = 100,
) -> Load:
    return Load(free_lines, campaign_lines, ringing, talking, waiting, free_agents)


@pytest.mark.parametrize(
    ("now", "rates", "count", "bound"),
    [
        (load(), (), 20, Bound.CAMPAIGN_LINES),
        (load(campaign_lines=18), (), 2, Bound.CAMPAIGN_LINES),
        (load(campaign_lines=25), (), 0, Bound.CAMPAIGN_LINES),
        (load(free_lines=3), (), 3, Bound.FREE_LINES),
        (load(free_lines=-2), (), 0, Bound.FREE_LINES),
        # A quarter of the calls wants an agent, as far as is known: two agents, eight calls.
        (load(free_agents=2), (), 8, Bound.AGENTS),
        (load(free_agents=2, ringing=4), (), 4, Bound.AGENTS),
        (load(free_agents=2, talking=4), (), 4, Bound.AGENTS),
        (load(free_agents=2, waiting=1), (), 4, Bound.AGENTS),
        (load(free_agents=2, waiting=5), (), 0, Bound.AGENTS),
        (load(free_agents=0), (), 0, Bound.AGENTS),
        (load(free_agents=None), (), 0, Bound.AGENTS),
        (load(), (Rate(5),), 5, Bound.RATE),
        (load(), (Rate(5), Rate(2)), 2, Bound.RATE),
        (load(), (Rate(5, (NOW, NOW - 0.9 * SECOND)),), 3, Bound.RATE),
        (load(), (Rate(5, (NOW - SECOND, NOW - 2 * SECOND)),), 5, Bound.RATE),
    ],
)
def test_the_smallest_bound_holds(now: Load, rates: tuple[Rate, ...], count: int, bound: Bound) -> None:
    pace = new_dials(RULES, now, Counted(), rates, NOW)
    assert (pace.count, pace.bound) == (count, bound)


def test_a_campaign_that_hands_nobody_over_needs_no_agents() -> None:
    rules = RULES.model_copy(update={"agents": False})
    assert new_dials(rules, load(free_agents=None), Counted(), (), NOW).count == 20


def test_what_was_counted_outweighs_what_the_file_says() -> None:
    assert agent_share(RULES, Counted()) == RULES.agent_share
    assert agent_share(RULES, Counted(5_000, 2_000, 100)) == pytest.approx(0.05, abs=0.003)
    assert answer_share(Counted()) == 1
    assert answer_share(Counted(5_000, 2_000, 100)) == pytest.approx(0.4, abs=0.003)
    # So where few answer and few of them want anybody, two agents are enough for many calls.
    few = Counted(5_000, 2_000, 100)
    assert new_dials(Pacing(lines=500), load(free_agents=2, free_lines=500), few, (), NOW).count > 80


def test_when_there_will_be_room_again() -> None:
    dialled = tuple(NOW - share * SECOND for share in (0.1, 0.4, 0.7))
    pace = new_dials(RULES, load(), Counted(), (Rate(3, dialled),), NOW)
    assert (pace.count, pace.bound, pace.again_at) == (0, Bound.RATE, NOW + 0.3 * SECOND)


@pytest.mark.parametrize(
    ("per_second", "span_s"), [(1, 1.0), (10, 1.0), (0.2, 5.0), (1.5, 4 / 3), (0.3, 10 / 3)]
)
def test_rates_below_one_and_between(per_second: float, span_s: float) -> None:
    assert Rate(per_second).span.total_seconds() == pytest.approx(span_s, abs=1e-5)


@given(
    st.floats(0.05, 30),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_no_trunk_is_ever_asked_for_more_than_its_rate(per_second: float, waits: list[float]) -> None:
    """Dialling all that is allowed whenever somebody asks: in no span of time are there more calls."""
    now, moments = NOW, []
    for wait in waits:
        now += timedelta(seconds=wait)
        rate = Rate(per_second, tuple(moments))
        if not rate.room(now):
            now = rate.free_at(now)
        room = Rate(per_second, tuple(moments)).room(now)
        assert room >= 1
        moments += [now] * room
    span = Rate(per_second).span
    for first in moments:
        assert sum(first <= at < first + span for at in moments) <= rate.calls
    assert rate.calls / span.total_seconds() <= per_second * (1 + 1e-9)


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 30),
    st.floats(0.01, 1),
    st.integers(0, 500),
)
@settings(max_examples=200, deadline=None)
def test_more_going_on_never_means_more_new_calls(
    free: int, used: int, ringing: int, talking: int, waiting: int, agents: int, share: float, answered: int
) -> None:
    rules = Pacing(lines=30, agent_share=share)
    counted = Counted(answered * 2, answered, answered // 5)
    now = Load(free, used, ringing, talking, waiting, agents)
    count = new_dials(rules, now, counted, (), NOW).count
    assert 0 <= count <= max(0, free)
    for busier in (
        Load(free - 1, used, ringing, talking, waiting, agents),
        Load(free, used + 1, ringing, talking, waiting, agents),
        Load(free, used, ringing + 1, talking, waiting, agents),
        Load(free, used, ringing, talking + 1, waiting, agents),
        Load(free, used, ringing, talking, waiting + 1, agents),
        Load(free, used, ringing, talking, waiting, max(0, agents - 1)),
    ):
        assert new_dials(rules, busier, counted, (), NOW).count <= count
    wanted = (
        waiting
        + talking * agent_share(rules, counted)
        + (ringing + count) * agent_share(rules, counted) * answer_share(counted)
    )
    assert count == 0 or wanted <= agents + 1e-6


def test_every_bound_has_words() -> None:
    assert set(BOUNDS) == set(Bound)
