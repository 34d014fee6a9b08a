"""Handovers to agents who answer, refuse, are not there, or leave; through the node, and by REFER.

What a caller was told is looked for in the sound that reached him, and what two people heard of each other
is measured by a tone on either side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.core.events import CallEvent, HandoverConnected, HandoverEnded, HandoverFailed, HandoverRinging
from bot.sim.agents import AgentDoes, when_asked
from bot.sim.expectations import heard
from bot.sim.measure import voiced
from bot.sim.messages import HangUp, PeerSpec, Report
from bot.sim.peer_process import PeerProcess
from bot.sim.script import OnInvite
from bot.sim.sounds import read_tone
from tests.node.heard import ANOTHER, DEAD_AIR_S, SAME, Talk, agents, place_of, sentence, stored, talk
from tests.node.running import RunningNode
from tests.node.test_calls import scenario

AGENT_HZ, CALLER_HZ = 440.0, 700.0
TALK_S = 3.5
"""How long an agent stays who hangs up first."""

CONNECTING = "Соединяю."
APOLOGY = "Простите, сейчас все сотрудники заняты."
PROMISES = [
    f"Вам обязательно перезвонят {when}. Всего доброго!"
    for when in ("в ближайшее время", "сегодня до конца дня", "завтра", "в ближайший рабочий день")
]
"""As far off as the deadline of his case is on the day of the test."""

FAREWELL = "Спасибо за ваше время. До свидания!"
WHISPERS = {"answering": "Оценка один.", "leaving": "Оценка восемь."}

MATTERS = {
    "answering": "1",
    "busy": "2",
    "declining": "3",
    "absent": "4",
    "moved": "5",
    "nobody": "6",
    "abandoned": "7",
    "leaving": "8",
}
"""The answer that leads to each agent (tests/data/surveys/short/handover.yaml)."""


@dataclass(frozen=True)
class Handovers:
    """What came of the calls, and the calls that each agent's telephone had."""

    talk: Talk
    agents: dict[str, list[Report]]


def caller(name: str, target: str, **rest: Any) -> dict[str, Any]:
    """Somebody who presses his matter and then «yes», both into the prompt."""
    keys = {
        "matter": {"keys": MATTERS[target], "during_prompt": True},
        "offer": rest.pop("offer", [{"keys": "1", "during_prompt": True}]),
    }
    return {"name": name, "survey": "handover", "answers": keys, **rest}


def agent(
    name: str, folder: Path, on_invite: OnInvite = OnInvite.ANSWER, does: AgentDoes = AgentDoes.ACCEPTS_BY_KEY
) -> PeerSpec:
    return PeerSpec(
        name=name,
        user=f"agent-{name}",
        on_invite=on_invite,
        when_asked=when_asked(does),
        tone_hz=AGENT_HZ,
        listen_hz=(CALLER_HZ,),
        capture=folder / "agents",
    )


async def hand_over(
    node: RunningNode, folder: Path, specs: list[PeerSpec], *calls: dict[str, Any]
) -> Handovers:
    script = scenario(*calls, at_once=8)
    async with await node.connect() as control, agents(control, *specs) as phones:
        what_came = await talk(node, script, folder, control, Leaver(phones))
        for phone in phones.values():
            if phone.spec.on_invite is OnInvite.ANSWER:
                assert await phone.report(0, 10) is not None
    return Handovers(what_came, {name: phone.reports for name, phone in phones.items()})


class Leaver:
    """Makes the agent `leaving` hang up a while after he was joined with the caller."""

    def __init__(self, phones: Mapping[str, PeerProcess]) -> None:
        self._phones = phones

    def __call__(self, event: CallEvent) -> None:
        if isinstance(event, HandoverConnected) and event.target == "leaving":
            loop = asyncio.get_running_loop()
            loop.call_later(TALK_S, self._phones["leaving"].tell, HangUp())


