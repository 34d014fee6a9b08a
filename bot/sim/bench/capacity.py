"""How many calls one node holds: from the loads that were measured to the next one to try, and to what the
limit is. Pure.

A load is *held* where callers wait no longer than they may and nothing came late. The search tries what
the cost of a call lets expect, then halves what is left between the most that was held and the least that
was not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import linear_regression

from bot.sim.bench.load import Load
from telephony.settings import MAX_CALLS

TARGET_GAP_MS = 1000
"""Issue 9: p95 of the reply gap at closed questions."""

LATE_SHARE = 0.001
"""Of packets that may come late, and of prompts that may break off: one in a thousand."""

ROOM = 0.95
"""How much of the processors the search reckons with: it is only where the next load is tried."""

UP_PARTS = 4
"""Where the cores had room after all, the next load is larger by such a part."""

BUSY, ONE_CORE = 0.92, 0.85
"""From these shares on all processors, or the one core that a single thread can have, count as used up: at
0.85 whatever comes by chance waits on the average for six times as long as it takes (1 / (1 - share))."""

LOW_MEMORY_MB = 500.0


class Limit(StrEnum):
    """Which resource ends first, or why none can be named."""

    MEMORY = "memory"
    LINES = "lines"  # those that the SIP stack has
    PROCESSOR = "processor"  # all cores of this machine, callers included
    MEDIA_WORKER = "media_worker"  # the media worker's event loop: one thread, so one core
    DIALOGUE = "dialogue"  # Rasa: one process with one interpreter
    FAILED_CALLS = "failed_calls"  # calls failed, though nobody waited and nothing came late
    NOT_REACHED = "not_reached"  # no more were asked for


@dataclass(frozen=True, slots=True)
class Ended:
    """What the search ended at. `limit` is the resource that a load of `calls` used the most, for what there
    is of it, and `share` (0..1) how much of it; `used_up` says whether there was none left. `shares` are
    those of all resources."""

    limit: Limit
    calls: int | None = None
    share: float | None = None
    used_up: bool = False
    shares: Mapping[Limit, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured with so many calls at once. `busy` is the share of all processors' time, the cores
    are averages over the load (`loop_cores` of the worker's event loop alone), `late` and `torn` are shares
    0..1; None where no caller got a reply."""

    calls: int
    gap_p50_ms: int | None
    gap_p95_ms: int | None
    late: float
    torn: float
    failed: int
    node_cores: float
    callers_cores: float
    worker_cores: float
    loop_cores: float
    rasa_cores: float
    busy: float
    core_s_per_minute: float
    rss_mb: float
    free_mb: float
    total_mb: float

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps it from being held."""
        found = []
        if self.gap_p95_ms is None or self.gap_p95_ms > TARGET_GAP_MS:
            found.append("reply_gap")
        if self.late > LATE_SHARE or self.torn > LATE_SHARE:
            found.append("late_audio")
        if self.failed:
            found.append("failed_calls")
        return tuple(found)

    @property
    def held(self) -> bool:
        return not self.problems

    @property
    def slow(self) -> bool:
        """Whether something was not done in time; a call may also fail for what was misheard in it."""
        return not {"reply_gap", "late_audio"}.isdisjoint(self.problems)


def most_held(points: Sequence[Point]) -> Point | None:
    """The largest load that was held while none below it failed."""
    failed = [point.calls for point in points if not point.held]
    held = [point for point in points if point.held and point.calls < min(failed, default=math.inf)]
    return max(held, key=lambda point: point.calls, default=None)


def least_not_held(points: Sequence[Point]) -> Point | None:
    return min((point for point in points if not point.held), key=lambda point: point.calls, default=None)


def next_load(points: Sequence[Point], *, first: int, most: int, step: int) -> int | None:
    """How many calls to try next; None where it is known to `step` calls, or `most` were held."""
    if not points:
        return min(first, most)
    held = most_held(points)
    low = held.calls if held is not None else 0
    high = min((point.calls for point in points if not point.held), default=most + 1)
    if low >= most or high - low <= step:
        return None
    if high > most:  # none has failed: as many as the cores have room for, by what each call took
        assert held is not None
        cores = (held.node_cores + held.callers_cores) / held.busy if held.busy else math.inf
        each = (held.node_cores + held.callers_cores) / held.calls
        guess = int(cores * ROOM / each) if each and math.isfinite(cores) else most
        if guess <= low:  # a call takes less than it seemed
            guess = low + low // UP_PARTS
        return min(max(guess, low + step), most)
    middle = low + (high - low) // 2
    return max(middle, 1)


def ended(points: Sequence[Point], cpus: int) -> Ended:
    """What ends first, seen in the least load that was too slow: it tells it most clearly."""
    broken = least_not_held(points)
    if broken is None:
        return Ended(Limit.NOT_REACHED)
    slow = min((point for point in points if point.slow), key=lambda point: point.calls, default=None)
    used = _used(slow or broken, cpus)
    shares = {resource: share for resource, (share, _) in used.items()}
    if slow is None:
        return Ended(Limit.FAILED_CALLS, broken.calls, shares=shares)
    used_up = [resource for resource, (share, whole) in used.items() if share >= whole]
    nearest = max(used, key=lambda resource: used[resource][0] / used[resource][1])
    most = used_up[0] if used_up else nearest
    return Ended(most, slow.calls, shares[most], bool(used_up), shares)


def _used(point: Point, cpus: int) -> dict[Limit, tuple[float, float]]:
    """Of each resource the share that was used, and from which on none is left. Of several that are used up
    the first is the cause: who swaps has no processors, and without processors no thread has its core."""
    used = {
        Limit.MEMORY: (1 - point.free_mb / point.total_mb, 1 - LOW_MEMORY_MB / point.total_mb),
        Limit.LINES: (point.calls / MAX_CALLS, 1.0),
        Limit.PROCESSOR: (point.busy, BUSY),
    }
    if cpus > 1:  # of one core they are a part
        used |= {
            Limit.MEDIA_WORKER: (point.loop_cores, ONE_CORE),
            Limit.DIALOGUE: (point.rasa_cores, ONE_CORE),
        }
    return used


def mb_per_call(points: Sequence[Point], idle_mb: float) -> float:
    """The slope of the node's memory over its calls, in the order in which they were measured: what a large
    load has taken stays, and a smaller one behind it says nothing. Of one load alone, what came on top of the
    idle node."""
    loads: dict[int, float] = {}
    for point in points:
        if point.calls > max(loads, default=0):
            loads[point.calls] = point.rss_mb
    if len(loads) < 2:
        return max(((mb - idle_mb) / calls for calls, mb in loads.items()), default=0.0)
    return linear_regression(list(loads), list(loads.values())).slope


def point_of(found: Load) -> Point:
    """A load's figures, as the search looks at them."""
    taken, closed = found.taken, found.figures.closed
    seconds = taken.seconds or 1.0
    return Point(
        calls=found.lines,
        gap_p50_ms=closed.p50_ms,
        gap_p95_ms=closed.p95_ms,
        late=found.late_share,
        torn=found.torn_share,
        failed=sum(found.failed.values()),
        node_cores=taken.node_s / seconds,
        callers_cores=taken.callers_s / seconds,
        worker_cores=taken.parts_s.get("worker-0", 0.0) / seconds,
        loop_cores=taken.threads_s.get("worker-0", 0.0) / seconds,
        rasa_cores=taken.parts_s.get("rasa", 0.0) / seconds,
        busy=taken.busy,
        core_s_per_minute=taken.node_s * 60 / found.talked_s if found.talked_s else 0.0,
        rss_mb=max(sample.rss_mb for sample in taken.samples),
        free_mb=taken.free_mb,
        total_mb=taken.total_mb,
    )
