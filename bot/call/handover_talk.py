"""Caller and agent talk, and what an agent can do meanwhile: hold, pass on, hang up.

                hold                      the caller hears music
JOINED ◄──────────────────► HELD
  │ │ unhold                  │
  │ └── pass_on ──────────────┴──► PARTED: the agent is let go, the machine rings the colleague
  └── either one's line ends ────► OVER
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from bot.call.handover_hearing import TalkHearing
from bot.call.handover_parts import Parts
from bot.call.handover_waiting import Hold
from bot.call.listening import Ear
from bot.call.waiting import first_of
from bot.core.endings import EndKind
from bot.core.events import HoldEnded, HoldStarted
from telephony.bridge import Bridge
from telephony.leg import PAGE_CLOSED, CallLeg

Side = Literal["caller", "agent"]

_HUNG_UP = (EndKind.REMOTE_HANGUP, EndKind.LOCAL_HANGUP)


@dataclass(frozen=True, slots=True)
class TalkEnd:
    """Who ended it; `dropped` where the agent was lost rather than gone, `pass_to` where he passed the
    caller on. `talk_s` is its length in seconds."""

    by: Literal["caller", "agent", "bot"]
    talk_s: float
    dropped: bool = False
    pass_to: str = ""


class Talk:
    """One talk. `run` is awaited once; the other methods may be called while it runs."""

    def __init__(self, parts: Parts, agent: CallLeg, agent_ear: Ear) -> None:
        self._parts = parts
        self._agent = agent
        self._hearing = TalkHearing(parts, agent_ear, agent.rate)
        self._changed = asyncio.Event()
        self._held = False
        self._pass_to = ""
        self._told_to_end = False
        self._began = parts.room.clock.monotonic()

    @property
    def seconds(self) -> float:
        return round(self._parts.room.clock.monotonic() - self._began, 3)

    def hold(self) -> None:
        """The caller hears music, and nobody hears him. Holding twice is holding once."""
        self._change(held=True)

    def unhold(self) -> None:
        self._change(held=False)

    def _change(self, *, held: bool) -> None:
        self._held = held
        self._changed.set()

    def pass_on(self, to_agent_id: str) -> None:
        self._pass_to = to_agent_id
        self._changed.set()

    async def hang_up(self, side: Side) -> None:
        """One side has had enough: its line ends, and with it the talk."""
        self._told_to_end = True
        await (self._agent if side == "agent" else self._parts.leg).hang_up()

    async def run(self) -> TalkEnd:
        """To the end of either line, or until the caller is passed on. Cancelling it parts the two."""
        caller, agent = self._parts.leg.ended, self._agent.ended
        self._hearing.start()
        try:
            while not (caller.done() or agent.done() or self._pass_to):
                self._changed.clear()
                await (self._hold() if self._held else self._joined())
        finally:
            await self._hearing.stop()
            self._parts.ear.unheard()  # what he told a human answers no question of ours
        if self._pass_to and not caller.done():
            return TalkEnd("agent", self.seconds, pass_to=self._pass_to)
        by: Literal["caller", "agent"] = "caller" if caller.done() else "agent"
        return TalkEnd(by, self.seconds, dropped=by == "agent" and self._lost())

    def _lost(self) -> bool:
        """The agent did not hang up, or so soon that nothing can have been said."""
        if self._told_to_end:
            return False
        cause = self._agent.ended.result()
        short = self.seconds < self._parts.room.settings.handover_short_talk_s
        return short or cause.kind not in _HUNG_UP or cause.text == PAGE_CLOSED

    async def _joined(self) -> None:
        bridge = Bridge(self._parts.leg, self._agent)
        async with bridge.joined() as over:
            await self._until_changed(over)

    async def _hold(self) -> None:
        clock, journal = self._parts.room.clock, self._parts.journal
        self._hearing.pause()
        hold, began = Hold(self._parts), clock.monotonic()
        hold.start()
        try:
            await journal.write(HoldStarted)
            await self._until_changed(self._parts.leg.ended, self._agent.ended)
        finally:
            await hold.stop()
            self._hearing.resume()
            await journal.write(HoldEnded, held_s=round(clock.monotonic() - began, 3))

    async def _until_changed(self, *ends: asyncio.Future[Any]) -> None:
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await first_of(changed, *ends)
        finally:
            changed.cancel()
