"""Whether a node stays as it was under calls for a long time: its figures from samples and calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression
from typing import Any

from bot.sim.bench.figures import figures
from bot.sim.bench.load import Load, Sample

WARM_UP_S = 60.0
"""What a node reads and fills in its first calls is no growth: its samples count from here on, in a run that
is at least three times as long, else from its first third."""

FAILED_TARGET = 0.001


@dataclass(frozen=True, slots=True)
class Growth:
    """Of a straight line through the samples; `ends` are what the first and the last tenth of them say."""

    mb_per_hour: float
    first_mb: float
    last_mb: float
    files_first: float
    files_last: float
    parts_mb: dict[str, tuple[float, float]]
    parts_files: dict[str, tuple[float, float]]


def growth(samples: Sequence[Sample], lasted_s: float, until_s: float) -> Growth:
    """From the warm-up's end to `until_s`, when calls were still held. Raises ValueError for no samples."""
    begins = min(WARM_UP_S, lasted_s / 3)
    steady = [each for each in samples if begins <= each.at_s < until_s] or list(samples)
    if not steady:
        raise ValueError("no samples")
    tenth = max(len(steady) // 10, 1)
    first, last = steady[:tenth], steady[-tenth:]
    line = None
    if steady[-1].at_s > steady[0].at_s:
        line = linear_regression([each.at_s / 3600 for each in steady], [each.rss_mb for each in steady])
    return Growth(
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
    grown = growth(found.taken.samples, found.taken.seconds, held_s)
    failed = sum(found.failed.values())
    first, second = halves(found)
    return {
        "minutes": round(held_s / 60, 2),
        "asked_minutes": minutes,
        "calls": found.calls,
        "lines": found.lines,
        "failed_rate": round(failed / found.calls, 5) if found.calls else None,
        "failed": found.failed,
        "wished": found.wished,
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
        "late_share": _share(found.late, found.packets),
        "torn_share": _share(found.torn, found.prompts),
        "core_seconds_per_call_minute": _per_minute(found),
        "stalls": found.figures.stalls,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def _per_minute(found: Load) -> float | None:
    return round(found.taken.node_s * 60 / found.talked_s, 3) if found.talked_s else None
