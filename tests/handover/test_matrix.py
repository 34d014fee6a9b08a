"""The edges that are one call: what came of it, who heard whom, and what phone rang how long."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    OfferDecided,
    PromptStarted,
)
from bot.core.routing import HandoverForm
from bot.sim.expectations import heard
from bot.surveys.handover_words import RUSSIAN
from tests.handover.conftest import Matrix
from tests.handover.edges import BY_ID
from tests.handover.stage import PATIENT_RING_S, RING_S, Play

DEAD_AIR_S = 2.0


def forms(edge: str) -> Any:
    return pytest.mark.parametrize("form", BY_ID[edge].forms)


def told(play: Play) -> None:
    """The caller was spoken to at the end, and never waited in silence."""
    assert play.heard is not None
    assert play.heard.longest_bot_silence_s < DEAD_AIR_S
    assert play.heard.tones[1].heard_s > 0.2, "a prompt reached him"


def joined(play: Play) -> None:
    """Each of the two heard the other's tone."""
    assert play.disposition is Disposition.TRANSFERRED
    assert play.heard is not None
    assert heard(play.heard.tones[0]), "the caller heard the agent"
    assert heard(play.agent_report().tones[0]), "the agent heard the caller"


def not_taken(play: Play, reason: str) -> None:
    play.owed(reason)
    assert [event.reason for event in play.of(HandoverFailed)] == [reason]
    assert not play.of(HandoverConnected)
    told(play)


