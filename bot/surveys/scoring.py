"""Scores from values, each with a 95 % interval; an empty set has no score, not zero.

Values come one by one, or counted: `{9: 120, 10: 80}` is 200 answers.

NPS: promoters (9-10) less detractors (0-6), in points from -100 to 100. F. Reichheld, The One
Number You Need to Grow, Harvard Business Review, December 2003. A single answer is a variable that
is +1, 0 or -1, of variance (p + d) - (p - d)². The interval is the adjusted Wald one, which counts
three answers more, 3/4 promoters and 3/4 detractors, and so does not vanish where all agree:
B. Rocks, Interval Estimation for the Net Promoter Score, The American Statistician 70 (2016), 365-372.

CSAT: the share of answers whose code is positive, in percent (ISO 10004:2018 calls it the share of
satisfied customers; «top two box» on five points). The interval is Wilson's, which stays within
0..100 and holds for small sets: E. B. Wilson, Journal of the American Statistical Association 22
(1927), 209-212.

CES: the mean of the codes. M. Dixon, K. Freeman, N. Toman, Stop Trying to Delight Your Customers,
Harvard Business Review, July 2010; on 1-7 with «higher is easier» as CES 2.0. The interval is that
of the mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""The 0.975 quantile of the standard normal distribution: a two-sided interval of 95 %."""

PROMOTER = 9
DETRACTOR = 6

_ADDED = 3
_ADDED_EACH = 0.75


@dataclass(frozen=True, slots=True)
class Score:
    """A measure over `count` answers; `low` and `high` are its 95 % interval.

    All three are None where there is no data; the interval alone is None where one answer does not
    tell a spread.
    """

    count: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


NO_DATA = Score(0)

Values = Sequence[int] | Mapping[int, int]


def nps(values: Values) -> Score:
    """Net promoter score, -100..100. Raises ValueError for a value that is not on 0-10."""
    counts = Counter(values)
    _on_scale(counts, 0, 10)
    count = counts.total()
    if not count:
        return NO_DATA
    promoters = sum(times for value, times in counts.items() if value >= PROMOTER)
    detractors = sum(times for value, times in counts.items() if value <= DETRACTOR)
    total = count + _ADDED
    centre = (promoters - detractors) / total
    extreme = (promoters + detractors + 2 * _ADDED_EACH) / total
    margin = Z95 * sqrt((extreme - centre**2) / total)
    return Score(
        count,
        100 * (promoters - detractors) / count,
        100 * max(-1.0, centre - margin),
        100 * min(1.0, centre + margin),
    )


def csat(values: Values, *, points: int, positive: Collection[int]) -> Score:
    """Share of positive codes, 0..100.

    `positive` is what the question declares. Raises ValueError for a value or a positive code that is
    not on 1-`points`.
    """
    counts = Counter(values)
    _on_scale((*positive, *counts), 1, points)
    count = counts.total()
    if not count:
        return NO_DATA
    share = sum(times for value, times in counts.items() if value in positive) / count
    weight = Z95**2 / count
    centre = (share + weight / 2) / (1 + weight)
    margin = Z95 * sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    return Score(count, 100 * share, 100 * max(0.0, centre - margin), 100 * min(1.0, centre + margin))


def ces(values: Values, *, low: int, high: int) -> Score:
    """Mean code. Raises ValueError for a value that is not on `low`-`high`.

    Whether a high mean is good is the question's `direction`; the number itself is not turned.
    """
    return mean_score(values, low=low, high=high)


def mean_score(values: Values, *, low: int, high: int) -> Score:
    """The mean of any scale, its interval cut off at the scale's ends. Raises ValueError as `ces`."""
    counts = Counter(values)
    _on_scale(counts, low, high)
    count = counts.total()
    if not count:
        return NO_DATA
    total = sum(value * times for value, times in counts.items())
    mean = total / count
    if count == 1:
        return Score(1, mean)
    # Whole numbers up to here: nothing is lost to rounding where all are alike.
    squares = sum(value * value * times for value, times in counts.items())
    variance = (count * squares - total * total) / (count * (count - 1))
    margin = Z95 * sqrt(variance / count)
    return Score(count, mean, max(float(low), mean - margin), min(float(high), mean + margin))


def _on_scale(values: Iterable[int], low: int, high: int) -> None:
    outside = [value for value in values if not low <= value <= high]
    if outside:
        raise ValueError(f"not on the scale {low}-{high}: {outside[0]}")
