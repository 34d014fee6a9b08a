"""Who is to take a caller over: what the call asks, and what it is told.

The decision is made where the agents' table, their shifts and their presence are (`bot.triage`, in
control); the call only rings whom it is told to ring, in that order. A caller's words or a header
never choose an address: an order names a target of the survey's triage rule, and every address in
a route stands in the agents' table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from bot.core.intents import Topic

DESK = "desk:"
"""The scheme of an agent who takes calls in the browser: `desk:ivanova`. Anything else is a SIP URI."""


class RouteStep(StrEnum):
    """Which step of the chain named an agent, in the order of the chain."""

    OWNER = "owner"  # the customer's own manager, or the agent who had the talk
    DEPARTMENT = "department"
    SKILL = "skill"  # whoever knows the topic
    FALLBACK = "fallback"
    NAMED = "named"  # the triage rule's target is this very agent


class PassedOver(StrEnum):
    """Why an agent of the chain is not rung."""

    UNKNOWN = "unknown"  # no such agent in the table
    INACTIVE = "inactive"
    NO_ADDRESS = "no_address"  # neither a telephone nor a desk that is open
    OFF_SHIFT = "off_shift"
    HOLIDAY = "holiday"
    AWAY = "away"  # presence: signed out, or away
    BUSY = "busy"  # presence: busy
    AT_LIMIT = "at_limit"  # has as many live transfers as he may


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RouteOrder(_Model):
    """What a call knows when it needs a person. `target` is the triage rule's: `responsible` walks the
    whole chain, `department:NAME` and `skill:NAME` begin there, another name is an agent's id."""

    call_id: str
    target: str
    reason: str = ""
    topic: Topic | None = None
    contact_id: str = ""
    agent_id: str = ""
    department: str = ""
    language: str = "ru"


class Candidate(_Model):
    """An agent to be rung. `voicemail` says whether a mailbox might answer for him (a mobile phone)."""

    agent_id: str
    name: str = ""
    address: str
    step: RouteStep
    voicemail: bool = True


class Skipped(_Model):
    agent_id: str
    step: RouteStep
    why: PassedOver


class Route(_Model):
    """Whom to ring, in this order; who was passed over and why; and whose the matter is if nobody takes
    it: its owner and the moment by which he must have rung back."""

    candidates: tuple[Candidate, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    owner_id: str = ""
    due_at: AwareDatetime | None = None


HandoverForm = Literal["bridge", "attended", "blind"]
"""`bridge` keeps the audio in our path; `attended` is REFER with Replaces, `blind` a plain REFER."""


class Router(Protocol):
    """Routing as a call sees it. Every method raises Unavailable while control is away."""

    async def route(self, order: RouteOrder) -> Route: ...

    async def claim(self, call_id: str, agent_id: str) -> bool:
        """Take one of the agent's places for a live transfer; False where none is free any more. Of two
        calls that claim the last place exactly one gets it. Claiming twice for one call is claiming once."""

    async def release(self, call_id: str, agent_id: str) -> None:
        """Give the place back. Idempotent."""
