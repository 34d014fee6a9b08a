"""A call's handovers, and what its caller is owed where one comes to nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from bot.call.handover import Handover
from bot.call.handover_parts import HandoverResult, Parts, Reason
from bot.call.handover_talk import Talk
from bot.core.directives import Signal, Transfer
from bot.core.errors import BadInput
from bot.core.events import CallbackPromised, CaseOpened
from bot.core.returning import OpenMatter
from bot.core.routing import Route

NODE_STOPPED = "node_stopped"
"""The reason of a case of a caller whom the end of this node cut off."""


class HandingOver:
    """One for a call. `now` is the handover that is under way; `failed` why the last one came to nothing, and
    `lost` the agent whose talk broke off then; `joined` whether a human had the caller; `about` the signal
    that stands behind it all."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.now: Handover | None = None
        self.failed: Reason | None = None
        self.lost = ""
        self.joined = False
        self.about: Signal | None = None
        self._route = Route()

    async def over(self, order: Transfer, first: str = "") -> HandoverResult:
        """Run it; `first` as in `Handover.run`. Where the node goes down meanwhile, a callback case remains.
        Raises LegClosed, DiskFull."""
        ear = self._parts.ear
        on_words, ear.on_words = ear.on_words, None  # no survey answer is expected
        handover = self.now = Handover(self._parts)
        try:
            result = await handover.run(order, first)
        except asyncio.CancelledError:
            self._route = handover.route
            await self.owe("caller_left" if self._parts.leg.ended.done() else NODE_STOPPED)
            raise
        finally:
            ear.on_words = on_words
            self.now = None
            self._route = handover.route
            self.joined = self.joined or handover.joined
        self.failed = result.reason
        self.lost = result.agent_id
        return result

    def closing(self) -> str:
        """What the caller is told where it is not that nobody is free; else "": the survey says that."""
        told = self._parts.plan.texts.handover
        return {"cancelled": told.cancelled, "dropped": told.dropped}.get(self.failed or "", "")

    @property
    def due_at(self) -> datetime:
        """By when somebody has to have rung back: as routing says, or within `callback_due_s`."""
        room = self._parts.room
        return self._route.due_at or room.clock.now() + timedelta(seconds=room.settings.callback_due_s)

    async def owe(
        self, reason: str, when: str = "", *, due: datetime | None = None, matter: OpenMatter | None = None
    ) -> None:
        """A call back is promised, with an owner and a deadline: a case, unless his `matter` is one."""
        route, write = self._route, self._parts.journal.write
        if due is None and matter is not None and route.due_at is None:
            due = matter.due_at
        owed: dict[str, Any] = {
            "reason": reason,
            "owner_id": route.owner_id or (matter.owner_id if matter is not None else ""),
            "due_at": due or self.due_at,
        }
        await write(CallbackPromised, when=when, by="agent", **owed)
        if matter is None:
            await write(
                CaseOpened,
                topic=self.about.topic if self.about is not None else None,
                words=self.about.words if self.about is not None else "",
                department=self._parts.plan.context.department,
                callback=True,
                **owed,
            )

    # What an agent can do -----------------------------------------------------------------------------

    def decided(self, agent_id: str, accepted: bool) -> None:
        """The button of the agent who is being rung. Raises BadInput where it is not he."""
        if self.now is None or not self.now.decided(agent_id, accepted):
            raise _nothing_for(agent_id)

    @property
    def talk(self) -> Talk:
        """The talk that is under way. Raises BadInput where there is none."""
        talk = self.now.talk if self.now is not None else None
        if talk is None:
            raise BadInput(
                "в этом звонке никто не говорит с сотрудником",
                hint="дождитесь соединения",
            )
        return talk


def _nothing_for(agent_id: str) -> BadInput:
    return BadInput(
        f"сотруднику {agent_id} сейчас не звонят",
        hint="перевод уже решён или отменён",
    )
