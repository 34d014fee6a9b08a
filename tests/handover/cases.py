"""What people do at each edge (tests/handover/edges.py), form by form."""

from __future__ import annotations

import asyncio

from bot.core.routing import HandoverForm, PassedOver, RouteStep, Skipped
from bot.sim.agents import AgentDoes
from bot.sim.script import OnInvite, Step
from bot.sim.sip_agent import ReferPolicy
from tests.call.fakes import Desk
from tests.handover.stage import RING_S, Act, Case, Play

HANG_UP, ONE, TWO = Step(hang_up=True), Step(keys="1"), Step(keys="2")


def nobody(why: PassedOver) -> Desk:
    desk = Desk()
    desk.skipped = (Skipped(agent_id="agent", step=RouteStep.OWNER, why=why),)
    return desk


def takes(form: HandoverForm) -> AgentDoes:
    """Whoever takes the caller: after a blind REFER nobody asks him."""
    return AgentDoes.TALKS if form == "blind" else AgentDoes.ACCEPTS_BY_KEY


def while_ringing(*steps: Step) -> Act:
    async def act(play: Play) -> None:
        await play.rings()
        await asyncio.sleep(1.0)
        play.caller_does(*steps)

    return act


async def hangs_up_in_whisper(play: Play) -> None:
    await play.asked()
    play.caller_does(HANG_UP)


async def lost_twice(play: Play) -> None:
    """He wants to be joined again, and the second time no more."""
    await play.cut_off()
    play.caller_does(ONE)
    await play.cut_off(2)
    play.caller_does(TWO)


def button(*, accepted: bool) -> Act:
    async def act(play: Play) -> None:
        await play.asked()
        assert play.session is not None
        play.session.agent_decides("agent", accepted)

    return act


def case_of(edge: str, form: HandoverForm) -> Case:
    does = AgentDoes
    blind = form == "blind"
    match edge:
        case "accepted":
            return Case({"agent": takes(form)})
        case "declined_key":
            return Case({"agent": does.DECLINES_BY_KEY})
        case "declined_voice":
            return Case({"agent": does.DECLINES_BY_VOICE})
        case "declined_button":
            return Case({"agent": does.IS_SILENT}, button(accepted=False))
        case "no_answer":
            return Case({"agent": does.NEVER_ANSWERS}, ring_s=RING_S)
        case "busy":
            return Case({"agent": does.BUSY})
        case "voicemail":
            return Case({"agent": does.VOICEMAIL})
        case "agent_unreachable":
            return Case({"agent": OnInvite.NOT_FOUND})
        case "agent_drops_in_whisper":
            return Case({"agent": does.DROPS_IN_WHISPER})
        case "agent_drops_in_talk":
            # He drops after a second by his own clock, which is longer by ours where he is held up.
            return Case({"agent": does.DROPS_IN_TALK}, lost_twice, listen_s=25, short_talk_s=10)
        case "caller_hangs_up_while_ringing":
            return Case({"agent": does.NEVER_ANSWERS}, while_ringing(HANG_UP))
        case "caller_hangs_up_in_whisper":
            return Case({"agent": does.IS_SILENT}, hangs_up_in_whisper)
        case "caller_changes_mind":
            return Case({"agent": does.NEVER_ANSWERS}, while_ringing(TWO))
        case "refer_refused":
            return Case({"agent": takes(form)}, refer=ReferPolicy.REFUSE)
        case "refer_202_silent":
            # After a blind REFER a word is waited for as long as a telephone may ring.
            return Case({"agent": takes(form)}, refer=ReferPolicy.SILENT, ring_s=RING_S)
        case "refer_202_bye":
            return Case({"agent": takes(form)}, refer=ReferPolicy.BYE)
        case "refer_failed_late":
            late = OnInvite.UNAVAILABLE if blind else does.ACCEPTS_BY_KEY
            return Case({"agent": late}, replaces=False)
        case "nobody_on_shift":
            return Case(desk=nobody(PassedOver.OFF_SHIFT))
        case "all_at_limit":
            return Case(desk=nobody(PassedOver.AT_LIMIT))
        case _:
            raise KeyError(edge)


ON_STAGE = (
    "accepted", "declined_key", "declined_voice", "declined_button", "no_answer", "busy", "voicemail",
    "agent_unreachable", "agent_drops_in_whisper", "agent_drops_in_talk", "caller_hangs_up_while_ringing",
    "caller_hangs_up_in_whisper", "caller_changes_mind", "refer_refused", "refer_202_silent",
    "refer_202_bye", "refer_failed_late", "nobody_on_shift", "all_at_limit",
)  # fmt: skip
"""Edges that are one call on the stage; the others need two, a browser or a whole node."""
