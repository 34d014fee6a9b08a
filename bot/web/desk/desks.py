"""Which call is on which agent's desk, and how far it is.

    ring_desk, or his telephone rings ──► RINGING ──► ANSWERING ──► TALKING ──► AFTER ──► (off the desk)
                                             │             │                      ▲ a note, or none
                                             └─────────────┴── passed over, too late, the caller is gone:
                                                               off the desk, with the reason

Derived from the calls' events and from two orders of the worker; nothing here outlives the process, and
nothing has to: an agent whose control process died is no longer rung, and talks go on without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from bot.core.errors import BadInput, OtklikError, Unavailable
from bot.core.events import (
    CallEnded,
    CallEvent,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
)
from bot.web.live import Live
from bot.words import words

How = Literal["desk", "phone"]
"""Where the agent hears the caller: in the browser, or at his telephone."""


class Phase(StrEnum):
    RINGING = "ringing"
    ANSWERING = "answering"  # he said yes, and is being connected
    TALKING = "talking"
    AFTER = "after"  # the talk is over, and nothing is written about it yet


class TakenElsewhere(OtklikError):
    """Another page, or another agent, was first."""

    code = "taken"
    exit_status = 1


@dataclass(frozen=True, slots=True)
class OnDesk:
    """`page` is the browser tab that took the call ("" none yet)."""

    call_id: str
    agent_id: str
    how: How
    phase: Phase = Phase.RINGING
    page: str = ""
    held: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "call_id": self.call_id,
            "how": self.how,
            "phase": self.phase.value,
            "page": self.page,
            "held": self.held,
        }


class Desks:
    """One for the node. Nothing in it waits, so of two who claim at once one is first."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._calls: dict[tuple[str, str], OnDesk] = {}

    # What is asked ---------------------------------------------------------------------------

    def of_agent(self, agent_id: str) -> list[OnDesk]:
        """What is on his desk: a talk first, then what rings, then what is to be written about."""
        order = (Phase.TALKING, Phase.ANSWERING, Phase.RINGING, Phase.AFTER)
        mine = [each for each in self._calls.values() if each.agent_id == agent_id]
        return sorted(mine, key=lambda each: order.index(each.phase))

    def find(self, call_id: str, agent_id: str) -> OnDesk:
        """Raises BadInput where the call is not on his desk (any more)."""
        found = self._calls.get((call_id, agent_id))
        if found is None:
            raise BadInput(
                words("этого звонка на вашем столе нет", "this call is not on your desk"),
                hint=words("его принял другой или клиент ушёл", "somebody took it, or the customer left"),
            )
        return found

    # What the worker orders ------------------------------------------------------------------

    async def ring_desk(self, params: dict[str, Any]) -> dict[str, Any]:
        """`ring_desk {call_id, agent_id, ring_s}`. Raises Unavailable where no page of his is open."""
        call_id, agent_id = _names("ring_desk", params)
        if not self._live.is_open(agent_id):
            raise Unavailable(f"no desk of {agent_id} is open", hint="he signs in at /agent")
        self._put(OnDesk(call_id, agent_id, "desk"))
        return {"token": ""}

    async def desk_done(self, params: dict[str, Any]) -> dict[str, Any]:
        """`desk_done {call_id, agent_id}`: the ringing is over. Where a page has picked up, the call's own
        events tell how it went on."""
        found = self._calls.get(_names("desk_done", params))
        if found is not None and found.how == "desk" and found.phase is Phase.RINGING:
            self._take_off(found, "")
        return {}

    # What pages do ---------------------------------------------------------------------------

    def take(self, call_id: str, agent_id: str, page: str) -> OnDesk:
        """This tab answers; exactly one does. Raises TakenElsewhere, BadInput."""
        found = self.find(call_id, agent_id)
        if found.phase not in (Phase.RINGING, Phase.ANSWERING) or (found.page and found.page != page):
            raise TakenElsewhere(words("звонок уже принят в другом окне", "it was taken in another window"))
        return self._put(replace(found, phase=Phase.ANSWERING, page=page))

    def drop(self, call_id: str, agent_id: str, page: str) -> None:
        """What this tab took did not come about: it rings on for the others."""
        found = self._calls.get((call_id, agent_id))
        if found is not None and found.phase is Phase.ANSWERING and found.page == page:
            self._put(replace(found, phase=Phase.RINGING, page=""))

    def move(self, call_id: str, agent_id: str, page: str) -> OnDesk:
        """The talk goes on in this tab."""
        return self._put(replace(self.find(call_id, agent_id), page=page))

    def hold(self, call_id: str, agent_id: str, *, held: bool) -> None:
        self._put(replace(self.find(call_id, agent_id), held=held))

    def written(self, call_id: str, agent_id: str) -> None:
        """He wrote about it, or has nothing to write. Raises BadInput while it still goes on."""
        found = self.find(call_id, agent_id)
        if found.phase is not Phase.AFTER:
            raise BadInput(words("разговор ещё идёт", "the talk is not over"))
        self._take_off(found, "")

    # What happens ----------------------------------------------------------------------------

    def saw(self, event: CallEvent) -> None:
        match event:
            case HandoverRinging(call_id=call_id, agent_id=agent_id) if agent_id:
                if not self._rings(call_id, agent_id):  # his desk does: the order may overtake the event
                    self._put(OnDesk(call_id, agent_id, "phone"))
            case HandoverAccepted(call_id=call_id, agent_id=agent_id):
                self._go_on(call_id, agent_id, Phase.ANSWERING)
            case HandoverConnected(call_id=call_id, agent_id=agent_id):
                self._go_on(call_id, agent_id, Phase.TALKING)
            case HandoverPassed(call_id=call_id, agent_id=agent_id, reason=reason):
                self._end_ringing(call_id, reason, agent_id)
            case HandoverFailed(call_id=call_id, reason=reason):
                self._end_ringing(call_id, reason)
            case HandoverEnded(call_id=call_id, agent_id=agent_id):
                self._go_on(call_id, agent_id, Phase.AFTER)
            case CallEnded(call_id=call_id):
                self._end_ringing(call_id, "caller_left")
                for found in [each for each in self._calls.values() if each.call_id == call_id]:
                    self._go_on(call_id, found.agent_id, Phase.AFTER)

    def worker_lost(self) -> None:
        """Its calls are over, and no event will tell."""
        for found in tuple(self._calls.values()):
            if found.phase in (Phase.RINGING, Phase.ANSWERING):
                self._take_off(found, "lost")
            elif found.phase is Phase.TALKING:
                self._put(replace(found, phase=Phase.AFTER))

    def _rings(self, call_id: str, agent_id: str) -> bool:
        found = self._calls.get((call_id, agent_id))
        return found is not None and found.phase in (Phase.RINGING, Phase.ANSWERING)

    def _go_on(self, call_id: str, agent_id: str, phase: Phase) -> None:
        found = self._calls.get((call_id, agent_id))
        if found is not None and found.phase is not phase:
            self._put(replace(found, phase=phase, held=False))

    def _end_ringing(self, call_id: str, reason: str, agent_id: str = "") -> None:
        for found in tuple(self._calls.values()):
            ringing = found.phase in (Phase.RINGING, Phase.ANSWERING)
            if found.call_id == call_id and ringing and agent_id in ("", found.agent_id):
                self._take_off(found, reason)

    def _put(self, entry: OnDesk) -> OnDesk:
        self._calls[entry.call_id, entry.agent_id] = entry
        if entry.phase is Phase.AFTER:
            self._live.hide(entry.call_id, entry.agent_id)
        else:
            self._live.show(entry.call_id, entry.agent_id)
        self._live.tell(entry.agent_id, "desk", entry.as_json())
        return entry

    def _take_off(self, entry: OnDesk, reason: str) -> None:
        self._calls.pop((entry.call_id, entry.agent_id), None)
        self._live.hide(entry.call_id, entry.agent_id)
        self._live.tell(entry.agent_id, "desk", {**entry.as_json(), "phase": "gone", "reason": reason})


def _names(order: str, params: dict[str, Any]) -> tuple[str, str]:
    call_id, agent_id = params.get("call_id"), params.get("agent_id")
    if not isinstance(call_id, str) or not isinstance(agent_id, str) or not call_id or not agent_id:
        raise BadInput(f"{order} needs call_id and agent_id", hint='"call_id": "call-…", "agent_id": "…"')
    return call_id, agent_id
