"""Growth and failures of a long run, from samples that are made up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.endings import Disposition
from bot.core.events import TurnUnderstood
from bot.core.intents import Intent
from bot.sim.bench.load import LoadBook, Sample, Taken, load_of
from bot.sim.bench.plan import PlannedCall
from bot.sim.bench.soaking import growth, summary
from bot.sim.results import CallReport


def samples(minutes: int, mb_per_hour: float, warm_up_mb: float = 0.0) -> list[Sample]:
    """One a second; the warm-up's memory comes in the first minute."""
    return [
        Sample(at_s=at, rss_mb=900 + warm_up_mb * min(at / 60, 1) + mb_per_hour * at / 3600, files=80)
        for at in map(float, range(minutes * 60))
    ]


def understood(intent: Intent) -> TurnUnderstood:
    return TurnUnderstood(
        call_id="call-1", seq=1, at=datetime(2026, 3, 1, tzinfo=UTC), intent=intent, confidence=0.9
    )


def planned(name: str, leaves_at: str = "") -> PlannedCall:
    return PlannedCall(name=name, ring_s=1.0, turns=(), again=(), leaves_at=leaves_at)


def test_growth_is_the_slope_after_the_warm_up() -> None:
    found = growth(samples(10, mb_per_hour=30.0, warm_up_mb=200.0), 600.0, 600.0)
    assert found.mb_per_hour == pytest.approx(30.0)
    assert found.last_mb > found.first_mb


def test_samples_after_the_lines_emptied_do_not_count() -> None:
    flat = samples(10, mb_per_hour=0.0)
    freed = [Sample(at_s=600.0 + at, rss_mb=100.0, files=20) for at in range(60)]
    found = growth([*flat, *freed], 660.0, 600.0)
    assert found.mb_per_hour == pytest.approx(0.0)
    assert found.files_last == found.files_first == 80


def test_a_run_shorter_than_the_warm_up_is_judged_by_what_there_is() -> None:
    assert growth([Sample(at_s=1.0, rss_mb=900.0, files=80)], 2.0, 2.0).mb_per_hour == 0.0


def test_which_process_grows_is_told() -> None:
    """What one takes and another gives back is no growth of the node, and is seen all the same."""
    seen = [
        Sample(
            at,
            900.0,
            80,
            {"worker-0": 100.0 + at / 6, "rasa": 500.0 - at / 6},
            {"worker-0": 50 + int(at / 60), "rasa": 30 - int(at / 60)},
        )
        for at in map(float, range(600))
    ]
    found = growth(seen, 600.0, 600.0)
    assert found.mb_per_hour == pytest.approx(0.0)
    assert found.parts_mb["worker-0"] == pytest.approx((114.4, 195.3), abs=0.2)
    assert found.parts_mb["rasa"] == pytest.approx((485.6, 404.7), abs=0.2)
    assert found.parts_files["worker-0"] == pytest.approx((51.0, 58.9), abs=0.2)


@pytest.mark.parametrize("served", [Disposition.COMPLETED, Disposition.OPTED_OUT, Disposition.REFUSED])
def test_a_call_that_ended_on_a_word_has_not_failed(served: Disposition) -> None:
    assert LoadBook().failure(CallReport(name="a", disposition=served), planned("a")) == ""


@pytest.mark.parametrize(
    "broken", [Disposition.PARTIAL, Disposition.INTERRUPTED, Disposition.FAILED, Disposition.NO_ANSWER]
)
def test_a_call_that_broke_off_has_failed(broken: Disposition) -> None:
    assert LoadBook().failure(CallReport(name="a", disposition=broken), planned("a")) == broken


def test_a_caller_who_leaves_by_his_plan_has_not_failed() -> None:
    report = CallReport(name="a", disposition=Disposition.PARTIAL)
    assert LoadBook().failure(report, planned("a", leaves_at="s3")) == ""


@pytest.mark.parametrize("end", [Disposition.PARTIAL, Disposition.HUNG_UP])
def test_a_call_that_ended_on_a_farewell_has_not_failed(end: Disposition) -> None:
    book, report = LoadBook(), CallReport(name="a", call_id="call-1", disposition=end)
    book.take(understood(Intent.GOODBYE))
    assert (book.failure(report, planned("a")), book.wish(report)) == ("", "goodbye")
    book.take(understood(Intent.AFFIRM))  # he went on after all
    assert (book.failure(report, planned("a")), book.wish(report)) == (end, "")


def test_what_failed_is_no_wish() -> None:
    book = LoadBook()
    report = CallReport(name="a", disposition=Disposition.OPTED_OUT, failures=["звонок не кончился за 180 с"])
    assert book.wish(report) == ""
    assert book.failure(report, planned("a")) == "звонок не кончился за 180 с"


def test_a_call_that_nobody_stored_has_failed() -> None:
    assert LoadBook().failure(CallReport(name="a"), planned("a")) == "not stored"


def test_the_failed_are_counted_by_their_reasons() -> None:
    reports = [
        CallReport(name=f"call-{number}", disposition=end, seconds=60.0)
        for number, end in enumerate(
            [Disposition.COMPLETED] * 2 + [Disposition.OPTED_OUT, Disposition.INTERRUPTED]
        )
    ]
    taken = Taken(seconds=600.0, node_s=6.0, samples=samples(10, mb_per_hour=0.0))
    found = load_of(2, reports, {each.name: planned(each.name) for each in reports}, LoadBook(), taken, 4)
    told = summary(found, 10.0, 600.0)
    assert told["failed_rate"] == 0.25
    assert told["failed"] == {"interrupted": 1}
    assert told["wished"] == {"opted_out": 1}
    assert told["core_seconds_per_call_minute"] == 1.5
    assert told["fd_growth"] == 0
    assert told["rss_growth_mb_per_hour"] == pytest.approx(0.0)
