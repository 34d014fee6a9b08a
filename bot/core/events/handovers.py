"""A caller on his way to an agent, and their talk."""

from __future__ import annotations

from typing import Literal

from bot.core.context import Word
from bot.core.events.event import Event
from bot.core.routing import HandoverForm, Route


class HandoverStarted(Event):
    """A person is wanted on the line. `target` is the triage rule's, as in `routing.RouteOrder`."""

    kind: Literal["handover_started"] = "handover_started"
    target: str
    form: HandoverForm
    reason: str
    whisper: str = ""


class HandoverRouted(Event):
    """Who is to be rung, in this order, who was passed over and why: «почему этот сотрудник»."""

    kind: Literal["handover_routed"] = "handover_routed"
    target: str
    route: Route


class HandoverRinging(Event):
    """An agent's phone rings. `agent_id` is "" in calls from before there was a table of agents."""

    kind: Literal["handover_ringing"] = "handover_ringing"
    target: str
    agent_id: str = ""


class HandoverAccepted(Event):
    """The agent said yes, by `by`; `auto` is a line that asks for none."""

    kind: Literal["handover_accepted"] = "handover_accepted"
    target: str
    agent_id: str
    by: Literal["key", "voice", "button", "auto"]


class HandoverPassed(Event):
    """This agent does not take the caller, for this reason; the next one in the route may."""

    kind: Literal["handover_passed"] = "handover_passed"
    target: str
    agent_id: str
    reason: str


class HandoverConnected(Event):
    """Two-way audio between the caller and the agent, as far as our side can know."""

    kind: Literal["handover_connected"] = "handover_connected"
    target: str
    agent_id: str = ""


class HoldStarted(Event):
    """The agent put the caller on hold from his desk: the caller hears music and nobody hears him. What an
    agent's own telephone holds, and a talk that was transferred away, is not seen here."""

    kind: Literal["hold_started"] = "hold_started"


class HoldEnded(Event):
    """He took the caller back, passed him on, or one of them hung up."""

    kind: Literal["hold_ended"] = "hold_ended"
    held_s: float


class HandoverFailed(Event):
    kind: Literal["handover_failed"] = "handover_failed"
    target: str
    reason: str


class HandoverEnded(Event):
    kind: Literal["handover_ended"] = "handover_ended"
    target: str
    talk_s: float
    by: Literal["caller", "agent", "bot"]
    agent_id: str = ""


class TalkHeard(Event):
    """What one side of a bridged talk said; `unknown_share` as in `TurnHeard`. Times are media times."""

    kind: Literal["talk_heard"] = "talk_heard"
    side: Literal["caller", "agent"]
    text: str
    words: tuple[Word, ...] = ()
    unknown_share: float = 0.0
    started_s: float
    ended_s: float
