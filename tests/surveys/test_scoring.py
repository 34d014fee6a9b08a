"""Scores against their definitions, counted by hand or the slow way."""

from __future__ import annotations

from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.surveys.scoring import NO_DATA, Score, ces, csat, mean_score, nps

on_ten = st.lists(st.integers(0, 10), min_size=1, max_size=60)
on_five = st.lists(st.integers(1, 5), min_size=1, max_size=60)
on_seven = st.lists(st.integers(1, 7), min_size=1, max_size=60)


def test_an_empty_set_has_no_score() -> None:
    assert nps([]) == csat([], points=5, positive=[4, 5]) == ces([], low=1, high=7) == NO_DATA
    assert Score(0, None, None, None) == NO_DATA


@pytest.mark.parametrize(
    ("values", "value"),
    [
        ([10, 9, 8, 7, 6, 0], 0.0),
        ([10] * 70 + [8] * 20 + [3] * 10, 60.0),
        ([0], -100.0),
        ([9], 100.0),
        ([7, 8], 0.0),
        ([6, 6, 9], -100 / 3),
    ],
)
def test_nps_by_hand(values: list[int], value: float) -> None:
    assert nps(values).value == pytest.approx(value)


def test_the_nps_interval_of_a_worked_example() -> None:
    # n = 100, 70 promoters, 10 detractors. With 3/4 of each added: n = 103, net 60/103 = 0.58252,
    # variance (81.5/103 - 0.58252²) = 0.45193, margin 1.96 * sqrt(0.45193/103) = 0.12983.
    score = nps([10] * 70 + [8] * 20 + [3] * 10)
    assert score.low == pytest.approx(45.27, abs=0.01)
    assert score.high == pytest.approx(71.24, abs=0.01)


def test_one_answer_is_not_certainty() -> None:
    score = nps([10])
    assert score.low is not None
    assert score.low < 50.0


@given(on_ten)
def test_nps_is_promoters_less_detractors(values: list[int]) -> None:
    score = nps(values)
    promoters = len([value for value in values if value in (9, 10)])
    detractors = len([value for value in values if value in (0, 1, 2, 3, 4, 5, 6)])
    assert score.value == pytest.approx(100 * (promoters - detractors) / len(values))
    assert score.count == len(values)
    assert score.low is not None
    assert score.high is not None
    assert -100 <= score.low < score.high <= 100


@given(on_ten)
def test_nps_turns_round_with_its_sides(values: list[int]) -> None:
    there, back = (
        nps([10 if v >= 9 else 0 if v <= 6 else 7 for v in values]),
        nps([0 if v >= 9 else 10 if v <= 6 else 7 for v in values]),
    )
    assert there.value == pytest.approx(-(back.value or 0.0))
    assert there.low == pytest.approx(-(back.high or 0.0))


@given(on_five)
def test_csat_is_the_share_of_positive_codes(values: list[int]) -> None:
    score = csat(values, points=5, positive=(4, 5))
    assert score.value == pytest.approx(100 * (values.count(4) + values.count(5)) / len(values))
    assert score.low is not None
    assert score.high is not None
    assert 0 <= score.low <= (score.value or 0.0) + 1e-9
    assert (score.value or 0.0) - 1e-9 <= score.high <= 100


def test_the_wilson_interval_of_a_worked_example() -> None:
    # 8 of 10: the 95 % score interval is 49.02 to 94.33 (Newcombe, Statistics in Medicine 17, 1998).
    score = csat([5] * 8 + [1] * 2, points=5, positive=(4, 5))
    assert score.low == pytest.approx(49.02, abs=0.01)
    assert score.high == pytest.approx(94.33, abs=0.01)


@given(on_seven)
def test_ces_is_the_mean(values: list[int]) -> None:
    score = ces(values, low=1, high=7)
    assert score.value == pytest.approx(mean(values))
    if len(values) == 1:
        assert (score.low, score.high) == (None, None)
    else:
        assert score.low is not None
        assert score.high is not None
        assert 1 <= score.low <= score.high <= 7


