"""Growth and failures of a long run, from samples that are made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import bench_soak
from bot.core.endings import Disposition
from bot.core.events import TurnUnderstood
from bot.core.intents import Intent
from bot.sim.bench.load import LoadBook, Sample, Taken, load_of
from bot.sim.bench.plan import PlannedCall
from bot.sim.bench.soaking import Growth, Verdict, growth, summary, verdicts, warm_up_s
from bot.sim.results import CallReport


def samples(
    minutes: int, mb_per_hour: float, warm_up_mb: float = 0.0, files_per_minute: float = 0.0
) -> list[Sample]:
    """One a second; the warm-up's memory comes in the first three minutes."""
    return [
        Sample(
            at_s=at,
            rss_mb=1000 + warm_up_mb * min(at / 180, 1) + mb_per_hour * at / 3600,
            files=180 + int(files_per_minute * at / 60),
        )
        for at in map(float, range(minutes * 60))
    ]


def understood(intent: Intent) -> TurnUnderstood:
    return TurnUnderstood(
        call_id="call-1", seq=1, at=datetime(2026, 3, 1, tzinfo=UTC), intent=intent, confidence=0.9
    )


def planned(name: str, leaves_at: str = "") -> PlannedCall:
    return PlannedCall(name=name, ring_s=1.0, turns=(), again=(), leaves_at=leaves_at)


def test_growth_is_the_slope_after_the_warm_up() -> None:
    found = growth(samples(10, mb_per_hour=30.0, warm_up_mb=200.0), 600.0)
    assert found.mb_per_hour == pytest.approx(30.0)
    assert found.last_mb - found.first_mb == pytest.approx(30.0 * 280 / 3600)  # from third to third
    assert found.steady_s == 420


@pytest.mark.parametrize(("held_s", "warm_up"), [(30, 10), (120, 40), (180, 60), (359, 60), (360, 180)])
def test_a_run_leaves_out_the_warm_up_that_it_has_room_for(held_s: float, warm_up: float) -> None:
    assert warm_up_s(held_s) == warm_up


def test_samples_after_the_lines_emptied_do_not_count() -> None:
    flat = samples(10, mb_per_hour=0.0)
    freed = [Sample(at_s=600.0 + at, rss_mb=100.0, files=20) for at in range(60)]
    found = growth([*flat, *freed], 600.0)
    assert found.mb_per_hour == pytest.approx(0.0)
    assert found.files_last == found.files_first == 180


def test_a_run_shorter_than_the_warm_up_is_judged_by_what_there_is() -> None:
    assert growth([Sample(at_s=1.0, rss_mb=900.0, files=80)], 2.0).mb_per_hour == 0.0


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
    found = growth(seen, 600.0)
    assert found.mb_per_hour == pytest.approx(0.0)
    assert found.parts_mb["worker-0"] == pytest.approx((141.6, 188.3), abs=0.2)
    assert found.parts_mb["rasa"] == pytest.approx((458.4, 411.7), abs=0.2)
    assert found.parts_files["worker-0"] == pytest.approx((53.6, 58.4), abs=0.2)


# What is judged -------------------------------------------------------------------------------


def judged(grown: Growth | None = None, **changes: Any) -> dict[str, Verdict]:
    """The verdicts on a healthy run of ten minutes with these changes."""
    healthy = {
        "failed_rate": 0.0,
        "reply_gap_p95_halves_ms": [620, 710],
        "replies": 3202,
        "late_share": 0.0,
        "torn_share": 0.0,
    }
    return verdicts(healthy | changes, grown or growth(samples(10, mb_per_hour=0.0), 600.0))


def test_a_healthy_run_keeps_everything_that_is_asked() -> None:
    """With what caches took of a measured run, all of it as if it had come evenly until the end."""
    filling = growth(samples(10, mb_per_hour=250.0, warm_up_mb=60.0, files_per_minute=1.0), 600.0)
    assert judged(filling) == dict.fromkeys(
        ("failed_rate", "memory", "files", "reply_gap", "late_audio"), Verdict.MET
    )


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"failed_rate": 0.001}, "failed_rate"),
        ({"failed_rate": None}, "failed_rate"),
        ({"reply_gap_p95_halves_ms": [1001, 700]}, "reply_gap"),
        ({"reply_gap_p95_halves_ms": [900, 1001]}, "reply_gap"),
        ({"reply_gap_p95_halves_ms": [600, 810]}, "reply_gap"),
        ({"reply_gap_p95_halves_ms": [None, 600]}, "reply_gap"),
        ({"late_share": 0.0011}, "late_audio"),
        ({"torn_share": 0.0011}, "late_audio"),
    ],
)
def test_what_a_run_does_not_keep_is_told(changes: dict[str, Any], missed: str) -> None:
    assert [name for name, verdict in judged(**changes).items() if verdict is not Verdict.MET] == [missed]
    assert judged(**changes)[missed] is Verdict.MISSED


