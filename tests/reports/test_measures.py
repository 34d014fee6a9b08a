from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reports.definitions import of_rows
from bot.reports.measures import SMALL, Change, Measure, Scale, change, measures, share
from bot.store.tables import SurveyRow
from bot.surveys.scoring import NO_DATA, Score, csat, nps
from tests.reports.world import FIRST

NPS = Scale("nps", 0, 10)
CSAT = Scale("csat", 1, 5, (4, 5))
on_ten = st.lists(st.integers(0, 10), min_size=1, max_size=80)


@given(on_ten)
def test_counted_codes_score_as_they_do_one_by_one(values: list[int]) -> None:
    measure = Measure(NPS, Counter(values))
    assert measure.score == nps(values)
    assert measure.promoters + measure.passives + measure.detractors == measure.count == len(values)
    assert measure.score.value == pytest.approx(
        100 * (measure.promoters - measure.detractors) / measure.count
    )
    assert measure.small == (len(values) < SMALL)


def test_scales_are_never_counted_together() -> None:
    three = Scale("csat", 1, 3, (3,))
    found = measures([(three, 3, 2), (CSAT, 3, 5), (NPS, 3, 1), (CSAT, 3, 1), (CSAT, 5, 6)])
    assert [(each.scale, dict(each.counts)) for each in found] == [
        (NPS, {3: 1}), (three, {3: 2}), (CSAT, {3: 6, 5: 6}),
    ]  # fmt: skip
    assert [each.score.value for each in found] == [-100.0, 100.0, 50.0]


def test_the_interval_of_a_difference_of_two_shares() -> None:
    # Newcombe (1998), table II, method 10 without correction, example (a): 56/70 and 48/80.
    found = change(share(56, 70), share(48, 80))
    assert found.value == pytest.approx(20.0)
    assert (found.low, found.high) == (pytest.approx(5.24, abs=0.01), pytest.approx(33.39, abs=0.01))
    assert found.clear


@given(on_ten, on_ten)
def test_a_change_and_its_way_back(now: list[int], before: list[int]) -> None:
    there, back = change(nps(now), nps(before)), change(nps(before), nps(now))
    assert there.value is not None
    assert back.value is not None
    assert there.low is not None
    assert there.high is not None
    assert there.value == pytest.approx(-back.value)
    assert there.low == pytest.approx(-(back.high or 0.0))
    assert there.low <= there.value <= there.high
    same = change(nps(now), nps(now))
    assert same.value == 0
    assert not same.clear


def test_without_data_there_is_no_change() -> None:
    assert change(NO_DATA, nps([9])) == change(nps([9]), NO_DATA) == Change()
    assert change(Score(1, 5.0), Score(1, 4.0)) == Change(1.0)


def test_a_share_of_nothing_is_no_share() -> None:
    assert share(0, 0) == NO_DATA
    assert share(1, 4).value == 25.0
    assert share(0, 10).low == 0.0
    assert share(3, 10) == csat([1] * 3 + [2] * 7, points=2, positive=[1])


def test_versions_of_any_age_are_read() -> None:
    """Defaults are left out of published JSON; a version from before a field has none of it."""
    text = """{"questions": [
        {"id": "ces", "kind": "ces", "direction": "higher_is_easier", "ask": "Легко?"},
        {"id": "mark", "kind": "score", "low": 1, "high": 10, "labels": {"1": "ужас"}},
        {"id": "why", "kind": "open"},
        {"id": "how", "kind": "choice",
         "options": [{"id": "a", "say": "раз"}, {"id": "b", "say": ["два", "б"]}]}
    ]}"""
    row = SurveyRow(hash="h", id="s", version="1", title="Опрос", json_=text, published_at=FIRST)
    known = of_rows([row, SurveyRow(hash="e", id="s", version="2", json_="{}", published_at=FIRST)])
    assert known.scale("h", "ces", "ces") == Scale("ces", 1, 7, (), "higher_is_easier")
    assert known.scale("h", "mark", "score") == Scale("score", 1, 10)
    assert known.scale("h", "why", "open") is None
    how = known.asked("h", "how")
    assert how is not None
    assert how.options == (("a", "раз"), ("b", "два, б"))
    assert known.scale("unknown", "nps", "nps") == NPS
    assert known.scale("unknown", "csat", "csat") is None
    newest = known.newest("s")
    assert newest is not None
    assert newest.hash == "e"
