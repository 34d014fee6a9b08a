"""When a campaign pauses itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from bot.campaigns.breaker import Outcome, Trip, TripCode, tripped
from bot.campaigns.reason_words import trip_words
from bot.campaigns.schema import Breaker, Threshold
from bot.core.endings import Disposition
from tests.campaigns.policy_cases import NOW

MINUTE = timedelta(minutes=1)
RULES = Breaker(
    failures=Threshold(share=0.3, over=15 * MINUTE, sample=10),
    opt_outs=Threshold(share=0.1, over=timedelta(days=1), sample=10),
)


def ago(minutes: float, *dispositions: Disposition) -> list[Outcome]:
    return [Outcome(NOW - minutes * MINUTE, each) for each in dispositions]


def codes(outcomes: Iterable[Outcome], since: float | None = None) -> list[TripCode]:
    started = None if since is None else NOW - since * MINUTE
    return [trip.code for trip in tripped(outcomes, RULES, NOW, since=started)]


GOOD = [Disposition.COMPLETED] * 7
FAILED = [Disposition.FAILED] * 3 + [Disposition.INTERRUPTED]
MANY = [Disposition.INTERRUPTED] * 9
OUT = [Disposition.OPTED_OUT] * 2


def test_too_many_failures() -> None:
    assert codes(ago(5, *GOOD, *FAILED)) == [TripCode.FAILURES]


def test_just_the_share_is_not_more_than_it() -> None:
    assert codes(ago(5, *GOOD, *FAILED[:3])) == []


@pytest.mark.parametrize(
    "outcomes",
    [
        ago(5, *FAILED, *GOOD[:5]),  # nine are no sample
        ago(15, *GOOD, *FAILED),  # not of the last 15 minutes
        ago(5, *GOOD, *[Disposition.BUSY] * 20, *[Disposition.NO_ANSWER] * 20),  # nobody's fault
        ago(5, *GOOD, *GOOD, *FAILED, *[Disposition.CANCELLED] * 9),
        [],
    ],
)
def test_all_is_well(outcomes: list[Outcome]) -> None:
    assert codes(outcomes) == []


def test_a_worker_that_dies_is_one_failure_whatever_it_took_with_it() -> None:
    assert codes([*ago(5, *GOOD, *GOOD, *MANY), *ago(4, *MANY)]) == []
    one_by_one = [each for minute in range(1, 10) for each in ago(minute, *MANY)]
    assert codes([*ago(5, *GOOD), *one_by_one]) == [TripCode.FAILURES]


def test_what_was_never_dialled_dilutes_nothing() -> None:
    assert codes(ago(5, *GOOD, *FAILED, *[Disposition.CANCELLED] * 50)) == [TripCode.FAILURES]


def test_too_many_people_ask_not_to_be_called() -> None:
    """Among those who were talked to: the hundreds who were not reached say nothing about it."""
    unreached = [Disposition.NO_ANSWER] * 300
    assert codes(ago(600, *GOOD, *GOOD[:3], *OUT, *unreached)) == [TripCode.OPT_OUTS]


def test_both_at_once() -> None:
    assert codes(ago(5, *GOOD, *OUT, Disposition.REFUSED, *FAILED, *FAILED)) == [
        TripCode.FAILURES,
        TripCode.OPT_OUTS,
    ]


def test_what_was_before_it_was_resumed_counts_no_more() -> None:
    before = ago(5, *GOOD, *FAILED)
    assert codes(before, since=5) == []
    assert codes(before, since=5.1) == [TripCode.FAILURES]
    assert codes([*before, *ago(1, *GOOD, *FAILED)], since=4) == [TripCode.FAILURES]


def test_words_tell_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    (trip,) = tripped(ago(5, *GOOD[:6], *FAILED), RULES, NOW)
    assert trip == Trip(TripCode.FAILURES, 4, 10, RULES.failures)
    assert trip_words(trip) == "слишком много сбоев за 15 мин: 4 / 10 = 40%, порог 30%"
    monkeypatch.setenv("OTKLIK_LANG", "en")
    assert "opted out in 1 d: 2 / 10 = 20%" in trip_words(Trip(TripCode.OPT_OUTS, 2, 10, RULES.opt_outs))