@forms("accepted")
def test_accepted(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("accepted", form)
    joined(play)
    assert [event.by for event in play.of(HandoverAccepted)] == ([] if form == "blind" else ["key"])
    assert bool(play.of(HandoverEnded)) is (form == "bridge"), "after a REFER the talk is not ours"
    agent = play.agent_report()
    if form == "bridge":
        assert agent.cause is EndKind.REMOTE_HANGUP, "the caller hung up, and so did we"
        assert agent.tones[1].heard_s > 0.5, "he was told who and why"


def test_accepted_by_voice(matrix: Matrix) -> None:
    play = matrix.special("accepted_by_voice").play
    joined(play)
    assert [event.by for event in play.of(HandoverAccepted)] == ["voice"]


def test_accepted_by_button_on_a_telephone_that_is_not_ours(matrix: Matrix) -> None:
    """Debian's baresip knows no keys of ours: its user decides at his desk, and is heard."""
    play = matrix.special("accepted_by_button").play
    assert [event.by for event in play.of(HandoverAccepted)] == ["button"]
    assert play.heard is not None
    assert heard(play.heard.tones[0])


def test_two_agents_claim(matrix: Matrix) -> None:
    """Two calls want the last place of one agent: exactly one is joined, the other one is owed a call."""
    winner, other = sorted(
        matrix.special("two_agents_claim").plays,
        key=lambda play: play.disposition is not Disposition.TRANSFERRED,
    )
    assert winner.disposition is Disposition.TRANSFERRED
    assert winner.heard is not None
    assert heard(winner.heard.tones[0])
    not_taken(other, "at_limit")
    assert not other.of(HandoverRinging)


def test_agent_browser_closed(matrix: Matrix) -> None:
    play = matrix.special("agent_browser_closed").play
    assert play.of(HandoverConnected)
    play.owed("dropped")
    said = [event.text for event in play.of(PromptStarted)]
    assert said[-2:] == [RUSSIAN.rejoin, RUSSIAN.promise]


def test_agent_browser_reconnects(matrix: Matrix) -> None:
    came = matrix.special("agent_browser_reconnects")
    play = came.play
    assert play.disposition is Disposition.TRANSFERRED
    (ended,) = play.of(HandoverEnded)
    assert ended.by == "caller", "the talk outlived the page"
    assert play.heard is not None
    assert heard(play.heard.tones[0]), "the caller heard the page that came back"
    assert came.page_heard_dbfs > -25, "and it heard him"


@forms("declined_key")
def test_declined_key(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("declined_key", form)
    not_taken(play, "declined")
    assert play.agent_report().cause is EndKind.REMOTE_HANGUP


@forms("declined_voice")
def test_declined_voice(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("declined_voice", form)
    not_taken(play, "declined")
    assert [event.reason for event in play.of(HandoverPassed)] == ["declined"]


@forms("declined_button")
def test_declined_button(matrix: Matrix, form: HandoverForm) -> None:
    not_taken(matrix.play("declined_button", form), "declined")


@forms("no_answer")
def test_no_answer(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("no_answer", form)
    if form == "blind":  # the phone may ring still: nobody else is rung
        not_taken(play, "unknown")
        return
    not_taken(play, "no_answer")
    rung = play.agent_report()
    assert (rung.cause, rung.answered) == (EndKind.CANCELLED, False)
    (ringing,), (failed,) = play.of(HandoverRinging), play.of(HandoverFailed)
    assert RING_S <= (failed.at - ringing.at).total_seconds() < RING_S + 1.5


@forms("busy")
def test_busy(matrix: Matrix, form: HandoverForm) -> None:
    not_taken(matrix.play("busy", form), "busy")


@forms("voicemail")
def test_voicemail(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("voicemail", form)
    not_taken(play, "voicemail")
    assert not play.of(HandoverAccepted)


@forms("agent_unreachable")
def test_agent_unreachable(matrix: Matrix, form: HandoverForm) -> None:
    not_taken(matrix.play("agent_unreachable", form), "refused" if form == "blind" else "unreachable")


@forms("agent_drops_in_whisper")
def test_agent_drops_in_whisper(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("agent_drops_in_whisper", form)
    not_taken(play, "agent_left")
    assert play.agent_report().cause is EndKind.LOCAL_HANGUP


@forms("agent_drops_in_talk")
def test_agent_drops_in_talk(matrix: Matrix, form: HandoverForm) -> None:
    """He is joined with the same agent again, and lost again: then he has enough, and is owed a call."""
    play = matrix.play("agent_drops_in_talk", form)
    play.owed("dropped")
    assert [event.accepted for event in play.of(OfferDecided)] == [True, False]
    assert [event.agent_id for event in play.of(HandoverConnected)] == ["agent", "agent"]
    assert all(report.tones[0].heard_s > 0.2 for report in play.agents["agent"].reports)
    assert len(play.agents["agent"].reports) == 2
    assert [event.text for event in play.of(PromptStarted)][-1] == RUSSIAN.promise
    told(play)


@forms("caller_hangs_up_while_ringing")
def test_caller_hangs_up_while_ringing(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("caller_hangs_up_while_ringing", form)
    if form == "blind":
        (failed,) = play.of(HandoverFailed)
        assert failed.reason in ("unknown", "caller_left"), "his phone was dialling when he left"
        play.owed(failed.reason)
        return
    play.owed("caller_left")
    rung = play.agent_report()
    assert (rung.cause, rung.status, rung.answered) == (EndKind.CANCELLED, 487, False)
    assert play.heard is not None
    assert play.ended - play.began < PATIENT_RING_S, "the phone stopped with him, and not by itself"


@forms("caller_hangs_up_in_whisper")
def test_caller_hangs_up_in_whisper(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("caller_hangs_up_in_whisper", form)
    play.owed("caller_left")
    assert play.agent_report().cause is EndKind.REMOTE_HANGUP


@forms("caller_changes_mind")
def test_caller_changes_mind(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("caller_changes_mind", form)
    not_taken(play, "cancelled")
    assert (play.agent_report().cause, play.agent_report().status) == (EndKind.CANCELLED, 487)
    assert [event.text for event in play.of(PromptStarted)][-1] == RUSSIAN.cancelled


@forms("refer_refused")
def test_refer_refused(matrix: Matrix, form: HandoverForm) -> None:
    bridged_or_owed(matrix.play("refer_refused", form), form, "refused")


@forms("refer_202_silent")
def test_refer_202_silent(matrix: Matrix, form: HandoverForm) -> None:
    bridged_or_owed(matrix.play("refer_202_silent", form), form, "unknown")


@forms("refer_failed_late")
def test_refer_failed_late(matrix: Matrix, form: HandoverForm) -> None:
    bridged_or_owed(matrix.play("refer_failed_late", form), form, "refused")


def bridged_or_owed(play: Play, form: HandoverForm, reason: str) -> None:
    """With both lines still ours the two are bridged; where only the caller is here, he is owed a call."""
    if form == "attended":
        joined(play)
        assert play.of(HandoverEnded), "the talk went through us"
    else:
        not_taken(play, reason)
        assert play.agents["agent"].reports == [] or reason == "refused", "no second ring"


@forms("refer_202_bye")
def test_refer_202_bye(matrix: Matrix, form: HandoverForm) -> None:
    play = matrix.play("refer_202_bye", form)
    play.owed("unknown")
    assert play.heard is not None
    assert play.heard.cause is EndKind.LOCAL_HANGUP
    if form == "attended":
        assert play.agent_report().cause is EndKind.REMOTE_HANGUP, "nobody is kept waiting"


@forms("nobody_on_shift")
def test_nobody_on_shift(matrix: Matrix, form: HandoverForm) -> None:
    not_taken(matrix.play("nobody_on_shift", form), "nobody")


@forms("all_at_limit")
def test_all_at_limit(matrix: Matrix, form: HandoverForm) -> None:
    not_taken(matrix.play("all_at_limit", form), "nobody")
