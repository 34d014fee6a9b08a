"""Whether a node stays as it was under calls for a long time: its figures from samples and calls, and what
they are held against. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, linear_regression
from typing import Any

from bot.sim.bench.capacity import LATE_SHARE, TARGET_GAP_MS
from bot.sim.bench.figures import figures
from bot.sim.bench.load import Load, Sample

WARM_UP_S = 60.0
"""What a node reads and fills in its first calls is no growth: its samples count from here on, in a run that
is at least three times as long, else from its first third."""

LONG_S, LONG_WARM_UP_S = 360.0, 180.0
"""Decoders and connections to SQLite go on filling their caches for about three minutes: a run that has as
much left behind them leaves them out."""

JUDGED_S = 300.0
"""Growth is judged where so much is left behind the warm-up: in less the last caches look like a leak."""

MEMORY_SHARE = 0.03
"""So much of its memory a node may have gained from the first third of its steady time to the last. Healthy
runs of 10 and 14 minutes gained 35 and 21 MB from their second minute to their end: 1.9 and 1.2 % from a
third to a third, had that come evenly. Caches have an end and leaks have none: the longer the run, the slower
the leak that is found (of a node of 1.1 GB: 430 MB an hour in ten minutes, 5 in ten hours)."""

FILES_SHARE = 0.07
"""The same of file descriptors: 12 of 177, where those runs gained 3 and 9. In ten minutes of 32 lines some
120 calls lie between the thirds: that one call of ten keeps a descriptor is found."""

UNSTEADY = 1.3
"""The second half of the calls may wait so many times as long as the first: p95 of the same load on two nodes
differed by up to a quarter (840 and 1050 ms)."""

GOOD_GAP_MS = 800
"""What a single call may have (issue 4): a gap that stays below is no worse for having been shorter once."""

JUDGED_REPLIES = 160
"""p95 of half of them is about the fourth longest: of fewer it would be chance."""

FAILED_TARGET = 0.001


class Verdict(StrEnum):
    """`not_judged`: too little was measured to say."""

    MET = "met"
    MISSED = "missed"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class Growth:
    """Of what was sampled in the `steady_s` behind the warm-up: the slope of a straight line, and the means
    of the first third and of the last."""

    steady_s: float
    mb_per_hour: float
    first_mb: float
    last_mb: float
    files_first: float
    files_last: float
    parts_mb: dict[str, tuple[float, float]]
    parts_files: dict[str, tuple[float, float]]


def warm_up_s(held_s: float) -> float:
    """How long the beginning is of a run that held its calls for so long."""
    return LONG_WARM_UP_S if held_s >= LONG_S else min(WARM_UP_S, held_s / 3)


def growth(samples: Sequence[Sample], held_s: float) -> Growth:
    """From the warm-up's end to `held_s`, when calls were still held. Raises ValueError for no samples."""
    begins = warm_up_s(held_s)
    steady = [each for each in samples if begins <= each.at_s < held_s] or list(samples)
    if not steady:
        raise ValueError("no samples")
    third = max(len(steady) // 3, 1)
    first, last = steady[:third], steady[-third:]
    line = None
    if steady[-1].at_s > steady[0].at_s:
        line = linear_regression([each.at_s / 3600 for each in steady], [each.rss_mb for each in steady])
    return Growth(
        steady_s=held_s - begins,
        mb_per_hour=line.slope if line is not None else 0.0,
        first_mb=fmean(each.rss_mb for each in first),
        last_mb=fmean(each.rss_mb for each in last),
        files_first=fmean(each.files for each in first),
        files_last=fmean(each.files for each in last),
        parts_mb=_parts([each.parts_mb for each in first], [each.parts_mb for each in last]),
        parts_files=_parts([each.parts_files for each in first], [each.parts_files for each in last]),
    )


def _parts(
    first: Sequence[Mapping[str, float]], last: Sequence[Mapping[str, float]]
) -> dict[str, tuple[float, float]]:
    """What each process has at both ends, of those that are there in the end."""

    def mean(samples: Sequence[Mapping[str, float]], name: str) -> float:
        return fmean(each.get(name, 0.0) for each in samples)

    return {name: (mean(first, name), mean(last, name)) for name in last[-1]}


def halves(found: Load) -> tuple[int | None, int | None]:
    """p95 of the reply gap at closed questions: of the calls that ended first, and of the other half."""
    middle = len(found.records) // 2
    first, second = (
        figures(part, calls=found.lines, rounds=1, seed=found.figures.seed).closed.p95_ms
        for part in (found.records[:middle], found.records[middle:])
    )
    return first, second


def summary(found: Load, minutes: float, held_s: float) -> dict[str, Any]:
    """What the command prints: `minutes` were asked for, and lines were held for `held_s`."""
    grown = growth(found.taken.samples, held_s)
    failed = sum(found.failed.values())
    first, second = halves(found)
    told = {
        "minutes": round(held_s / 60, 2),
        "asked_minutes": minutes,
        "calls": found.calls,
        "lines": found.lines,
        "failed_rate": round(failed / found.calls, 5) if found.calls else None,
        "failed": found.failed,
        "wished": found.wished,
        "steady_s": round(grown.steady_s),
        "rss_growth_mb_per_hour": round(grown.mb_per_hour, 1),
        "rss_mb": [round(grown.first_mb, 1), round(grown.last_mb, 1)],
        "rss_mb_by_process": {
            name: [round(mb, 1) for mb in ends] for name, ends in sorted(grown.parts_mb.items())
        },
        "fd_growth": round(grown.files_last - grown.files_first),
        "fds": [round(grown.files_first), round(grown.files_last)],
        "fds_by_process": {
            name: [round(count, 1) for count in ends] for name, ends in sorted(grown.parts_files.items())
        },
        "reply_gap_p50_ms": found.figures.closed.p50_ms,
        "reply_gap_p95_ms": found.figures.closed.p95_ms,
        "reply_gap_p95_halves_ms": [first, second],
        "replies": found.figures.closed.turns,
        "late_share": round(found.late_share, 6),
        "torn_share": round(found.torn_share, 6),
        "core_seconds_per_call_minute": _per_minute(found),
        "stalls": found.figures.stalls,
    }
    return told | {"verdicts": verdicts(told, grown)}


def verdicts(told: Mapping[str, Any], grown: Growth) -> dict[str, Verdict]:
    """What is asked of a node, and whether it has kept it. A run without a single call has kept nothing."""
    rate, long_enough = told["failed_rate"], grown.steady_s >= JUDGED_S
    return {
        "failed_rate": _met(rate is not None and rate < FAILED_TARGET),
        "memory": _met(_gained(grown.first_mb, grown.last_mb) <= MEMORY_SHARE, long_enough),
        "files": _met(_gained(grown.files_first, grown.files_last) <= FILES_SHARE, long_enough),
        "reply_gap": _met(_steady(*told["reply_gap_p95_halves_ms"]), told["replies"] >= JUDGED_REPLIES),
        "late_audio": _met(told["late_share"] <= LATE_SHARE and told["torn_share"] <= LATE_SHARE),
    }


def _met(kept: bool, judged: bool = True) -> Verdict:
    if not judged:
        return Verdict.NOT_JUDGED
    return Verdict.MET if kept else Verdict.MISSED


def _gained(first: float, last: float) -> float:
    return (last - first) / first if first else 0.0


def _steady(first_ms: int | None, second_ms: int | None) -> bool:
    if first_ms is None or second_ms is None or max(first_ms, second_ms) > TARGET_GAP_MS:
        return False
    return second_ms <= max(GOOD_GAP_MS, UNSTEADY * first_ms)


def _per_minute(found: Load) -> float | None:
    return round(found.taken.node_s * 60 / found.talked_s, 3) if found.talked_s else None