def test_the_interval_of_a_mean() -> None:
    # 1..5: variance 2.5, standard error sqrt(0.5), margin 1.96 * 0.7071 = 1.386.
    score = mean_score([1, 2, 3, 4, 5], low=1, high=7)
    assert score.low == pytest.approx(1.614, abs=0.001)
    assert score.high == pytest.approx(4.386, abs=0.001)


# Whatever the scale is ------------------------------------------------------------------------

points_of_csat = st.sampled_from([3, 5])
scales = st.tuples(st.integers(0, 3), st.integers(4, 10))


@st.composite
def csat_answers(draw: st.DrawFn, *, least: int = 1) -> tuple[int, list[int], list[int]]:
    """The points of a scale, its positive codes (some, not all) and answers on it."""
    points = draw(points_of_csat)
    codes = st.integers(1, points)
    positive = draw(st.lists(codes, min_size=1, max_size=points - 1, unique=True))
    return points, positive, draw(st.lists(codes, min_size=least, max_size=60))


@st.composite
def ces_answers(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """The ends of a scale, and answers on it."""
    low, high = draw(scales)
    return low, high, draw(st.lists(st.integers(low, high), min_size=1, max_size=60))


@given(csat_answers(least=0), scales)
def test_without_answers_there_is_no_data_on_any_scale(
    csat_scale: tuple[int, list[int], list[int]], scale: tuple[int, int]
) -> None:
    points, positive, _ = csat_scale
    low, high = scale
    scores = [nps([]), csat([], points=points, positive=positive), ces([], low=low, high=high)]
    assert scores == [NO_DATA] * 3
    assert all(score.value is None for score in scores), "no data is not zero"


@given(on_ten, st.randoms())
def test_nps_asks_neither_who_answered_first_nor_how_many_times_over(
    values: list[int], chance: Random
) -> None:
    shuffled = chance.sample(values, len(values))
    assert nps(shuffled) == nps(values)
    once, thrice = nps(values), nps(values * 3)
    assert thrice.value == pytest.approx(once.value)
    assert _width(thrice) < _width(once), "more answers tell more"


@given(on_ten, st.data())
def test_a_better_answer_never_lowers_nps(values: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(values) - 1))
    better = [*values[:place], data.draw(st.integers(values[place], 10)), *values[place + 1 :]]
    assert (nps(better).value or 0.0) >= (nps(values).value or 0.0)


@given(csat_answers())
def test_csat_counts_the_declared_codes_and_no_others(answers: tuple[int, list[int], list[int]]) -> None:
    points, positive, values = answers
    score = csat(values, points=points, positive=positive)
    assert score.value == pytest.approx(100 * sum(values.count(code) for code in positive) / len(values))
    negative = [code for code in range(1, points + 1) if code not in positive]
    other = csat(values, points=points, positive=negative)
    assert (score.value or 0.0) + (other.value or 0.0) == pytest.approx(100)
    assert score.low == pytest.approx(100 - (other.high or 0.0))
    assert _width(csat(values * 3, points=points, positive=positive)) < _width(score)


@given(ces_answers())
def test_ces_turned_round_is_the_same_measure_from_the_other_end(answers: tuple[int, int, list[int]]) -> None:
    """A question whose `direction` is the other one says the same with low + high - code."""
    low, high, values = answers
    there = ces(values, low=low, high=high)
    back = ces([low + high - value for value in values], low=low, high=high)
    assert there.value == pytest.approx(low + high - (back.value or 0.0))
    if len(values) > 1:
        assert there.low == pytest.approx(low + high - (back.high or 0.0))
    assert min(values) <= (there.value or 0.0) <= max(values)


def _width(score: Score) -> float:
    assert score.low is not None
    assert score.high is not None
    return score.high - score.low


@pytest.mark.parametrize("positive", [[0], [4], [3, 6]])
def test_a_positive_code_off_the_scale_is_refused(positive: list[int]) -> None:
    with pytest.raises(ValueError, match="not on the scale 1-3"):
        csat([], points=3, positive=positive)


@pytest.mark.parametrize("value", [-1, 11])
def test_a_value_off_the_scale_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="not on the scale 0-10"):
        nps([5, value])
    with pytest.raises(ValueError, match="not on the scale 1-3"):
        csat([4], points=3, positive=(3,))
    with pytest.raises(ValueError, match="not on the scale 1-7"):
        ces([0], low=1, high=7)
