"""The search for a node's capacity, on loads that are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.sim.bench.capacity import Limit, Point, limit, mb_per_call, most_held, next_load


def point(calls: int, gap_ms: int = 500, **changes: Any) -> Point:
    """A call takes a fiftieth of two cores."""
    cores = calls / 50 * 2
    held = Point(
        calls=calls,
        gap_p50_ms=300,
        gap_p95_ms=gap_ms,
        late=0.0,
        torn=0.0,
        failed=0,
        node_cores=cores * 0.6,
        callers_cores=cores * 0.4,
        worker_cores=cores * 0.5,
        rasa_cores=cores * 0.1,
        busy=min(calls / 50, 1.0),
        core_s_per_minute=1.4,
        rss_mb=800.0 + 1.5 * calls,
        free_mb=8000.0,
    )
    return replace(held, **changes)


def search(capacity: int, *, first: int, most: int, step: int) -> list[int]:
    """Which loads are tried on a node that holds so many."""
    points: list[Point] = []
    while (calls := next_load(points, first=first, most=most, step=step)) is not None:
        points.append(point(calls, gap_ms=500 if calls <= capacity else 1500))
        assert len(points) < 20, "it goes in circles"
    return [each.calls for each in points]


@pytest.mark.parametrize("capacity", [1, 2, 7, 19, 20, 33, 47, 48, 59, 60])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_the_search_ends_within_a_step_of_the_capacity(capacity: int, step: int) -> None:
    tried = search(capacity, first=20, most=60, step=step)
    held = max((calls for calls in tried if calls <= capacity), default=0)
    assert capacity - held < step
    assert len(tried) <= 7


def test_a_node_that_holds_nothing_is_asked_down_to_one_call() -> None:
    assert search(0, first=8, most=60, step=1) == [8, 4, 2, 1]


def test_after_a_load_that_was_held_it_tries_what_the_cores_have_room_for() -> None:
    assert next_load([point(20)], first=20, most=60, step=2) == 47


def test_what_failed_the_second_time_is_not_held_and_the_search_goes_on_below_it() -> None:
    points = [point(20), point(32), point(36, gap_ms=1500), point(32, gap_ms=1500)]
    assert most_held(points) == points[0]
    assert next_load(points, first=20, most=60, step=2) == 26
    assert next_load([*points, point(30)], first=20, most=60, step=2) is None
    assert next_load([point(20), point(20, failed=1)], first=20, most=20, step=2) == 10


def test_no_more_is_tried_than_was_asked_for() -> None:
    assert search(200, first=20, most=30, step=2) == [20, 30]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"gap_p95_ms": 1001}, "reply_gap"),
        ({"gap_p95_ms": None}, "reply_gap"),
        ({"late": 0.0011}, "late_audio"),
        ({"torn": 0.0011}, "late_audio"),
        ({"failed": 1}, "failed_calls"),
    ],
)
def test_what_keeps_a_load_from_being_held(changes: dict[str, Any], problem: str) -> None:
    assert point(20, gap_ms=1000).held
    assert point(20, **changes).problems == (problem,)


def test_a_load_above_one_that_failed_does_not_count() -> None:
    points = [point(20), point(30, gap_ms=1200), point(31)]
    best = most_held(points)
    assert best is not None
    assert best.calls == 20


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"busy": 0.97}, Limit.PROCESSOR),
        ({"busy": 0.7, "worker_cores": 0.95}, Limit.MEDIA_WORKER),
        ({"busy": 0.7, "rasa_cores": 0.95}, Limit.DIALOGUE),
        ({"busy": 0.97, "free_mb": 100.0}, Limit.MEMORY),
        ({"busy": 0.5}, Limit.UNKNOWN),
    ],
)
def test_what_is_used_up_where_a_load_was_not_held_is_the_limit(
    changes: dict[str, Any], found: Limit
) -> None:
    lower = point(20)
    assert limit([lower, point(40, **{"gap_p95_ms": 1500, "worker_cores": 0.5} | changes)], 2) is found


def test_where_everything_was_held_no_limit_was_reached() -> None:
    assert limit([point(20), point(60)], 2) is Limit.NOT_REACHED


def test_memory_a_call_is_the_slope_over_the_loads() -> None:
    assert mb_per_call([point(20), point(40)], idle_mb=700.0) == pytest.approx(1.5)
    assert mb_per_call([point(20)], idle_mb=800.0) == pytest.approx(1.5)
    assert mb_per_call([], idle_mb=800.0) == 0.0


def test_memory_of_a_load_behind_a_larger_one_says_nothing() -> None:
    behind = point(10, rss_mb=point(20).rss_mb)  # what the twenty took has stayed
    assert mb_per_call([point(20), behind], idle_mb=800.0) == pytest.approx(1.5)
