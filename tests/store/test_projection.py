"""What the events of a call become in the tables."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.context import TurnSource
from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    CallbackPromised,
    CallEvent,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverStarted,
    HoldEnded,
    HoldStarted,
    OptedOut,
    PromptStarted,
    RecordingStarted,
    SignalRaised,
    SignalWithdrawn,
    TurnHeard,
)
from bot.core.intents import Topic
from bot.store import attempts, do_not_call, queries
from bot.store.attempts import NewCall
from bot.store.changes import Change
from bot.store.database import Database
from bot.store.projection import project
from tests.effort import effort
from tests.store.conftest import Keep, files, one
from tests.store.talk import START, Talk


async def test_a_call_from_its_start_to_its_end(db: Database, keep: Keep, folder: Path) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    events = [
        talk.started,
        talk.answered(),
        talk.event(RecordingStarted, file="2026/call-1.wav"),
        talk.event(TurnHeard, question_id="nps", source=TurnSource.SPEECH, text="девять"),
        talk.answer("nps", 9),
        talk.answer("resolved", "yes", "yes_no"),
        talk.answer("why", ["price", "speed"], "choice"),
        talk.answer("comment", None, "open"),
        talk.ended(),
    ]
    await keep(*events)
    call = await one(db)
    attempt = call.attempt
    assert (attempt.id, attempt.direction, attempt.to_uri) == (
        "attempt-1", "inbound", "sip:+79001234567@trunk",
    )  # fmt: skip
    assert (attempt.phone, attempt.agent_id, attempt.department) == ("79001234567", "agent-7", "support")
    assert (attempt.status, attempt.disposition, attempt.end_cause) == ("final", "completed", "local_hangup")
    assert (attempt.worker, attempt.recording, attempt.duration_s) == ("media-1", "2026/call-1.wav", 42.5)
    assert (attempt.created_at, attempt.answered_at, attempt.ended_at, attempt.lease_until) == (
        START, START + timedelta(seconds=1), START + timedelta(seconds=8), None,
    )  # fmt: skip
    assert [(a.question_id, a.status, a.value, a.number) for a in call.answers] == [
        ("nps", "answered", "9", 9.0),
        ("resolved", "answered", "yes", None),
        ("why", "answered", "price,speed", None),
        ("comment", "refused", None, None),
    ]
    first = call.answers[0]
    assert (first.event_id, first.attempt_id, first.survey_hash) == ("call-1-00004", "attempt-1", "hash-1")
    assert (first.heard, first.confidence, first.source) == ("девять", 0.9, "speech")
    assert await queries.events(db, "call-1") == events
    assert files(folder) == [], "a drained segment that nobody writes is removed"


async def test_a_dialled_call_moves_its_attempt(db: Database, keep: Keep) -> None:
    queued = await attempts.queue_call(db, NewCall("sip:+79001234567@trunk", "nps", "hash-1"), START)
    await attempts.claim_next(db, worker="media-1", now=START)
    talk = Talk("call-1", queued.id, contact_id=queued.contact_id or "")
    await keep(talk.started)
    assert (await one(db)).attempt.status == "dialling"
    await keep(talk.answered())
    assert (await one(db)).attempt.status == "live"
    await keep(talk.ended(Disposition.HUNG_UP, EndKind.REMOTE_HANGUP))
    call = await one(db)
    assert (call.attempt.id, call.attempt.disposition) == (queued.id, "hung_up")
    assert call.contact is not None
    assert call.contact.phone == "79001234567"
    assert (await queries.outcomes(db)).total == 1


async def test_the_later_answer_to_a_question_counts(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    first, second = talk.answer("nps", 9), talk.answer("nps", 8)
    await keep(talk.started, second, first)
    assert [(a.value, a.event_id) for a in (await one(db)).answers] == [("8", second.id)]


async def test_the_signals_of_a_corrected_answer_are_history(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1")
    low: dict[str, Any] = {"name": "low_score", "rule": "low_score"}
    await keep(talk.started, talk.answered(), talk.answer("nps", 2), talk.event(SignalRaised, **low))
    assert [signal.name for signal in (await one(db)).signals] == ["low_score"]
    waited: dict[str, Any] = {"name": "complaint", "rule": "intent:complain", "topic": Topic.WAITING}
    await keep(talk.event(SignalWithdrawn, **low), talk.answer("nps", 9), talk.event(SignalRaised, **waited))
    call = await one(db)
    assert [answer.number for answer in call.answers] == [9]
    assert [(signal.name, signal.topic) for signal in call.signals] == [("complaint", Topic.WAITING)]
    assert len([event for event in await queries.events(db, "call-1") if event.kind == "signal_raised"]) == 2


async def test_a_handover_that_is_talked(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(
        talk.started,
        talk.event(HandoverStarted, target="support", form="bridge", reason="complaint", whisper="два"),
        talk.event(HandoverRinging, target="support"),
        talk.event(HandoverFailed, target="support", reason="busy"),
        talk.event(HandoverStarted, target="support", form="bridge", reason="complaint"),
        talk.event(HandoverRinging, target="support"),
        talk.event(HandoverConnected, target="support"),
        talk.event(HoldStarted),
        talk.event(HoldEnded, held_s=4.0),
        talk.event(HoldStarted),
        talk.event(HoldEnded, held_s=2.5),
        talk.event(HandoverEnded, target="support", talk_s=31.5, by="caller"),
        talk.ended(Disposition.TRANSFERRED),
    )
    failed, talked = (await one(db)).handovers
    assert (failed.outcome, failed.failure, failed.talk_s) == ("failed", "busy", None)
    assert (failed.holds, talked.holds, talked.held_s) == (None, 2, 6.5)
    assert (talked.outcome, talked.talk_s, talked.ended_by) == ("ended", 31.5, "caller")
    assert talked.connected_at == START + timedelta(seconds=6)
    assert (talked.form, talked.reason) == ("bridge", "complaint")


@pytest.mark.parametrize(("connected", "outcome"), [(True, "ended"), (False, "failed")])
async def test_a_handover_ends_with_its_call(db: Database, keep: Keep, connected: bool, outcome: str) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    events = [talk.started, talk.event(HandoverStarted, target="a", form="blind", reason="r")]
    if connected:
        events.append(talk.event(HandoverConnected, target="a"))
    await keep(*events, talk.ended(Disposition.TRANSFERRED, EndKind.TRANSFERRED))
    [handover] = (await one(db)).handovers
    assert handover.outcome == outcome
    assert handover.ended_at is not None


async def test_a_promised_callback_is_open(db: Database, keep: Keep) -> None:
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(
        talk.started, talk.event(CallbackPromised, when="завтра утром", by="agent", reason="complaint")
    )
    [callback] = await queries.open_callbacks(db)
    assert (callback.call_id, callback.attempt_id, callback.phone) == ("call-1", "attempt-1", "79001234567")
    assert (callback.promised_by, callback.when_said, callback.reason) == (
        "agent", "завтра утром", "complaint",
    )  # fmt: skip


async def test_an_opt_out_is_effective_at_once(db: Database, keep: Keep) -> None:
    queued = await attempts.queue_call(db, NewCall("sip:89001234567@trunk", "nps", "hash-1"), START)
    other = await attempts.queue_call(db, NewCall("sip:+79007654321@trunk", "nps", "hash-1"), START)
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.event(OptedOut, words="не звоните мне"), talk.ended(Disposition.OPTED_OUT))
    assert await queries.blocked(db, "tel:+7-900-123-45-67")
    assert not await queries.blocked(db, "sip:+79007654321@trunk")
    taken_back = await queries.attempt(db, queued.id)
    assert taken_back is not None
    assert (taken_back.status, taken_back.disposition) == ("final", "cancelled")
    left = await attempts.claim_next(db, worker="media-1", now=START)
    assert left is not None
    assert left.id == other.id
    told = [c.attempt.id for c in await queries.calls(db) if c.contact and c.contact.do_not_call_at]
    assert sorted(told) == sorted([queued.id, "attempt-1"])


async def test_his_own_word_outlives_the_list_on_which_he_stood(db: Database, keep: Keep) -> None:
    listed = ["79001234567", "79007654321"]
    await do_not_call.add(db, listed, source="list:old", words="", by="ops", now=START)
    talk = Talk("call-1", "attempt-1", direction="inbound")
    await keep(talk.started, talk.event(OptedOut, words="не звоните мне"), talk.ended(Disposition.OPTED_OUT))
    assert await do_not_call.remove_list(db, "old", reason="не тот файл", by="ops", now=START) == 1
    [proof] = await do_not_call.listed(db)
    assert (proof.row.phone, proof.row.source, proof.row.words) == ("79001234567", "call", "не звоните мне")
    assert proof.call is not None
    assert proof.call.id == "attempt-1"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_every_turn_changes_is_no_new_statement(dialect: str) -> None:
    """To make one for each event, and to find its SQL, cost more than everything else about it."""

    said: dict[str, Any] = {"prompt": 1, "text": "Оцените", "duration_s": 1.0}

    def turn(call: str) -> list[CallEvent]:
        talk = Talk(call, "attempt-1")
        return [
            talk.event(PromptStarted, purpose="question", question_id="nps", **said),
            talk.event(TurnHeard, question_id="nps", source=TurnSource.SPEECH, text="девять"),
            talk.answer("nps", 9),
        ]

    def changes(call: str) -> list[Change]:
        return [change for event in turn(call) for change in project(event, dialect)]

    first, second = changes("call-1"), changes("call-2")
    assert len(first) == 6
    assert [id(change.statement) for change in first] == [id(change.statement) for change in second]
    events = turn("call-1")
    assert effort(lambda: [project(event, dialect) for event in events]) < 200
