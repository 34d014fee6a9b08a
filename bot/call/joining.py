"""A caller who is to be joined with a human: on the dialogue's order, or because he came back; and what he
is told where that comes to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.call.coming_back import ask_again, order_for
from bot.call.exchange import OFFER, Exchange
from bot.call.handing_over import HandingOver
from bot.call.handover_parts import Parts, Reason
from bot.call.measures import ReplyTimer
from bot.call.outcome import Progress
from bot.call.silence import Silence
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Offer, Transfer, YesNoExpected
from bot.core.returning import OpenMatter


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

    async def transfer(self, order: Transfer) -> UserTurn | None:
        """To a human, to their talk's end. Where nobody takes him the dialogue is told; where that is for
        no want of people, we tell the caller ourselves, and he is owed a call back."""
        failed = await self._hand_over(order)
        if failed is None:
            return None
        closing = self._handing.closing()
        if not closing and not self._leg.ended.done():
            return UserTurn(source=TurnSource.HANDOVER_FAILED, text=failed, due=self._handing.due_at)
        await self._handing.owe(failed)
        await self._promise(closing)
        return None

    async def _hand_over(self, order: Transfer) -> Reason | None:
        """Why it came to nothing; None where they have talked, and he was taken leave of."""
        self._silence.rest()  # he hears music, and then a person
        try:
            result = await self._handing.over(order)
        except asyncio.CancelledError:
            self._advance(Progress.promising)
            raise
        finally:
            if self._handing.joined:  # also where the talk was cut off
                self._advance(Progress.joined)
        if result.reason is None and not self._leg.ended.done():
            await self._speaker.say(self._plan.texts.farewell, purpose="closing")
        return result.reason

    async def come_back(self, matter: OpenMatter) -> None:
        """No survey: to his agent, or the promise once more."""
        words = self._plan.texts.handover
        self._advance(Progress.promising)  # it was before, and holds if he leaves
        accepted = await ask_again(self._ask_yes_no, matter, words, self._journal)
        if accepted:
            failed = await self._hand_over(order_for(matter, words))
            if failed is None:
                return
            await self._handing.owe(failed, matter=matter)
        await self._promise(self._handing.closing() or words.promise)

    async def _ask_yes_no(self, offer: Offer) -> UserTurn | None:
        turn = await self._exchange.ask(offer, OFFER, YesNoExpected())
        self._timer.asked()
        return turn

    async def _promise(self, closing: str) -> None:
        self._advance(Progress.promising)
        if not self._leg.ended.done():
            await self._speaker.say(closing, purpose="closing")
