"""Callers on bad networks, and callers that hold, renegotiate, move or vanish.

What is lost, late or overtaken is drawn by `bot.sim.network` at the caller's own socket, each way. Two of the
callers are sipp's, which knows nothing of us.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core.events import CallEnded, CallEvent, CallStarted, ListeningStarted
from tests.node.running import RunningNode
from tests.node.test_calls import ANSWERS, YES
from tests.node.test_inbound import PassedOn, all_received
from tests.telephony.peers import PAYLOADS, RtpParty, Sipp, rtp_party, sipp

AT_ONCE = 6
"""Beside sipp's two."""
HOLD_S = 3.0
LONGEST_S = 60.0

NETWORKS: dict[str, dict[str, Any]] = {
    "loss-5": {"loss": 0.05, "run": 2},
    "loss-20": {"loss": 0.2, "run": 2},
    "jitter-60-ms": {"jitter_s": 0.06},
    "reordered": {"reorder": 0.2},
    "caller-hears-nothing": {"deaf_to": "node"},
    "node-hears-nothing": {"deaf_to": "caller"},
}

PRESSED = {"nps": {"keys": "9"}, "resolved": {"keys": "1"}}
"""Of somebody who cannot hear where he talks over the bot."""

IN_THE_MIDDLE: dict[str, list[dict[str, Any]]] = {
    "held": [{"hold_s": HOLD_S}, YES],
    "renegotiated": [{"reinvite": True}, YES],
    "moved": [{"rebind": True}, {"reinvite": True}, YES],
    "moved-unsaid": [{"rebind": True}, YES],
    "vanished": [{"vanish": True}],
}
"""What a caller does when the second question is put."""


def answers_of(network: dict[str, Any]) -> dict[str, Any]:
    return ANSWERS | PRESSED if network.get("deaf_to") == "node" else ANSWERS


def calls() -> list[dict[str, Any]]:
    bad = [
        {"name": name, "answers": answers_of(network), "caller": {"network": network}, "limit_s": 60}
        for name, network in NETWORKS.items()
    ]
    doing = [
        {"name": name, "answers": {**ANSWERS, "resolved": steps}, "limit_s": 40}
        for name, steps in IN_THE_MIDDLE.items()
    ]
    return [*bad, *doing]


# sipp's ---------------------------------------------------------------------------------------


@dataclass
class Sipped(PassedOn):
    """One of its calls: `ended` says whether its scenario ran as it is written."""

    events: list[CallEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    peer: Sipp
    party: RtpParty
    events: Callable[[], AsyncIterator[CallEvent]]


@asynccontextmanager
async def _rings(
    node: RunningNode, folder: Path, scenario: str, survey: str, made: Sipped, **keys: Any
) -> AsyncIterator[_Line]:
    """It rings the node for a survey that nobody else rings it for meanwhile."""
    async with await node.connect() as control, rtp_party() as party:
        await control.watch()

        async def events() -> AsyncIterator[CallEvent]:
            """Of its call, to the end of it."""
            async for event in control.events():
                if isinstance(event, CallStarted) and (event.direction, event.survey_id) == (
                    "inbound",
                    survey,
                ):
                    made.call_id = event.call_id
                if event.call_id == made.call_id:
                    made.events.append(event)
                    yield event
                if isinstance(event, CallEnded) and event.call_id == made.call_id:
                    break

        async with (
            asyncio.timeout(LONGEST_S),
            sipp(scenario, folder, calls=node.sip, service=survey, rtp_port=party.address, **keys) as peer,
        ):
            yield _Line(peer, party, events)
        await all_received(party)
        made.take(party)


async def renegotiates(node: RunningNode, folder: Path) -> Sipped:
    """By a re-INVITE with another codec, when the second question is put; both answers are keys."""
    made = Sipped()
    other = {"payload2": str(PAYLOADS["PCMU"]), "codec2": "PCMU/8000"}
    async with _rings(node, folder, "uac_reinvite", "csat", made, **other) as line:
        async for event in line.events():
            if isinstance(event, ListeningStarted):
                if event.question_id == "resolved" and line.party.codec != "PCMU":
                    line.peer.nudge(line.peer.call_id())
                    while PAYLOADS["PCMU"] not in line.party.kinds:  # noqa: ASYNC110  heard by another task
                        await asyncio.sleep(0.01)
                    line.party.codec = "PCMU"
                line.party.press({"csat": "5", "resolved": "1"}[event.question_id])
        made.ended = await line.peer.succeeded()
    return made


async def vanishes(node: RunningNode, folder: Path) -> Sipped:
    """Its process is killed, and its sound with it, when the second question is put."""
    made = Sipped()
    async with _rings(node, folder, "uac_talk", "nps", made) as line:
        async for event in line.events():
            if isinstance(event, ListeningStarted) and event.question_id == "nps":
                line.party.press("9")
            if isinstance(event, ListeningStarted) and event.question_id == "resolved" and line.party.sending:
                line.party.sending = False
                line.peer.process.kill()
                await line.peer.process.wait()
    return made
