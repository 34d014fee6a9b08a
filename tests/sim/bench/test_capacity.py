"""The search for a node's capacity, on loads that are made up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.cli.bench_capacity import Found, Refusal, summary
from bot.cli.bench_capacity_tables import limit_sentence
from bot.sim.bench.capacity import Limit, Point, ended, mb_per_call, most_held, next_load
from bot.words import speaking


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
        loop_cores=cores * 0.3,
        rasa_cores=cores * 0.1,
        busy=min(calls / 50, 1.0),
        core_s_per_minute=1.4,
        rss_mb=800.0 + 1.5 * calls,
        free_mb=8000.0,
        total_mb=16000.0,
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
    ("changes", "found", "share", "used_up"),
    [
        ({"busy": 0.97}, Limit.PROCESSOR, 0.97, True),
        ({"busy": 0.97, "loop_cores": 0.95}, Limit.PROCESSOR, 0.97, True),
        ({"busy": 0.7, "loop_cores": 0.95}, Limit.MEDIA_WORKER, 0.95, True),
        ({"busy": 0.7, "rasa_cores": 0.95}, Limit.DIALOGUE, 0.95, True),
        ({"busy": 0.97, "free_mb": 100.0}, Limit.MEMORY, 1 - 100 / 16000, True),
        ({"calls": 255, "busy": 0.7}, Limit.LINES, 1.0, True),
        ({"busy": 0.7, "loop_cores": 0.79}, Limit.MEDIA_WORKER, 0.79, False),
        ({"busy": 0.77, "loop_cores": 0.45}, Limit.PROCESSOR, 0.77, False),
        ({"busy": 0.5, "worker_cores": 1.2, "loop_cores": 0.45}, Limit.PROCESSOR, 0.5, False),
        ({"busy": 0.5, "free_mb": 4000.0}, Limit.MEMORY, 0.75, False),
    ],
)
def test_the_limit_is_the_resource_that_the_least_slow_load_used_the_most(
    changes: dict[str, Any], found: Limit, share: float, used_up: bool
) -> None:
    slow = replace(point(40, gap_ms=1500, loop_cores=0.4), **changes)
    end = ended([point(20), slow, point(256, gap_ms=9000, busy=1.0)], 2)
    assert (end.limit, end.calls, end.used_up) == (found, slow.calls, used_up)
    assert end.share == pytest.approx(share)


def test_on_one_core_a_thread_is_no_resource_of_its_own() -> None:
    assert ended([point(40, gap_ms=1500, busy=0.9, loop_cores=0.9)], 1).limit is Limit.PROCESSOR


def test_a_load_in_which_calls_only_failed_tells_of_no_resource() -> None:
    failed = point(30, failed=1, busy=0.6)
    end = ended([point(20), failed], 2)
    assert (end.limit, end.calls, end.share) == (Limit.FAILED_CALLS, 30, None)
    assert end.shares[Limit.PROCESSOR] == 0.6
    slow = ended([point(20), failed, point(40, gap_ms=1500, busy=0.8)], 2)
    assert (slow.limit, slow.calls, slow.share) == (Limit.PROCESSOR, 40, 0.8)


def test_where_everything_was_held_no_limit_was_reached() -> None:
    assert ended([point(20), point(60)], 2).limit is Limit.NOT_REACHED


@pytest.mark.parametrize(
    ("above", "russian", "english"),
    [
        ((), "Предел не достигнут: больше не пробовали.", "The limit is not reached: no more were tried."),
        (
            (point(43, failed=1),),
            "Предел не в ресурсах: никто не ждал дольше положенного, но звонки не удались "
            "(звонков сразу: 43).",
            "The limit is no resource: nobody waited for longer than he may, but calls failed (43 at once).",
        ),
        (
            (point(46, gap_ms=1050, busy=0.7, loop_cores=0.79),),
            "Предел: не исчерпан ни один ресурс; ближе всего к концу один поток рабочего процесса "
            "(79 % ядра), звонков сразу 46.",
            "The limit: no resource was used up; the nearest to its end: the media worker's one thread "
            "(79 % of a core), with 46 calls.",
        ),
        (
            (point(46, gap_ms=1050, busy=0.7, loop_cores=0.88),),
            "Предел: один поток рабочего процесса (88 % ядра), звонков сразу 46.",
            "The limit: the media worker's one thread (88 % of a core), with 46 calls.",
        ),
    ],
)
def test_what_the_limit_is_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, above: tuple[Point, ...], russian: str, english: str
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    found = summary(Found(idle_mb=800.0, points=[point(40, busy=0.5), *above]))
    for language, sentence in (("ru", russian), ("en", english)):
        with speaking(language):
            assert limit_sentence(found) == sentence


def test_what_programs_get_of_a_capacity() -> None:
    points = [point(40), point(43, failed=2), point(46, gap_ms=1050)]
    found = summary(Found(idle_mb=800.0, points=points, full=points[0], refusal=Refusal(486, False, 3)))
    assert found.keys() == {
        *("calls", "target_calls", "limit", "limit_share", "limit_used_up", "limit_calls", "limit_shares"),
        *("not_held", "reply_gap_p50_ms", "reply_gap_p95_ms", "late_share", "torn_share"),
        *("core_seconds_per_call_minute", "callers_cores", "mb_per_call", "idle_mb", "refused", "points"),
    }
    assert found["calls"] == 40
    assert found["not_held"] == {"calls": 43, "problems": ["failed_calls"]}
    assert found["limit_shares"].keys() >= {"memory", "lines", "processor"}
    assert json.loads(json.dumps(found)) == found


def test_memory_a_call_is_the_slope_over_the_loads() -> None:
    assert mb_per_call([point(20), point(40)], idle_mb=700.0) == pytest.approx(1.5)
    assert mb_per_call([point(20)], idle_mb=800.0) == pytest.approx(1.5)
    assert mb_per_call([], idle_mb=800.0) == 0.0


def test_memory_of_a_load_behind_a_larger_one_says_nothing() -> None:
    behind = point(10, rss_mb=point(20).rss_mb)  # what the twenty took has stayed
    assert mb_per_call([point(20), behind], idle_mb=800.0) == pytest.approx(1.5)
