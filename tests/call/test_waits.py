"""What a call's events say of its waits: the measures, and as `otklik calls show` sums them up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.call.waits import Corrected, Paused, Replied, Resumed, Stopped, waits
from bot.cli.calls import latency
from bot.core.events import CallEvent, call_event

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
REPLY = {"endpointing_ms": 260, "recognition_ms": 2, "dialogue_ms": 130, "first_audio_ms": 8}


def event(kind: str, **fields: Any) -> CallEvent:
    return call_event.validate_python({"kind": kind, "call_id": "call-1", "seq": 0, "at": WHEN, **fields})


def paused(prompt: int, voice_s: float, media_s: float | None) -> CallEvent:
    return event("prompt_paused", prompt=prompt, heard_s=1.0, voice_s=voice_s, media_s=media_s)


def resumed(prompt: int) -> CallEvent:
    return event("prompt_resumed", prompt=prompt, because="noise")


def ended(prompt: int, media_s: float | None) -> CallEvent:
    return event("prompt_ended", prompt=prompt, heard_s=1.0, completed=False, media_s=media_s)


def replied(question: str, gap_ms: float) -> CallEvent:
    return event("reply_measured", question_id=question, gap_ms=gap_ms, **REPLY)


def listens(question: str, expects: str) -> CallEvent:
    return event("listening_started", question_id=question, expects=expects)


def answered(question: str, value: int | None) -> CallEvent:
    status = "no_answer" if value is None else "answered"
    answer = {"status": status, "value": value}
    return event("answer_recorded", question_id=question, question_kind="nps", answer=answer)


WITHDRAWN = event("signal_withdrawn", name="low_score", rule="nps")


def test_a_voice_over_a_prompt_pauses_it_and_stops_it_or_lets_it_go_on() -> None:
    found = list(waits([paused(3, 10.0, 10.25), resumed(3), paused(3, 12.0, 12.125), ended(3, 12.5)]))
    assert found == [Paused(0.25), Resumed(), Paused(0.125), Stopped(0.5)]


def test_a_stop_is_of_the_prompt_that_is_paused() -> None:
    found = list(waits([paused(3, 10.0, 10.25), resumed(3), ended(3, 14.0), ended(4, 15.0)]))
    assert found == [Paused(0.25), Resumed()]


def test_without_a_media_time_there_is_no_time_and_still_a_stop() -> None:
    assert list(waits([paused(1, 10.0, None), ended(1, None)])) == [Stopped(None)]


def test_a_time_is_never_below_zero() -> None:
    assert list(waits([paused(1, 10.0, 9.9), ended(1, 9.9)])) == [Paused(0.0), Stopped(0.0)]


@pytest.mark.parametrize(
    "events",
    [
        [answered("nps", 8), answered("nps", 9)],
        [answered("nps", 8), answered("resolved", 1), answered("nps", None)],
    ],
)
def test_an_answer_that_comes_again_is_a_correction(events: list[CallEvent]) -> None:
    assert list(waits(events)) == [Corrected("answer")]


def test_answers_to_two_questions_are_none() -> None:
    assert list(waits([answered("nps", 8), answered("resolved", 8)])) == []


def test_a_reply_is_of_the_kind_that_its_question_expects() -> None:
    events = [replied("nps", 300), listens("nps", "scale"), replied("nps", 400), listens("why", "open")]
    found = [each for each in waits([*events, replied("why", 1300)]) if isinstance(each, Replied)]
    assert [(each.kind, each.measured.gap_ms) for each in found] == [
        ("unknown", 300),
        ("closed", 400),
        ("open", 1300),
    ]


def test_a_call_is_summed_up_as_the_benchmark_is() -> None:
    gaps = [replied("nps", 10.0 * gap) for gap in range(1, 101)]
    voices = [paused(1, 10.0, 10.2), resumed(1), paused(1, 12.0, 12.1), ended(1, 12.5)]
    told = latency(
        [listens("nps", "scale"), *gaps, *voices, answered("nps", 8), answered("nps", 9), WITHDRAWN]
    )
    assert told["closed"] == {"turns": 100, "p50_ms": 500, "p90_ms": 900, "p95_ms": 950, "p99_ms": 990}
    assert told["open"] == {"turns": 0, "p50_ms": None, "p90_ms": None, "p95_ms": None, "p99_ms": None}
    assert told["barge_in_pause"] == {"turns": 2, "p50_ms": 100, "p90_ms": 200, "p95_ms": 200, "p99_ms": 200}
    assert told["barge_in_stop"] == {"turns": 1, "p50_ms": 500, "p90_ms": 500, "p95_ms": 500, "p99_ms": 500}
    assert told["barge_ins"] == {"resumed": 1, "stopped": 1}
    assert told["corrections"] == {"answers": 1, "signals": 1}
    assert "unknown" not in told
