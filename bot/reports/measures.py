"""NPS, CSAT, CES and own scales from counted codes, and how they changed. Pure.

The scores and their intervals are `bot.surveys.scoring`'s. A difference of two scores has the interval
that their own intervals give («square and add», MOVER): R. Newcombe, Interval estimation for the
difference between independent proportions, Statistics in Medicine 17 (1998), 873-890; for other
measures G. Zou, A. Donner, Construction of confidence limits about effect measures, ibid. 27 (2008),
1693-1702.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt

from bot.surveys.scoring import DETRACTOR, NO_DATA, PROMOTER, Score, csat, mean_score, nps

SMALL = 30
"""Below so many answers a score is shown greyed: the 95 % interval of a share is up to 35 points wide."""

SCORED = ("nps", "csat", "ces", "score")
"""The kinds of question whose answers make a score, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What codes mean. Codes of two scales are never counted together: four of five is not four of seven.

    `positive` are CSAT's codes that count as satisfied, `direction` says which end of CES is easy.
    """

    kind: str
    low: int
    high: int
    positive: tuple[int, ...] = ()
    direction: str = ""

    @property
    def order(self) -> tuple[int, int, int, tuple[int, ...], str]:
        return (SCORED.index(self.kind), self.low, self.high, self.positive, self.direction)


@dataclass(frozen=True, slots=True)
class Measure:
    """The codes of one scale and what they come to.

    `score` is NPS in points (-100..100), CSAT in percent, CES and an own scale as the mean code. `mean`
    is the mean code of any of them.
    """

    scale: Scale
    counts: Mapping[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    @property
    def score(self) -> Score:
        match self.scale.kind:
            case "nps":
                return nps(self.counts)
            case "csat":
                return csat(self.counts, points=self.scale.high, positive=self.scale.positive)
            case _:
                return self.mean

    @property
    def mean(self) -> Score:
        return mean_score(self.counts, low=self.scale.low, high=self.scale.high)

    @property
    def small(self) -> bool:
        return self.count < SMALL

    @property
    def promoters(self) -> int:
        return sum(times for code, times in self.counts.items() if code >= PROMOTER)

    @property
    def passives(self) -> int:
        return self.count - self.promoters - self.detractors

    @property
    def detractors(self) -> int:
        return sum(times for code, times in self.counts.items() if code <= DETRACTOR)


@dataclass(frozen=True, slots=True)
class Change:
    """How much a score rose since the period before, with a 95 % interval; all None without data."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out: more than chance."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def change(now: Score, before: Score) -> Change:
    if now.value is None or before.value is None:
        return Change()
    value = now.value - before.value
    if now.low is None or now.high is None or before.low is None or before.high is None:
        return Change(value)
    down = sqrt((now.value - now.low) ** 2 + (before.high - before.value) ** 2)
    up = sqrt((now.high - now.value) ** 2 + (before.value - before.low) ** 2)
    return Change(value, value - down, value + up)


def share(part: int, whole: int) -> Score:
    """A part of a whole in percent, with Wilson's interval (as CSAT's)."""
    if not whole:
        return NO_DATA
    return csat({1: part, 2: whole - part}, points=2, positive=(1,))


def measures(codes: Iterable[tuple[Scale, int, int]]) -> tuple[Measure, ...]:
    """From (scale, code, how often) to a measure for each scale, in the order of showing."""
    counted: dict[Scale, Counter[int]] = {}
    for scale, code, times in codes:
        counted.setdefault(scale, Counter())[code] += times
    return tuple(Measure(scale, counted[scale]) for scale in sorted(counted, key=lambda each: each.order))
