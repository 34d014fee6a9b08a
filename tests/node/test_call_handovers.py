"""What `otklik calls show` tells of a call's handovers: pure, from the events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.cli.call_handovers import handover_table, handovers
from bot.core.context import Word
from bot.core.events import (
    CallEvent,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverStarted,
    TalkHeard,
)

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def events(*made: tuple[float, type[Any], dict[str, Any]]) -> list[CallEvent]:
    return [
        kind(call_id="call-1", seq=seq, at=START + timedelta(seconds=at), **fields)
        for seq, (at, kind, fields) in enumerate(made)
    ]


def said(*texts: str) -> dict[str, Any]:
    words = tuple(Word(text=text, start=0, end=1, confidence=1) for text in texts)
    share = texts.count("[unk]") / len(texts)
    return {
        "side": "agent", "text": " ".join(texts), "words": words, "unknown_share": share,
        "started_s": 1.0, "ended_s": 2.0,
    }  # fmt: skip


def test_two_handovers_of_one_call() -> None:
    began = {"form": "bridge", "reason": "low_score"}
    made = handovers(
        events(
            (0.0, HandoverStarted, {"target": "responsible", **began}),
            (0.2, HandoverRinging, {"target": "responsible", "agent_id": "anna"}),
            (8.0, HandoverRinging, {"target": "responsible", "agent_id": "boris"}),
            (12.5, HandoverAccepted, {"target": "responsible", "agent_id": "boris", "by": "key"}),
            (12.6, HandoverConnected, {"target": "responsible", "agent_id": "boris"}),
            (20.0, TalkHeard, said("сейчас", "[unk]")),
            (21.0, TalkHeard, said("да", "хорошо")),
            (42.6, HandoverEnded, {"target": "responsible", "talk_s": 30.0, "by": "agent"}),
            (43.0, HandoverStarted, {"target": "vera", **began}),
            (43.1, HandoverRinging, {"target": "vera", "agent_id": "vera"}),
            (50.0, HandoverFailed, {"target": "vera", "reason": "busy"}),
        )
    )
    first, second = made
    assert (first["ring_s"], first["joined_s"], first["talk_s"]) == (0.2, 12.6, 30.0)
    assert (first["agent_id"], first["by"], first["failed"]) == ("boris", "key", None)
    assert (second["ring_s"], second["joined_s"], second["failed"]) == (0.1, None, "busy")
    assert second["unknown_share"] == 0.25, "one of four words, over all of the call's talk"
    assert handover_table(made).row_count == 2


def test_a_call_without_a_handover_tells_of_none() -> None:
    assert handovers([]) == []
