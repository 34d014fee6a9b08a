"""What is counted of which event; without a node."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from bot.core.events import CallEvent, call_event
from bot.metrics import Metrics

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = {
    "direction": "inbound", "remote": "sip:a@b", "survey_id": "nps", "survey_hash": "h", "attempt_id": "a",
}  # fmt: skip
REPLY = {
    "question_id": "nps", "gap_ms": 400, "endpointing_ms": 260, "recognition_ms": 2, "dialogue_ms": 130,
    "first_audio_ms": 8,
}  # fmt: skip


def event(kind: str, call: str = "call-1", **fields: Any) -> CallEvent:
    return call_event.validate_python({"kind": kind, "call_id": call, "seq": 0, "at": WHEN, **fields})


def counted(*events: CallEvent, lost: bool = False) -> dict[tuple[str, ...], float]:
    metrics = Metrics()
    for one in events:
        metrics.take(one)
    if lost:
        metrics.lost(metrics.live)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_a_reply_counts_by_what_its_question_expects() -> None:
    listening = event("listening_started", question_id="nps", expects="scale")
    found = counted(event("call_started", **STARTED), listening, event("reply_measured", **REPLY))
    assert found["otklik_live_calls",] == 1
    assert found["otklik_reply_gap_seconds_sum", "closed"] == 0.4
    assert found["otklik_reply_gap_seconds_bucket", "0.3", "closed"] == 0
    assert found["otklik_reply_gap_seconds_bucket", "0.45", "closed"] == 1
    assert found["otklik_reply_stage_seconds_sum", "closed", "dialogue"] == 0.13


def test_an_open_question_and_one_nobody_saw_put() -> None:
    listening = event("listening_started", question_id="nps", expects="open")
    heard = counted(event("call_started", **STARTED), listening, event("reply_measured", **REPLY))
    assert heard["otklik_reply_gap_seconds_count", "open"] == 1
    unseen = counted(event("call_started", **STARTED), event("reply_measured", **REPLY))
    assert unseen["otklik_reply_gap_seconds_count", "unknown"] == 1


def test_an_end_is_counted_once_with_its_disposition() -> None:
    ended = event("call_ended", cause="remote_hangup", disposition="completed", duration_s=3)
    found = counted(event("call_started", **STARTED), ended)
    assert (found["otklik_live_calls",], found["otklik_calls_total", "inbound", "completed"]) == (0, 1)
    assert counted(ended)["otklik_calls_total", "unknown", "completed"] == 1


def test_calls_of_a_worker_that_died_were_interrupted() -> None:
    found = counted(event("call_started", **STARTED), event("call_started", "call-2", **STARTED), lost=True)
    assert (found["otklik_live_calls",], found["otklik_calls_total", "inbound", "interrupted"]) == (0, 2)


def test_a_call_whose_end_nobody_told_is_over_once() -> None:
    metrics = Metrics()
    for call in ("call-1", "call-2"):
        metrics.take(event("call_started", call, **STARTED))
    metrics.lost({"call-1", "call-0"})
    metrics.lost({"call-1"})
    assert metrics.live == {"call-2"}
    assert b'otklik_calls_total{direction="inbound",disposition="interrupted"} 1.0' in metrics.text()


def test_a_paused_prompt_was_stopped_or_went_on() -> None:
    started = event("call_started", **STARTED)
    paused = event("prompt_paused", prompt=3, heard_s=1.0, voice_s=10.0, media_s=10.2)
    resumed = event("prompt_resumed", prompt=3, because="noise")
    stopped = event("prompt_ended", prompt=3, heard_s=1.4, completed=False, media_s=10.6)
    keyed = event("prompt_ended", prompt=4, heard_s=0.5, completed=False)
    found = counted(started, paused, resumed, paused, stopped, keyed)
    assert found["otklik_barge_ins_total", "resumed"] == 1
    assert found["otklik_barge_ins_total", "stopped"] == 1
    assert found["otklik_barge_in_pause_seconds_count",] == 2
    assert found["otklik_barge_in_pause_seconds_bucket", "0.25"] == 2
    assert found["otklik_barge_in_stop_seconds_count",] == 1
    assert found["otklik_barge_in_stop_seconds_bucket", "0.5"] == 0
    assert found["otklik_barge_in_stop_seconds_bucket", "0.7"] == 1


def test_what_did_not_stand_is_counted() -> None:
    eight, nine = (
        event(
            "answer_recorded",
            question_id="nps",
            question_kind="nps",
            answer={"status": "answered", "value": value},
        )
        for value in (8, 9)
    )
    withdrawn = event("signal_withdrawn", name="low_score", rule="nps")
    found = counted(event("call_started", **STARTED), eight, nine, withdrawn)
    assert found["otklik_corrections_total", "answer"] == 1
    assert found["otklik_corrections_total", "signal"] == 1
