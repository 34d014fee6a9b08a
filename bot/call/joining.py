"""A caller who is to be joined with a human: on the dialogue's order, or because he came back; and what he
is told where that comes to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.call.coming_back import ask_to_join, order_again, order_for
from bot.call.exchange import OFFER, Exchange
from bot.call.handing_over import NODE_STOPPED, HandingOver
from bot.call.handover_parts import Parts, Reason
from bot.call.measures import ReplyTimer
from bot.call.outcome import Progress
from bot.call.silence import Silence
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Offer, Transfer, YesNoExpected
from bot.core.errors import LegClosed
from bot.core.returning import OpenMatter

REJOINS = 2
"""So often a caller whose talk broke off is joined again: whoever is lost more often is rung back."""


class Joining:
    """`advance` is told each step of the call's progress. Each raises LegClosed, DiskFull."""

    def __init__(
        self,
        parts: Parts,
        handing: HandingOver,
        exchange: Exchange,
        silence: Silence,
        timer: ReplyTimer,
        advance: Callable[[Callable[[Progress], Progress]], None],
    ) -> None:
        self._leg = parts.leg
        self._speaker = parts.speaker
        self._journal = parts.journal
        self._plan = parts.plan
        self._handing = handing
        self._exchange = exchange
        self._silence = silence
        self._timer = timer
        self._advance = advance
        self._apart = False  # his talk broke off, and he does not go on with it

    async def transfer(self, order: Transfer) -> UserTurn | None:
        """To a human, to their talk's end. Where nobody takes him the dialogue is told; where that is for
        no want of people, we tell the caller ourselves, and he is owed a call back."""
        failed = await self._hand_over(order)
        if failed is None:
            return None
        closing = self._closing()
        if not closing and not self._leg.ended.done():
            return UserTurn(source=TurnSource.HANDOVER_FAILED, text=failed, due=self._handing.due_at)
        await self._handing.owe(failed)
        await self._promise(closing)
        return None

    async def _hand_over(self, order: Transfer) -> Reason | None:
        """Why it came to nothing; None where they have talked, and he was taken leave of."""
        self._silence.rest()  # he hears music, and then a person
        reason = await self._join(order)
        for _ in range(REJOINS):
            if reason != "dropped" or not await self._wants_again():
                break
            again = order_again(order, self._plan.texts.handover)
            reason = await self._join(again, first=self._handing.lost)
        if reason is None and not self._leg.ended.done():
            await self._speaker.say(self._plan.texts.farewell, purpose="closing")
        return reason

    async def _join(self, order: Transfer, first: str = "") -> Reason | None:
        try:
            return (await self._handing.over(order, first)).reason
        except asyncio.CancelledError:
            self._advance(Progress.promising)
            raise
        finally:
            if self._handing.joined:  # also where the talk was cut off
                self._advance(Progress.joined)

    async def _wants_again(self) -> bool:
        """His talk broke off: whether he wants to go on with it. Where the node goes down meanwhile, a
        callback case remains."""
        words, about = self._plan.texts.handover, self._handing.about
        try:
            wants = await ask_to_join(
                self._ask_yes_no,
                (words.rejoin, words.join_reask),
                about.topic if about is not None else None,
                self._journal,
            )
        except LegClosed:
            wants = None
        except asyncio.CancelledError:
            await self._handing.owe("caller_left" if self._leg.ended.done() else NODE_STOPPED)
            self._advance(Progress.promising)
            raise
        self._apart = not wants
        return bool(wants)

    def _closing(self) -> str:
        """What he is told where the dialogue has no words for it; else ""."""
        return self._plan.texts.handover.promise if self._apart else self._handing.closing()

    async def come_back(self, matter: OpenMatter) -> None:
        """No survey: to his agent, or the promise once more."""
        words = self._plan.texts.handover
        self._advance(Progress.promising)  # it was before, and holds if he leaves
        texts = (words.returning, words.join_reask)
        if await ask_to_join(self._ask_yes_no, texts, matter.topic, self._journal):
            failed = await self._hand_over(order_for(matter, words))
            if failed is None:
                return
            await self._handing.owe(failed, matter=matter)
        await self._promise(self._closing() or words.promise)

    async def _ask_yes_no(self, offer: Offer) -> UserTurn | None:
        turn = await self._exchange.ask(offer, OFFER, YesNoExpected())
        self._timer.asked()
        return turn

    async def _promise(self, closing: str) -> None:
        self._advance(Progress.promising)
        if not self._leg.ended.done():
            await self._speaker.say(closing, purpose="closing")