# Through the node -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bridged(node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Handovers:
    folder = tmp_path_factory.mktemp("bridged")
    after = {"tone_hz": CALLER_HZ, "expect_hz": AGENT_HZ}
    gives_up = [{"keys": "1", "during_prompt": True}, {"pause_s": 2.5}, {"hang_up": True}]
    return asyncio.run(
        hand_over(
            node,
            folder,
            [
                agent("answering", folder),
                agent("leaving", folder),
                agent("busy", folder, OnInvite.BUSY),
                agent("declining", folder, OnInvite.DECLINE),
                agent("moved", folder, OnInvite.NOT_FOUND),
                agent("absent", folder, OnInvite.NO_ANSWER),
                agent("abandoned", folder, OnInvite.NO_ANSWER),
            ],
            caller("answering", "answering", after_transfer=after),
            caller("leaving", "leaving", after_transfer={**after, "listen_s": 60}),
            caller("absent", "absent"),
            caller("abandoned", "abandoned", offer=gives_up),
            caller("busy", "busy"),
            caller("declining", "declining"),
            caller("moved", "moved"),
            caller("nobody", "nobody"),
        )
    )


FAILURES = {
    "busy": "busy",
    "declining": "declined",
    "moved": "unreachable",
    "absent": "no_answer",
    "nobody": "nobody",
}


def told_and_owed(node: RunningNode, talked: Talk, name: str, reason: str) -> None:
    """The caller heard that nobody is free and that he will be rung; and it is written down."""
    call = talked.call(name)
    assert call.disposition == "callback"
    assert call.transferred_to is None
    assert [failed.reason for failed in talked.of(name, HandoverFailed)] == [reason]
    received = talked.capture(name).received
    promised = max(PROMISES, key=lambda text: place_of(sentence(node, text), received).likeness)
    places = [place_of(sentence(node, text), received) for text in (CONNECTING, APOLOGY, promised)]
    assert [place.likeness > SAME for place in places] == [True, True, True], places
    assert sorted(places, key=lambda place: place.at_s) == places, "told in this order"
    assert call.ended == "remote_hangup"
    (owed,) = stored(node, call.call_id).callbacks
    assert (owed.promised_by, owed.status) == ("agent", "open")
    assert name in owed.phone


@pytest.mark.parametrize(("name", "reason"), FAILURES.items())
def test_a_caller_whom_no_agent_takes_is_told_so_and_owed_a_call(
    node: RunningNode, bridged: Handovers, name: str, reason: str
) -> None:
    told_and_owed(node, bridged.talk, name, reason)


@pytest.mark.parametrize("name", MATTERS)
def test_nobody_waits_in_silence(bridged: Handovers, name: str) -> None:
    call = bridged.talk.call(name)
    assert call.seconds > 3
    assert call.longest_bot_silence_s < DEAD_AIR_S


def test_a_caller_who_waits_hears_music(bridged: Handovers) -> None:
    received = bridged.talk.capture("absent").received
    assert read_tone(received, 523.25).heard_s > 0.5
    assert read_tone(received, 659.25).heard_s > 0.5


def test_an_agent_who_does_not_answer_is_rung_no_longer_than_the_settings_say(
    node: RunningNode, bridged: Handovers
) -> None:
    (rung,) = bridged.agents["absent"]
    assert (rung.cause, rung.answered) == ("cancelled", False)
    (began,), (failed,) = (bridged.talk.of("absent", kind) for kind in (HandoverRinging, HandoverFailed))
    ring_s = node.settings.handover.ring_s
    assert ring_s <= (failed.at - began.at).total_seconds() < ring_s + 3


def test_two_people_hear_each_other_and_the_agent_heard_why(node: RunningNode, bridged: Handovers) -> None:
    call = bridged.talk.call("answering")
    assert call.disposition == "transferred"
    assert call.transferred_to == "answering"
    assert call.tones.caller_heard is not None
    assert heard(call.tones.caller_heard)
    (agents_call,) = bridged.agents["answering"]
    assert heard(agents_call.tones[0])
    assert agents_call.cause == "remote_hangup", "the caller hung up, and so did the node"
    whisper = sentence(node, WHISPERS["answering"])
    at_agent = Talk(bridged.talk.report, [], bridged.talk.folder / "agents").capture("answering")
    at_caller = bridged.talk.capture("answering")
    assert place_of(whisper, at_agent.received).likeness > SAME
    assert place_of(whisper, at_caller.received).likeness < ANOTHER
    assert stored(node, call.call_id).callbacks == ()


