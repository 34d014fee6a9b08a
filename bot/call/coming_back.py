"""A caller who rings again while his matter is open is not surveyed: he is asked for his agent. And so is one
whose talk with an agent broke off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.call.journal import Journal
from bot.call.plan import CallPlan, CallRoom
from bot.core.answer import Answer
from bot.core.context import UserTurn
from bot.core.directives import Offer, Transfer, YesNoExpected
from bot.core.errors import Unavailable
from bot.core.events import OfferDecided, OfferMade
from bot.core.intents import Topic
from bot.core.returning import OpenMatter
from bot.surveys.answers import parse
from bot.surveys.handover_words import HandoverWords
from telephony.leg import CallLeg

log = structlog.get_logger()

RETURNED = "returned"
"""The reason of a handover of a caller who came back."""

REJOINED = "rejoined"
"""The reason of a handover of a caller whose talk with an agent broke off."""

_LOOKUP_S = 1.0
"""Who rings is not kept waiting for longer to learn whether we know him."""

Ask = Callable[[Offer], Awaitable[UserTurn | None]]
"""Puts an offer; the caller's turn, or None where he has left."""


async def open_matter(plan: CallPlan, room: CallRoom, leg: CallLeg) -> OpenMatter | None:
    """What is still open of somebody who rings us; a lookup that fails or lingers is none."""
    if plan.context.direction != "inbound":
        return None
    try:
        async with asyncio.timeout(_LOOKUP_S):
            return await room.returning(plan.phone or leg.remote)
    except (Unavailable, TimeoutError) as error:
        log.warning("not known whether he comes back", call_id=plan.context.call_id, reason=str(error))
        return None


async def ask_to_join(ask: Ask, texts: tuple[str, ...], topic: Topic | None, journal: Journal) -> bool | None:
    """Whether he wants to be connected now, asked with one text after the other until he says it; None where
    he left without a word."""
    accepted = False
    for text in texts:
        await journal.write(OfferMade, offer="human", topic=topic)
        turn = await ask(Offer(offer="human", text=text, topic=topic))
        if turn is None:
            return None
        answer = parse(YesNoExpected(), turn)
        if isinstance(answer, Answer):
            accepted = answer.value == "yes"
            break
    await journal.write(OfferDecided, offer="human", accepted=accepted)
    return accepted


def order_for(matter: OpenMatter, words: HandoverWords) -> Transfer:
    """To the owner of the matter, and where it has none, to where it was to go the first time."""
    return Transfer(
        target=matter.owner_id or matter.target,
        reason=RETURNED,
        text=words.connecting,
        whisper=f"{words.returned} {matter.whisper}".strip(),
    )


def order_again(order: Transfer, words: HandoverWords) -> Transfer:
    """To whom it went before."""
    return order.model_copy(
        update={
            "reason": REJOINED,
            "text": words.connecting,
            "whisper": f"{words.rejoined} {order.whisper}".strip(),
        }
    )
