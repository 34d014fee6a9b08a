"""What ops see of whose talk a call is about, in the live view and in `otklik calls show`."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.cli.attribution_words import NAMES, REASONS, SOURCES, attribution_words
from bot.cli.live import LiveView
from bot.core.attribution import VALUES, Attribution, Missing, Source
from bot.core.events import CallStarted
from bot.logs import mask

STARTED = CallStarted(
    call_id="call-1",
    seq=0,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    direction="inbound",
    remote="sip:101@pbx",
    survey_id="csat",
    survey_hash="h",
    attempt_id="a",
    agent_id="op-17",
    phone="74950000001",
    about="возврат",
    attribution=Attribution(
        survey=Source.ROUTE,
        agent=Source.HEADER,
        phone=Source.ASSERTED,
        missing={
            "department": Missing.MALFORMED,
            "conversation_id": Missing.NOT_SENT,
            "customer": Missing.UNKNOWN_CALLER,
        },
    ),
)


def test_known_and_missing_values_are_told_with_their_why() -> None:
    told = attribution_words(STARTED)
    assert f"{NAMES['agent']} op-17 ({SOURCES[Source.HEADER]})" in told
    assert f"74950000001 ({SOURCES[Source.ASSERTED]})" in told
    for value, why in STARTED.attribution.missing.items() if STARTED.attribution else ():
        assert NAMES[value] in told
        assert REASONS[why] in told
    line = LiveView().line(STARTED)
    assert line is not None
    assert told in line.plain


def test_a_call_that_we_placed_has_nothing_to_tell() -> None:
    ours = STARTED.model_copy(update={"direction": "outbound", "attribution": None})
    assert attribution_words(ours) == ""


def test_there_are_words_for_everything() -> None:
    assert set(SOURCES) == set(Source)
    assert set(REASONS) == set(Missing)
    assert set(NAMES) == set(VALUES)


def test_a_log_has_neither_the_number_nor_the_matter() -> None:
    told = str(mask(None, "info", {"event": STARTED}))
    assert "74950000001" not in told
    assert "возврат" not in told
    assert "op-17" in told
