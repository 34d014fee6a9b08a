"""When a turn was taken: «через час» counts from there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rasa_sdk import Tracker

from bot.core.context import TurnSource, UserTurn
from bot.core.errors import BadInput
from dialogue.actions.messages import turn_of

AT = datetime(2026, 11, 25, 14, 10, tzinfo=UTC)


def tracker(message: dict[str, Any], *events: dict[str, Any]) -> Tracker:
    return Tracker("call-1", {}, message, list(events), False, None, {}, None)


SAID = {"event": "user", "timestamp": AT.timestamp()}


def test_a_turn_is_dated_by_rasa_s_tracker() -> None:
    spoken = tracker({"text": "через час", "intent": {"name": "callback_later"}}, SAID, {"event": "action"})
    assert turn_of(spoken) == UserTurn(source=TurnSource.SPEECH, text="через час", at=AT)
    keyed = tracker({"intent": {"name": "dtmf"}, "entities": [{"entity": "digits", "value": "18"}]}, SAID)
    assert turn_of(keyed) == UserTurn(source=TurnSource.DTMF, digits="18", at=AT)


def test_the_call_s_own_clock_is_the_better_one() -> None:
    turn = UserTurn(source=TurnSource.SPEECH, text="через час", at=AT.replace(minute=9))
    message = {"text": turn.text, "metadata": {"turn": turn.model_dump(mode="json")}}
    assert turn_of(tracker(message, SAID)) == turn


def test_a_handover_that_failed_tells_why_and_by_when_somebody_will_ring() -> None:
    entities = [
        {"entity": "reason", "value": "no_answer"},
        {"entity": "due", "value": "2026-11-25T17:00:00+00:00"},
    ]
    message = {"intent": {"name": "handover_failed"}, "entities": entities}
    assert turn_of(tracker(message, SAID)) == UserTurn(
        source=TurnSource.HANDOVER_FAILED,
        text="no_answer",
        due=datetime(2026, 11, 25, 17, tzinfo=UTC),
        at=AT,
    )


def test_a_moment_that_is_none_is_refused() -> None:
    message = {"intent": {"name": "handover_failed"}, "entities": [{"entity": "due", "value": "завтра"}]}
    with pytest.raises(BadInput):
        turn_of(tracker(message, SAID))


def test_without_events_a_turn_has_no_date() -> None:
    assert turn_of(tracker({"text": "завтра"})).at is None