def test_a_gap_that_is_short_may_have_been_shorter() -> None:
    assert judged(reply_gap_p95_halves_ms=[380, 690])["reply_gap"] is Verdict.MET
    assert judged(reply_gap_p95_halves_ms=[700, 900])["reply_gap"] is Verdict.MET


@pytest.mark.parametrize(("minutes", "mb_per_hour"), [(10, 500.0), (60, 60.0)])
def test_the_longer_a_run_the_slower_the_leak_that_it_finds(minutes: int, mb_per_hour: float) -> None:
    def verdict(rate: float) -> Verdict:
        return judged(growth(samples(minutes, mb_per_hour=rate), minutes * 60.0))["memory"]

    assert verdict(mb_per_hour) is Verdict.MISSED
    assert verdict(mb_per_hour / 2) is Verdict.MET


def test_descriptors_that_calls_do_not_give_back_are_found() -> None:
    leaking = growth(samples(10, mb_per_hour=0.0, files_per_minute=4.0), 600.0)
    assert judged(leaking)["files"] is Verdict.MISSED


@pytest.mark.parametrize(("minutes", "verdict"), [(5, Verdict.NOT_JUDGED), (8, Verdict.MISSED)])
def test_of_a_short_run_growth_is_told_and_not_judged(minutes: int, verdict: Verdict) -> None:
    leaking = growth(samples(minutes, mb_per_hour=3000.0, files_per_minute=20.0), minutes * 60.0)
    assert leaking.mb_per_hour == pytest.approx(3000.0)
    found = judged(leaking)
    assert (found["memory"], found["files"]) == (verdict, verdict)
    assert judged(leaking, failed_rate=0.5)["failed_rate"] is Verdict.MISSED


def test_of_few_replies_the_gap_is_not_judged() -> None:
    assert judged(reply_gap_p95_halves_ms=[300, 1900], replies=40)["reply_gap"] is Verdict.NOT_JUDGED


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
    assert told.keys() == {
        *("minutes", "asked_minutes", "calls", "lines", "failed_rate", "failed", "wished", "steady_s"),
        *("rss_growth_mb_per_hour", "rss_mb", "rss_mb_by_process", "fd_growth", "fds", "fds_by_process"),
        *("reply_gap_p50_ms", "reply_gap_p95_ms", "reply_gap_p95_halves_ms", "replies", "late_share"),
        *("torn_share", "core_seconds_per_call_minute", "stalls", "verdicts"),
    }
    assert json.loads(json.dumps(told))["verdicts"] == {
        "failed_rate": "missed",
        "memory": "met",
        "files": "met",
        "reply_gap": "not_judged",
        "late_audio": "met",
    }


def test_the_table_says_what_is_not_kept_and_what_is_not_judged() -> None:
    taken = Taken(seconds=300.0, samples=samples(5, mb_per_hour=9000.0))
    reports = [CallReport(name="a", disposition=Disposition.INTERRUPTED, seconds=60.0)]
    found = load_of(2, reports, {"a": planned("a")}, LoadBook(), taken, 4)
    told = summary(found, 5.0, 300.0) | {"cpus": 2, "model": "m", "seed": 4, "noise_dbfs": None}
    page = bench_soak.section(told)
    assert "| не удалось звонков | 100.00% (1) | < 0.1 % | нет |" in page
    assert "| ≤ +3 % | мало, чтобы судить |" in page
    assert "после разогрева 240 с, нужно 300 (--minutes 8 и больше)" in page
    assert "мало ответов, чтобы судить: 0, нужно 160" in page


@pytest.mark.parametrize(
    ("ends", "status"),
    [(Disposition.COMPLETED, 0), (Disposition.INTERRUPTED, 1)],  # neither run is long enough for the rest
)
def test_the_command_fails_by_what_is_missed_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: Disposition, status: int
) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))

    async def soaked(callers: object, lines: int, minutes: float) -> dict[str, Any]:
        taken = Taken(seconds=300.0, samples=samples(5, mb_per_hour=9000.0))
        reports = [CallReport(name="a", disposition=ends, seconds=60.0)]
        return summary(load_of(lines, reports, {"a": planned("a")}, LoadBook(), taken, 4), minutes, 300.0)

    monkeypatch.setattr(bench_soak, "_soak", soaked)
    app = typer.Typer()
    app.command()(bench_soak.soak)
    ran = CliRunner().invoke(app, ["--calls", "2", "--json"])
    assert ran.exit_code == status, ran.output
    assert json.loads(ran.stdout)["verdicts"]["memory"] == "not_judged"
