"""Handovers on virtual time: by REFER, and where nobody can be rung or the node stops."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.endings import Disposition
from bot.core.errors import TransferFailed
from bot.core.events import (
    CaseOpened,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverRinging,
    HandoverRouted,
)
from bot.core.routing import PassedOver, RouteStep, Skipped
from telephony.leg import TransferOutcome
from tests.call.fakes import SORRY
from tests.call.handover_scene import NOBODY, ORDER, Scene, talk

# By REFER -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "reason", "ringing"),
    [
        (TransferFailed("refused", status=603), "refused", 2),
        (TransferFailed("busy", status=486), "busy", 2),
        (TransferFailed("silent"), "unknown", 1),
        (TransferOutcome.UNKNOWN, "unknown", 1),
    ],
    ids=["refer_refused", "refer_failed_late", "refer_202_silent", "refer_202_bye"],
)
def test_blind_comes_to_nothing(outcome: TransferOutcome | TransferFailed, reason: str, ringing: int) -> None:
    """What is known to have failed may be tried with the next one; what is not is never tried again."""
    scene = Scene("anna", "boris", handover_form="blind")

    async def act(scene: Scene) -> None:
        scene.caller.transfer_result = outcome

    assert scene.play(act) is Disposition.CALLBACK
    assert len(scene.caller.transfers) == ringing
    scene.owed(reason)


def test_blind_accepted() -> None:
    scene = Scene("anna", handover_form="blind")
    assert scene.play() is Disposition.TRANSFERRED
    assert scene.caller.transfers == ["sip:anna@test.invalid"]
    assert scene.of(HandoverConnected)[0].agent_id == "anna"


@pytest.mark.parametrize(
    ("outcome", "disposition"),
    [
        (TransferOutcome.DONE, Disposition.TRANSFERRED),
        (TransferOutcome.UNKNOWN, Disposition.CALLBACK),
        (TransferFailed("refused", status=603), Disposition.TRANSFERRED),
        (TransferFailed("silent"), Disposition.TRANSFERRED),
    ],
    ids=["accepted", "refer_202_bye", "refer_refused", "refer_202_silent"],
)
def test_attended(outcome: TransferOutcome | TransferFailed, disposition: Disposition) -> None:
    """Both lines stay with us where it is refused, or nobody tells: then they are bridged."""
    scene = Scene("anna", handover_form="attended")

    async def act(scene: Scene) -> None:
        scene.caller.attended_result = outcome
        await scene.asked()
        scene.phones["anna"].press("1")
        if isinstance(outcome, TransferFailed):
            await scene.until(lambda: scene.of(HandoverConnected))
            await talk(scene, "anna")
            scene.caller.remote_hang_up()

    assert scene.play(act) is disposition
    assert scene.caller.attended == [scene.phones["anna"]]
    if disposition is Disposition.CALLBACK:
        scene.owed("unknown")
    else:
        assert bool(scene.of(HandoverEnded)) is isinstance(outcome, TransferFailed), "bridged where refused"


# Nobody -------------------------------------------------------------------------------------------------


def test_two_agents_claim_and_exactly_one_call_gets_him() -> None:
    """The last place of an agent is another call's: this one goes on to the next, or is owed a call."""
    scene = Scene("anna")
    scene.bench.desk.claims["anna"] = {"another"}

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.of(HandoverFailed))
        assert scene.bench.desk.claims == {"anna": {"another"}}, "not ours to give back"
        scene.bench.desk.claims.clear()

    assert scene.play(act) is Disposition.CALLBACK
    assert scene.rang("anna") == 0
    scene.owed("at_limit")


@pytest.mark.parametrize("why", [PassedOver.OFF_SHIFT, PassedOver.AT_LIMIT])
def test_nobody_on_shift_and_all_at_limit(why: PassedOver) -> None:
    scene = Scene()
    scene.bench.desk.skipped = (Skipped(agent_id="anna", step=RouteStep.OWNER, why=why),)
    assert scene.play() is Disposition.CALLBACK
    scene.owed("nobody")
    assert scene.of(HandoverRouted)[0].route.skipped[0].why is why
    assert scene.said() == [ORDER.text, NOBODY], "he was told that he would be connected, to the end"


def test_an_unknown_target_rings_nobody() -> None:
    scene = Scene()
    scene.play()
    scene.owed("no_target")


def test_without_control_there_is_a_deadline_all_the_same() -> None:
    scene = Scene("anna")
    scene.bench.desk.down = True
    assert scene.play() is Disposition.CALLBACK
    (case,) = scene.of(CaseOpened)
    assert (case.reason, case.owner_id) == ("unavailable", "")
    assert case.due_at is not None
    assert case.due_at > case.at


@pytest.mark.parametrize("moment", ["ringing", "asked", "talking"])
def test_node_drained(moment: str) -> None:
    scene = Scene("anna")

    async def act(scene: Scene) -> None:
        if moment == "ringing":
            await scene.until(lambda: scene.of(HandoverRinging))
            await asyncio.sleep(0.5)
        else:
            await scene.asked()
        if moment == "talking":
            scene.phones["anna"].press("1")
            await scene.until(lambda: scene.of(HandoverConnected))
            await asyncio.sleep(3.0)
        scene.session.interrupt()

    disposition = scene.play(act)
    assert disposition is (Disposition.TRANSFERRED if moment == "talking" else Disposition.CALLBACK)
    assert scene.said()[-1] == SORRY
    scene.owed("node_stopped")
    if moment == "talking":
        assert scene.of(HandoverEnded)[0].by == "bot"
