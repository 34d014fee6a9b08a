"""Where agents are and which of their places are taken: nothing that could not be built anew.

What an agent chose is in SQL as well, an open desk says so again and again, and a claim lives only as long
as its call's node renews it. So a node that dies takes nothing with it but its claims, and these run out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from bot.core.clock import Clock
from bot.triage.directory import Presence, PresenceState


@dataclass(frozen=True, slots=True)
class PresenceSettings:
    """`ttl_s`: how long a claim and an open desk hold when nobody renews them, in seconds. `node` is this
    node's name among those that share a Redis."""

    node: str = "node"
    ttl_s: float = 90.0
    prefix: str = "otklik"


@dataclass(frozen=True, slots=True)
class Place:
    """One of an agent's places for a live transfer, wanted by a call. The limits are how many may be
    taken, of his and of his department's together (None: no bound)."""

    call_id: str
    agent_id: str
    limit: int
    department: str = ""
    department_limit: int | None = None


class PresenceBoard(Protocol):
    """Every method raises Unavailable where the board cannot be reached."""

    async def choose(self, agent_id: str, state: PresenceState | None) -> None:
        """What the agent says of himself; None takes it back."""

    async def desk_seen(self, agent_id: str) -> None:
        """His desk is open at this node. To be said again within the time to live."""

    async def desk_gone(self, agent_id: str) -> None: ...

    async def presences(self) -> dict[str, Presence]:
        """Of everybody of whom anything is known; desks of this node only, for only they can be rung."""

    async def claim(self, place: Place) -> bool:
        """Take it; False where none is free. One call's claim counts once, however often it is made."""

    async def release(self, call_id: str, agent_id: str) -> None:
        """Give it back; one that was not taken is free already."""

    async def renew(self, call_ids: Collection[str]) -> None:
        """These calls live: what they claimed, and still have, is theirs for another while."""

    async def live(self) -> dict[str, int]:
        """Taken places by agent."""

    async def close(self) -> None: ...


class LocalBoard:
    """In this process: for a single node."""

    def __init__(self, settings: PresenceSettings, clock: Clock) -> None:
        self._ttl_s = settings.ttl_s
        self._clock = clock
        self._states: dict[str, PresenceState] = {}
        self._desks: dict[str, float] = {}
        self._claims: dict[tuple[str, str], tuple[str, float]] = {}
        """(call, agent) -> department, and when the claim ends."""

    async def choose(self, agent_id: str, state: PresenceState | None) -> None:
        self._states.pop(agent_id, None)
        if state is not None:
            self._states[agent_id] = state

    async def desk_seen(self, agent_id: str) -> None:
        self._desks[agent_id] = self._clock.monotonic() + self._ttl_s

    async def desk_gone(self, agent_id: str) -> None:
        self._desks.pop(agent_id, None)

    async def presences(self) -> dict[str, Presence]:
        now = self._clock.monotonic()
        open_ = {agent_id for agent_id, until in self._desks.items() if until > now}
        return {
            agent_id: Presence(self._states.get(agent_id), agent_id in open_)
            for agent_id in {*self._states, *open_}
        }

    async def claim(self, place: Place) -> bool:
        claims = self._standing()
        key = place.call_id, place.agent_id
        if key not in claims:
            his = sum(agent_id == place.agent_id for _, agent_id in claims)
            theirs = sum(department == place.department for department, _ in claims.values())
            bound = place.department_limit
            if his >= place.limit or (bound is not None and theirs >= bound):
                return False
        claims[key] = place.department, self._clock.monotonic() + self._ttl_s
        return True

    async def release(self, call_id: str, agent_id: str) -> None:
        self._claims.pop((call_id, agent_id), None)

    async def renew(self, call_ids: Collection[str]) -> None:
        until = self._clock.monotonic() + self._ttl_s
        for key, (department, _) in self._standing().items():
            if key[0] in call_ids:
                self._claims[key] = department, until

    async def live(self) -> dict[str, int]:
        return dict(Counter(agent_id for _, agent_id in self._standing()))

    async def close(self) -> None:
        """Nothing is open."""

    def _standing(self) -> dict[tuple[str, str], tuple[str, float]]:
        now = self._clock.monotonic()
        for key in [key for key, (_, until) in self._claims.items() if until <= now]:
            del self._claims[key]
        return self._claims