def test_an_agent_who_hangs_up_first_leaves_the_caller_with_a_farewell(
    node: RunningNode, bridged: Handovers
) -> None:
    call = bridged.talk.call("leaving")
    assert call.disposition == "transferred"
    assert call.tones.caller_heard is not None
    assert heard(call.tones.caller_heard)
    (agents_call,) = bridged.agents["leaving"]
    assert heard(agents_call.tones[0])
    assert agents_call.cause == "local_hangup"
    (ended,) = bridged.talk.of("leaving", HandoverEnded)
    assert ended.by == "agent"
    assert ended.talk_s > TALK_S / 2
    received = bridged.talk.capture("leaving").received
    farewell = place_of(sentence(node, FAREWELL), received)
    assert farewell.likeness > SAME
    assert call.ended == "remote_hangup"
    (row,) = stored(node, call.call_id).handovers
    assert (row.outcome, row.ended_by) == ("ended", "agent")


def test_a_caller_who_gives_up_waiting_stops_the_agents_phone_and_is_owed_a_call(
    node: RunningNode, bridged: Handovers
) -> None:
    call = bridged.talk.call("abandoned")
    assert call.ended == "local_hangup"
    assert [failed.reason for failed in bridged.talk.of("abandoned", HandoverFailed)] == ["caller_left"]
    (rung,) = bridged.agents["abandoned"]
    assert (rung.cause, rung.status, rung.answered) == ("cancelled", 487, False)
    assert call.disposition == "callback"
    (owed,) = stored(node, call.call_id).callbacks
    assert (owed.promised_by, owed.reason) == ("agent", "caller_left")


# By REFER ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def referred(other_node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Handovers:
    """Four callers whose telephones make different things of a REFER to the same agent."""
    folder = tmp_path_factory.mktemp("referred")
    after = {"tone_hz": CALLER_HZ, "expect_hz": AGENT_HZ}
    return asyncio.run(
        hand_over(
            other_node,
            folder,
            [agent("answering", folder, does=AgentDoes.TALKS)],
            caller("dial", "answering", after_transfer=after),
            caller("refuse", "answering", caller={"refer": "refuse"}),
            caller("silent", "answering", caller={"refer": "silent"}),
            caller("bye", "answering", caller={"refer": "bye"}),
        )
    )


def test_a_refer_that_is_followed_joins_two_people(other_node: RunningNode, referred: Handovers) -> None:
    call = referred.talk.call("dial")
    assert call.disposition == "transferred"
    assert call.tones.caller_heard is not None
    assert heard(call.tones.caller_heard)
    (agents_call,) = referred.agents["answering"]
    assert heard(agents_call.tones[0])
    found = stored(other_node, call.call_id)
    (row,) = found.handovers
    assert (row.form, row.failure, row.connected_at is not None) == ("blind", "", True)
    assert found.attempt.end_cause == "transferred"
    assert found.callbacks == ()


@pytest.mark.parametrize(("name", "reason"), [("refuse", "refused"), ("silent", "unknown")])
def test_a_refer_that_comes_to_nothing_is_told(
    other_node: RunningNode, referred: Handovers, name: str, reason: str
) -> None:
    told_and_owed(other_node, referred.talk, name, reason)


def test_a_refer_whose_outcome_nobody_told_is_owed_a_call(
    other_node: RunningNode, referred: Handovers
) -> None:
    call = referred.talk.call("bye")
    assert call.ended == "local_hangup"
    assert call.disposition == "callback"
    assert [failed.reason for failed in referred.talk.of("bye", HandoverFailed)] == ["unknown"]
    (owed,) = stored(other_node, call.call_id).callbacks
    assert (owed.promised_by, owed.reason) == ("agent", "unknown")


def test_the_node_rings_nobody_a_second_time(referred: Handovers) -> None:
    (rung,) = referred.agents["answering"]
    assert "dial" in rung.remote


@pytest.mark.parametrize("name", ["dial", "refuse", "silent", "bye"])
def test_nobody_waits_for_a_refer_in_silence(referred: Handovers, name: str) -> None:
    call = referred.talk.call(name)
    assert call.longest_bot_silence_s < DEAD_AIR_S
    assert voiced(referred.talk.capture(name).received).any()
